package route

import (
	"slices"
	"strings"

	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/cloverleaf-mesh/cloverleaf/translator/attach"
	"github.com/cloverleaf-mesh/cloverleaf/translator/finding"
	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// filtered is what the filters of a rule ask for.
type filtered struct {
	features ir.Features
	redirect *ir.Redirect
	rewrite  ir.Rewrite
	mirrors  []ir.Mirror
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
			out.features.Headers.Request = append(out.features.Headers.Request, l.edits(sub+".requestHeaderModifier", f.RequestHeaderModifier)...)
		case gwv1.HTTPRouteFilterResponseHeaderModifier:
			out.features.Headers.Response = append(out.features.Headers.Response, l.edits(sub+".responseHeaderModifier", f.ResponseHeaderModifier)...)
		case gwv1.HTTPRouteFilterRequestRedirect:
			out.redirect = redirect(f.RequestRedirect)
		case gwv1.HTTPRouteFilterURLRewrite:
			out.rewrite = rewrite(f.URLRewrite)
			rewrites = true
		case gwv1.HTTPRouteFilterRequestMirror:
			out.mirrors = append(out.mirrors, l.mirror(sub+".requestMirror", f.RequestMirror)...)
		case gwv1.HTTPRouteFilterCORS:
			out.features.CORS = cors(f.CORS)
		case gwv1.HTTPRouteFilterExternalAuth:
			if out.features.Auth != nil {
				l.drop(finding.RuleFilters, sub, "only one ExternalAuth filter is possible")
			}
			out.features.Auth = l.externalAuth(sub+".externalAuth", f.ExternalAuth)
		default:
			l.drop(finding.RuleUnsupported, sub+".type", "filter "+string(f.Type))
		}
	}
	if out.redirect != nil && rewrites {
		l.drop(finding.RuleFilters, list, "RequestRedirect and URLRewrite exclude each other")
	}
	return out
}

// backendFilters reads the filters of a backendRef. One that is not supported makes the backend's share invalid.
func (l *lowering) backendFilters(sub string, fs []gwv1.HTTPRouteFilter) (f filtered, ok bool) {
	before := l.dropped
	l.dropped = false
	f = l.filters(sub+".filters", fs)
	ok = !l.dropped
	l.dropped = before
	return f, ok
}

// mirror resolves where copies of requests go. A backend that cannot be reached gets none, and the request itself goes
// on (Gateway API, HTTPRequestMirrorFilter.backendRef).
func (l *lowering) mirror(sub string, f *gwv1.HTTPRequestMirrorFilter) []ir.Mirror {
	const million = 1_000_000
	if f == nil {
		return nil
	}
	share := uint64(million)
	switch {
	case f.Fraction != nil:
		denominator := uint64(100)
		if f.Fraction.Denominator != nil {
			denominator = uint64(max(*f.Fraction.Denominator, 1)) //nolint:gosec // positive
		}
		share = min(uint64(max(f.Fraction.Numerator, 0))*million/denominator, million) //nolint:gosec // positive
	case f.Percent != nil:
		share = uint64(*f.Percent) * million / 100 //nolint:gosec // the schema bounds percentages
	}
	backend := l.destination(sub+".backendRef", attach.NewBackendRef(l.route, f.BackendRef))
	if backend == "" || share == 0 {
		return nil
	}
	return []ir.Mirror{{Backend: backend, PerMillion: uint32(share)}}
}

func cors(f *gwv1.HTTPCORSFilter) *ir.CORS {
	if f == nil {
		return nil
	}
	c := &ir.CORS{MaxAge: 5, Credentials: f.AllowCredentials != nil && *f.AllowCredentials}
	if f.MaxAge > 0 {
		c.MaxAge = uint32(f.MaxAge) //nolint:gosec // positive
	}
	for _, o := range f.AllowOrigins {
		c.Origins = append(c.Origins, strings.ToLower(string(o)))
	}
	for _, m := range f.AllowMethods {
		c.Methods = append(c.Methods, string(m))
	}
	for _, h := range f.AllowHeaders {
		c.Headers = append(c.Headers, string(h))
	}
	for _, h := range f.ExposeHeaders {
		c.Expose = append(c.Expose, string(h))
	}
	return c
}

// untouchable are the headers that no filter changes: the host, of which a rewrite is told, and those that frame messages
// or belong to one connection (RFC 9110, 7.6.1 and 8.6). Another content-length than that of the body is how a second
// request is smuggled into a connection that other routes share.
var untouchable = []string{
	"connection", "content-length", "expect", "host", "http2-settings", "keep-alive", "proxy-connection", "te", "trailer",
	"transfer-encoding", "upgrade",
}

func (l *lowering) edits(sub string, f *gwv1.HTTPHeaderFilter) []ir.HeaderEdit {
	if f == nil {
		return nil
	}
	var out []ir.HeaderEdit
	edit := func(list string, op ir.HeaderOp, name, value string) {
		if strings.HasPrefix(name, ":") || slices.Contains(untouchable, strings.ToLower(name)) {
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
		a.Split = slices.Clone(a.Split)
		for i := range a.Split {
			if a.Split[i].Own == nil {
				continue
			}
			f := a.Split[i].Filters()
			f.Rewrite.Path = complete(f.Rewrite.Path)
			if f.Redirect != nil {
				redirect := *f.Redirect
				redirect.Path = complete(redirect.Path)
				f.Redirect = &redirect
			}
			a.Split[i].Own = &f
		}
		return a
	default:
		return action
	}
}
