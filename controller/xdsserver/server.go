// Package xdsserver serves delta ADS: go-control-plane's delta server over a cache of our own. It decides who is served
// (a proxy is served by its authenticated class, fixed for the life of its stream), carries messages and answers
// between streams and package rollout, which decides what may be sent, and reports facts.
//
// Resources come encoded and are shared by every proxy that gets them. Nothing here walks all resources on a change:
// a change is noted at the streams of its class and looked at when that stream may be sent something.
package xdsserver

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	serverv3 "github.com/envoyproxy/go-control-plane/pkg/server/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/cloverleaf-mesh/cloverleaf/controller/rollout"
	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// Options are what a server is made with.
type Options struct {
	// Classify tells the class of a proxy, from its stream's context (which carries who authenticated) and from what it
	// says of itself. An error refuses the stream.
	Classify func(context.Context, *corev3.Node) (ir.ProxyClass, error)
	// StuckAfter is how long a message may stay without an answer before its stream is cut. 0 means 30 seconds.
	StuckAfter time.Duration
	// VirtualHosts says how virtual hosts travel.
	VirtualHosts Layout
	// Hooks are told what happens, for metrics.
	Hooks Hooks
	// Logger is told of refusals and of cut streams.
	Logger *slog.Logger
}

// Hooks are told what happens. They are called with the server locked, so they must be quick and must not call it. Any
// of them may be nil.
type Hooks struct {
	Pushed  func(t ir.Type, resources, bytes int)
	Acked   func(t ir.Type, after time.Duration)
	Nacked  func(t ir.Type)
	Streams func(connected int)
	Cut     func(reason string)
}

// Server serves proxies. All methods are safe for concurrent use and none blocks on a stream.
type Server struct {
	discoveryv3.UnimplementedAggregatedDiscoveryServiceServer

	options Options
	inner   serverv3.Server
	closing context.Context //nolint:containedctx // the server's own life, which ends with Close
	stop    context.CancelFunc

	mu         sync.Mutex
	generation uint64 // number of Applies
	classes    map[ir.ProxyClass]*class
	streams    map[int64]*stream
	requests   map[*discoveryv3.DeltaDiscoveryRequest]*stream // between a request's callback and its watch
	rejected   *rollout.Rejections
	facts      factBox
	inline     *inlined // nil unless virtual hosts travel inside their route tables
}

// class is what is known of one class of proxies.
type class struct {
	id        ir.ProxyClass
	world     *rollout.World
	synced    bool
	streams   map[*stream]bool
	ended     map[string][]string       // by node: clusters that were warming when its stream ended
	listeners map[string]ListenerReport // what was last reported
	changedAt time.Time                 // of the first change since the class was last in sync
}

