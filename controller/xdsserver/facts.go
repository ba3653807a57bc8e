package xdsserver

import (
	"context"
	"sync"
	"time"

	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// Facts are what proxies said since the last Facts: the newest word on each thing.
type Facts struct {
	Listeners  []ListenerReport
	Rejections []Rejection
	InSync     []InSync
}

// ListenerReport says how far the proxies of a class are with a listener.
type ListenerReport struct {
	Class    ir.ProxyClass
	Listener string
	Version  string // the wanted version, which the counts are about; empty when the listener is no longer wanted
	Proxies  int    // connected
	Live     int    // of these serve this version, with its route tables and their first virtual hosts
	Refused  int    // of these refuse it or one of its route tables
}

// Rejection says that a version of a resource was refused; without a version, that this is over.
type Rejection struct {
	ID      ir.ResourceID
	Version string
	Message string // Envoy's words
}

// InSync says that every proxy of a class holds all that is wanted.
type InSync struct {
	Class      ir.ProxyClass
	Generation uint64    // the newest Apply that is held
	Since      time.Time // of the first change that was not held by all
	At         time.Time
}

// factBox keeps the newest fact of each kind until someone takes them.
type factBox struct {
	mu         *sync.Mutex
	listeners  map[listenerKey]ListenerReport
	rejections map[ir.ResourceID]Rejection
	inSync     map[ir.ProxyClass]InSync
	wake       chan struct{}
}

type listenerKey struct {
	class    ir.ProxyClass
	listener string
}

func newFactBox() factBox {
	return factBox{
		mu: &sync.Mutex{}, listeners: map[listenerKey]ListenerReport{}, rejections: map[ir.ResourceID]Rejection{},
		inSync: map[ir.ProxyClass]InSync{}, wake: make(chan struct{}, 1),
	}
}

func (b *factBox) put(f func()) {
	b.mu.Lock()
	f()
	b.mu.Unlock()
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

func (b *factBox) listener(r ListenerReport) {
	b.put(func() { b.listeners[listenerKey{r.Class, r.Listener}] = r })
}

func (b *factBox) rejection(r Rejection) { b.put(func() { b.rejections[r.ID] = r }) }

func (b *factBox) synced(f InSync) { b.put(func() { b.inSync[f.Class] = f }) }

// NextFacts waits until there are facts, and takes them. It is for one caller at a time.
func (s *Server) NextFacts(ctx context.Context) (Facts, error) {
	select {
	case <-ctx.Done():
		return Facts{}, ctx.Err()
	case <-s.facts.wake:
	}
	b := &s.facts
	b.mu.Lock()
	defer b.mu.Unlock()
	var f Facts
	for _, r := range b.listeners {
		f.Listeners = append(f.Listeners, r)
	}
	for _, r := range b.rejections {
		f.Rejections = append(f.Rejections, r)
	}
	for _, i := range b.inSync {
		f.InSync = append(f.InSync, i)
	}
	clear(b.listeners)
	clear(b.rejections)
	clear(b.inSync)
	return f, nil
}

// report tells what changed in how far the proxies of a class are.
func (s *Server) report(c *class) {
	for name, before := range c.listeners {
		if c.world.Get(ir.ResourceID{Type: ir.TypeListener, Name: name}) == nil {
			delete(c.listeners, name)
			s.facts.listener(ListenerReport{Class: before.Class, Listener: name})
		}
	}
	for name, wanted := range c.world.All(ir.TypeListener) {
		r := ListenerReport{Class: c.id, Listener: name, Version: wanted.Version, Proxies: len(c.streams)}
		for st := range c.streams {
			live, refused := st.proxy.Serving(name)
			if live {
				r.Live++
			}
			if refused {
				r.Refused++
			}
		}
		if c.listeners[name] != r {
			c.listeners[name] = r
			s.facts.listener(r)
		}
	}
	s.reportSync(c)
}

func (s *Server) reportSync(c *class) {
	if c.changedAt.IsZero() || len(c.streams) == 0 {
		return
	}
	for st := range c.streams {
		if !st.proxy.Synced() {
			return
		}
	}
	s.facts.synced(InSync{Class: c.id, Generation: s.generation, Since: c.changedAt, At: time.Now()})
	c.changedAt = time.Time{}
}
