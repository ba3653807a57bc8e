package xdsserver

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"testing"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
	translate "github.com/cloverleaf-mesh/cloverleaf/translator/xds"
)

// must unwraps an encoded resource as a change for the class of a node.
func must(node string) func(*ir.Resource, error) ir.Change {
	return func(r *ir.Resource, err error) ir.Change {
		if err != nil {
			panic(err) // the tests' own resources
		}
		return ir.Change{Class: classOf(node), ID: r.ID, Resource: r}
	}
}

func gone(node string, t ir.Type, name string) ir.Change {
	return ir.Change{Class: classOf(node), ID: ir.ResourceID{Type: t, Name: name}}
}

// door is a listener `l` with its table `t` and the host `t/*`.
func door(node string) []ir.Change {
	return []ir.Change{
		must(node)(translate.Listener(ir.Listener{
			Name: "l", Bind: ir.Port{Address: "127.0.0.1", Port: 27001}, Chains: []ir.Chain{{Name: "http", Layer: ir.HTTP{Table: "t"}}},
		})),
		must(node)(translate.RouteTable(ir.RouteTable{Name: "t"})),
		host(node, "*", 0),
	}
}

// host is a virtual host of table t that answers with a body of its revision.
func host(node string, name ir.Hostname, revision int) ir.Change {
	return must(node)(translate.VirtualHost(ir.VirtualHost{
		Name: ir.VirtualHostName{Table: "t", Host: name},
		Rules: []ir.Rule{{
			Name: "r", Match: ir.Match{Path: ir.PathMatch{Value: "/"}}, Action: ir.Respond{Status: 200, Body: fmt.Sprint(revision)},
		}},
	}))
}

// start asks for everything of a door, in Envoy's order, and accepts it.
func (c *client) start() {
	c.t.Helper()
	c.ask(ir.TypeCluster)
	c.ack(c.expect(ir.TypeCluster))
	c.ask(ir.TypeListener)
	c.ack(c.expect(ir.TypeListener, "l"))
	c.ask(ir.TypeRouteTable, "t")
	c.ack(c.expect(ir.TypeRouteTable, "t"))
	c.ask(ir.TypeVirtualHost)
	c.ack(c.expect(ir.TypeVirtualHost, "t/*"))
}

func TestAVersionIsTheHashOfTheBytes(t *testing.T) {
	s := serve(t, Options{})
	s.Apply(door("a"))
	for range 2 { // every stream gets the same
		c := s.connect("a")
		c.ask(ir.TypeListener)
		r := c.expect(ir.TypeListener, "l").GetResources()[0]
		sum := sha256.Sum256(r.GetResource().GetValue())
		if want := hex.EncodeToString(sum[:12]); r.GetVersion() != want || !bytes.Equal(r.GetResource().GetValue(), door("a")[0].Resource.Body) {
			t.Errorf("version %s, want %s", r.GetVersion(), want)
		}
	}
}

func TestAStreamGetsWhatItsClassIsToldAndChanges(t *testing.T) {
	s := serve(t, Options{})
	s.Apply(door("a"))
	c := s.connect("a")
	c.start()
	c.quiet()
	s.Apply([]ir.Change{host("a", "x.example", 1), host("a", "y.example", 1)})
	c.ack(c.expect(ir.TypeVirtualHost, "t/x.example", "t/y.example"))
	s.Apply([]ir.Change{host("a", "x.example", 1)}) // the same bytes
	c.quiet()
	s.Apply([]ir.Change{gone("a", ir.TypeVirtualHost, "t/x.example"), host("a", "y.example", 2)})
	c.ack(c.expect(ir.TypeVirtualHost, "t/y.example", "-t/x.example"))
	c.quiet()
}

func TestAReconnectWithTheSameVersionsSendsNothing(t *testing.T) {
	s := serve(t, Options{})
	s.Apply(door("a"))
	s.connect("a").start()
	c := s.connect("a")
	changes := door("a")
	initial := func(i int, subscribe ...string) {
		id := changes[i].ID
		c.send(&discoveryv3.DeltaDiscoveryRequest{
			TypeUrl: translate.TypeURL(id.Type), ResourceNamesSubscribe: subscribe,
			InitialResourceVersions: map[string]string{id.Name: changes[i].Resource.Version},
		})
	}
	initial(0)
	initial(2)
	initial(1, "t")
	c.quiet()
	s.Apply([]ir.Change{host("a", "*", 7)})
	c.ack(c.expect(ir.TypeVirtualHost, "t/*"))
}

