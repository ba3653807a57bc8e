package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"os"
	"slices"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	"github.com/spf13/cobra"
	"go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc"
	"google.golang.org/grpc"

	"github.com/cloverleaf-mesh/cloverleaf/controller/envoy"
	"github.com/cloverleaf-mesh/cloverleaf/controller/localca"
	"github.com/cloverleaf-mesh/cloverleaf/controller/loop"
	"github.com/cloverleaf-mesh/cloverleaf/controller/source/file"
	"github.com/cloverleaf-mesh/cloverleaf/controller/xdsserver"
	"github.com/cloverleaf-mesh/cloverleaf/internal/cli"
	"github.com/cloverleaf-mesh/cloverleaf/internal/telemetry"
	"github.com/cloverleaf-mesh/cloverleaf/translator/input"
	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// upOptions are the flags of up.
type upOptions struct {
	bind        string
	portOffset  int32
	localCA     bool
	demo        bool
	output      string
	envoyPath   string
	concurrency int
	admin       string
	pprof       bool
	drain       time.Duration
	poll        time.Duration
	logLevel    string
	hosts       string
	accessLog   string
}

func newUp(g *globals) *cobra.Command {
	o := &upOptions{}
	c := &cobra.Command{
		Use:   "up DIR",
		Short: "Serve a folder of manifests with Envoy on this machine, and watch it",
		Long: "Up serves the Gateways of a folder with one Envoy on this machine, and follows every change. Listeners bind\n" +
			"127.0.0.1; ports below 1024 are bound 10000 higher. A broken file keeps its objects' last good version.\n" +
			"^C drains and ends it; a second ^C ends it at once.",
		Example: "  cloverleaf up ./gateway\n  cloverleaf up examples/quickstart --demo --port-offset 20000",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return cli.Fail(cli.ExitUsage, "up needs one folder, as in 'cloverleaf up ./gateway'")
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			style, err := g.style(c.ErrOrStderr())
			if err != nil {
				return err
			}
			return up(c.Context(), args[0], o, newReporter(c, o, style))
		},
	}
	f := c.Flags()
	f.StringVar(&o.bind, "bind", "127.0.0.1", "IP address that listeners bind")
	f.Int32Var(&o.portOffset, "port-offset", 10000, "added to ports below 1024; 0 binds them as they are")
	f.BoolVar(&o.localCA, "local-ca", false, "serve HTTPS listeners whose Secret is missing with certificates of a local CA")
	f.BoolVar(&o.demo, "demo", false, "run an echo backend for every loopback endpoint on which nothing listens")
	f.StringVarP(&o.output, "output", "o", "text", "text, or json for one JSON object a line")
	f.StringVar(&o.envoyPath, "envoy", "", "Envoy binary (default: ENVOY_PATH, PATH, then what 'make envoy' fetched)")
	f.IntVar(&o.concurrency, "concurrency", 2, "Envoy's worker threads; 0 means one for each CPU")
	f.StringVar(&o.admin, "admin", "127.0.0.1:0", "address of metrics; empty for none")
	f.BoolVar(&o.pprof, "pprof", false, "profiles under /debug/pprof of the admin address")
	f.DurationVar(&o.drain, "drain-timeout", 10*time.Second, "how long open requests may take at the end")
	f.DurationVar(&o.poll, "poll", 0, "how often the whole folder is looked at (0: every 5s)")
	f.StringVar(&o.hosts, "virtual-hosts", "vhds", "vhds, or inline to send whole route tables")
	f.StringVar(&o.accessLog, "access-log", logAuto,
		"where each request is a line of JSON: a file, - for standard output, none, or auto: standard output, "+
			"unless that is a terminal or carries the events of -o json")
	f.StringVar(&o.logLevel, "log-level", "warn", "debug, info, warn or error")
	return c
}

// up runs until the context ends.
func up(ctx context.Context, dir string, o *upOptions, report *reporter) error {
	if err := errors.Join(oneOf("-o", o.output, "text", "json"), oneOf("--virtual-hosts", o.hosts, "vhds", "inline")); err != nil {
		return err
	}
	if net.ParseIP(o.bind) == nil {
		return cli.Fail(cli.ExitUsage, "--bind must be an IP address, not %q", o.bind)
	}
	if o.portOffset < 0 || o.portOffset > 64511 { // 1024 ports are moved
		return cli.Fail(cli.ExitUsage, "--port-offset must be from 0 to 64511, not %d", o.portOffset)
	}
	if err := paths([]string{dir}); err != nil {
		return err
	}
	log, err := openAccessLog(o.accessLog, o.output == "json", report.out)
	if err != nil {
		return err
	}
	s := &session{options: o, report: report, accessLog: log, ports: portWatch{taken: map[ir.ResourceID]bool{}}}
	defer s.close()
	if err := s.prepare(ctx); err != nil {
		return err
	}
	return s.serve(ctx, dir)
}

