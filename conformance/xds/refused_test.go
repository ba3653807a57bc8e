package xds

import (
	"crypto/tls"
	"fmt"
	"net"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/cloverleaf-mesh/cloverleaf/internal/worldgen"
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

// TestARefusedSecretAmongOthersIsFound: what Envoy 1.40 refused of a message with several secrets it takes for unchanged
// when it comes again, and acknowledges it, so that halving a message would find nobody.
func TestARefusedSecretAmongOthersIsFound(t *testing.T) {
	b := start(t, 27110)
	pairs := map[string]worldgen.Pair{}
	for _, c := range worldgen.Certificates() {
		pairs[c.Name] = c.Pair
	}
	var changes []ir.Change
	var secrets []ir.SecretName
	for i, name := range []string{"P-256", "P-384", "that must be stapled", "RSA 2048"} {
		secret := ir.SecretName("n/" + strconv.Itoa(i))
		secrets = append(secrets, secret)
		changes = append(changes, b.must(translate.Certificate(secret, pairs[name].Cert, pairs[name].Key)))
	}
	l := ir.Listener{Name: "l-t", Bind: ir.Port{Address: "127.0.0.1", Port: b.port}}
	for i, s := range secrets {
		l.Chains = append(l.Chains, ir.Chain{
			Name: strconv.Itoa(i), ServerNames: []ir.Hostname{ir.Hostname(fmt.Sprintf("h%d.example", i))},
			TLS: &ir.ServerTLS{Certificates: []ir.SecretName{s}}, Layer: ir.HTTP{Table: "t"},
		})
	}
	b.apply(append(changes, b.must(translate.Listener(l)), b.must(translate.RouteTable(ir.RouteTable{Name: "t"})), b.host("t", ir.AnyHost, 0))...)
	for i := range secrets {
		if i != 2 {
			awaitTLS(t, b.port, fmt.Sprintf("h%d.example", i))
		}
	}
	if n := b.Nacks.Load(); n != 1 {
		t.Errorf("Envoy refused %d messages", n)
	}
	if r := b.Refused; len(r) != 1 || r[0].ID.Name != "n/2" {
		t.Errorf("what was told of refusals: %v", r)
	}
}

// awaitTLS waits until a handshake for a server name succeeds.
func awaitTLS(t *testing.T, port uint32, name string) {
	t.Helper()
	config := &tls.Config{InsecureSkipVerify: true, ServerName: name, MinVersion: tls.VersionTLS12} //nolint:gosec // that it is served is the point
	deadline := time.Now().Add(10 * time.Second)
	for {
		conn, err := tls.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(int(port))), config)
		if err == nil {
			_ = conn.Close()
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: %v", name, err)
		}
	}
}
