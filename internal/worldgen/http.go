package worldgen

import (
	"slices"
	"strconv"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/cloverleaf-mesh/cloverleaf/api/v1alpha1"
)

// WideHTTPRoute makes an HTTPRoute of Gateway infra/edge with values of every kind, many of them odd. Not all that it
// makes is valid: see [Schemas.HTTPRoute].
func (m *Maker) WideHTTPRoute(name string) *gwv1.HTTPRoute {
	r := &gwv1.HTTPRoute{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: of(m, namespaces)}}
	r.Spec.ParentRefs = []gwv1.ParentReference{{Name: "edge", Namespace: ptr(gwv1.Namespace("infra"))}}
	for range m.Choose.Pick(4) {
		r.Spec.Hostnames = append(r.Spec.Hostnames, m.Hostname())
	}
	for i := range 1 + m.Choose.Pick(4) {
		r.Spec.Rules = append(r.Spec.Rules, m.wideRule(i))
	}
	return r
}

// Hostname makes a host name, exact or with a wildcard, of few labels.
func (m *Maker) Hostname() gwv1.Hostname {
	labels := make([]string, 1+m.Choose.Pick(4))
	for i := range labels {
		labels[i] = of(m, []string{"a", "b", "com", "example", "x-y", "0", "xn--bcher-kva", "a-very-long-label-of-some-thirty-letters"})
	}
	if m.Choose.Pick(3) == 0 {
		labels = append([]string{"*"}, labels...)
	}
	return gwv1.Hostname(strings.Join(labels, "."))
}

func (m *Maker) wideRule(i int) gwv1.HTTPRouteRule {
	var rule gwv1.HTTPRouteRule
	if m.Choose.Pick(4) == 0 {
		rule.Name = ptr(gwv1.SectionName(of(m, []string{"n", "0", "1", "a.b"}) + strconv.Itoa(i)))
	}
	for range m.Choose.Pick(4) {
		rule.Matches = append(rule.Matches, m.wideMatch())
	}
	rule.Filters = m.wideFilters()
	if replacesPrefix(rule.Filters) && m.Choose.Pick(8) > 0 { // else the schema refuses it
		rule.Matches = []gwv1.HTTPRouteMatch{{Path: &gwv1.HTTPPathMatch{Type: ptr(gwv1.PathMatchPathPrefix), Value: ptr(m.Path())}}}
	}
	if !redirects(rule.Filters) || m.Choose.Pick(8) == 0 {
		for range m.Choose.Pick(4) {
			rule.BackendRefs = append(rule.BackendRefs, m.wideBackendRef())
		}
	}
	if m.Choose.Pick(4) == 0 {
		durations := []*gwv1.Duration{nil}
		for _, d := range []gwv1.Duration{"0s", "1ms", "10s", "99999h99999m99999s99999ms"} {
			durations = append(durations, &d)
		}
		rule.Timeouts = &gwv1.HTTPRouteTimeouts{Request: of(m, durations), BackendRequest: of(m, durations)}
	}
	switch m.Choose.Pick(20) {
	case 0:
		rule.Retry = &gwv1.HTTPRouteRetry{Attempts: ptr(3)}
	case 1:
		rule.SessionPersistence = &gwv1.SessionPersistence{} //nolint:staticcheck // deprecated, and let through by the schema
	}
	return rule
}

func (m *Maker) wideBackendRef() gwv1.HTTPBackendRef {
	ref := m.backendRef()
	if ref.Kind == nil && m.Choose.Pick(3) > 0 { // one that exists
		ref.Name, ref.Port = "cart", ptr(int32(80))
	}
	ref.Weight = of(m, []*int32{nil, ptr(int32(0)), ptr(int32(1)), ptr(int32(1_000_000))})
	if m.Choose.Pick(4) == 0 {
		ref.Filters = m.wideFilters()
	}
	return ref
}

func redirects(list []gwv1.HTTPRouteFilter) bool {
	return slices.ContainsFunc(list, func(f gwv1.HTTPRouteFilter) bool { return f.RequestRedirect != nil })
}

