package ir_test

import (
	"slices"
	"testing"

	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// objects have names as Kubernetes allows them.
var objects = []ir.Name{
	{Namespace: "default", Name: "a"},
	{Namespace: "a", Name: "default"},
	{Namespace: "a", Name: "b.c-d"},
	{Namespace: "a-b", Name: "c"},
	{Namespace: "a", Name: "b-c"},
	{Namespace: "backend", Name: "a"},
	{Namespace: "gw", Name: "80"},
	{Namespace: "http-80", Name: "x"},
	{Namespace: "as", Name: "h2c"},
}

func TestNamesOfResourcesTellObjectsApart(t *testing.T) {
	listeners, tables, backends := map[ir.ListenerName]bool{}, map[ir.RouteTableName]bool{}, map[ir.BackendName]bool{}
	n := 0
	for _, o := range objects {
		backends[ir.ObjectBackend(o)] = true
		for _, port := range []int32{1, 80, 8080, 65535} {
			n++
			listeners[ir.GatewayListener(o, port)] = true
			tables[ir.HTTPTable(o, port)] = true
			tables[ir.HTTPSTable(o, port)] = true
			backends[ir.ServiceBackend(o, port)] = true
		}
	}
	if len(listeners) != n || len(tables) != 2*n || len(backends) != n+len(objects) {
		t.Errorf("of %d Gateways' ports: %d listeners, %d tables, %d backends", n, len(listeners), len(tables), len(backends))
	}
}

func TestNamesOfResourcesAreTakenApartAsTheyWereMade(t *testing.T) {
	for _, o := range objects {
		for _, port := range []int32{1, 65535} {
			checkBackend(t, ir.ServiceBackend(o, port), ir.BackendParts{Object: o, Port: port})
			for _, table := range []ir.RouteTableName{ir.HTTPTable(o, port), ir.HTTPSTable(o, port)} {
				for _, host := range []ir.Hostname{ir.AnyHost, "*.a.example", "a.example"} {
					name := ir.VirtualHostName{Table: table, Host: host}.String()
					if got := ir.TableOf(name); got != string(table) {
						t.Errorf("%s is of table %s, want %s", name, got, table)
					}
					if !ir.OfGateway(name, o.String()) {
						t.Errorf("%s is not of Gateway %s", name, o)
					}
				}
			}
		}
		checkBackend(t, ir.ObjectBackend(o), ir.BackendParts{Object: o})
		if got := ir.SecretOf(o).Object(); got != o {
			t.Errorf("%s became %s", o, got)
		}
	}
	if ir.TableOf("no-table") != "" || ir.OfGateway("gw/a/bc/80", "a/b") {
		t.Error("a name was taken for another's")
	}
}

// checkBackend takes a backend's name and those of its variants apart.
func checkBackend(t *testing.T, name ir.BackendName, want ir.BackendParts) {
	t.Helper()
	check := func(name ir.BackendName, want ir.BackendParts) {
		if got := name.Parts(); got != want {
			t.Errorf("%s became %+v, want %+v", name, got, want)
		}
	}
	check(name, want)
	for _, secret := range append([]ir.Name{{Namespace: "h2c", Name: "as"}}, objects...) {
		shown, both := want, want
		shown.Shown, both.Shown, both.H2C = secret, secret, true
		check(name.As(secret), shown)
		check(name.H2C().As(secret), both)
	}
	want.H2C = true
	check(name.H2C(), want)
}

func TestFilterChainsAreNamedAfterTheirListeners(t *testing.T) {
	seen := map[string]bool{}
	for _, gateway := range objects {
		for _, o := range append([]ir.Origin{{Ref: ir.Ref{Kind: ir.KindGateway, Name: gateway}, Section: "https.a"}}, sections()...) {
			chain := ir.TLSChain(o)
			if o.Kind == ir.KindListenerSet {
				seen[chain] = true
			}
			if got := ir.TLSListener(string(ir.HTTPSTable(gateway, 443)), chain); got != o {
				t.Errorf("%s became %+v, want %+v", chain, got, o)
			}
		}
	}
	if len(seen) != len(sections()) {
		t.Errorf("%d chains of %d listeners", len(seen), len(sections()))
	}
	if got := ir.TLSListener("plain", "https"); got != (ir.Origin{}) {
		t.Errorf("a table of nobody's has %+v", got)
	}
}

// sections are listeners of ListenerSets.
func sections() []ir.Origin {
	var out []ir.Origin
	for _, o := range objects {
		for _, section := range []string{"http", "https.a"} {
			out = append(out, ir.Origin{Ref: ir.Ref{Kind: ir.KindListenerSet, Name: o}, Section: section})
		}
	}
	return out
}

func TestThingsAreOrderedByWhatTheyAre(t *testing.T) {
	refs := []ir.Ref{
		{Kind: ir.KindGateway, Name: ir.Name{Namespace: "a", Name: "a"}},
		{Kind: ir.KindGateway, Name: ir.Name{Namespace: "a", Name: "b"}},
		{Kind: ir.KindGateway, Name: ir.Name{Namespace: "b", Name: "a"}},
		{Kind: ir.KindHTTPRoute, Name: ir.Name{Namespace: "a", Name: "a"}},
	}
	ids := []ir.ResourceID{
		{Type: ir.TypeSecret, Name: "z"}, {Type: ir.TypeCluster, Name: "a"}, {Type: ir.TypeCluster, Name: "b"}, {Type: ir.TypeVirtualHost, Name: "a"},
	}
	if !slices.IsSortedFunc(refs, ir.Ref.Compare) || !slices.IsSortedFunc(ids, ir.ResourceID.Compare) {
		t.Error("not in order")
	}
	for i := range refs {
		for j := range refs {
			if got := refs[i].Compare(refs[j]); (got == 0) != (i == j) || (got < 0) != (i < j) {
				t.Errorf("%s and %s: %d", refs[i], refs[j], got)
			}
		}
	}
}

func TestWordsForPeople(t *testing.T) {
	for got, want := range map[string]string{
		ir.Name{Name: "a"}.String():                                                             "a",
		ir.Name{Namespace: "n", Name: "a"}.String():                                             "n/a",
		ir.Ref{Kind: ir.KindService, Name: ir.Name{Namespace: "n", Name: "a"}}.String():         "Service/n/a",
		ir.ResourceID{Type: ir.TypeVirtualHost, Name: "t/*"}.String():                           "virtualhost t/*",
		ir.TypeCount.String():                                                                   "?",
		ir.ProxyClass{Role: ir.ClassLocal}.String():                                             "local",
		ir.ProxyClass{Role: ir.ClassGateway, Name: ir.Name{Namespace: "n", Name: "g"}}.String(): "gateway/n/g",
		ir.ProxyClass{Role: ir.ClassSidecar, Name: ir.Name{Namespace: "n", Name: "w"}}.String(): "sidecar/n/w",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
