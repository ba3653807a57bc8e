package route

import (
	"regexp"
	"slices"
	"strings"

	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/cloverleaf-mesh/cloverleaf/internal/memo"
	"github.com/cloverleaf-mesh/cloverleaf/translator/finding"
	"github.com/cloverleaf-mesh/cloverleaf/translator/input"
	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// GRPC is the kind GRPCRoute.
var GRPC = Kind{
	Kind:   ir.KindGRPCRoute,
	Lower:  grpcRules,
	Status: func(s gwv1.RouteStatus) any { return &gwv1.GRPCRouteStatus{RouteStatus: s} },
}

// grpcRules lowers the rules of a GRPCRoute. Where there is nowhere to send a request the answer is 503, which Envoy
// tells gRPC clients as UNAVAILABLE (Gateway API, GRPCRouteRule.backendRefs).
func grpcRules(c *memo.Ctx, name ir.Name) Lowered {
	l := lowering{c: c, route: ir.Ref{Kind: ir.KindGRPCRoute, Name: name}, failure: 503}
	rules, _ := input.Rules.Read(c, l.route)
	list, _ := rules.([]gwv1.GRPCRouteRule)
	for i := range list {
		l.begin(i)
		rule := input.AsHTTPRule(&list[i])
		l.rule(&rule, matchesOf(list[i].Matches, l.grpcMatch))
	}
	return l.out
}

// grpcMatch reads one match: service and method are the two segments of a gRPC request's path (gRPC over HTTP2,
// "Requests").
func (l *lowering) grpcMatch(index int, m *gwv1.GRPCRouteMatch) (ir.Match, bool) {
	sub := finding.Element(".matches", index)
	out := ir.Match{GRPC: true, Path: ir.PathMatch{Type: ir.PathPrefix, Value: "/"}, Rank: grpcRank("", "")}
	ok := true
	if m.Method != nil {
		ok = l.grpcMethod(sub+".method", m.Method, &out)
	}
	for i := range m.Headers {
		h := &m.Headers[i]
		v := ir.ValueMatch{Name: strings.ToLower(string(h.Name)), Value: h.Value}
		v.Regex = h.Type != nil && *h.Type == gwv1.GRPCHeaderMatchRegularExpression
		ok = (!v.Regex || l.regex(finding.Element(sub+".headers", i)+".value", v.Value)) && ok
		out.Headers = addOnce(out.Headers, v)
	}
	slices.SortFunc(out.Headers, byName)
	out.Rank.Headers = len(out.Headers)
	return out, ok
}

// grpcMethod says service and method as a path, and ranks the match: a longer service wins, then a longer method
// (Gateway API, GRPCRouteRule.matches).
func (l *lowering) grpcMethod(sub string, m *gwv1.GRPCMethodMatch, out *ir.Match) bool {
	service, method := text(m.Service), text(m.Method)
	if m.Type != nil && *m.Type == gwv1.GRPCMethodMatchRegularExpression {
		ok := (service == "" || l.regex(sub+".service", service)) && (method == "" || l.regex(sub+".method", method))
		out.Path = ir.PathMatch{Type: ir.PathRegex, Value: "/" + group(service) + "/" + group(method)}
		out.Rank = grpcRank(service, method)
		return ok
	}
	switch {
	case service == "" && method == "":
	case method == "":
		out.Path.Value = "/" + service
	case service == "":
		out.Path = ir.PathMatch{Type: ir.PathRegex, Value: "/[^/]+/" + regexp.QuoteMeta(method)}
	default:
		out.Path = ir.PathMatch{Type: ir.PathExact, Value: "/" + service + "/" + method}
	}
	out.Rank = grpcRank(service, method)
	if out.Path.Type == ir.PathExact {
		out.Rank.PathType = 2
	}
	return true
}

// grpcRank counts the slash before the service and that there is a method, POST, so that a GRPCRoute comes before an
// HTTPRoute whose match takes the same path, and all of its requests besides.
func grpcRank(service, method string) ir.Rank {
	r := ir.Rank{PathLength: 1 + len(service), Method: 1 + len(method)}
	if service != "" || method != "" {
		r.PathType = 1
	}
	return r
}

// group makes one segment of a path of a regular expression; an empty one takes any segment.
func group(expr string) string {
	if expr == "" {
		return "[^/]+"
	}
	return "(?:" + expr + ")"
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
