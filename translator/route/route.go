// Package route turns the rules of a route into the IR, one file per kind of route. It decides what a rule matches
// and does, apart from any parent: where a route attaches is package attach's business, and which rule wins on a host
// is the root translator's.
package route

import (
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/cloverleaf-mesh/cloverleaf/internal/memo"
	"github.com/cloverleaf-mesh/cloverleaf/translator/finding"
	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// Kind is a kind of route: all that the rest of the translator needs to know about it.
type Kind struct {
	Kind ir.Kind
	// Lower returns the rules of a route of this kind.
	Lower func(c *memo.Ctx, name ir.Name) Lowered
	// Status wraps what all kinds of routes have in common in the status of this kind.
	Status func(gwv1.RouteStatus) any
}

// Lowered are the rules of a route, whatever its parents.
type Lowered struct {
	// Rules has an entry per match, in the order of the manifest.
	Rules []ir.Rule
	// Problems are of the conditions ResolvedRefs and PartiallyInvalid.
	Problems []finding.Problem
	// Total and Dropped count the rules of the manifest, and those that are not served as asked.
	Total, Dropped int
}
