package xdsserver

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// nextFacts waits for facts.
func (s *served) nextFacts() Facts {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	f, err := s.NextFacts(ctx)
	if err != nil {
		s.t.Fatal("no facts came: ", err)
	}
	return f
}

// reported waits until a report of class a's listener `l`, in the version that is wanted, has these counts.
func (s *served) reported(proxies, live, refused int) {
	s.t.Helper()
	want := ListenerReport{Class: classOf("a"), Listener: "l", Version: s.wanted(), Proxies: proxies, Live: live, Refused: refused}
	for {
		if slices.Contains(s.nextFacts().Listeners, want) {
			return
		}
	}
}

// wanted returns the version of the listener `l`; none when it is not wanted.
func (s *served) wanted() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if w := s.classes[classOf("a")].world.Get(ir.ResourceID{Type: ir.TypeListener, Name: "l"}); w != nil {
		return w.Version
	}
	return ""
}

// TestAListenerIsLiveWhenAllOfItWasAcknowledged: the listener, its route table and its first virtual hosts.
func TestAListenerIsLiveWhenAllOfItWasAcknowledged(t *testing.T) {
	s := serve(t, Options{})
	s.Apply(door("a"))
	s.reported(0, 0, 0)
	c := s.connect("a")
	c.ask(ir.TypeListener)
	r := c.expect(ir.TypeListener, "l")
	s.reported(1, 0, 0)
	c.ack(r)
	c.ask(ir.TypeRouteTable, "t")
	c.ack(c.expect(ir.TypeRouteTable, "t"))
	c.ask(ir.TypeVirtualHost)
	r = c.expect(ir.TypeVirtualHost, "t/*")
	if s.live() {
		t.Error("live before its virtual hosts were acknowledged")
	}
	c.ack(r)
	s.reported(1, 1, 0)
	second := s.connect("a")
	second.start()
	s.reported(2, 2, 0)
	_ = c.stream.CloseSend()
	s.reported(1, 1, 0)
	s.Apply([]ir.Change{gone("a", ir.TypeListener, "l")})
	second.ack(second.expect(ir.TypeListener, "-l"))
	s.reported(0, 0, 0) // it is no longer wanted
}

// live tells whether any stream is live, at once.
func (s *served) live() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for st := range s.streams {
		if live, _ := s.streams[st].proxy.Serving("l"); live {
			return true
		}
	}
	return false
}

func TestARefusedListenerIsReportedByHowManyRefuseIt(t *testing.T) {
	s := serve(t, Options{})
	s.Apply(door("a"))
	c, other := s.connect("a"), s.connect("a")
	c.start()
	other.start()
	s.reported(2, 2, 0)
	changed := door("a")[0]
	resource := *changed.Resource
	resource.Version = "next"
	changed.Resource = &resource
	s.Apply([]ir.Change{changed})
	c.nack(c.expect(ir.TypeListener, "l"), "port in use")
	s.reported(2, 0, 2) // the same bytes would be refused by the other, which need not hold them
	other.ack(other.expect(ir.TypeListener, "l"))
	s.Apply(door("a")[:1])
	c.quiet() // it has that still
	other.ack(other.expect(ir.TypeListener, "l"))
	s.reported(2, 2, 0)
}

func TestInSyncIsSaidWhenEveryProxyHoldsEverything(t *testing.T) {
	s := serve(t, Options{})
	s.Apply(door("a"))
	c, other := s.connect("a"), s.connect("a")
	c.start()
	other.start()
	s.inSync()
	s.Apply([]ir.Change{host("a", "x.example", 1)})
	c.ack(c.expect(ir.TypeVirtualHost, "t/x.example"))
	c.quiet()
	s.await(func() bool { return !s.classes[classOf("a")].changedAt.IsZero() }) // not in sync before the second one answers
	other.ack(other.expect(ir.TypeVirtualHost, "t/x.example"))
	if f := s.inSync(); f.At.Before(f.Since) {
		t.Errorf("got %+v", f)
	}
}

func (s *served) inSync() InSync {
	s.t.Helper()
	for {
		for _, f := range s.nextFacts().InSync {
			if f.Class == classOf("a") {
				return f
			}
		}
	}
}

func TestWaitingForFactsEndsWithItsContext(t *testing.T) {
	s := serve(t, Options{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.NextFacts(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
