package xdsserver

import (
	"testing"

	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"

	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
	translate "github.com/cloverleaf-mesh/cloverleaf/translator/xds"
)

func inlineHost(t *testing.T, host ir.Hostname, cluster ir.BackendName) ir.Change {
	t.Helper()
	r, err := translate.VirtualHost(ir.VirtualHost{Name: ir.VirtualHostName{Table: "t", Host: host}, Rules: []ir.Rule{{
		Match: ir.Match{Path: ir.PathMatch{Value: "/"}}, Action: ir.Forward{Split: []ir.Weighted{{Weight: 1, Backend: cluster}}},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	return ir.Change{ID: r.ID, Resource: r}
}

func TestAnInlineTableHoldsItsHostsInOrderAndNeedsTheirClusters(t *testing.T) {
	head, err := translate.RouteTable(ir.RouteTable{Name: "t"})
	if err != nil {
		t.Fatal(err)
	}
	i := newInlined()
	out := i.compose([]ir.Change{inlineHost(t, "b.example", "n/b/80"), {ID: head.ID, Resource: head}, inlineHost(t, "a.example", "n/a/80")})
	if len(out) != 1 || out[0].ID != head.ID {
		t.Fatalf("got %v", out)
	}
	m, err := translate.Decode(out[0].Resource)
	if err != nil {
		t.Fatal(err)
	}
	table := m.(*routev3.RouteConfiguration)
	if table.GetVhds() != nil || !table.GetIgnorePortInHostMatching() || len(table.GetVirtualHosts()) != 2 || table.GetVirtualHosts()[0].GetDomains()[0] != "a.example" {
		t.Errorf("got %v", table)
	}
	if n := out[0].Resource.Needs; len(n) != 2 || n[0].Name != "n/a/80" || n[1].Name != "n/b/80" {
		t.Errorf("needs %v", n)
	}
	other := newInlined().compose([]ir.Change{inlineHost(t, "a.example", "n/a/80"), inlineHost(t, "b.example", "n/b/80"), {ID: head.ID, Resource: head}})
	if other[0].Resource.Version != out[0].Resource.Version {
		t.Error("the order of changes shows in the bytes")
	}
	host := func(name string) ir.Change { return ir.Change{ID: ir.ResourceID{Type: ir.TypeVirtualHost, Name: name}} }
	gone := i.compose([]ir.Change{{ID: head.ID}, host("t/a.example"), host("t/b.example")})
	if len(gone) != 1 || gone[0].Resource != nil || len(i.tables) != 0 {
		t.Errorf("after everything went: %v, %d tables kept", gone, len(i.tables))
	}
}
