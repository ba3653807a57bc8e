package simulation

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/cloverleaf-mesh/cloverleaf/conformance/xdsdriver"
	"github.com/cloverleaf-mesh/cloverleaf/controller/localca"
	"github.com/cloverleaf-mesh/cloverleaf/internal/echo"
	"github.com/cloverleaf-mesh/cloverleaf/internal/envoysim"
	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
	translate "github.com/cloverleaf-mesh/cloverleaf/translator/xds"
)

// routeHeader is a header of answers that names the route. Only configurations of this test have it.
const routeHeader = "x-sim-route"

// bench is a real Envoy, its backends, and the simulator with the same configuration.
type bench struct {
	driver   *xdsdriver.Driver
	backends map[string][]string // names of the servers behind a cluster
	servers  map[string]string   // by address
	fixed    []*ir.Resource      // listeners, tables, clusters
	config   *envoysim.Config
	copies   *copies
}

func newBench(t *testing.T) *bench {
	t.Helper()
	for _, port := range []int{plainPort, tlsPort, strictTLS} { // two Envoys would share a port and answer for each other
		l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port})
		if err != nil {
			t.Fatal("the port is another's: ", err)
		}
		_ = l.Close()
	}
	b := &bench{driver: xdsdriver.Start(t), backends: map[string][]string{}, servers: map[string]string{}, copies: newCopies()}
	ports := map[string]uint32{}
	for _, name := range []string{"one", "two", "three"} {
		s, err := echo.Start(echo.Options{Name: name, Address: "127.0.0.1:0", Observe: b.copies.observe})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		b.servers[s.Address()] = name
		ports[name] = uint32(s.Port())
	}
	b.cluster(t, "n/one/80", ir.ProtocolHTTP1, ports, "one")
	b.cluster(t, "n/two/80", ir.ProtocolHTTP1, ports, "two")
	b.cluster(t, "n/three/80", ir.ProtocolHTTP1, ports, "three")
	b.cluster(t, "n/pair/80", ir.ProtocolHTTP1, ports, "one", "two")
	b.cluster(t, "n/one-h2c/80", ir.ProtocolH2C, ports, "one")
	b.cluster(t, nowhere, ir.ProtocolHTTP1, ports)
	b.doors(t)
	return b
}

func (b *bench) fix(t *testing.T, r *ir.Resource, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	b.fixed = append(b.fixed, r)
}

func (b *bench) cluster(t *testing.T, name ir.BackendName, speaks ir.Protocol, ports map[string]uint32, servers ...string) {
	t.Helper()
	b.backends[string(name)] = servers
	r, err := translate.Cluster(ir.Backend{Name: name, Protocol: speaks})
	b.fix(t, r, err)
	var group ir.Locality
	for _, s := range servers {
		group.Endpoints = append(group.Endpoints, ir.Endpoint{Address: "127.0.0.1", Port: ports[s]})
	}
	r, err = translate.Endpoints(ir.Endpoints{Backend: name, Localities: []ir.Locality{group}})
	b.fix(t, r, err)
}

// tables by filter chain.
const (
	tablePlain = ir.RouteTableName("plain")
	tableExact = ir.RouteTableName("tls-exact")
	tableWild  = ir.RouteTableName("tls-wild")
)

