package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"strconv"
	"sync"
	"time"
)

// drive measures a control plane from outside: it writes a folder of manifests, starts a command, edits the folder, and
// sees what becomes of it through Envoy. CPU is that of all processes below the command, those that are called envoy
// apart.
type drive struct {
	folder
	start        string // shell command: the control plane and Envoy
	envoyComm    string
	pprof        string // base URL of net/http/pprof; empty for none
	admin        string // Envoy's admin interface; empty to count bytes on TCP connections
	cluster      string // name of the xDS cluster in Envoy's bootstrap
	log          string
	edits, flips int
	idle         time.Duration
	startLimit   time.Duration
	editLimit    time.Duration

	program *program
	plane   *plane
	below   processes
	probe   int64 // what asking for allocations allocates
}

// driven is what a drive found.
type driven struct {
	Start     started
	Headers   edited // edits of a header
	Backends  edited // edits of a backendRef
	Idle      float64
	Load      loaded
	Anonymous int64 // of the control plane, at the end
}

type started struct {
	UntilServed     time.Duration // until the last route answered
	CPU             time.Duration // until it went quiet
	Anonymous       int64
	Wire, Allocated int64
	Bad             int // sampled requests that were not answered with 200
}

type edited struct{ Latency, CPU, Allocated, Wire, EnvoyMain series }

type loaded struct {
	Requests, Bad int
	Latency       series
}

func runDrive(ctx context.Context, args []string) error {
	d, address, err := driveFlags(args)
	if err != nil {
		return err
	}
	got, err := d.run(ctx, address)
	if err != nil {
		return err
	}
	r := newReport(os.Stdout)
	r.add(table{Title: fmt.Sprintf("Driven: %s, %d routes", d.start, d.n), Head: []string{"what", "figure"}, Rows: got.rows()})
	return nil
}

func driveFlags(args []string) (*drive, string, error) {
	d := &drive{}
	var address string
	var port int
	f := flag.NewFlagSet("bench drive", flag.ContinueOnError)
	f.StringVar(&d.start, "start", "", "shell command that starts the control plane and Envoy and stays in the foreground")
	f.StringVar(&address, "addr", "127.0.0.1:10080", "host:port on which the Gateway listens")
	f.StringVar(&d.dir, "dir", "", "folder of manifests; must be new or empty")
	f.IntVar(&d.n, "n", 5000, "routes")
	f.IntVar(&d.edits, "edits", 12, "edits of a header; half as many of a backendRef")
	f.IntVar(&d.hot, "hot", 0, "how many routes the edits touch (0: each another one)")
	f.BoolVar(&d.pack, "pack", false, "routes that are not edited share one file")
	f.IntVar(&d.flips, "flips", 10, "edits of a backendRef under load")
	f.IntVar(&d.backends, "backends", 2, "backends, an even number")
	f.StringVar(&d.kind, "backend-kind", "Service", "Service, or Backend for Envoy Gateway's")
	f.IntVar(&port, "backend-port", 19801, "port of a backend; the next one is the other's")
	f.StringVar(&d.controller, "controller", controller, "controllerName of the GatewayClass")
	f.StringVar(&d.pprof, "pprof", "", "base URL of net/http/pprof, for allocations")
	f.StringVar(&d.admin, "envoy-admin", "", "URL of Envoy's admin interface, or unix:GLOB, to count xDS bytes there and not on TCP connections")
	f.StringVar(&d.cluster, "xds-cluster", "xds", "the xDS cluster in Envoy's bootstrap")
	f.StringVar(&d.envoyComm, "envoy-comm", "envoy", "name of Envoy's processes")
	f.StringVar(&d.log, "log", os.DevNull, "what the command prints")
	f.DurationVar(&d.idle, "idle", 40*time.Second, "how long to look at CPU while nothing happens")
	f.DurationVar(&d.startLimit, "start-timeout", 10*time.Minute, "how long the start may take")
	f.DurationVar(&d.editLimit, "timeout", 2*time.Minute, "how long an edit may take")
	if err := f.Parse(args); err != nil {
		return nil, "", err
	}
	d.ports = [2]int{port, port + 1}
	if d.hot == 0 || d.hot > d.n {
		d.hot = min(max(1, d.edits), d.n)
	}
	if _, known := backendTexts[d.kind]; !known || d.start == "" || d.dir == "" || d.backends%2 != 0 {
		return nil, "", errors.New("-start and -dir must be given, -backends must be even, -backend-kind must be Service or Backend")
	}
	return d, address, nil
}

