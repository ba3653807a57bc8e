package attach

import (
	"slices"

	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/cloverleaf-mesh/cloverleaf/internal/memo"
	"github.com/cloverleaf-mesh/cloverleaf/translator/input"
	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// Reference is a reference from an object of one namespace to an object of another.
type Reference struct {
	FromGroup, FromKind, FromNamespace string
	ToGroup, ToKind                    string
	To                                 ir.Name
}

// Granted tells whether a reference is allowed: within a namespace always, across only when a ReferenceGrant in the
// target's namespace says so (Gateway API, ReferenceGrant).
func Granted(c *memo.Ctx, r Reference) bool {
	return r.FromNamespace == r.To.Namespace || grantedAcross.Get(c, r)
}

var grantedAcross = memo.NewQuery("grantedAcross", func(c *memo.Ctx, r Reference) bool {
	names, _ := input.GrantsOfNamespace.Read(c, r.To.Namespace)
	for _, name := range names {
		if g, ok := input.Grants.Read(c, name); ok && grants(g, r) {
			return true
		}
	}
	return false
}, memo.Same)

func grants(g *gwv1.ReferenceGrantSpec, r Reference) bool {
	from := slices.ContainsFunc(g.From, func(f gwv1.ReferenceGrantFrom) bool {
		return string(f.Group) == r.FromGroup && string(f.Kind) == r.FromKind && string(f.Namespace) == r.FromNamespace
	})
	return from && slices.ContainsFunc(g.To, func(t gwv1.ReferenceGrantTo) bool {
		return string(t.Group) == r.ToGroup && string(t.Kind) == r.ToKind &&
			(t.Name == nil || *t.Name == "" || string(*t.Name) == r.To.Name)
	})
}
