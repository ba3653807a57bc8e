package route

import (
	"slices"
	"strings"

	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/cloverleaf-mesh/cloverleaf/translator/finding"
	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// filtered is what the filters of a rule ask for.
type filtered struct {
	headers  ir.HeaderEdits
	redirect *ir.Redirect
	rewrite  ir.Rewrite
}

// filters reads the filters of a rule. One that is not supported drops the rule: a filter is never skipped (Gateway
// API, HTTPRouteFilter).
func (l *lowering) filters(list string, fs []gwv1.HTTPRouteFilter) filtered {
	var out filtered
	rewrites := false
	for i := range fs {
		f, sub := &fs[i], finding.Element(list, i)
		switch f.Type {
		case gwv1.HTTPRouteFilterRequestHeaderModifier:
			out.headers.Request = append(out.headers.Request, l.edits(sub+".requestHeaderModifier", f.RequestHeaderModifier)...)
		case gwv1.HTTPRouteFilterResponseHeaderModifier:
			out.headers.Response = append(out.headers.Response, l.edits(sub+".responseHeaderModifier", f.ResponseHeaderModifier)...)
		case gwv1.HTTPRouteFilterRequestRedirect:
			out.redirect = redirect(f.RequestRedirect)
		case gwv1.HTTPRouteFilterURLRewrite:
			out.rewrite = rewrite(f.URLRewrite)
			rewrites = true
		default:
			l.drop(finding.RuleUnsupported, sub+".type", "filter "+string(f.Type))
		}
	}
	if out.redirect != nil && rewrites {
		l.drop(finding.RuleFilters, list, "RequestRedirect and URLRewrite exclude each other")
	}
	return out
}

// backendFilters reads the filters of a backendRef, of which only header changes are supported. The others make the
// backend's share invalid.
func (l *lowering) backendFilters(sub string, fs []gwv1.HTTPRouteFilter) (ir.HeaderEdits, bool) {
	for i := range fs {
		switch fs[i].Type {
		case gwv1.HTTPRouteFilterRequestHeaderModifier, gwv1.HTTPRouteFilterResponseHeaderModifier:
		default:
			l.leaveOut(finding.RuleUnsupported, finding.Element(sub+".filters", i)+".type",
				"filter "+string(fs[i].Type)+" of a backendRef")
			return ir.HeaderEdits{}, false
		}
	}
	return l.filters(sub+".filters", fs).headers, true
}

func (l *lowering) edits(sub string, f *gwv1.HTTPHeaderFilter) []ir.HeaderEdit {
	if f == nil {
		return nil
	}
	var out []ir.HeaderEdit
	edit := func(list string, op ir.HeaderOp, name, value string) {
		if strings.EqualFold(name, "host") || strings.HasPrefix(name, ":") {
			l.drop(finding.RuleHeader, sub+list, name)
			return
		}
		// Of equivalent names the first entry counts (Gateway API, HTTPHeader.name).
		if !slices.ContainsFunc(out, func(e ir.HeaderEdit) bool { return e.Op == op && strings.EqualFold(e.Name, name) }) {
			out = append(out, ir.HeaderEdit{Op: op, Name: name, Value: value})
		}
	}
	for _, h := range f.Set {
		edit(".set", ir.HeaderSet, string(h.Name), h.Value)
	}
	for _, h := range f.Add {
		edit(".add", ir.HeaderAdd, string(h.Name), h.Value)
	}
	for _, name := range f.Remove {
		edit(".remove", ir.HeaderRemove, name, "")
	}
	slices.SortStableFunc(out, func(a, b ir.HeaderEdit) int {
		return strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name))
	})
	return out
}

func redirect(f *gwv1.HTTPRequestRedirectFilter) *ir.Redirect {
	if f == nil {
		f = &gwv1.HTTPRequestRedirectFilter{}
	}
	r := &ir.Redirect{Status: 302, Path: pathEdit(f.Path)}
	if f.StatusCode != nil {
		r.Status = uint32(*f.StatusCode) //nolint:gosec // the schema bounds codes
	}
	if f.Scheme != nil {
		r.Scheme, r.PortMode = *f.Scheme, ir.PortStrip
	}
	if f.Hostname != nil {
		r.Hostname = string(*f.Hostname)
	}
	if f.Port != nil {
		r.Port, r.PortMode = uint32(*f.Port), ir.PortSet //nolint:gosec // the schema bounds ports
	}
	return r
}

func rewrite(f *gwv1.HTTPURLRewriteFilter) ir.Rewrite {
	var r ir.Rewrite
	if f == nil {
		return r
	}
	if f.Hostname != nil {
		r.Hostname = string(*f.Hostname)
	}
	r.Path = pathEdit(f.Path)
	return r
}

func pathEdit(m *gwv1.HTTPPathModifier) *ir.PathEdit {
	switch {
	case m == nil:
		return nil
	case m.ReplaceFullPath != nil:
		return &ir.PathEdit{Full: true, Value: *m.ReplaceFullPath}
	case m.ReplacePrefixMatch != nil:
		return &ir.PathEdit{Value: *m.ReplacePrefixMatch}
	default:
		return nil
	}
}

// withPrefix completes a path edit with the prefix that a match took.
func (l *lowering) withPrefix(action ir.Action, m ir.Match) ir.Action {
	complete := func(e *ir.PathEdit) *ir.PathEdit {
		if e == nil || e.Full {
			return e
		}
		if m.Path.Type != ir.PathPrefix {
			l.drop(finding.RuleRewrite, ".filters")
			return nil
		}
		return &ir.PathEdit{Value: e.Value, Prefix: m.Path.Value}
	}
	switch a := action.(type) {
	case ir.Redirect:
		a.Path = complete(a.Path)
		return a
	case ir.Forward:
		a.Rewrite.Path = complete(a.Rewrite.Path)
		return a
	default:
		return action
	}
}
