package xds

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	matcherv3 "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"
	typev3 "github.com/envoyproxy/go-control-plane/envoy/type/v3"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/cloverleaf-mesh/cloverleaf/internal/re2"
	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// forward sends to one cluster or to several by weight; invalid shares are not part of it.
func forward(a ir.Forward, needs map[ir.ResourceID]bool) (*routev3.Route_Route, error) {
	out := &routev3.RouteAction{
		// Envoy's own default would be 15 seconds; without a word of the user there is no limit.
		Timeout:     durationpb.New(a.Timeout.Request),
		RetryPolicy: retryPolicy(a),
	}
	if e := a.Rewrite.Path; e != nil {
		prefix, re := rewritePath(e)
		out.PrefixRewrite, out.RegexRewrite = prefix, re
	}
	for _, m := range a.Mirrors {
		needs[clusterID(m.Backend)] = true
		out.RequestMirrorPolicies = append(out.RequestMirrorPolicies, mirrorPolicy(m))
	}
	split, host := withHosts(validShares(a.Split), a.Rewrite.Hostname)
	if len(split) == 0 {
		return nil, errors.New("no backend has a share")
	}
	if host != "" {
		out.HostRewriteSpecifier = &routev3.RouteAction_HostRewriteLiteral{HostRewriteLiteral: host}
	}
	for _, w := range split {
		needs[clusterID(w.Backend)] = true
	}
	if len(split) == 1 && plain(&split[0]) {
		out.ClusterSpecifier = &routev3.RouteAction_Cluster{Cluster: string(split[0].Backend)}
		return &routev3.Route_Route{Route: out}, nil
	}
	weighted := &routev3.WeightedCluster{}
	for i := range split {
		weighted.Clusters = append(weighted.Clusters, clusterWeight(&split[i]))
	}
	out.ClusterSpecifier = &routev3.RouteAction_WeightedClusters{WeightedClusters: weighted}
	return &routev3.Route_Route{Route: out}, nil
}

// withHosts gives a rule's own host to the shares that have none, where others have one of their own:
// Envoy applies a route's after its cluster's. It returns the host that is left to the route.
func withHosts(split []ir.Weighted, host string) (shares []ir.Weighted, left string) {
	if !slices.ContainsFunc(split, func(w ir.Weighted) bool { return w.Filters().Rewrite.Hostname != "" }) {
		return split, host
	}
	for i := range split {
		own := split[i].Filters()
		own.Rewrite.Hostname = cmp.Or(own.Rewrite.Hostname, host)
		split[i].Own = &own
	}
	return split, ""
}

func clusterID(b ir.BackendName) ir.ResourceID {
	return ir.ResourceID{Type: ir.TypeCluster, Name: string(b)}
}

// plain tells whether a backendRef has no filters.
func plain(w *ir.Weighted) bool {
	own := w.Filters()
	return len(own.Features.Headers.Request)+len(own.Features.Headers.Response) == 0 && own.Rewrite.Hostname == ""
}

func clusterWeight(w *ir.Weighted) *routev3.WeightedCluster_ClusterWeight {
	c := &routev3.WeightedCluster_ClusterWeight{Name: string(w.Backend), Weight: wrapperspb.UInt32(w.Weight)}
	own := w.Filters()
	c.RequestHeadersToAdd, c.RequestHeadersToRemove = headerOptions(own.Features.Headers.Request)
	c.ResponseHeadersToAdd, c.ResponseHeadersToRemove = headerOptions(own.Features.Headers.Response)
	if own.Rewrite.Hostname != "" {
		c.HostRewriteSpecifier = &routev3.WeightedCluster_ClusterWeight_HostRewriteLiteral{HostRewriteLiteral: own.Rewrite.Hostname}
	}
	return c
}

// mirrorPolicy sends copies as they are: Envoy would append "-shadow" to the host name.
func mirrorPolicy(m ir.Mirror) *routev3.RouteAction_RequestMirrorPolicy {
	return &routev3.RouteAction_RequestMirrorPolicy{
		Cluster: string(m.Backend), DisableShadowHostSuffixAppend: true,
		RuntimeFraction: &corev3.RuntimeFractionalPercent{DefaultValue: perMillion(m.PerMillion)},
	}
}

func perMillion(n uint32) *typev3.FractionalPercent {
	return &typev3.FractionalPercent{Numerator: n, Denominator: typev3.FractionalPercent_MILLION}
}

// longestBackoff is how many times the base interval a wait for the next attempt may be.
const longestBackoff = 10

// retryPolicy says when Envoy tries again: when there was no connection or the backend refused the request unseen, for
// the given statuses and, where the user bounds an attempt, when that time is over (Gateway API, HTTPRouteRetry).
func retryPolicy(a ir.Forward) *routev3.RetryPolicy {
	if a.Retry.Attempts == 0 && a.Timeout.Backend == 0 {
		return nil
	}
	p := &routev3.RetryPolicy{NumRetries: wrapperspb.UInt32(a.Retry.Attempts)}
	if a.Timeout.Backend > 0 {
		p.PerTryTimeout = durationpb.New(a.Timeout.Backend)
	}
	if a.Retry.Attempts == 0 {
		return p
	}
	p.RetryOn = "connect-failure,refused-stream"
	if a.Timeout.Backend > 0 {
		p.RetryOn += ",reset"
	}
	if len(a.Retry.Codes) > 0 {
		p.RetryOn += ",retriable-status-codes"
		p.RetriableStatusCodes = a.Retry.Codes
	}
	if a.Retry.Backoff > 0 {
		p.RetryBackOff = &routev3.RetryPolicy_RetryBackOff{
			BaseInterval: durationpb.New(a.Retry.Backoff), MaxInterval: durationpb.New(longestBackoff * a.Retry.Backoff),
		}
	}
	return p
}

