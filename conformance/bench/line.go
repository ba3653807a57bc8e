package main

import (
	"context"
	"sync"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cloverleaf-mesh/cloverleaf/controller/loop"
	"github.com/cloverleaf-mesh/cloverleaf/controller/xdsserver"
	"github.com/cloverleaf-mesh/cloverleaf/translator/input"
	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// line is the core of the control plane, connected as `cloverleaf up` connects it: loop, store, evaluator, xDS server,
// and what proxies say on its way back. The folder before it and Envoy behind it are left out.
type line struct {
	server *xdsserver.Server
	events chan loop.Event
	first  chan struct{}   // closed when a proxy holds everything for the first time
	done   chan loop.Round // of the event of apply, when the proxy holds what follows from it
	stop   context.CancelFunc

	mu      sync.Mutex
	held    uint64      // generation that the proxy holds
	waiting *loop.Round // for the proxy
}

func newLine() *line {
	ctx, stop := context.WithCancel(context.Background())
	l := &line{
		server: xdsserver.New(xdsserver.Options{
			Classify: func(context.Context, *corev3.Node) (ir.ProxyClass, error) {
				return ir.ProxyClass{Role: ir.ClassLocal}, nil
			},
		}),
		events: make(chan loop.Event, 64), first: make(chan struct{}), done: make(chan loop.Round, 1), stop: stop,
	}
	go loop.Run(ctx, loop.Config{
		Settings: input.Settings{Controller: controller, Standalone: input.On, Bind: "127.0.0.1"},
		Events:   l.events, Publish: l.server.Apply, Observe: l.observe,
	})
	go l.readFacts(ctx)
	return l
}

func (l *line) close() {
	l.stop()
	l.server.Close()
}

// world and own mark the events of build and apply.
type (
	world struct{}
	own   struct{}
)

func (l *line) observe(r loop.Round) {
	for _, e := range r.Events {
		switch e.Tag.(type) {
		case world:
			l.done <- r
		case own:
			l.mu.Lock()
			l.waiting = &r
			l.tell()
			l.mu.Unlock()
		}
	}
}

// tell ends apply when the proxy holds what it waits for. Whoever waits is woken once, as nobody is in a gateway.
func (l *line) tell() {
	if l.waiting != nil && l.held >= l.waiting.Generation {
		l.done <- *l.waiting
		l.waiting = nil
	}
}

func (l *line) inSync(f xdsserver.InSync) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.held == 0 {
		close(l.first)
	}
	l.held = f.Generation
	l.tell()
}

func (l *line) readFacts(ctx context.Context) {
	for {
		facts, err := l.server.NextFacts(ctx)
		if err != nil {
			return
		}
		var e loop.Event
		for _, r := range facts.Listeners {
			e.Listeners = append(e.Listeners, loop.ListenerFact{
				Key:    input.ClassListener{Class: r.Class, Listener: ir.ListenerName(r.Listener)},
				Report: input.ListenerReport{Version: r.Version, Proxies: r.Proxies, Live: r.Live, Refused: r.Refused},
			})
		}
		if len(e.Listeners) > 0 {
			l.events <- e
		}
		for _, f := range facts.InSync {
			l.inSync(f)
		}
	}
}

// build takes in a world, before any proxy is connected.
func (l *line) build(objects []metav1.Object) loop.Round {
	l.events <- loop.Event{Put: objects, Tag: world{}}
	return <-l.done
}

// apply takes in a change and waits until the proxy holds what follows from it.
func (l *line) apply(e loop.Event) loop.Round {
	e.Tag = own{}
	l.events <- e
	return <-l.done
}
