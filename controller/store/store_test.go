package store_test

import (
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cloverleaf-mesh/cloverleaf/controller/store"
	"github.com/cloverleaf-mesh/cloverleaf/internal/memo"
	"github.com/cloverleaf-mesh/cloverleaf/internal/worldgen"
	"github.com/cloverleaf-mesh/cloverleaf/translator/input"
	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// dump returns every cell of a table, as text.
func dump(t *testing.T, table *memo.Table) map[string]string {
	t.Helper()
	cells := map[string]string{}
	collect(cells, "GatewayClasses", input.GatewayClasses.All(table))
	collect(cells, "Gateways", input.Gateways.All(table))
	collect(cells, "ListenerSets", input.ListenerSets.All(table))
	collect(cells, "SetsOfGateway", input.SetsOfGateway.All(table))
	collect(cells, "PortsOfGateway", input.PortsOfGateway.All(table))
	collect(cells, "ParentsOfPort", input.ParentsOfPort.All(table))
	collect(cells, "ListenersAt", input.ListenersAt.All(table))
	collect(cells, "Routes", input.Routes.All(table))
	collect(cells, "Rules", input.Rules.All(table))
	collect(cells, "Generations", input.Generations.All(table))
	collect(cells, "Grants", input.Grants.All(table))
	collect(cells, "Services", input.Services.All(table))
	collect(cells, "EndpointSlices", input.EndpointSlices.All(table))
	collect(cells, "Secrets", input.Secrets.All(table))
	collect(cells, "ConfigMaps", input.ConfigMaps.All(table))
	collect(cells, "NamespaceLabels", input.NamespaceLabels.All(table))
	collect(cells, "Backends", input.Backends.All(table))
	collect(cells, "ObjectsOf", input.ObjectsOf.All(table))
	collect(cells, "GatewaysOfClass", input.GatewaysOfClass.All(table))
	collect(cells, "RoutesOfParent", input.RoutesOfParent.All(table))
	collect(cells, "RouteShards", input.RouteShards.All(table))
	collect(cells, "HostShards", input.HostShards.All(table))
	collect(cells, "HostsOfParent", input.HostsOfParent.All(table))
	collect(cells, "RoutesOfHost", input.RoutesOfHost.All(table))
	collect(cells, "SlicesOfService", input.SlicesOfService.All(table))
	collect(cells, "RejectedIn", input.RejectedIn.All(table))
	collect(cells, "BackendTLSPolicies", input.BackendTLSPolicies.All(table))
	collect(cells, "TLSPoliciesOfService", input.TLSPoliciesOfService.All(table))
	collect(cells, "UsesOfService", input.UsesOfService.All(table))
	collect(cells, "GrantsOfNamespace", input.GrantsOfNamespace.All(table))
	collect(cells, "SettingsOf", input.SettingsOf.All(table))
	collect(cells, "ListenerReports", input.ListenerReports.All(table))
	collect(cells, "Rejections", input.Rejections.All(table))
	collect(cells, "LocalCertificates", input.LocalCertificates.All(table))
	if stats := table.Stats(); stats.Cells != len(cells) {
		t.Fatalf("the table has %d cells and %d are known here: an input is missing in this list", stats.Cells, len(cells))
	}
	return cells
}

func collect[K comparable, V any](cells map[string]string, name string, all iter.Seq2[K, V]) {
	for key, value := range all {
		text, err := json.Marshal(value)
		if err != nil {
			panic(err) // cells are plain values
		}
		cells[fmt.Sprintf("%s %+v", name, key)] = string(text)
	}
}

var settings = input.Settings{Controller: "cloverleaf.dev/gateway", Bind: "127.0.0.1"}

// world is what was put into a store and not deleted.
type world map[ir.Ref]metav1.Object

// fresh fills a new store in random order.
func (w world) fresh(t *testing.T, r *rand.Rand) map[string]string {
	t.Helper()
	table := memo.New()
	s := store.New(table, settings)
	refs := slices.SortedFunc(maps.Keys(w), ir.Ref.Compare)
	r.Shuffle(len(refs), func(i, j int) { refs[i], refs[j] = refs[j], refs[i] })
	for _, ref := range refs {
		s.Put(w[ref])
	}
	return dump(t, table)
}

// TestAStoreRemembersNothingButWhatIsThere: after any puts and deletes its cells are those of a fresh store, and none are
// left when everything is deleted.
func TestAStoreRemembersNothingButWhatIsThere(t *testing.T) {
	comparisons := 0
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 5))
		maker := &worldgen.Maker{Choose: worldgen.Seeded{Rand: r}, Pairs: []worldgen.Pair{{Cert: []byte("c"), Key: []byte("k")}}}
		table := memo.New()
		s := store.New(table, settings)
		empty := dump(t, table)
		w := world{}
		for range 30 {
			for range 1 + r.IntN(6) {
				o, ref := maker.Object()
				if r.IntN(3) == 0 {
					s.Delete(ref) // also of what is not there
					delete(w, ref)
				} else {
					s.Put(o)
					w[ref] = o
				}
			}
			if d := cmp.Diff(w.fresh(t, r), dump(t, table)); d != "" {
				t.Fatalf("seed %d (-fresh +remembered):\n%s", seed, d)
			}
			comparisons++
		}
		for _, ref := range slices.SortedFunc(maps.Keys(w), ir.Ref.Compare) {
			s.Delete(ref)
		}
		if d := cmp.Diff(empty, dump(t, table)); d != "" {
			t.Fatalf("seed %d: left over (-empty +remembered):\n%s", seed, d)
		}
	}
	fmt.Printf("evidence: %d comparisons of a store with a fresh one\n", comparisons)
}

func TestARefusalThatIsOverLeavesNothing(t *testing.T) {
	table := memo.New()
	s := store.New(table, settings)
	empty := dump(t, table)
	ids := []ir.ResourceID{{Type: ir.TypeVirtualHost, Name: "t/a"}, {Type: ir.TypeCluster, Name: "n/s/80"}, {Type: ir.TypeCluster, Name: "t/a"}}
	for _, id := range ids {
		s.SetRejection(id, input.Rejection{Version: "1", Message: "no"})
		s.SetRejection(id, input.Rejection{Version: "2", Message: "no"})
	}
	if got := len(dump(t, table)) - len(empty); got < len(ids) {
		t.Errorf("%d cells for %d refusals", got, len(ids))
	}
	for _, id := range append(ids, ids...) {
		s.SetRejection(id, input.Rejection{})
	}
	if d := cmp.Diff(empty, dump(t, table)); d != "" {
		t.Errorf("left over (-empty +remembered):\n%s", d)
	}
}

func TestAReportOfAListenerThatIsGoneLeavesNothing(t *testing.T) {
	table := memo.New()
	s := store.New(table, settings)
	empty := dump(t, table)
	key := input.ClassListener{Class: ir.ProxyClass{Role: ir.ClassLocal}, Listener: "gw/infra/edge/80"}
	s.SetListenerReport(key, input.ListenerReport{Version: "1", Proxies: 1, Live: 1})
	s.SetListenerReport(key, input.ListenerReport{})
	if d := cmp.Diff(empty, dump(t, table)); d != "" {
		t.Errorf("left over (-empty +remembered):\n%s", d)
	}
}

func TestAnUnknownKindIsABugOfTheSource(t *testing.T) {
	defer func() {
		if p := recover(); p == nil || fmt.Sprint(p) != "store: no cell for *v1.ObjectMeta" {
			t.Errorf("got %v", p)
		}
	}()
	store.New(memo.New(), settings).Put(&metav1.ObjectMeta{Name: "x"})
}
