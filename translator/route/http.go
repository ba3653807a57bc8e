package route

import (
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/cloverleaf-mesh/cloverleaf/internal/memo"
	"github.com/cloverleaf-mesh/cloverleaf/translator/input"
	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// HTTP is the kind HTTPRoute.
var HTTP = Kind{
	Kind:   ir.KindHTTPRoute,
	Lower:  httpRules,
	Status: func(s gwv1.RouteStatus) any { return &gwv1.HTTPRouteStatus{RouteStatus: s} },
}

func httpRules(c *memo.Ctx, name ir.Name) Lowered {
	l := lowering{c: c, route: ir.Ref{Kind: ir.KindHTTPRoute, Name: name}, failure: 500}
	rules, _ := input.Rules.Read(c, l.route)
	list, _ := rules.([]gwv1.HTTPRouteRule)
	for i := range list {
		l.begin(i)
		l.rule(&list[i], matchesOf(list[i].Matches, l.httpMatch))
	}
	return l.out
}