// session is one run of up.
type session struct {
	options   *upOptions
	report    *reporter
	logger    *slog.Logger
	telemetry *telemetry.Telemetry
	ca        *localca.CA
	dir       string   // of sockets
	accessLog *os.File // nil for none
	server    *xdsserver.Server
	grpc      *grpc.Server
	proxy     *envoy.Process
	events    chan loop.Event
	certs     *certificates
	ports     portWatch
	told      bool // the proxy was told of a first round
	memory    memory
	closers   []func()
}

func (s *session) close() {
	for _, stop := range slices.Backward(s.closers) {
		stop()
	}
}

func (s *session) prepare(ctx context.Context) error {
	var err error
	if s.logger, err = telemetry.Logger(s.report.errors, s.options.logLevel, s.options.output == "json"); err != nil {
		return cli.Fail(cli.ExitUsage, "%w", err)
	}
	if s.telemetry, err = telemetry.Start(ctx, "cloverleaf", version); err != nil {
		return cli.Fail(cli.ExitInternal, "telemetry: %w", err)
	}
	s.closers = append(s.closers, s.telemetry.Stop)
	if s.options.envoyPath != "" {
		if err := os.Setenv("ENVOY_PATH", s.options.envoyPath); err != nil {
			return err
		}
	}
	binary, err := envoy.Find(ctx)
	var unusable *envoy.Unusable
	switch {
	case errors.As(err, &unusable):
		s.report.trouble(unusable.Finding)
		return &cli.Error{Code: cli.ExitReach}
	case err != nil:
		return cli.Fail(cli.ExitReach, "%w", err)
	}
	s.report.envoy(binary)
	if s.options.localCA {
		if err := s.openCA(); err != nil {
			return cli.Fail(cli.ExitReach, "%w", err)
		}
	}
	own, err := newScratch()
	if err != nil {
		return cli.Fail(cli.ExitReach, "%w", err)
	}
	s.dir = own.dir
	s.closers = append(s.closers, own.close)
	if err := s.serveADS(); err != nil {
		return cli.Fail(cli.ExitReach, "%w", err)
	}
	if err := s.serveAdmin(ctx); err != nil {
		return cli.Fail(cli.ExitReach, "%w", err)
	}
	return s.startEnvoy(binary)
}

func (s *session) openCA() error {
	dir, err := localca.DefaultDir()
	if err != nil {
		return err
	}
	if s.ca, err = localca.Open(dir); err != nil {
		return err
	}
	s.report.localCA(s.ca)
	return nil
}

// serveADS listens on a Unix socket that only this user can reach; so whoever connects is our Envoy.
func (s *session) serveADS() error {
	listener, err := net.Listen("unix", envoy.XDSSocket(s.dir))
	if err != nil {
		return err
	}
	if err := os.Chmod(envoy.XDSSocket(s.dir), 0o600); err != nil {
		return err
	}
	s.server = xdsserver.New(xdsserver.Options{
		Classify: func(context.Context, *corev3.Node) (ir.ProxyClass, error) {
			return ir.ProxyClass{Role: ir.ClassLocal}, nil
		},
		VirtualHosts: map[string]xdsserver.Layout{"inline": xdsserver.Inline}[s.options.hosts],
		Logger:       s.logger,
		Hooks: xdsserver.Hooks{
			Pushed: s.telemetry.Pushed, Acked: s.telemetry.Acked, Nacked: s.telemetry.Nacked,
			Streams: s.telemetry.Connected, Cut: s.telemetry.Cut,
		},
	})
	s.telemetry.OldestUnacked(s.server.OldestUnacked)
	const largest = 64 << 20 // a reconnect names every resource that Envoy holds
	s.grpc = grpc.NewServer(grpc.MaxRecvMsgSize(largest), grpc.StatsHandler(otelgrpc.NewServerHandler()))
	s.server.Register(s.grpc)
	go func() { _ = s.grpc.Serve(listener) }()
	s.closers = append(s.closers, func() {
		s.server.Close()
		s.grpc.Stop()
	})
	return nil
}

// serveAdmin serves metrics and, when asked for, profiles.
func (s *session) serveAdmin(ctx context.Context) error {
	if s.options.admin == "" {
		return nil
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", s.options.admin)
	if err != nil {
		return fmt.Errorf("--admin: %w", err)
	}
	mux := http.NewServeMux()
	mux.Handle("/metrics", s.telemetry.Handler())
	if s.options.pprof {
		mux.HandleFunc("/debug/pprof/", pprof.Index)
		mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
		mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	}
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = server.Serve(listener) }()
	s.closers = append(s.closers, func() { _ = server.Close() })
	s.report.admin(listener.Addr().String())
	return nil
}