// doors makes the listeners.
func (b *bench) doors(t *testing.T) {
	t.Helper()
	ca, err := localca.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	chain, key, err := ca.Leaf([]string{"*.tls.example"}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	r, err := translate.Certificate("n/cert", chain, key)
	b.fix(t, r, err)
	secure := &ir.ServerTLS{Certificates: []ir.SecretName{"n/cert"}}
	layer := func(table ir.RouteTableName) ir.HTTP { return ir.HTTP{Table: table} }
	wild := ir.Chain{Name: "wild", ServerNames: []ir.Hostname{"*.tls.example"}, TLS: secure, Layer: layer(tableWild)}
	listeners := map[uint32][]ir.Chain{
		plainPort: {{Name: "http", Layer: layer(tablePlain)}},
		tlsPort: {
			{Name: "any", TLS: secure, Layer: layer(tablePlain)},
			{Name: "exact", ServerNames: []ir.Hostname{"exact.tls.example"}, TLS: secure, Layer: layer(tableExact)},
			wild,
		},
		strictTLS: {wild},
	}
	for port, chains := range listeners {
		r, err := translate.Listener(ir.Listener{Name: ir.ListenerName(fmt.Sprintf("l-%d", port)), Bind: ir.Port{Address: "127.0.0.1", Port: port}, Chains: chains})
		b.fix(t, r, err)
	}
	for _, table := range []ir.RouteTableName{tablePlain, tableExact, tableWild} {
		r, err := translate.RouteTable(ir.RouteTable{Name: table})
		b.fix(t, r, err)
	}
}

// load gives Envoy and the simulator a new random configuration.
func (b *bench) load(t *testing.T, w *world) []ir.VirtualHost {
	t.Helper()
	var hosts []ir.VirtualHost
	add := func(table ir.RouteTableName, host ir.Hostname, most int) {
		hosts = append(hosts, ir.VirtualHost{
			Name: ir.VirtualHostName{Table: table, Host: host}, Rules: w.rules(table, host, w.IntN(most)),
			Chain: of(w, []string{"", "", "", "", "", "any", "exact", "wild"}), // others than it are misdirected
		})
	}
	for _, table := range []ir.RouteTableName{tableExact, tableWild} {
		add(table, ir.AnyHost, 4)
		add(table, "*.tls.example", 6)
		add(table, "exact.tls.example", 6)
	}
	add(tablePlain, ir.AnyHost, 4)
	for i, name := range hostNames {
		most := 14
		if i%4 == 0 {
			most = 60 // some are long enough for a tree
		}
		add(tablePlain, name, most)
	}
	for i := range 20 {
		add(tablePlain, ir.Hostname(fmt.Sprintf("h%d.example", i)), 10)
	}
	b.apply(t, hosts)
	return hosts
}

func (b *bench) apply(t *testing.T, hosts []ir.VirtualHost) {
	t.Helper()
	all := append([]*ir.Resource{}, b.fixed...)
	for i := range hosts {
		r, err := translate.VirtualHost(hosts[i])
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, named(t, r))
	}
	var changes []ir.Change
	for _, r := range all {
		changes = append(changes, xdsdriver.Must(t, r, nil))
	}
	b.driver.Apply(t, changes...)
	if n := b.driver.Nacks.Load(); n != 0 {
		t.Fatalf("Envoy refused %d messages", n)
	}
	config, err := envoysim.New(all)
	if err != nil {
		t.Fatal(err)
	}
	if unknown := config.Unknown(); len(unknown) > 0 {
		t.Fatalf("not understood:\n%s", strings.Join(unknown, "\n"))
	}
	b.config = config
}

// named makes every route of a virtual host say its name in its answers.
func named(t *testing.T, r *ir.Resource) *ir.Resource {
	t.Helper()
	m, err := translate.Decode(r)
	if err != nil {
		t.Fatal(err)
	}
	vh := m.(*routev3.VirtualHost)
	for _, route := range vh.GetRoutes() {
		say(route)
	}
	for _, on := range vh.GetMatcher().GetMatcherTree().GetPrefixMatchMap().GetMap() {
		packed := on.GetAction().GetTypedConfig()
		var list routev3.RouteList
		if err := packed.UnmarshalTo(&list); err != nil {
			t.Fatal(err)
		}
		for _, route := range list.GetRoutes() {
			say(route)
		}
		if err := anypb.MarshalFrom(packed, &list, proto.MarshalOptions{Deterministic: true}); err != nil {
			t.Fatal(err)
		}
	}
	body, err := proto.MarshalOptions{Deterministic: true}.Marshal(vh)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(body)
	return &ir.Resource{ID: r.ID, Version: hex.EncodeToString(sum[:12]), Body: body, Needs: r.Needs}
}

func say(r *routev3.Route) {
	r.ResponseHeadersToAdd = append(r.ResponseHeadersToAdd, &corev3.HeaderValueOption{
		Header:       &corev3.HeaderValue{Key: routeHeader, Value: r.GetName()},
		AppendAction: corev3.HeaderValueOption_OVERWRITE_IF_EXISTS_OR_ADD,
	})
}
