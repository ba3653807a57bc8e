package xds

import (
	"fmt"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	matcherv3 "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"
	"google.golang.org/protobuf/proto"

	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// VirtualHost encodes a virtual host. Its name is its resource's name, or Envoy would acknowledge a removal and ignore
// it. Its last route answers 404 to what no rule takes.
func VirtualHost(v ir.VirtualHost) (*ir.Resource, error) {
	id := ir.ResourceID{Type: ir.TypeVirtualHost, Name: v.Name.String()}
	m := &routev3.VirtualHost{Name: id.Name, Domains: domains(v.Name.Host), Metadata: originMetadata(v.Origin)}
	needs := map[ir.ResourceID]bool{}
	all := make([]*routev3.Route, 0, len(v.Rules)+2)
	if v.Chain != "" {
		all = append(all, misdirected(v.Chain))
	}
	for i := range v.Rules {
		routes, err := checkedRule(&v.Rules[i], needs)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", v.Rules[i].Name, err)
		}
		all = append(all, routes...)
	}
	all = append(all, &routev3.Route{
		Name:   "404",
		Match:  &routev3.RouteMatch{PathSpecifier: &routev3.RouteMatch_Prefix{Prefix: "/"}},
		Action: respond(ir.Respond{Status: 404}),
	})
	if err := m.ValidateAll(); err != nil { // its routes are checked already
		return nil, fmt.Errorf("%s: %w", id, err)
	}
	setRoutes(m, all)
	list := make([]ir.ResourceID, 0, len(needs))
	for need := range needs {
		list = append(list, need)
	}
	return encodeChecked(id, m, list)
}

// domains are the spellings of a host name that Envoy tells apart by more than case. With a dot at its end a name is the
// same name to DNS, and to backends: another virtual host must not take it.
func domains(host ir.Hostname) []string {
	if host == ir.AnyHost {
		return []string{string(host)}
	}
	return []string{string(host), string(host) + "."}
}

// CheckRule tells whether Envoy would refuse the routes of a rule.
func CheckRule(rule *ir.Rule) error {
	routes, err := checkedRule(rule, map[ir.ResourceID]bool{})
	if err != nil {
		return err
	}
	for _, r := range routes {
		if _, err := proto.Marshal(r); err != nil { // text that is no UTF-8
			return err
		}
	}
	return nil
}

// checkedRule returns the Envoy routes of a rule, each of which Envoy takes. They are checked one by one: in a tree they
// are packed, where the check of a virtual host does not look.
func checkedRule(rule *ir.Rule, needs map[ir.ResourceID]bool) ([]*routev3.Route, error) {
	routes, err := lowerRule(rule, needs)
	if err != nil {
		return nil, err
	}
	for _, r := range routes {
		if err := r.ValidateAll(); err != nil {
			return nil, err
		}
	}
	return routes, nil
}

// lowerRule returns the Envoy routes of a rule: one, or one for each of its shares.
func lowerRule(rule *ir.Rule, needs map[ir.ResourceID]bool) ([]*routev3.Route, error) {
	match, err := routeMatch(rule.Match)
	if err != nil {
		return nil, err
	}
	forward, ok := rule.Action.(ir.Forward)
	if !ok {
		r, err := lowerPart(rule, match, needs)
		return []*routev3.Route{r}, err
	}
	shares := parts(rule, forward)
	if shares == nil {
		r, err := lowerPart(rule, match, needs)
		return []*routev3.Route{r}, err
	}
	return lowerParts(shares, match, needs)
}

// lowerParts returns the routes of a rule that was cut into shares: those of sessions that are pinned to a share first.
func lowerParts(shares []part, match *routev3.RouteMatch, needs map[ir.ResourceID]bool) ([]*routev3.Route, error) {
	var total, upTo uint64
	for _, p := range shares {
		total += uint64(p.weight)
	}
	var pins, routes []*routev3.Route
	for i := range shares {
		p := &shares[i]
		from := upTo
		upTo += uint64(p.weight)
		drawn := p.rule
		drawn.Action = mirrorsWithin(p.rule.Action, fraction(from, total), fraction(upTo, total))
		r, err := lowerPart(&drawn, share(match, upTo, total), needs)
		if err != nil {
			return nil, err
		}
		r.Name += p.suffix
		if s := p.rule.Features.Session; p.pin != "" {
			pin, err := lowerPart(&p.rule, pinned(match, s, p.pin), needs)
			if err != nil {
				return nil, err
			}
			pin.Name = r.Name + "/pinned"
			pins = append(pins, pin)
			r.ResponseHeadersToAdd = append(r.ResponseHeadersToAdd, setPin(s, p.pin))
		}
		routes = append(routes, r)
	}
	return append(pins, routes...), nil
}

