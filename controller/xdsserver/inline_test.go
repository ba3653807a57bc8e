package xdsserver

import (
	"testing"

	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"

	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
	"github.com/cloverleaf-mesh/cloverleaf/translator/xds"
)

func inlineHost(t *testing.T, host ir.Hostname, cluster ir.BackendName) ir.Change {
	t.Helper()
	r, err := xds.VirtualHost(ir.VirtualHost{Name: ir.VirtualHostName{Table: "t", Host: host}, Rules: []ir.Rule{{
		Match: ir.Match{Path: ir.PathMatch{Value: "/"}}, Action: ir.Forward{Split: []ir.Weighted{{Weight: 1, Backend: cluster}}},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	return ir.Change{ID: r.ID, Resource: r}
}

func inlineHead(t *testing.T) ir.Change {
	t.Helper()
	head, err := xds.RouteTable(ir.RouteTable{Name: "t"})
	if err != nil {
		t.Fatal(err)
	}
	return ir.Change{ID: head.ID, Resource: head}
}

func composeOne(t *testing.T, i *inlined, changes ...ir.Change) ir.Change {
	t.Helper()
	out := i.compose(changes)
	if len(out) != 1 || out[0].ID.Type != ir.TypeRouteTable || out[0].ID.Name != "t" {
		t.Fatalf("got %v, want one route table", out)
	}
	return out[0]
}

func TestAnInlineTableHoldsItsHostsInOrderAndNeedsTheirClusters(t *testing.T) {
	head, a, b := inlineHead(t), inlineHost(t, "a.example", "n/a/80"), inlineHost(t, "b.example", "n/b/80")
	whole := composeOne(t, newInlined(), b, head, a).Resource
	m, err := xds.Decode(whole)
	if err != nil {
		t.Fatal(err)
	}
	table := m.(*routev3.RouteConfiguration)
	if table.GetVhds() != nil || !table.GetIgnorePortInHostMatching() || len(table.GetVirtualHosts()) != 2 || table.GetVirtualHosts()[0].GetDomains()[0] != "a.example" {
		t.Errorf("got %v", table)
	}
	if n := whole.Needs; len(n) != 2 || n[0].Name != "n/a/80" || n[1].Name != "n/b/80" {
		t.Errorf("needs %v", n)
	}
	if other := composeOne(t, newInlined(), a, b, head).Resource; other.Version != whole.Version {
		t.Error("the order of changes shows in the bytes")
	}
}

func TestAnInlineTableThatGoesIsForgottenWithItsHosts(t *testing.T) {
	i := newInlined()
	head, a := inlineHead(t), inlineHost(t, "a.example", "n/a/80")
	composeOne(t, i, head, a)
	if gone := composeOne(t, i, ir.Change{ID: head.ID}, ir.Change{ID: a.ID}); gone.Resource != nil || len(i.tables) != 0 {
		t.Errorf("after everything went: %v, %d tables kept", gone, len(i.tables))
	}
}