// New returns a server. Close it to end its goroutine and its streams.
func New(o Options) *Server {
	if o.StuckAfter == 0 {
		o.StuckAfter = 30 * time.Second
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	ctx, stop := context.WithCancel(context.Background())
	s := &Server{
		options: o, closing: ctx, stop: stop, classes: map[ir.ProxyClass]*class{}, streams: map[int64]*stream{},
		requests: map[*discoveryv3.DeltaDiscoveryRequest]*stream{}, rejected: rollout.NewRejections(), facts: newFactBox(),
	}
	if o.VirtualHosts == Inline {
		s.inline = newInlined()
	}
	s.inner = serverv3.NewServer(ctx, &cache{s}, s.callbacks())
	go s.watchStuck(ctx)
	return s
}

// Register makes a gRPC server serve ADS.
func (s *Server) Register(g *grpc.Server) {
	discoveryv3.RegisterAggregatedDiscoveryServiceServer(g, s)
}

// Close ends all streams.
func (s *Server) Close() { s.stop() }

// Apply takes over what changed for the classes that it names. Classes of which nothing was ever said wait: their
// proxies are told nothing rather than that there is nothing. It returns the generation that [InSync] names when all
// proxies hold these changes; that may be said before Apply returns.
func (s *Server) Apply(changes []ir.Change) (generation uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.generation++
	touched := map[*class]bool{}
	if s.inline != nil {
		changes = s.inline.compose(changes)
	}
	for _, ch := range changes {
		c := s.class(ch.Class)
		c.synced = true
		touched[c] = true
		if c.world.Set(ch.ID, ch.Resource) {
			s.touch(c, ch)
		}
	}
	for c := range touched {
		s.push(c)
	}
	return s.generation
}

// Synced says that everything known of a class was applied, if only that there is nothing. It returns a generation as
// Apply does.
func (s *Server) Synced(id ir.ProxyClass) (generation uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.generation++
	c := s.class(id)
	c.synced = true
	s.push(c)
	return s.generation
}

// Retry tries a resource again that was refused for a reason outside of it, such as a port in use. It does nothing when
// the resource is not refused.
func (s *Server) Retry(id ir.ResourceID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.rejected.Forgive(id, "") {
		return
	}
	s.facts.rejection(Rejection{ID: id})
	for _, c := range s.classes {
		for st := range c.streams {
			st.proxy.Touch(id)
		}
		s.push(c)
	}
}

// push sends the proxies of a class what they may be sent now, and reports how far they are.
func (s *Server) push(c *class) {
	if c.changedAt.IsZero() {
		c.changedAt = time.Now()
	}
	for st := range c.streams {
		s.pump(st)
	}
	s.report(c)
}

func (s *Server) class(id ir.ProxyClass) *class {
	c := s.classes[id]
	if c == nil {
		c = &class{
			id: id, world: rollout.NewWorld(s.rejected), streams: map[*stream]bool{}, listeners: map[string]ListenerReport{},
			ended: map[string][]string{},
		}
		if s.inline != nil {
			c.world.WholeTables()
		}
		s.classes[id] = c
	}
	return c
}

func (s *Server) touch(c *class, ch ir.Change) {
	version := ""
	if ch.Resource != nil {
		version = ch.Resource.Version
	}
	if s.rejected.Forgive(ch.ID, version) {
		s.facts.rejection(Rejection{ID: ch.ID})
	}
	for st := range c.streams {
		st.proxy.Touch(ch.ID)
	}
}

// pump sends a stream whatever may be sent now.
func (s *Server) pump(st *stream) {
	if !st.class.synced {
		return
	}
	for _, t := range rollout.Order() {
		w := &st.watches[t]
		if !w.open {
			continue
		}
		m := st.proxy.Next(t)
		if m == nil {
			continue
		}
		w.open = false
		w.sentAt = time.Now()
		r := newResponse(w.request, m)
		if s.options.Hooks.Pushed != nil {
			s.options.Hooks.Pushed(t, len(m.Resources)+len(m.Removed), r.size)
		}
		w.responses <- r // has room: at most one message of each type is on its way
	}
}

var errClosing = status.Error(codes.Unavailable, "the server is closing")

// DeltaAggregatedResources serves one proxy until its stream ends or is cut.
func (s *Server) DeltaAggregatedResources(g discoveryv3.AggregatedDiscoveryService_DeltaAggregatedResourcesServer) error {
	h := &handle{cut: make(chan error, 1)}
	done := make(chan error, 1)
	go func() { done <- s.inner.DeltaAggregatedResources(cuttable{g, h}) }()
	select {
	case err := <-done:
		return err
	case err := <-h.cut: // returning ends the stream, which ends the goroutine, also one that is stuck in Send
		return err
	case <-s.closing.Done():
		return errClosing
	}
}

// handle lets a stream be cut from outside.
type handle struct{ cut chan error }

type handleKey struct{}

// cuttable carries its handle in its context, where the callback that opens the stream finds it.
type cuttable struct {
	discoveryv3.AggregatedDiscoveryService_DeltaAggregatedResourcesServer
	handle *handle
}

func (c cuttable) Context() context.Context {
	return context.WithValue(c.AggregatedDiscoveryService_DeltaAggregatedResourcesServer.Context(), handleKey{}, c.handle)
}

var errUnknownType = errors.New("this server has no such type of resource")
