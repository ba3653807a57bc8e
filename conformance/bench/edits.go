package main

import (
	"strconv"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/cloverleaf-mesh/cloverleaf/controller/loop"
	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// step is one change of the world.
type step struct {
	name  string
	event loop.Event
}

// cycle is a row of steps after which the world has as many objects as before.
type cycle struct {
	name  string
	heavy bool                  // it touches everything
	names []string              // of its steps
	steps func(n, k int) []step // the k-th run on n routes
}

// The names of the steps that are measured.
const (
	ruleEdit     = "rule edit"
	endpointEdit = "endpoint edit"
	newRoute     = "new route"
	deletedRoute = "deleted route"
	gatewayEdit  = "gateway edit"
	newListener  = "new listener"
	goneListener = "deleted listener"
	wideRoute    = "new route without hosts"
	wideEdit     = "edit of a route without hosts"
	goneWide     = "deleted route without hosts"
)

// cycles are the changes that are measured. A new route comes with its Service and EndpointSlice and goes with them. The
// Gateway's edit decides anew where every route attaches and changes nothing; the listener brings all routes once more; a
// route without host names has its rules on every host.
func cycles() []cycle {
	return []cycle{
		{"rule", false, []string{ruleEdit}, func(n, k int) []step { return []step{{ruleEdit, put(httpRoute(spread(k, n), 1+k))}} }},
		{"endpoints", false, []string{endpointEdit}, func(n, k int) []step {
			i := spread(k, n)
			return []step{{endpointEdit, put(endpoints(i, address(i), "10.200."+strconv.Itoa(k/200%200)+"."+strconv.Itoa(1+k%200)))}}
		}},
		{"route", false, []string{newRoute, deletedRoute}, func(n, k int) []step {
			return []step{{newRoute, put(routeWithBackend(n + k)...)}, {deletedRoute, loop.Event{Delete: refsOf(n + k)}}}
		}},
		{"gateway", true, []string{gatewayEdit}, func(int, int) []step {
			return []step{
				{gatewayEdit, put(gateway(gwv1.NamespacesFromAll, listenerPort))},
				{gatewayEdit, put(gateway(gwv1.NamespacesFromSame, listenerPort))},
			}
		}},
		{"listener", true, []string{newListener, goneListener}, func(int, int) []step {
			return []step{
				{newListener, put(gateway(gwv1.NamespacesFromSame, listenerPort, listenerPort+1))},
				{goneListener, put(gateway(gwv1.NamespacesFromSame, listenerPort))},
			}
		}},
		{"wide", true, []string{wideRoute, wideEdit, goneWide}, func(_, k int) []step {
			return []step{
				{wideRoute, put(withoutHosts(2 * k))},
				{wideEdit, put(withoutHosts(2*k + 1))},
				{goneWide, loop.Event{Delete: []ir.Ref{{Kind: ir.KindHTTPRoute, Name: ir.Name{Namespace: namespace, Name: "wide"}}}}},
			}
		}},
	}
}

// withoutHosts is a route without host names, to the backend of route 0.
func withoutHosts(revision int) metav1.Object {
	r := httpRoute(0, revision)
	r.Name, r.Spec.Hostnames = "wide", nil
	return r
}

func cycleOf(name string) cycle {
	for _, c := range cycles() {
		if c.name == name {
			return c
		}
	}
	panic("no cycle " + name)
}

func put(objects ...metav1.Object) loop.Event { return loop.Event{Put: objects} }

// spread chooses the route that the k-th edit changes.
func spread(k, n int) int { return k * 7919 % n }
