package input

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// RouteKind is what storing and attaching need to know of a kind of route. What its rules mean is package route's
// business.
type RouteKind struct {
	Kind ir.Kind
	// Protocols are those of the listeners that routes of this kind may attach to.
	Protocols []gwv1.ProtocolType
	// Parts takes an object of this kind apart; ok is false for objects of other kinds.
	Parts func(metav1.Object) (parts RouteParts, ok bool)
	// Backends lists what rules of this kind send requests or copies of them to.
	Backends func(rules any) []gwv1.BackendObjectReference
}

// RouteParts are the parts of a route that change for different reasons.
type RouteParts struct {
	Common    *gwv1.CommonRouteSpec
	Hostnames []gwv1.Hostname
	Rules     any // a slice of the kind's rules
}

// RouteKinds lists the kinds of routes, in the order in which statuses name them. A kind is added here and in the
// table of package translator.
func RouteKinds() []RouteKind {
	http := []gwv1.ProtocolType{gwv1.HTTPProtocolType, gwv1.HTTPSProtocolType}
	return []RouteKind{
		{Kind: ir.KindHTTPRoute, Protocols: http, Backends: httpBackends, Parts: func(o metav1.Object) (RouteParts, bool) {
			if r, ok := o.(*gwv1.HTTPRoute); ok {
				return RouteParts{&r.Spec.CommonRouteSpec, r.Spec.Hostnames, r.Spec.Rules}, true
			}
			return RouteParts{}, false
		}},
		{Kind: ir.KindGRPCRoute, Protocols: http, Backends: grpcBackends, Parts: func(o metav1.Object) (RouteParts, bool) {
			if r, ok := o.(*gwv1.GRPCRoute); ok {
				return RouteParts{&r.Spec.CommonRouteSpec, r.Spec.Hostnames, r.Spec.Rules}, true
			}
			return RouteParts{}, false
		}},
	}
}

// RouteKindOf finds a kind of route.
func RouteKindOf(kind ir.Kind) (RouteKind, bool) {
	for _, k := range RouteKinds() {
		if k.Kind == kind {
			return k, true
		}
	}
	return RouteKind{}, false
}

// IsRoute tells whether objects of a kind are routes.
func IsRoute(kind ir.Kind) bool {
	_, ok := RouteKindOf(kind)
	return ok
}
