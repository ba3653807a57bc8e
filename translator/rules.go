package translator

import (
	"slices"

	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/cloverleaf-mesh/cloverleaf/internal/memo"
	"github.com/cloverleaf-mesh/cloverleaf/translator/finding"
	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
	"github.com/cloverleaf-mesh/cloverleaf/translator/route"
	"github.com/cloverleaf-mesh/cloverleaf/translator/xds"
)

// RulesOf are the rules of a route, each of which Envoy is known to take.
var RulesOf = memo.NewQuery("RulesOf", func(c *memo.Ctx, ref ir.Ref) route.Lowered {
	kind, ok := routeKind(ref.Kind)
	if !ok {
		return route.Lowered{}
	}
	return withoutRefused(ref, kind.Lower(c, ref.Name))
}, memo.Equal).Recovering(func(ref ir.Ref, panicked any) route.Lowered {
	return route.Lowered{Total: 1, Dropped: 1, Problems: []finding.Problem{
		dropped(finding.New(finding.Internal, ref, "spec.rules", panicked)),
	}}
})

// withoutRefused makes rules that Envoy would refuse fail: their requests are answered with 500, as with any rule that
// cannot be served as asked. One whose match is refused is left out.
func withoutRefused(ref ir.Ref, lowered route.Lowered) route.Lowered {
	kept := make([]ir.Rule, 0, len(lowered.Rules))
	problems := slices.Clip(lowered.Problems)
	failing := map[string]bool{} // by section, of which every match makes a rule
	for _, rule := range lowered.Rules {
		if err := xds.CheckRule(&rule); err != nil {
			if section := rule.Origin.Section; !failing[section] {
				failing[section] = true
				problems = append(problems, dropped(finding.New(finding.RuleRefused, ref, "spec.rules", rule.Name+": "+err.Error())))
			}
			rule.Action, rule.Features = ir.Respond{Status: 500}, ir.Features{}
			if xds.CheckRule(&rule) != nil {
				continue
			}
		}
		kept = append(kept, rule)
	}
	if len(failing) > 0 {
		lowered.Rules, lowered.Problems, lowered.Dropped = kept, problems, lowered.Dropped+len(failing)
	}
	return lowered
}

func dropped(f finding.Finding) finding.Problem {
	return finding.Under(finding.PartiallyInvalid, gwv1.RouteReasonUnsupportedValue, f)
}
