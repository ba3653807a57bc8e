package translator

import (
	"cmp"

	"github.com/cloverleaf-mesh/cloverleaf/translator/attach"
	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// rankedRule is a rule with all that decides its place.
type rankedRule struct {
	rule  ir.Rule
	claim claim
	index int // place in the route
}

// compareRank orders rules by precedence (Gateway API, HTTPRouteSpec.hostnames for the first criterion, then
// HTTPRouteRule.matches and GRPCRouteRule.matches): the route's own host name, the rank of the match; then the older
// route, the name, and the place in the route.
func compareRank(a, b rankedRule) int {
	x, y := &a.rule.Match.Rank, &b.rule.Match.Rank
	return cmp.Or(
		cmp.Compare(attach.Specificity(b.claim.host), attach.Specificity(a.claim.host)),
		cmp.Compare(y.PathType, x.PathType),
		cmp.Compare(y.PathLength, x.PathLength),
		cmp.Compare(y.Method, x.Method),
		cmp.Compare(y.Headers, x.Headers),
		cmp.Compare(y.Query, x.Query),
		compareClaim(a.claim, b.claim),
		cmp.Compare(a.index, b.index),
	)
}

func compareClaim(a, b claim) int {
	if a.route == b.route {
		return 0
	}
	return cmp.Or(attach.CompareAge(a.created, a.route.Name, b.created, b.route.Name), a.route.Compare(b.route))
}
