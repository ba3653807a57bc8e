package translator_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/cloverleaf-mesh/cloverleaf/internal/worldgen"
	"github.com/cloverleaf-mesh/cloverleaf/translator/finding"
	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
	"github.com/cloverleaf-mesh/cloverleaf/translator/xds"
)

// FuzzHTTPRoute makes HTTPRoutes that an API server would let through of the fuzzer's bytes, beside a Gateway with
// listeners of several kinds, and checks what must hold of the result whatever they say.
func FuzzHTTPRoute(f *testing.F) {
	base := worldgen.Base(testPairs[0])
	schemas := worldgen.NewSchemas()
	r := rand.New(rand.NewPCG(17, 4))
	for range 60 {
		program := make([]byte, 40+r.IntN(200))
		for i := range program {
			program[i] = byte(r.IntN(256))
		}
		f.Add(program)
	}
	f.Fuzz(func(t *testing.T, program []byte) {
		maker := &worldgen.Maker{Choose: worldgen.Scripted{Program: &program}, Pairs: testPairs}
		var routes []*gwv1.HTTPRoute
		for i := range 1 + maker.Choose.Pick(3) {
			if route, valid := schemas.HTTPRoute(maker.WideHTTPRoute(fmt.Sprintf("r%d", i))); valid {
				routes = append(routes, route)
			}
		}
		if len(routes) == 0 {
			return
		}
		m := newMachine(settingsOf(len(routes)))
		for _, o := range base {
			m.store.Put(o)
		}
		for _, route := range routes {
			m.store.Put(route)
		}
		m.refresh(t) // fails on a Fault
		for _, report := range m.reports {
			for _, found := range report.Findings {
				if found.Code == finding.Internal {
					t.Errorf("a panic was contained: %s", found.Message)
				}
			}
		}
		for class, resources := range m.resources {
			checkResources(t, class, resources)
		}
	})
}

// checkResources checks a class's resources one by one and with each other.
func checkResources(t *testing.T, class ir.ProxyClass, resources map[ir.ResourceID]*ir.Resource) {
	t.Helper()
	domains := map[string]string{} // route table and domain -> virtual host
	for id, r := range resources {
		m, err := xds.Decode(r)
		if err != nil {
			t.Fatalf("%s: %v", class, err)
		}
		checkValid(t, id, m)
		again, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
		if err != nil || !bytes.Equal(again, r.Body) {
			t.Errorf("%s: its bytes are not deterministic (%v)", id, err)
		}
		for _, need := range r.Needs {
			if resources[need] == nil {
				t.Errorf("%s needs %s, which there is not", id, need)
			}
		}
		host, ok := m.(*routev3.VirtualHost)
		if !ok {
			continue
		}
		table := id.Name[:strings.LastIndexByte(id.Name, '/')]
		if host.GetName() != id.Name || resources[ir.ResourceID{Type: ir.TypeRouteTable, Name: table}] == nil {
			t.Errorf("%s is called %s, and has a table: %t", id, host.GetName(), resources[ir.ResourceID{Type: ir.TypeRouteTable, Name: table}] != nil)
		}
		for _, domain := range host.GetDomains() {
			if other, twice := domains[table+" "+domain]; twice {
				t.Errorf("%s and %s have the domain %s", id, other, domain)
			}
			domains[table+" "+domain] = id.Name
		}
	}
	for id := range resources {
		if id.Type == ir.TypeRouteTable && domains[id.Name+" *"] == "" {
			t.Errorf("%s has no virtual host *", id)
		}
	}
}

// checkValid checks a message as Envoy does, and those that are packed in it.
func checkValid(t *testing.T, id ir.ResourceID, m proto.Message) {
	t.Helper()
	if err := m.(interface{ ValidateAll() error }).ValidateAll(); err != nil {
		t.Errorf("%s: %v", id, err)
	}
	var packed []*anypb.Any
	switch m := m.(type) {
	case *listenerv3.Listener:
		for _, chain := range m.GetFilterChains() {
			packed = append(packed, chain.GetTransportSocket().GetTypedConfig())
			for _, filter := range chain.GetFilters() {
				packed = append(packed, filter.GetTypedConfig())
			}
		}
	case *clusterv3.Cluster:
		packed = append(packed, m.GetTransportSocket().GetTypedConfig())
		for _, options := range m.GetTypedExtensionProtocolOptions() {
			packed = append(packed, options)
		}
	}
	for _, a := range slices.DeleteFunc(packed, func(a *anypb.Any) bool { return a == nil }) {
		inner, err := a.UnmarshalNew()
		if err != nil {
			t.Fatalf("%s: %v", id, err)
		}
		checkValid(t, id, inner)
	}
}
