package xds

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
	translate "github.com/cloverleaf-mesh/cloverleaf/translator/xds"
)

// TestRefusedEndpointsHoldUpNobody: Envoy at its start waits for the endpoints of every cluster before it asks for
// listeners. One that comes when they are known to be refused is told that there are none.
func TestRefusedEndpointsHoldUpNobody(t *testing.T) {
	b := start(t, 27100)
	const name = "n/s/80"
	refused := ir.Endpoints{Backend: name, Localities: []ir.Locality{{Endpoints: []ir.Endpoint{{Address: "no-address", Port: 80}}}}}
	host := ir.VirtualHost{Name: ir.VirtualHostName{Table: "t", Host: "a.example"}, Rules: []ir.Rule{{
		Name: "r", Match: ir.Match{Path: ir.PathMatch{Value: "/"}}, Action: ir.Forward{Split: []ir.Weighted{{Weight: 1, Backend: name}}},
	}}}
	b.apply(append(b.door("t", 0), b.must(translate.Cluster(ir.Backend{Name: name})), b.must(translate.Endpoints(refused)), b.must(translate.VirtualHost(host)))...)
	b.await("a.example", 0, 503, 10*time.Second)
	if b.Nacks.Load() != 1 {
		t.Errorf("Envoy refused %d messages", b.Nacks.Load())
	}
	if err := syscall.Kill(b.Envoy.PID(), syscall.SIGKILL); err != nil { // it is started again
		t.Fatal(err)
	}
	b.await("x", 0, 0, 10*time.Second)
	took := b.await("x", 0, 404, 14*time.Second) // Envoy's initial fetch timeout would be 15 seconds
	b.await("a.example", 0, 503, 5*time.Second)
	fmt.Printf("evidence: with endpoints that are known to be refused a listener answered %s after the end of Envoy\n", took.Round(time.Millisecond))
}
