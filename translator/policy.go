package translator

import (
	"slices"
	"strings"

	"github.com/cloverleaf-mesh/cloverleaf/internal/memo"
	"github.com/cloverleaf-mesh/cloverleaf/translator/attach"
	"github.com/cloverleaf-mesh/cloverleaf/translator/finding"
	"github.com/cloverleaf-mesh/cloverleaf/translator/input"
	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
	"github.com/cloverleaf-mesh/cloverleaf/translator/status"
)

// policyReport words the report of a BackendTLSPolicy. Without a Gateway of ours whose routes use its targets the status
// is not ours to write; the findings are said all the same.
func policyReport(c *memo.Ctx, ref ir.Ref) status.Report {
	r := status.Report{Object: ref}
	settings, _ := input.SettingsOf.Read(c, struct{}{})
	generation, _ := input.Generations.Read(c, ref)
	in := status.Policy{
		Generation: generation, Controller: settings.Controller,
		Ancestors: attach.PolicyGateways.Get(c, ref.Name), Problems: attach.PolicyProblems.Get(c, ref.Name),
	}
	all := slices.Clone(in.Problems)
	note := func(code finding.Code, args ...any) {
		all = append(all, finding.Problem{Finding: finding.New(code, ref, "spec.targetRefs", args...)})
	}
	if n := len(in.Ancestors); n > status.MaxAncestors {
		note(finding.PolicyAncestors, n, status.MaxAncestors, joinNames(in.Ancestors[status.MaxAncestors:]))
		in.Ancestors = in.Ancestors[:status.MaxAncestors]
	}
	switch {
	case len(in.Ancestors) > 0:
		r.Status = status.PolicyStatus(in)
	case len(in.Problems) == 0:
		note(finding.PolicyUnused)
	}
	r.Findings = status.Findings(all)
	return r
}

func joinNames(names []ir.Name) string {
	words := make([]string, len(names))
	for i, name := range names {
		words[i] = name.String()
	}
	return strings.Join(words, ", ")
}
