package translator_test

import (
	"fmt"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"
)

// tenant makes the ListenerSet of a tenant and a route that attaches to it.
func tenant(t *testing.T, number int, protocol, allowed string) []metav1.Object {
	t.Helper()
	tls := ""
	if protocol == "HTTPS" {
		tls = ", tls: {certificateRefs: [{name: cert}]}"
	}
	set := unchecked(t, &gwv1.ListenerSet{}, fmt.Sprintf("metadata: {name: s%[1]d, namespace: default}\nspec: {parentRef: {name: edge}, listeners: "+
		"[{name: web, port: 8443, protocol: %[2]s, hostname: t%[1]d.example, allowedRoutes: {namespaces: {from: %[3]s}}%[4]s}]}", number, protocol, allowed, tls))
	route := unchecked(t, &gwv1.HTTPRoute{}, fmt.Sprintf("metadata: {name: r%[1]d, namespace: default}\nspec: {parentRefs: "+
		"[{kind: ListenerSet, name: s%[1]d}], rules: [{backendRefs: [{name: one, port: 80}]}]}", number))
	return []metav1.Object{set, route}
}

// TestATenantsEditCostsTheSameAmongMany: what other ListenerSets of the Gateway there are does not matter to an edit of a
// route, nor to one of a ListenerSet beyond the lists that name it.
func TestATenantsEditCostsTheSameAmongMany(t *testing.T) {
	for _, protocol := range []string{"HTTP", "HTTPS"} {
		var costs [2]map[string]uint64
		for i, tenants := range []int{20, 400} {
			costs[i] = tenantCosts(t, protocol, tenants)
		}
		for edit, few := range costs[0] {
			many := costs[1][edit]
			fmt.Printf("evidence: %s, %s: %d queries among 20 tenants, %d among 400\n", protocol, edit, few, many)
			if many > few+2 {
				t.Errorf("%s, %s: %d queries run among 20 tenants and %d among 400", protocol, edit, few, many)
			}
		}
	}
}

func tenantCosts(t *testing.T, protocol string, tenants int) map[string]uint64 {
	t.Helper()
	m := based(t)
	m.store.Put(unchecked(t, &gwv1.Gateway{}, "metadata: {name: edge, namespace: default}\nspec: {gatewayClassName: cloverleaf, "+
		"allowedListeners: {namespaces: {from: Same}}, listeners: [{name: http, port: 80, protocol: HTTP}]}"))
	put(t, m, fill("apiVersion: v1\nkind: Secret\nmetadata: {name: cert, namespace: default}\ntype: kubernetes.io/tls\nstringData: $PAIR\n"), "cert.yaml")
	for n := range tenants {
		for _, o := range tenant(t, n, protocol, "Same") {
			m.store.Put(o)
		}
	}
	m.refresh(t)
	costs := map[string]uint64{}
	cost := func(edit string, objects ...metav1.Object) {
		before := m.store.Table().Stats().Computed
		for _, o := range objects {
			m.store.Put(o)
		}
		m.refresh(t)
		costs[edit] = m.store.Table().Stats().Computed - before
	}
	cost("a ListenerSet that allows more", tenant(t, 7, protocol, "All")[0])
	route := tenant(t, 7, protocol, "All")[1].(*gwv1.HTTPRoute)
	route.Spec.Hostnames = []gwv1.Hostname{"t7.example"}
	cost("a route", route)
	cost("a new tenant", tenant(t, tenants, protocol, "Same")...)
	cost("another one", tenant(t, tenants+1, protocol, "Same")...)
	return costs
}