// run goes through all phases.
func (d *drive) run(ctx context.Context, address string) (*driven, error) {
	_, port, err := net.SplitHostPort(address)
	if err == nil {
		d.port, err = strconv.Atoi(port)
	}
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if err := errors.Join(d.write(), serveBackends(ctx, d.ports)); err != nil {
		return nil, err
	}
	d.plane = newPlane(address)
	began := time.Now()
	if d.program, err = launch(d.start, d.log); err != nil {
		return nil, err
	}
	defer d.program.stop()
	got := &driven{}
	for _, phase := range []func() error{
		func() error { return d.awaitStart(ctx, began, &got.Start) },
		func() error { return d.editHeaders(ctx, &got.Headers) },
		func() error { return d.editBackends(ctx, &got.Backends) },
		func() error { return d.rest(ctx, &got.Idle) },
		func() error { return d.load(ctx, &got.Load) },
	} {
		if err := phase(); err != nil {
			return nil, err
		}
	}
	got.Anonymous = anonymousOf(d.below.control)
	return got, nil
}

func (d *drive) awaitStart(ctx context.Context, began time.Time, s *started) error {
	if err := d.plane.await(ctx, hostOf(d.n-1), d.startLimit, func(answer) bool { return true }); err != nil {
		return err
	}
	s.UntilServed = time.Since(began)
	d.below = below(d.program.cmd.Process.Pid, d.envoyComm)
	d.quiet(ctx)
	s.CPU, s.Anonymous = d.below.controlCPU(), anonymousOf(d.below.control)
	for i := 0; i < d.n; i += max(1, d.n/50) {
		for _, path := range []string{"/api/x", "/y"} {
			if d.plane.get(ctx, hostOf(i), path).code != http.StatusOK {
				s.Bad++
			}
		}
	}
	var err error
	if s.Wire, err = d.wire(ctx); err != nil || d.pprof == "" {
		return err
	}
	if s.Allocated, err = allocatedBy(ctx, d.pprof); err != nil {
		return err
	}
	again, err := allocatedBy(ctx, d.pprof)
	d.probe = again - s.Allocated
	return err
}

func (d *drive) wire(ctx context.Context) (int64, error) {
	if d.admin != "" {
		return xdsReceived(ctx, d.admin, d.cluster)
	}
	return tcpReceived(ctx, d.below)
}

// quiet waits until the control plane uses less than a fiftieth of a core, two minutes at the most.
func (d *drive) quiet(ctx context.Context) {
	const window = 300 * time.Millisecond
	for range 400 {
		before := d.below.controlCPU()
		rest(ctx, window)
		if d.below.controlCPU()-before < window/50 {
			return
		}
	}
}