// TestAClassOfWhichNothingWasSaidWaits: its proxies are told nothing, rather than that there is nothing.
func TestAClassOfWhichNothingWasSaidWaits(t *testing.T) {
	s := serve(t, Options{})
	s.Apply(door("b")) // another class
	c := s.connect("a")
	c.ask(ir.TypeCluster)
	c.ask(ir.TypeListener)
	other := s.connect("b")
	other.start()
	other.quiet()
	s.await(func() bool { // the requests of class a have been taken in
		for _, st := range s.streams {
			if st.class != nil && st.class.id == classOf("a") {
				return st.watches[ir.TypeCluster].open && st.watches[ir.TypeListener].open
			}
		}
		return false
	})
	if len(c.responses) > 0 {
		t.Fatalf("told %v", <-c.responses)
	}
	s.Synced(classOf("a"))
	c.ack(c.expect(ir.TypeCluster))
	c.ack(c.expect(ir.TypeListener))
	s.Apply(door("a"))
	c.ack(c.expect(ir.TypeListener, "l"))
}

func TestAStreamNeverGetsAnotherClassesResources(t *testing.T) {
	s := serve(t, Options{})
	secret := must("b")(translate.Certificate("b/cert", []byte("chain"), []byte("key")))
	endpoints := must("b")(translate.Endpoints(ir.Endpoints{Backend: "b/s/80"}))
	cluster := must("b")(translate.Cluster(ir.Backend{Name: "b/s/80"}))
	s.Apply(append(door("b"), secret, endpoints, cluster, host("b", "b.example", 1)))
	s.Synced(classOf("a"))
	c := s.connect("a")
	c.ask(ir.TypeCluster, "*", "b/s/80")
	c.ack(c.expect(ir.TypeCluster))
	c.ask(ir.TypeEndpoints, "b/s/80")
	c.ack(c.expect(ir.TypeEndpoints, "-b/s/80"))
	c.ask(ir.TypeListener, "l")
	c.ack(c.expect(ir.TypeListener))
	c.ask(ir.TypeRouteTable, "t", "*")
	c.ack(c.expect(ir.TypeRouteTable, "-*", "-t"))
	c.ask(ir.TypeVirtualHost, "t/b.example", "*")
	c.ask(ir.TypeSecret, "b/cert", "*")
	c.ack(c.expect(ir.TypeSecret, "-*", "-b/cert"))
	s.Apply([]ir.Change{host("b", "b.example", 2), must("b")(translate.Certificate("b/cert", []byte("chain2"), []byte("key")))})
	c.quiet()
	// What a stream says of itself later changes nothing.
	c.send(&discoveryv3.DeltaDiscoveryRequest{TypeUrl: translate.TypeURL(ir.TypeListener), Node: &corev3.Node{Id: "b"}})
	c.quiet()
}

func TestAProxyThatIsNotKnownIsRefused(t *testing.T) {
	s := serve(t, Options{})
	s.Apply(door("a"))
	c := s.connect("nobody")
	c.ask(ir.TypeListener)
	if err := c.end(); status.Code(err) != codes.PermissionDenied {
		t.Errorf("got %v", err)
	}
}

func TestAnUnknownTypeEndsItsStreamAndNoOther(t *testing.T) {
	s := serve(t, Options{})
	s.Apply(door("a"))
	other := s.connect("a")
	other.start()
	for _, url := range []string{"type.googleapis.com/envoy.service.runtime.v3.Runtime", "", "x"} {
		c := s.connect("a")
		c.ask(ir.TypeListener)
		c.ack(c.expect(ir.TypeListener, "l"))
		c.send(&discoveryv3.DeltaDiscoveryRequest{TypeUrl: url})
		if err := c.end(); status.Code(err) != codes.InvalidArgument {
			t.Errorf("%q: got %v", url, err)
		}
	}
	other.quiet()
}

func TestTheOtherProtocolsAreRefused(t *testing.T) {
	s := serve(t, Options{})
	s.Apply(door("a"))
	stream, err := s.dial().StreamAggregatedResources(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_ = stream.Send(&discoveryv3.DiscoveryRequest{TypeUrl: translate.TypeURL(ir.TypeListener)})
	if _, err := stream.Recv(); status.Code(err) != codes.Unimplemented {
		t.Errorf("got %v", err)
	}
}
