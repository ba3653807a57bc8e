// Package translator is the functional core: from the cells of package input to what every class of proxies is told,
// and to what the status of every object says. It is pure: it does no I/O, sees no clock and keeps no state but what
// the memo table remembers. It composes the packages below it and decides by itself only which rule wins on a host,
// which resources a class gets, and what an object's status is made of.
package translator

import (
	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
	"github.com/cloverleaf-mesh/cloverleaf/translator/route"
)

// Routes lists the kinds of routes. It is the only place that does.
func Routes() []route.Kind { return []route.Kind{route.HTTP, route.GRPC} }

// reportedKinds lists the kinds of objects that have a report: a status, or at least findings.
func reportedKinds() []ir.Kind {
	kinds := []ir.Kind{ir.KindGatewayClass, ir.KindGateway, ir.KindListenerSet, ir.KindBackendTLSPolicy}
	for _, k := range Routes() {
		kinds = append(kinds, k.Kind)
	}
	return kinds
}

// routeKind finds a kind of route.
func routeKind(kind ir.Kind) (route.Kind, bool) {
	for _, k := range Routes() {
		if k.Kind == kind {
			return k, true
		}
	}
	return route.Kind{}, false
}