func replacesPrefix(list []gwv1.HTTPRouteFilter) bool {
	return slices.ContainsFunc(list, func(f gwv1.HTTPRouteFilter) bool {
		var path *gwv1.HTTPPathModifier
		if f.RequestRedirect != nil {
			path = f.RequestRedirect.Path
		}
		if f.URLRewrite != nil {
			path = f.URLRewrite.Path
		}
		return path != nil && path.ReplacePrefixMatch != nil
	})
}

func (m *Maker) wideMatch() gwv1.HTTPRouteMatch {
	var match gwv1.HTTPRouteMatch
	switch m.Choose.Pick(8) {
	case 0: // the default
	case 1, 2:
		match.Path = &gwv1.HTTPPathMatch{Type: ptr(gwv1.PathMatchRegularExpression), Value: ptr(m.Regex())}
	case 3, 4:
		match.Path = &gwv1.HTTPPathMatch{Type: ptr(gwv1.PathMatchExact), Value: ptr(m.Path())}
	default:
		match.Path = &gwv1.HTTPPathMatch{Type: ptr(gwv1.PathMatchPathPrefix), Value: ptr(m.Path())}
	}
	if m.Choose.Pick(4) == 0 {
		match.Method = ptr(of(m, []gwv1.HTTPMethod{"GET", "HEAD", "POST", "CONNECT", "OPTIONS", "TRACE"}))
	}
	for range m.Choose.Pick(3) {
		h := gwv1.HTTPHeaderMatch{Name: m.headerName(), Type: ptr(gwv1.HeaderMatchExact), Value: m.text()}
		if m.flip() {
			h.Type, h.Value = ptr(gwv1.HeaderMatchRegularExpression), m.Regex()
		}
		match.Headers = append(match.Headers, h)
	}
	for range m.Choose.Pick(3) {
		q := gwv1.HTTPQueryParamMatch{Name: m.headerName(), Type: ptr(gwv1.QueryParamMatchExact), Value: m.text()}
		if m.flip() {
			q.Type, q.Value = ptr(gwv1.QueryParamMatchRegularExpression), m.Regex()
		}
		match.QueryParams = append(match.QueryParams, q)
	}
	return match
}

// Path makes a path as a match has it: segments without empty ones, and perhaps a slash at the end.
func (m *Maker) Path() string {
	var b strings.Builder
	for range m.Choose.Pick(4) {
		b.WriteString("/" + of(m, []string{"a", "b", "ab", "a.b", "%41", "%20", "~", "$1", "a+b", "(a)", "*", ":", "@", "a=b;c", "..a"}))
	}
	if b.Len() == 0 || m.Choose.Pick(3) == 0 {
		b.WriteString("/")
	}
	if m.Choose.Pick(32) == 0 {
		b.WriteString(of(m, []string{"//", "?", "#", "%", "é", "/..", "/./a", "%2f"})) // which the schema refuses
	}
	return b.String()
}

// Replacement makes a path as a filter has it, which need not be one.
func (m *Maker) Replacement() string {
	switch m.Choose.Pick(6) {
	case 0:
		return m.Path() + of(m, []string{"?q=1", "#f", "//", `\1`, `\`, "%REQ(x)%", "%"})
	case 1:
		return of(m, []string{"", "/", "//", "x", "x/y/", "\n", "\x00", " ", "é", "http://h/p"})
	default:
		return m.Path()
	}
}

func (m *Maker) headerName() gwv1.HTTPHeaderName {
	return gwv1.HTTPHeaderName(of(m, []string{
		"x-a", "X-A", "x_b", "host", "Host", "content-type", "cookie", "x-forwarded-for", "x-envoy-retry-on", "te", "connection",
		"transfer-encoding", "content-length", "a!#$%&'*+.^`|~", "q", "range", "upgrade",
	}))
}