func (s *session) startEnvoy(binary envoy.Binary) error {
	var err error
	s.proxy, err = envoy.Start(envoy.Options{
		Binary: binary, Dir: s.dir, Concurrency: s.options.concurrency, DrainTimeout: s.options.drain,
		AccessLog: s.accessLog, Logger: s.logger, Trouble: s.report.trouble,
	})
	if err != nil {
		return cli.Fail(cli.ExitReach, "%w", err)
	}
	return nil
}

// serve connects folder, loop and proxy until the context ends, and drains.
func (s *session) serve(ctx context.Context, dir string) error {
	inner, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	updates, err := file.Watch(inner, dir, file.Options{Poll: s.options.poll})
	if err != nil {
		_ = s.proxy.Stop(inner)
		return cli.Fail(cli.ExitReach, "%w", err)
	}
	s.events = make(chan loop.Event, 64)
	s.certs = newCertificates(s.ca)
	settings := input.Settings{
		Controller: controllerName, Standalone: input.On, Bind: net.ParseIP(s.options.bind).String(), PortOffset: s.options.portOffset,
	}
	if s.options.localCA {
		settings.LocalCA = input.On
	}
	if s.accessLog != nil {
		settings.AccessLog = input.On
	}
	s.report.start(dir, s.options)
	done := make(chan struct{})
	go s.readFolder(inner, updates)
	go s.readFacts(inner)
	go s.certs.run(inner, s.events)
	go s.ports.run(inner, s.report.bound, s.server.Retry)
	go func() {
		defer close(done)
		loop.Run(inner, loop.Config{Settings: settings, Events: s.events, Publish: s.server.Apply, Observe: s.observe})
	}()
	<-ctx.Done()
	s.drain(inner)
	cancel()
	<-done
	return nil
}

// drain ends Envoy; a second signal ends the wait.
func (s *session) drain(ctx context.Context) {
	again, stop := secondSignal(ctx)
	defer stop()
	s.report.draining()
	open := s.proxy.Stop(again)
	s.report.bye(open)
}

func (s *session) readFolder(ctx context.Context, updates <-chan file.Update) {
	for u := range updates {
		e := loop.Event{Delete: u.Removed, Tag: u, At: u.At}
		for _, o := range u.Changed {
			e.Put = append(e.Put, o.Value)
		}
		if s.options.demo {
			s.report.demo(u)
		}
		select {
		case s.events <- e:
		case <-ctx.Done():
			return
		}
	}
}

// readFacts turns what proxies say into events, and tells the reporter when they hold everything.
func (s *session) readFacts(ctx context.Context) {
	for {
		facts, err := s.server.NextFacts(ctx)
		if errors.Is(err, context.Canceled) {
			return
		}
		s.report.refused(facts.Rejections)
		s.ports.note(facts.Rejections)
		e := loop.Event{At: time.Now()}
		for _, r := range facts.Listeners {
			e.Listeners = append(e.Listeners, loop.ListenerFact{
				Key:    input.ClassListener{Class: r.Class, Listener: ir.ListenerName(r.Listener)},
				Report: input.ListenerReport{Version: r.Version, Proxies: r.Proxies, Live: r.Live, Refused: r.Refused},
			})
		}
		for _, r := range facts.Rejections {
			e.Rejections = append(e.Rejections, loop.RejectionFact{ID: r.ID, Rejection: input.Rejection{Version: r.Version, Message: r.Message}})
		}
		if len(e.Listeners)+len(e.Rejections) > 0 {
			select {
			case s.events <- e:
			case <-ctx.Done():
				return
			}
		}
		for _, f := range facts.InSync {
			s.telemetry.Propagated(f.At.Sub(s.report.inSync(f)))
			s.memory.settled(f.Generation)
		}
	}
}

// observe is told of every round of the loop.
func (s *session) observe(r loop.Round) {
	s.memory.note(len(r.Delta.Resources), r.Generation)
	s.telemetry.Evaluated(telemetry.Evaluation{
		Events: len(r.Events), Duration: r.Duration, Stats: r.Stats,
		Resources: len(r.Delta.Resources), Reports: len(r.Delta.Reports), Panicked: r.Panic != nil,
	})
	if !s.told && r.Panic == nil {
		s.told = true
		if r.Generation == 0 { // a folder with nothing to serve: the proxy shall hear that, and not wait
			r.Generation = s.server.Synced(ir.ProxyClass{Role: ir.ClassLocal})
		}
	}
	if r.Panic != nil {
		s.logger.Error("evaluation failed; proxies keep what they have", "error", r.Panic)
	}
	for _, f := range r.Delta.Faults {
		s.logger.Error("a resource could not be encoded", "resource", f.ID, "error", f.Message)
	}
	if r.Delta.Wants != nil {
		s.certs.want(r.Delta.Wants)
	}
	s.report.round(r)
}
