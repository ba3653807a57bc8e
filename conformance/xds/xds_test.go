// Package xds tries the xDS server on a real Envoy: the rules of the wire layout, one by one.
package xds

import (
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	matcherv3 "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"
	"google.golang.org/protobuf/proto"

	"github.com/cloverleaf-mesh/cloverleaf/conformance/xdsdriver"
	"github.com/cloverleaf-mesh/cloverleaf/internal/echo"
	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
	translate "github.com/cloverleaf-mesh/cloverleaf/translator/xds"
)

// bench is a driven Envoy with a port of its own.
type bench struct {
	*xdsdriver.Driver
	t       *testing.T
	port    uint32
	version int
}

func start(t *testing.T, port uint32) *bench {
	t.Helper()
	return &bench{Driver: xdsdriver.Start(t), t: t, port: port}
}

func (b *bench) must(r *ir.Resource, err error) ir.Change {
	b.t.Helper()
	return xdsdriver.Must(b.t, r, err)
}

func gone(t ir.Type, name string) ir.Change {
	return ir.Change{Class: xdsdriver.Class, ID: ir.ResourceID{Type: t, Name: name}}
}

// door is a listener on the bench's port, or some ports above it, with its table and its `*` host.
func (b *bench) door(table ir.RouteTableName, above uint32) []ir.Change {
	b.t.Helper()
	l := ir.Listener{
		Name: ir.ListenerName("l-" + string(table)), Bind: ir.Port{Address: "127.0.0.1", Port: b.port + above},
		Chains: []ir.Chain{{Name: "http", Layer: ir.HTTP{Table: table}}},
	}
	return []ir.Change{
		b.must(translate.Listener(l)), b.must(translate.RouteTable(ir.RouteTable{Name: table})), b.host(table, ir.AnyHost, 0),
	}
}

// host answers with a status and a body; status 0 has no rule, so everything is 404.
func (b *bench) host(table ir.RouteTableName, host ir.Hostname, status uint32) ir.Change {
	b.t.Helper()
	v := ir.VirtualHost{Name: ir.VirtualHostName{Table: table, Host: host}}
	if status > 0 {
		b.version++
		v.Rules = []ir.Rule{{Name: "r", Match: ir.Match{Path: ir.PathMatch{Value: "/"}}, Action: ir.Respond{Status: status, Body: fmt.Sprint(b.version)}}}
	}
	return b.must(translate.VirtualHost(v))
}

// refusedHost passes every check of ours and is refused by Envoy.
func (b *bench) refusedHost(table ir.RouteTableName, host ir.Hostname) ir.Change {
	name := ir.VirtualHostName{Table: table, Host: host}.String()
	m := &routev3.VirtualHost{Name: name, Domains: []string{string(host)}, Routes: []*routev3.Route{{
		Match:  &routev3.RouteMatch{PathSpecifier: &routev3.RouteMatch_SafeRegex{SafeRegex: &matcherv3.RegexMatcher{Regex: "/a("}}},
		Action: &routev3.Route_DirectResponse{DirectResponse: &routev3.DirectResponseAction{Status: 200}},
	}}}
	body, err := proto.Marshal(m)
	if err != nil {
		b.t.Fatal(err)
	}
	r := &ir.Resource{ID: ir.ResourceID{Type: ir.TypeVirtualHost, Name: name}, Version: "refused", Body: body}
	return ir.Change{Class: xdsdriver.Class, ID: r.ID, Resource: r}
}

// get asks for / of a host and returns the status; 0 for no answer.
func (b *bench) get(host string, above uint32) int {
	req, err := http.NewRequestWithContext(b.t.Context(), http.MethodGet, fmt.Sprintf("http://127.0.0.1:%d/", b.port+above), http.NoBody)
	if err != nil {
		b.t.Fatal(err)
	}
	req.Host = host
	client := http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		return 0
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
	return resp.StatusCode
}

// await waits until a host answers with a status, and returns how long that took.
func (b *bench) await(host string, above uint32, status int, limit time.Duration) time.Duration {
	b.t.Helper()
	began := time.Now()
	got := 0
	for time.Since(began) < limit {
		if got = b.get(host, above); got == status {
			return time.Since(began)
		}
	}
	b.t.Fatalf("%s answers %d, not %d, after %s", host, got, status, limit)
	return 0
}

func (b *bench) apply(changes ...ir.Change) {
	b.t.Helper()
	b.Apply(b.t, changes...)
}

func TestAGatewayWithoutRoutesAnswers404AtOnce(t *testing.T) {
	b := start(t, 22100)
	b.Server.Apply(b.door("t", 0))
	took := b.await("a.example", 0, 404, 10*time.Second)
	fmt.Printf("evidence: a listener without routes answered 404 %s after the start of Envoy\n", took.Round(time.Millisecond))
}

func TestARouteTableThatAppearsLaterGetsItsHosts(t *testing.T) {
	b := start(t, 22110)
	b.apply(append(b.door("t1", 0), b.host("t1", "a.example", 200))...)
	b.await("a.example", 0, 200, 10*time.Second)
	b.apply(append(b.door("t2", 1), b.host("t2", "b.example", 201))...)
	b.await("b.example", 1, 201, 3*time.Second)
	b.apply(gone(ir.TypeListener, "l-t2"), gone(ir.TypeRouteTable, "t2"), gone(ir.TypeVirtualHost, "t2/*"), gone(ir.TypeVirtualHost, "t2/b.example"))
	b.await("b.example", 1, 0, 3*time.Second)
	b.apply(append(b.door("t2", 1), b.host("t2", "b.example", 202))...) // and once more
	b.await("b.example", 1, 202, 3*time.Second)
	b.await("a.example", 0, 200, time.Second)
}