// lowerPart returns the route of a rule that one route says.
func lowerPart(rule *ir.Rule, match *routev3.RouteMatch, needs map[ir.ResourceID]bool) (*routev3.Route, error) {
	var err error
	r := &routev3.Route{Name: rule.Name, Match: match, Metadata: originMetadata([]ir.Origin{rule.Origin})}
	setHeaders(r, rule.Features.Headers)
	r.TypedPerFilterConfig = perRoute(rule.Features)
	if a := rule.Features.Auth; a != nil {
		needs[clusterID(a.Backend)] = true
	}
	switch a := rule.Action.(type) {
	case ir.Respond:
		r.Action = respond(a)
	case ir.Redirect:
		r.Action, err = redirect(a)
	case ir.Forward:
		r.Action, err = forward(a, needs)
	default:
		err = fmt.Errorf("no route for action %T", a)
	}
	return r, err
}

func respond(a ir.Respond) *routev3.Route_DirectResponse {
	d := &routev3.DirectResponseAction{Status: a.Status}
	if a.Body != "" {
		d.Body = &corev3.DataSource{Specifier: &corev3.DataSource_InlineString{InlineString: a.Body}}
	}
	return &routev3.Route_DirectResponse{DirectResponse: d}
}

func routeMatch(m ir.Match) (*routev3.RouteMatch, error) {
	out := &routev3.RouteMatch{}
	switch {
	case m.Path.Type == ir.PathExact:
		out.PathSpecifier = &routev3.RouteMatch_Path{Path: m.Path.Value}
	case m.Path.Type == ir.PathRegex:
		re, err := regex(m.Path.Value)
		if err != nil {
			return nil, err
		}
		out.PathSpecifier = &routev3.RouteMatch_SafeRegex{SafeRegex: re}
	case m.Path.Value == "/":
		out.PathSpecifier = &routev3.RouteMatch_Prefix{Prefix: "/"}
	default:
		out.PathSpecifier = &routev3.RouteMatch_PathSeparatedPrefix{PathSeparatedPrefix: m.Path.Value}
	}
	if m.GRPC {
		out.Grpc = &routev3.RouteMatch_GrpcRouteMatchOptions{}
	}
	if m.Method != "" {
		out.Headers = append(out.Headers, headerMatcher(":method", exact(m.Method)))
	}
	for _, h := range m.Headers {
		value, err := stringMatcher(h)
		if err != nil {
			return nil, err
		}
		out.Headers = append(out.Headers, headerMatcher(h.Name, value))
	}
	for _, q := range m.Query {
		value, err := stringMatcher(q)
		if err != nil {
			return nil, err
		}
		out.QueryParameters = append(out.QueryParameters, &routev3.QueryParameterMatcher{
			Name:                         q.Name,
			QueryParameterMatchSpecifier: &routev3.QueryParameterMatcher_StringMatch{StringMatch: value},
		})
	}
	return out, nil
}

// headerMatcher compares a header. Envoy joins several values of a header with commas before it compares.
func headerMatcher(name string, value *matcherv3.StringMatcher) *routev3.HeaderMatcher {
	return &routev3.HeaderMatcher{
		Name: name, HeaderMatchSpecifier: &routev3.HeaderMatcher_StringMatch{StringMatch: value},
	}
}

func exact(s string) *matcherv3.StringMatcher {
	return &matcherv3.StringMatcher{MatchPattern: &matcherv3.StringMatcher_Exact{Exact: s}}
}

func regexMatcher(re *matcherv3.RegexMatcher) *matcherv3.StringMatcher {
	return &matcherv3.StringMatcher{MatchPattern: &matcherv3.StringMatcher_SafeRegex{SafeRegex: re}}
}

func stringMatcher(v ir.ValueMatch) (*matcherv3.StringMatcher, error) {
	if !v.Regex {
		return exact(v.Value), nil
	}
	re, err := regex(v.Value)
	if err != nil {
		return nil, err
	}
	return regexMatcher(re), nil
}