func validShares(split []ir.Weighted) []ir.Weighted {
	var valid []ir.Weighted
	for _, w := range split {
		if !w.Invalid && w.Weight > 0 {
			valid = append(valid, w)
		}
	}
	return valid
}

var redirectCodes = map[uint32]routev3.RedirectAction_RedirectResponseCode{
	301: routev3.RedirectAction_MOVED_PERMANENTLY, 302: routev3.RedirectAction_FOUND, 303: routev3.RedirectAction_SEE_OTHER,
	307: routev3.RedirectAction_TEMPORARY_REDIRECT, 308: routev3.RedirectAction_PERMANENT_REDIRECT,
}

func redirect(a ir.Redirect) (*routev3.Route_Redirect, error) {
	code, ok := redirectCodes[a.Status]
	if !ok {
		return nil, fmt.Errorf("%d is no status of a redirect", a.Status)
	}
	out := &routev3.RedirectAction{HostRedirect: a.Hostname, ResponseCode: code}
	if a.Scheme != "" {
		out.SchemeRewriteSpecifier = &routev3.RedirectAction_SchemeRedirect{SchemeRedirect: a.Scheme}
	}
	if a.PortMode == ir.PortSet {
		out.PortRedirect = a.Port
	}
	if e := a.Path; e != nil {
		prefix, re := rewritePath(e)
		switch {
		case e.Full:
			out.PathRewriteSpecifier = &routev3.RedirectAction_PathRedirect{PathRedirect: fullPath(e.Value)}
		case re != nil:
			out.PathRewriteSpecifier = &routev3.RedirectAction_RegexRewrite{RegexRewrite: re}
		default:
			out.PathRewriteSpecifier = &routev3.RedirectAction_PrefixRewrite{PrefixRewrite: prefix}
		}
	}
	return &routev3.Route_Redirect{Redirect: out}, nil
}

// rewritePath says a path edit as a prefix rewrite or, where that would be wrong, as a regular expression. A prefix is
// replaced by whole segments (Gateway API, HTTPPathModifier.replacePrefixMatch): /foo -> / makes /bar of /foo/bar.
func rewritePath(e *ir.PathEdit) (prefix string, re *matcherv3.RegexMatchAndSubstitute) {
	if e.Full {
		return "", substitution("^/.*$", fullPath(e.Value))
	}
	value := strings.TrimRight(e.Value, "/")
	if value != "" && !strings.HasPrefix(value, "/") {
		value = "/" + value
	}
	switch {
	case value == "":
		return "", substitution("^"+regexp.QuoteMeta(strings.TrimRight(e.Prefix, "/"))+"/*", "/")
	case e.Prefix == "/":
		return value + "/", nil
	default:
		return value, nil
	}
}

func fullPath(p string) string {
	if !strings.HasPrefix(p, "/") {
		return "/" + p
	}
	return p
}

func substitution(pattern, value string) *matcherv3.RegexMatchAndSubstitute {
	return &matcherv3.RegexMatchAndSubstitute{
		Pattern: &matcherv3.RegexMatcher{Regex: pattern}, Substitution: strings.ReplaceAll(value, `\`, `\\`),
	}
}

// regex checks an expression as Envoy will.
func regex(expr string) (*matcherv3.RegexMatcher, error) {
	if err := re2.Check(expr); err != nil {
		return nil, fmt.Errorf("regular expression %q: %w", expr, err)
	}
	return &matcherv3.RegexMatcher{Regex: expr}, nil
}

func setHeaders(r *routev3.Route, h ir.HeaderEdits) {
	r.RequestHeadersToAdd, r.RequestHeadersToRemove = headerOptions(h.Request)
	r.ResponseHeadersToAdd, r.ResponseHeadersToRemove = headerOptions(h.Response)
}

// headerOptions says header edits as Envoy does. A value is literal: what Envoy would read as a format is escaped.
func headerOptions(edits []ir.HeaderEdit) (add []*corev3.HeaderValueOption, remove []string) {
	for _, e := range edits {
		if e.Op == ir.HeaderRemove {
			remove = append(remove, e.Name)
			continue
		}
		action := corev3.HeaderValueOption_OVERWRITE_IF_EXISTS_OR_ADD
		if e.Op == ir.HeaderAdd {
			action = corev3.HeaderValueOption_APPEND_IF_EXISTS_OR_ADD
		}
		add = append(add, &corev3.HeaderValueOption{
			Header:       &corev3.HeaderValue{Key: e.Name, Value: strings.ReplaceAll(e.Value, "%", "%%")},
			AppendAction: action, KeepEmptyValue: e.Value == "",
		})
	}
	return add, remove
}
