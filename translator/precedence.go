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

// compareRank orders rules by precedence (Gateway API, HTTPRouteRule.matches, and HTTPRouteSpec.hostnames for the
// first criterion): the route's own host name, the path, the method, headers, query parameters; then the older route,
// the name, and the place in the route. Where the spec leaves regular expressions open, they stand between exact paths
// and prefixes, longer ones first.
func compareRank(a, b rankedRule) int {
	x, y := &a.rule.Match, &b.rule.Match
	return cmp.Or(
		cmp.Compare(attach.Specificity(b.claim.host), attach.Specificity(a.claim.host)),
		cmp.Compare(pathRank(y.Path.Type), pathRank(x.Path.Type)),
		cmp.Compare(len(y.Path.Value), len(x.Path.Value)),
		cmp.Compare(methodRank(y), methodRank(x)),
		cmp.Compare(len(y.Headers), len(x.Headers)),
		cmp.Compare(len(y.Query), len(x.Query)),
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

func pathRank(t ir.PathType) int {
	switch t {
	case ir.PathExact:
		return 2
	case ir.PathRegex:
		return 1
	default:
		return 0
	}
}

func methodRank(m *ir.Match) int {
	if m.Method == "" {
		return 0
	}
	return 1
}