func rest(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// edit changes a route and measures until the data plane shows it and the control plane is quiet again.
func (d *drive) edit(ctx context.Context, e *edited, route int, revision string, backend int, shown func(answer) bool) error {
	wire, err := d.wire(ctx)
	if err != nil {
		return err
	}
	var bytes int64
	if d.pprof != "" {
		if bytes, err = allocatedBy(ctx, d.pprof); err != nil {
			return err
		}
	}
	cpu, main, began := d.below.controlCPU(), d.below.envoyMain(), time.Now()
	if err := d.route(route, revision, backend); err != nil {
		return err
	}
	if err := d.plane.await(ctx, hostOf(route), d.editLimit, shown); err != nil {
		return err
	}
	e.Latency = append(e.Latency, milliseconds(time.Since(began)))
	d.quiet(ctx)
	e.CPU = append(e.CPU, milliseconds(d.below.controlCPU()-cpu))
	e.EnvoyMain = append(e.EnvoyMain, milliseconds(d.below.envoyMain()-main))
	after, err := d.wire(ctx)
	if err != nil {
		return err
	}
	e.Wire = append(e.Wire, float64(after-wire)/kB)
	if d.pprof != "" {
		now, err := allocatedBy(ctx, d.pprof)
		if err != nil {
			return err
		}
		e.Allocated = append(e.Allocated, float64(now-bytes-d.probe)/kB)
	}
	return nil
}

func (d *drive) editHeaders(ctx context.Context, e *edited) error {
	for k := range d.edits {
		route, revision := d.edited(k), strconv.Itoa(k+1)
		shown := func(a answer) bool { return a.header.Get("x-rev") == revision }
		if err := d.edit(ctx, e, route, revision, d.home(route), shown); err != nil {
			return err
		}
	}
	return nil
}

func (d *drive) editBackends(ctx context.Context, e *edited) error {
	for k := range d.edits / 2 {
		route := d.edited(k)
		backend := d.home(route) + 1 - k/d.hot%2
		port := strconv.Itoa(d.portOf(backend))
		shown := func(a answer) bool { return a.header.Get("x-backend") == port }
		if err := d.edit(ctx, e, route, "b", backend, shown); err != nil {
			return err
		}
	}
	return nil
}

// rest measures the CPU of nothing, in parts of a core.
func (d *drive) rest(ctx context.Context, share *float64) error {
	before := d.below.controlCPU()
	rest(ctx, d.idle)
	*share = float64(d.below.controlCPU()-before) / float64(max(d.idle, 1))
	return nil
}

// load changes the backend of one route under a constant load, and counts answers that are not 200.
func (d *drive) load(ctx context.Context, l *loaded) error {
	route := d.n / 2
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var mu sync.Mutex
	var clients sync.WaitGroup
	for range 4 {
		clients.Go(func() {
			p := newPlane(d.plane.address)
			for k := 1; ctx.Err() == nil; k++ {
				a := p.get(ctx, hostOf(route), "/api/x")
				if ctx.Err() != nil {
					return
				}
				mu.Lock()
				l.Requests++
				if a.code != http.StatusOK {
					l.Bad++
				}
				mu.Unlock()
				if k%20 == 0 {
					p.client.CloseIdleConnections() // new connections see new listeners, too
				}
				rest(ctx, 4*time.Millisecond)
			}
		})
	}
	var err error
	for k := range d.flips {
		backend := d.home(route) + (k+1)%2
		port := strconv.Itoa(d.portOf(backend))
		began := time.Now()
		err = d.route(route, "0", backend)
		if err == nil {
			err = d.plane.await(ctx, hostOf(route), d.editLimit, func(a answer) bool { return a.header.Get("x-backend") == port })
		}
		if err != nil {
			break
		}
		l.Latency = append(l.Latency, milliseconds(time.Since(began)))
		rest(ctx, 200*time.Millisecond)
	}
	cancel()
	clients.Wait()
	return err
}

// rows are the lines of a table.
func (r *driven) rows() [][]string {
	rows := [][]string{
		{"start, until the last route answered, s", figure(r.Start.UntilServed.Seconds())},
		{"start, CPU s", figure(r.Start.CPU.Seconds())},
		{"start, xDS bytes", size(r.Start.Wire)},
		{"start, allocated", size(r.Start.Allocated)},
		{"start, anonymous memory", size(r.Start.Anonymous)},
		{"start, sampled requests without a 200", strconv.Itoa(r.Start.Bad)},
	}
	for _, e := range []struct {
		name string
		edited
	}{{"header edit", r.Headers}, {"backend edit", r.Backends}} {
		rows = append(rows, [][]string{
			{e.name + ", CPU ms", e.CPU.String()},
			{e.name + ", kB allocated", e.Allocated.String()},
			{e.name + ", kB of xDS", e.Wire.String()},
			{e.name + ", ms until live", e.Latency.String()},
			{e.name + ", Envoy's main thread ms", e.EnvoyMain.String()},
		}...)
	}
	return append(rows, [][]string{
		{"nothing happens, CPU in parts of a core", fmt.Sprintf("%.4f", r.Idle)},
		{"backend edits under load, requests", strconv.Itoa(r.Load.Requests)},
		{"backend edits under load, without a 200", strconv.Itoa(r.Load.Bad)},
		{"backend edits under load, ms until live", r.Load.Latency.String()},
		{"anonymous memory at the end", size(r.Anonymous)},
	}...)
}
