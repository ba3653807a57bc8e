package route

import (
	"cmp"
	"slices"
	"strings"

	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/cloverleaf-mesh/cloverleaf/internal/re2"
	"github.com/cloverleaf-mesh/cloverleaf/translator/finding"
	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// httpMatch reads one match of the rule at hand. A match with an invalid expression is left out: what it should take
// cannot be told.
func (l *lowering) httpMatch(index int, m *gwv1.HTTPRouteMatch) (ir.Match, bool) {
	sub := finding.Element(".matches", index)
	out := ir.Match{Path: pathMatch(m.Path)}
	ok := out.Path.Type != ir.PathRegex || l.regex(sub+".path.value", out.Path.Value)
	if m.Method != nil {
		out.Method = string(*m.Method)
	}
	for i := range m.Headers {
		h := &m.Headers[i]
		v := ir.ValueMatch{Name: strings.ToLower(string(h.Name)), Value: h.Value}
		v.Regex = h.Type != nil && *h.Type == gwv1.HeaderMatchRegularExpression
		ok = (!v.Regex || l.regex(finding.Element(sub+".headers", i)+".value", v.Value)) && ok
		out.Headers = addOnce(out.Headers, v)
	}
	for i := range m.QueryParams {
		q := &m.QueryParams[i]
		v := ir.ValueMatch{Name: string(q.Name), Value: q.Value}
		v.Regex = q.Type != nil && *q.Type == gwv1.QueryParamMatchRegularExpression
		ok = (!v.Regex || l.regex(finding.Element(sub+".queryParams", i)+".value", v.Value)) && ok
		out.Query = addOnce(out.Query, v)
	}
	slices.SortFunc(out.Headers, byName)
	slices.SortFunc(out.Query, byName)
	out.Rank = httpRank(&out)
	return out, ok
}

// httpRank ranks a match (Gateway API, HTTPRouteRule.matches). Where the spec leaves regular expressions open, they
// stand between exact paths and prefixes, longer ones first.
func httpRank(m *ir.Match) ir.Rank {
	r := ir.Rank{PathLength: len(m.Path.Value), Headers: len(m.Headers), Query: len(m.Query)}
	switch m.Path.Type {
	case ir.PathExact:
		r.PathType = 2
	case ir.PathRegex:
		r.PathType = 1
	case ir.PathPrefix:
	}
	if m.Method != "" {
		r.Method = 1
	}
	return r
}

func byName(a, b ir.ValueMatch) int { return cmp.Compare(a.Name, b.Name) }

// addOnce leaves out names that are there already: only the first entry of a name counts (Gateway API,
// HTTPHeaderMatch.name and HTTPQueryParamMatch.name).
func addOnce(list []ir.ValueMatch, v ir.ValueMatch) []ir.ValueMatch {
	if slices.ContainsFunc(list, func(o ir.ValueMatch) bool { return o.Name == v.Name }) {
		return list
	}
	return append(list, v)
}

func pathMatch(p *gwv1.HTTPPathMatch) ir.PathMatch {
	out := ir.PathMatch{Type: ir.PathPrefix, Value: "/"}
	if p == nil {
		return out
	}
	if p.Value != nil {
		out.Value = *p.Value
	}
	if p.Type != nil {
		switch *p.Type {
		case gwv1.PathMatchExact:
			out.Type = ir.PathExact
		case gwv1.PathMatchRegularExpression:
			out.Type = ir.PathRegex
		case gwv1.PathMatchPathPrefix:
		}
	}
	if out.Type == ir.PathPrefix { // a trailing slash does not count (Gateway API, PathMatchPathPrefix)
		out.Value = "/" + strings.Trim(out.Value, "/")
	}
	return out
}

// regex reports an expression that Envoy would refuse.
func (l *lowering) regex(sub, expr string) bool {
	err := re2.Check(expr)
	if err != nil {
		l.leaveOut(finding.RuleRegex, sub, expr, err)
	}
	return err == nil
}