func TestARemovedHostIsNoLongerServed(t *testing.T) {
	b := start(t, 22120)
	b.apply(append(b.door("t", 0), b.host("t", "a.example", 200), b.host("t", "b.example", 200))...)
	b.await("a.example", 0, 200, 10*time.Second)
	b.apply(gone(ir.TypeVirtualHost, "t/a.example"))
	b.await("a.example", 0, 404, time.Second)
	b.await("b.example", 0, 200, time.Second)
}

func TestAHostMovesBetweenRouteTables(t *testing.T) {
	b := start(t, 22130)
	b.apply(append(append(b.door("t1", 0), b.door("t2", 1)...), b.host("t1", "a.example", 200))...)
	b.await("a.example", 0, 200, 10*time.Second)
	b.apply(gone(ir.TypeVirtualHost, "t1/a.example"), b.host("t2", "a.example", 201))
	b.await("a.example", 1, 201, time.Second)
	b.await("a.example", 0, 404, time.Second)
}

func TestADuplicateDomainHarmsNobodyElse(t *testing.T) {
	b := start(t, 22140)
	b.apply(append(b.door("t", 0), b.host("t", "a.example", 200), b.host("t", "b.example", 200))...)
	b.await("a.example", 0, 200, 10*time.Second)
	twin := b.host("t", "twin.example", 201)
	m, err := translate.Decode(twin.Resource)
	if err != nil {
		t.Fatal(err)
	}
	m.(*routev3.VirtualHost).Domains = []string{"a.example"}
	body, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	twin.Resource = &ir.Resource{ID: twin.ID, Version: "twin", Body: body}
	b.apply(twin, b.host("t", "b.example", 202), b.host("t", "c.example", 203))
	b.await("c.example", 0, 203, 2*time.Second)
	b.await("b.example", 0, 202, time.Second)
	b.await("a.example", 0, 200, time.Second)
	if b.Nacks.Load() == 0 {
		t.Error("Envoy took two hosts with one domain")
	}
}

func TestAReconnectToAnUnchangedWorldSendsNothing(t *testing.T) {
	b := start(t, 22150)
	world := append(b.door("t", 0), b.host("t", "a.example", 200), b.host("t", "b.example", 200))
	b.apply(world...)
	b.await("a.example", 0, 200, 10*time.Second)
	b.Close()
	before := b.Pushed.Load()
	b.Listen(t)
	b.Server.Apply(world)
	b.InSync(t)
	if n := b.Pushed.Load() - before; n != 0 {
		t.Errorf("%d resources were sent again", n)
	}
	b.apply(b.host("t", "a.example", 202)) // and changes flow
	b.await("a.example", 0, 202, time.Second)
	if n := b.Pushed.Load() - before; n != 1 {
		t.Errorf("%d resources were sent, want 1", n)
	}
}

func TestAChangedClusterIsEffectiveAtOnce(t *testing.T) {
	one, err := echo.Start(echo.Options{Name: "one", Address: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = one.Close() }()
	b := start(t, 22160)
	cluster := ir.Backend{Name: "n/s/80"}
	endpoints := ir.Endpoints{Backend: "n/s/80", Localities: []ir.Locality{{Endpoints: []ir.Endpoint{{Address: "127.0.0.1", Port: uint32(one.Port())}}}}}
	host := ir.VirtualHost{Name: ir.VirtualHostName{Table: "t", Host: "a.example"}, Rules: []ir.Rule{{
		Name: "r", Match: ir.Match{Path: ir.PathMatch{Value: "/"}}, Action: ir.Forward{Split: []ir.Weighted{{Weight: 1, Backend: "n/s/80"}}},
	}}}
	b.apply(append(b.door("t", 0), b.must(translate.Cluster(cluster)), b.must(translate.Endpoints(endpoints)), b.must(translate.VirtualHost(host)))...)
	b.await("a.example", 0, 200, 10*time.Second)
	cluster.Protocol = ir.ProtocolH2C // only the cluster changes; Envoy waits for its endpoints to come again
	began := time.Now()
	b.apply(b.must(translate.Cluster(cluster)))
	b.await("a.example", 0, 200, time.Second)
	if took := time.Since(began); took > time.Second {
		t.Errorf("the change took %s", took)
	}
}

func TestOneBadHostAmong5000LeavesTheOthersServing(t *testing.T) {
	b := start(t, 22170)
	world := b.door("t", 0)
	for i := range 4999 {
		world = append(world, b.host("t", ir.Hostname(fmt.Sprintf("h%d.example", i)), 200))
	}
	world = append(world, b.refusedHost("t", "h2500x.example"))
	b.apply(b.door("warm", 1)...) // Envoy runs and is connected
	b.await("x", 1, 404, 10*time.Second)
	began := time.Now()
	b.Server.Apply(world)
	for _, i := range []int{0, 1, 2499, 2500, 2501, 4998} {
		b.await(fmt.Sprintf("h%d.example", i), 0, 200, 20*time.Second)
	}
	sampled := time.Since(began)
	b.InSync(t)
	all := time.Since(began)
	for i := 0; i < 4999; i += 101 {
		b.await(fmt.Sprintf("h%d.example", i), 0, 200, time.Second)
	}
	b.await("h2500x.example", 0, 404, time.Second)
	if n := b.Nacks.Load(); n > 15 { // one for each halving; times are a trend on shared machines
		t.Errorf("Envoy refused %d messages", n)
	}
	fmt.Printf("evidence: 1 bad host among 5,000 in the first message: sampled good hosts served after %s, all after %s, %d refusals\n",
		sampled.Round(time.Millisecond), all.Round(time.Millisecond), b.Nacks.Load())
	b.apply(b.host("t", "h2500x.example", 203)) // mended
	b.await("h2500x.example", 0, 203, time.Second)
}
