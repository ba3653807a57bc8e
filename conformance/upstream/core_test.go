package upstream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"sync"
	"testing"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	"google.golang.org/grpc"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/cloverleaf-mesh/cloverleaf/controller/envoy"
	"github.com/cloverleaf-mesh/cloverleaf/controller/loop"
	"github.com/cloverleaf-mesh/cloverleaf/controller/source/manifest"
	"github.com/cloverleaf-mesh/cloverleaf/controller/xdsserver"
	"github.com/cloverleaf-mesh/cloverleaf/translator/input"
	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
	"github.com/cloverleaf-mesh/cloverleaf/translator/status"
)

const controllerName = "cloverleaf.dev/gateway"

// core is the standalone core with its Envoy, as `cloverleaf up` runs it, apart from where objects come from and where
// statuses go.
type core struct {
	server  *xdsserver.Server
	objects *queue[write]
	reports *queue[status.Report]
	facts   chan loop.Event
	last    map[ir.Ref]status.Report // of each object; the loop's own

	mu     sync.Mutex
	faults []string // of the core or of its inputs: none may happen
}

func startCore(t *testing.T, settings input.Settings) *core {
	t.Helper()
	c := &core{objects: newQueue[write](), reports: newQueue[status.Report](), facts: make(chan loop.Event), last: map[ir.Ref]status.Report{}}
	dir, err := os.MkdirTemp("", "up-") // short: a socket's path has 107 bytes
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	listener, err := net.Listen("unix", envoy.XDSSocket(dir))
	if err != nil {
		t.Fatal(err)
	}
	c.server = xdsserver.New(xdsserver.Options{Classify: func(context.Context, *corev3.Node) (ir.ProxyClass, error) {
		return ir.ProxyClass{Role: ir.ClassLocal}, nil
	}})
	g := grpc.NewServer()
	c.server.Register(g)
	go func() { _ = g.Serve(listener) }()
	binary, err := envoy.Find(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	proxy, err := envoy.Start(envoy.Options{
		Binary: binary, Dir: dir, Concurrency: 2, Logger: slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn})),
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	events, done := make(chan loop.Event), make(chan struct{})
	go c.readFacts(ctx)
	go c.feed(ctx, events)
	go func() {
		defer close(done)
		loop.Run(ctx, loop.Config{Settings: settings, Events: events, Publish: c.server.Apply, Observe: c.observe})
	}()
	t.Cleanup(func() {
		proxy.Stop(ctx)
		cancel()
		<-done
		c.server.Close()
		g.Stop()
	})
	return c
}

// feed hands objects and facts to the loop.
func (c *core) feed(ctx context.Context, events chan<- loop.Event) {
	decoder := manifest.NewDecoder()
	for {
		var e loop.Event
		select {
		case <-ctx.Done():
			return
		case e = <-c.facts:
		case <-c.objects.wake:
			for _, w := range c.objects.take() {
				c.event(decoder, w, &e)
			}
		}
		select {
		case <-ctx.Done():
			return
		case events <- e:
		}
	}
}

// event reads an object as `up` reads a manifest, and adds it to an event. Kinds that are not read are left out. Within an
// event deletions come first, so an object that was deleted and made again is just replaced.
func (c *core) event(decoder *manifest.Decoder, w write, e *loop.Event) {
	text, err := json.Marshal(w.object.Object)
	if err != nil {
		c.fault("%v", err)
		return
	}
	path := w.object.GetKind() + "/" + w.object.GetNamespace() + "/" + w.object.GetName()
	f := decoder.Decode(path, text)
	decoder.Forget(path)
	if len(f.Broken) > 0 || f.Unnamed {
		c.fault("the reader refuses what the API took: %v", f.Problems)
	}
	for _, o := range f.Objects {
		if w.act == deleted {
			e.Put = without(e.Put, o.Value)
			e.Delete = append(e.Delete, o.Ref)
			continue
		}
		e.Put = append(e.Put, o.Value)
		if w.act == made {
			bare, _ := e.Tag.([]ir.Ref)
			e.Tag = append(bare, o.Ref)
		}
	}
}

