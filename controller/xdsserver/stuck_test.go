package xdsserver

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
	translate "github.com/cloverleaf-mesh/cloverleaf/translator/xds"
)

// follow accepts everything until a host has a revision, and returns how many messages that took.
func (c *client) follow(want ir.Change) int {
	c.t.Helper()
	for n := 1; ; n++ {
		r := c.next()
		c.ack(r)
		for _, res := range r.GetResources() {
			if res.GetName() == want.ID.Name && res.GetVersion() == want.Resource.Version {
				return n
			}
		}
	}
}

// TestAStreamThatAnswersNothingIsCutAndDelaysNobody: it reads, and never says whether it took anything. A hundred others
// get every change meanwhile. The time is synctest's.
func TestAStreamThatAnswersNothingIsCutAndDelaysNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var cuts atomic.Int64
		s := serve(t, Options{StuckAfter: time.Minute, Hooks: Hooks{Cut: func(string) { cuts.Add(1) }}})
		s.Apply(door("a"))
		stuck := s.connect("a")
		stuck.start()
		fast := make([]*client, 100)
		for i := range fast {
			fast[i] = s.connect("a")
			fast[i].start()
		}
		for revision := range 20 {
			change := host("a", "x.example", revision)
			s.Apply([]ir.Change{change})
			for _, c := range fast {
				if n := c.follow(change); n != 1 {
					t.Errorf("revision %d took %d messages", revision, n)
				}
			}
			time.Sleep(2 * time.Second)
		}
		stuck.expect(ir.TypeVirtualHost, "t/x.example") // the first revision, and nothing after it
		if age := s.OldestUnacked(); age != 40*time.Second || cuts.Load() > 0 || len(stuck.responses) > 0 {
			t.Errorf("the oldest message without an answer is %s old, %d streams cut, %d more messages", age, cuts.Load(), len(stuck.responses))
		}
		time.Sleep(2 * time.Minute)
		if err := stuck.end(); status.Code(err) != codes.DeadlineExceeded {
			t.Errorf("the stream ended with %v", err)
		}
		if cuts.Load() != 1 || s.OldestUnacked() != 0 {
			t.Errorf("%d streams cut, the oldest message without an answer is %s old", cuts.Load(), s.OldestUnacked())
		}
		for _, c := range fast {
			c.quiet()
		}
		again := s.connect("a") // and it may come back
		again.ask(ir.TypeListener)
		again.ack(again.expect(ir.TypeListener, "l"))
	})
}

// big is the host x.example, of about a megabyte.
func big(revision int) ir.Change {
	return must("a")(translate.VirtualHost(ir.VirtualHost{
		Name: ir.VirtualHostName{Table: "t", Host: "x.example"},
		Rules: []ir.Rule{{
			Name: "r", Match: ir.Match{Path: ir.PathMatch{Value: "/"}},
			Action: ir.Respond{Status: 200, Body: fmt.Sprint(revision) + strings.Repeat("x", 1<<20)},
		}},
	}))
}

// TestAProxyThatDoesNotReadDelaysNobody: the server is stuck in the middle of a message to it.
func TestAProxyThatDoesNotReadDelaysNobody(t *testing.T) {
	s := serve(t, Options{StuckAfter: time.Hour})
	s.Apply(append(door("a"), big(0)))
	deaf := s.open("a")
	deaf.ask(ir.TypeListener)
	s.acknowledgeBlindly(deaf, ir.TypeListener)
	deaf.ask(ir.TypeRouteTable, "t")
	s.acknowledgeBlindly(deaf, ir.TypeRouteTable)
	deaf.ask(ir.TypeVirtualHost)
	s.await(func() bool { return s.inFlight(deaf, ir.TypeVirtualHost) })
	deaf.ask(ir.TypeCluster) // gRPC takes one message beyond what the other side reads, and blocks on the next
	s.await(func() bool { return s.inFlight(deaf, ir.TypeCluster) })
	c := s.connect("a")
	c.ask(ir.TypeListener)
	c.ack(c.next())
	c.ask(ir.TypeRouteTable, "t")
	c.ack(c.next())
	c.ask(ir.TypeVirtualHost)
	c.ack(c.next())
	for revision := range 10 {
		change := big(1 + revision)
		s.Apply([]ir.Change{change})
		c.follow(change)
	}
	s.Close() // ends that one too
	if err := c.end(); err == nil {
		t.Error("a stream outlives its server")
	}
	s.await(func() bool { return len(s.streams) == 0 })
}

// acknowledgeBlindly answers a message that the proxy did not read.
func (s *served) acknowledgeBlindly(c *client, t ir.Type) {
	s.t.Helper()
	var nonce string
	s.await(func() bool {
		for _, st := range s.streams {
			if st.node == c.node && st.watches[t].nonce != "" {
				nonce = st.watches[t].nonce
			}
		}
		return nonce != ""
	})
	c.send(&discoveryv3.DeltaDiscoveryRequest{TypeUrl: translate.TypeURL(t), ResponseNonce: nonce})
}

func (s *served) inFlight(c *client, t ir.Type) bool {
	for _, st := range s.streams {
		if st.node == c.node && st.proxy.InFlight(t) {
			return true
		}
	}
	return false
}

func TestClosingEndsStreamsAndTheirGoroutines(t *testing.T) {
	var connected atomic.Int64
	s := serve(t, Options{Hooks: Hooks{Streams: func(n int) { connected.Store(int64(n)) }}})
	s.Apply(door("a"))
	clients := make([]*client, 20)
	for i := range clients {
		clients[i] = s.connect("a")
		clients[i].start()
	}
	if connected.Load() != 20 {
		t.Errorf("%d streams are connected", connected.Load())
	}
	s.Close()
	for _, c := range clients {
		_ = c.end()
	}
	s.grpc.GracefulStop()
	if left := leftOver(); left != "" {
		t.Errorf("left running:\n%s", left)
	}
	if connected.Load() != 0 {
		t.Errorf("%d streams are connected", connected.Load())
	}
}
