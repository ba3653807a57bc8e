package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"sync/atomic"
	"time"

	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/grpc"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// CPU and memory are measured in processes of their own, so that a heap of 5,000 routes costs nobody else a collection:
// this program runs itself as a worker of one kind and size, and asks it over stdin for changes. The client is in the
// asking process, on the other end of a Unix socket, so that a worker's CPU is the server's alone.

// The kinds of workers.
const (
	kindLine   = "line"   // the core, with a world
	kindFloor  = "floor"  // the least that a server can be
	kindDecode = "decode" // nothing but the decoded objects of a world
)

// The variables that make a process a worker.
const (
	envKind   = "BENCH_WORKER"
	envRoutes = "BENCH_ROUTES"
	envSocket = "BENCH_SOCKET"
)

// job is what a worker process is to be.
type job struct {
	kind   string
	n      int
	socket string
}

func asWorker() (job, bool) {
	j := job{kind: os.Getenv(envKind), socket: os.Getenv(envSocket)}
	j.n, _ = strconv.Atoi(os.Getenv(envRoutes))
	return j, j.kind != ""
}

// cost is what a worker cost on its way to a point.
type cost struct {
	CPU       time.Duration // of the process, all threads
	Wall      time.Duration
	Allocated uint64
	Heap      int64 // in use by objects, after a collection
	Anonymous int64 // RssAnon of the process, after free memory was given back
}

// order asks a worker for a row of cycles.
type order struct {
	Cycle string
	First int // number of the first one
	Count int
}

// spent is what the steps of one name cost together.
type spent struct {
	Steps int
	CPU   time.Duration // of the process, all threads, until the client's answer is taken in
	Wire  int64         // bytes written to the socket, HTTP/2 frames included
}

// subject is what a worker does orders on.
type subject interface {
	register(*grpc.Server)
	// await waits until the client holds everything.
	await()
	// actions are the k-th run of a cycle; each waits until the client holds its change.
	actions(cycle string, k int) []action
}

type action struct {
	name string
	do   func()
}

// live is a line with a world of n routes. The objects stay, as they would in an informer.
type live struct {
	*line
	n       int
	objects []metav1.Object
}

func (l *live) register(g *grpc.Server) { l.server.Register(g) }
func (l *live) await()                  { <-l.first }

func (l *live) actions(cycle string, k int) []action {
	var out []action
	for _, s := range cycleOf(cycle).steps(l.n, k) {
		out = append(out, action{s.name, func() { l.apply(s.event) }})
	}
	return out
}

func (f *floor) register(g *grpc.Server) { discoveryv3.RegisterAggregatedDiscoveryServiceServer(g, f) }
func (f *floor) await()                  { <-f.answers }

func (f *floor) actions(_ string, k int) []action {
	return []action{{ruleEdit, func() { f.change(spread(k, f.n), 1+k) }}}
}

// work says what making the subject cost, then what it is worth when the client holds everything, and then obeys orders.
func (j job) work(ctx context.Context) error {
	out := json.NewEncoder(os.Stdout)
	s, birth, err := j.subject()
	if err != nil {
		return err
	}
	if err := out.Encode(birth); err != nil || s == nil {
		return err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "unix", j.socket)
	if err != nil {
		return err
	}
	counted := &countedListener{Listener: listener}
	g := grpc.NewServer(grpc.MaxRecvMsgSize(largest))
	s.register(g)
	go func() { _ = g.Serve(counted) }()
	s.await()
	if err := out.Encode(weigh()); err != nil {
		return err
	}
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		var o order
		if err := json.Unmarshal(in.Bytes(), &o); err != nil {
			return err
		}
		if err := out.Encode(obey(s, o, &counted.written)); err != nil {
			return err
		}
	}
	return in.Err()
}

// subject makes what the worker works on; nil for a worker that only decodes.
func (j job) subject() (subject, cost, error) {
	switch j.kind {
	case kindFloor:
		start := begin()
		return newFloor(j.n), start.end(), nil
	case kindDecode:
		before := weigh()
		objects, err := decodedWorld(j.n)
		after := weigh()
		after.Heap -= before.Heap
		runtime.KeepAlive(objects)
		return nil, after, err
	case kindLine:
		objects, err := decodedWorld(j.n)
		if err != nil {
			return nil, cost{}, err
		}
		l := newLine()
		start := begin()
		l.build(objects)
		return &live{l, j.n, objects}, start.end(), nil
	default:
		return nil, cost{}, fmt.Errorf("no worker is a %q", j.kind)
	}
}

// weigh returns what a process is worth: as `cloverleaf up` does after its first configuration, it gives memory back.
func weigh() cost {
	c := cost{CPU: processCPU(), Allocated: allocated()}
	debug.FreeOSMemory()
	debug.FreeOSMemory() // what pools hold outlives one collection
	c.Heap = heapInUse()
	c.Anonymous, _ = anonymous("self")
	return c
}

func obey(s subject, o order, written *atomic.Int64) map[string]*spent {
	total := map[string]*spent{}
	var rows [][]action
	for k := range o.Count {
		rows = append(rows, s.actions(o.Cycle, o.First+k))
	}
	for _, row := range rows {
		for _, a := range row {
			sum := total[a.name]
			if sum == nil {
				sum = &spent{}
				total[a.name] = sum
			}
			wire, cpu := written.Load(), processCPU()
			a.do()
			sum.CPU += processCPU() - cpu
			sum.Wire += written.Load() - wire
			sum.Steps++
		}
	}
	return total
}

// countedListener counts what is written to its connections.
type countedListener struct {
	net.Listener
	written atomic.Int64
}

// Accept returns a connection that counts.
func (l *countedListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return countedConn{c, &l.written}, nil
}

type countedConn struct {
	net.Conn
	written *atomic.Int64
}

// Write counts what it writes.
func (c countedConn) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	c.written.Add(int64(n))
	return n, err
}