func without(objects []metav1.Object, gone metav1.Object) []metav1.Object {
	var kept []metav1.Object
	for _, o := range objects {
		if fmt.Sprintf("%T", o) != fmt.Sprintf("%T", gone) || o.GetName() != gone.GetName() || o.GetNamespace() != gone.GetNamespace() {
			kept = append(kept, o)
		}
	}
	return kept
}

// readFacts turns what the proxy says into events, as `up` does.
func (c *core) readFacts(ctx context.Context) {
	for {
		facts, err := c.server.NextFacts(ctx)
		if errors.Is(err, context.Canceled) {
			return
		}
		e := loop.Event{At: time.Now()}
		for _, r := range facts.Listeners {
			e.Listeners = append(e.Listeners, loop.ListenerFact{
				Key:    input.ClassListener{Class: r.Class, Listener: ir.ListenerName(r.Listener)},
				Report: input.ListenerReport{Version: r.Version, Proxies: r.Proxies, Live: r.Live, Refused: r.Refused},
			})
		}
		for _, r := range facts.Rejections {
			if r.Version != "" {
				c.fault("Envoy refused %s: %s", r.ID, r.Message)
			}
			e.Rejections = append(e.Rejections, loop.RejectionFact{ID: r.ID, Rejection: input.Rejection{Version: r.Version, Message: r.Message}})
		}
		select {
		case c.facts <- e:
		case <-ctx.Done():
			return
		}
	}
}

// observe is told of every round of the loop. An object that was deleted and made again within one round is no change to
// the core, but it has no status: it gets what was said of the one before.
func (c *core) observe(r loop.Round) {
	if r.Panic != nil {
		c.fault("%v", r.Panic)
	}
	for _, f := range r.Delta.Faults {
		c.fault("%s cannot be encoded: %s", f.ID, f.Message)
	}
	for _, report := range r.Delta.Reports {
		c.last[report.Object] = report
	}
	c.reports.put(r.Delta.Reports...)
	for _, e := range r.Events {
		bare, _ := e.Tag.([]ir.Ref)
		for _, ref := range bare {
			c.reports.put(c.last[ref])
		}
	}
}

func (c *core) fault(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.faults = append(c.faults, fmt.Sprintf(format, args...))
}

// takeFaults returns what must not have happened since the last call.
func (c *core) takeFaults() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := c.faults
	c.faults = nil
	return all
}

// writeStatuses writes what the core says of objects until the context ends.
func (c *core) writeStatuses(ctx context.Context, api *fakeAPI) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-c.reports.wake:
		}
		for _, r := range c.reports.take() {
			if r.Gone || r.Status == nil {
				continue
			}
			fields, err := runtime.DefaultUnstructuredConverter.ToUnstructured(r.Status)
			if err == nil {
				date(fields, time.Now().UTC().Format(time.RFC3339))
				o := &unstructured.Unstructured{}
				o.SetAPIVersion(gwv1.GroupName + "/v1")
				o.SetKind(string(r.Object.Kind))
				o.SetNamespace(r.Object.Namespace)
				o.SetName(r.Object.Name.Name)
				err = api.setStatus(o, fields)
			}
			if err != nil {
				c.fault("status of %s: %v", r.Object, err)
			}
		}
	}
}

// date gives conditions a time, which statuses of the core do not have.
func date(value any, now string) {
	switch v := value.(type) {
	case []any:
		for _, entry := range v {
			date(entry, now)
		}
	case map[string]any:
		if _, is := v["lastTransitionTime"]; is {
			v["lastTransitionTime"] = now
		}
		for _, field := range v {
			date(field, now)
		}
	}
}

// queue is a list without an end: putting something in never waits.
type queue[T any] struct {
	mu   sync.Mutex
	list []T
	wake chan struct{}
}

func newQueue[T any]() *queue[T] { return &queue[T]{wake: make(chan struct{}, 1)} }

func (q *queue[T]) put(v ...T) {
	q.mu.Lock()
	q.list = append(q.list, v...)
	q.mu.Unlock()
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

func (q *queue[T]) take() []T {
	q.mu.Lock()
	defer q.mu.Unlock()
	all := q.list
	q.list = nil
	return all
}