// text makes a value of a header or of a query parameter.
func (m *Maker) text() string {
	if m.Choose.Pick(32) == 0 {
		return of(m, []string{"", "é", "a\nb", "\x00", " "}) // which the schema refuses in headers
	}
	return of(m, []string{
		"1", "a b", "a,b", "%", "%%", "%REQ(X-A)%", "%START_TIME%", `"q"`, `\n`, "{}", "a\tb", strings.Repeat("v", 1024), "*", "[a]",
	})
}

// wideFilters makes filters of different types, as the schema wants it.
func (m *Maker) wideFilters() []gwv1.HTTPRouteFilter {
	var list []gwv1.HTTPRouteFilter
	if m.Choose.Pick(3) == 0 {
		list = append(list, gwv1.HTTPRouteFilter{Type: gwv1.HTTPRouteFilterRequestHeaderModifier, RequestHeaderModifier: m.headerFilter()})
	}
	if m.Choose.Pick(4) == 0 {
		list = append(list, gwv1.HTTPRouteFilter{Type: gwv1.HTTPRouteFilterResponseHeaderModifier, ResponseHeaderModifier: m.headerFilter()})
	}
	switch m.Choose.Pick(8) {
	case 0, 1:
		list = append(list, gwv1.HTTPRouteFilter{Type: gwv1.HTTPRouteFilterRequestRedirect, RequestRedirect: m.redirect()})
	case 2, 3:
		f := &gwv1.HTTPURLRewriteFilter{Path: m.pathModifier(), Hostname: m.preciseHostname()}
		list = append(list, gwv1.HTTPRouteFilter{Type: gwv1.HTTPRouteFilterURLRewrite, URLRewrite: f})
	}
	if m.Choose.Pick(16) == 0 {
		list = append(list, gwv1.HTTPRouteFilter{Type: gwv1.HTTPRouteFilterExtensionRef, ExtensionRef: &gwv1.LocalObjectReference{
			Group: v1alpha1.GroupName, Kind: "X", Name: "x",
		}})
	}
	return list
}

func (m *Maker) redirect() *gwv1.HTTPRequestRedirectFilter {
	return &gwv1.HTTPRequestRedirectFilter{
		Scheme: of(m, []*string{nil, ptr("http"), ptr("https")}), Hostname: m.preciseHostname(), Path: m.pathModifier(),
		Port:       of(m, []*gwv1.PortNumber{nil, ptr(int32(1)), ptr(int32(443)), ptr(int32(65535))}),
		StatusCode: of(m, []*int{nil, ptr(301), ptr(303), ptr(307), ptr(308)}),
	}
}

func (m *Maker) preciseHostname() *gwv1.PreciseHostname {
	if m.flip() {
		return nil
	}
	return ptr(gwv1.PreciseHostname(strings.TrimPrefix(string(m.Hostname()), "*.")))
}

func (m *Maker) pathModifier() *gwv1.HTTPPathModifier {
	switch m.Choose.Pick(3) {
	case 0:
		return nil
	case 1:
		return &gwv1.HTTPPathModifier{Type: gwv1.FullPathHTTPPathModifier, ReplaceFullPath: ptr(m.Replacement())}
	default:
		return &gwv1.HTTPPathModifier{Type: gwv1.PrefixMatchHTTPPathModifier, ReplacePrefixMatch: ptr(m.Replacement())}
	}
}

func (m *Maker) headerFilter() *gwv1.HTTPHeaderFilter {
	f := &gwv1.HTTPHeaderFilter{}
	for range m.Choose.Pick(3) {
		f.Set = append(f.Set, gwv1.HTTPHeader{Name: m.headerName(), Value: m.text()})
	}
	for range m.Choose.Pick(3) {
		f.Add = append(f.Add, gwv1.HTTPHeader{Name: m.headerName(), Value: m.text()})
	}
	for range m.Choose.Pick(3) {
		f.Remove = append(f.Remove, of(m, []string{string(m.headerName()), "x-c", "x-d", "x-e", "x-f", ":path", "", "a b", "é", "\n"}))
	}
	return f
}
