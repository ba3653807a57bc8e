package translator

import (
	"cmp"
	"slices"

	"github.com/cloverleaf-mesh/cloverleaf/internal/memo"
	"github.com/cloverleaf-mesh/cloverleaf/translator/attach"
	"github.com/cloverleaf-mesh/cloverleaf/translator/finding"
	"github.com/cloverleaf-mesh/cloverleaf/translator/input"
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
	lowered := kind.Lower(c, ref.Name)
	kept := make([]ir.Rule, 0, len(lowered.Rules))
	problems := slices.Clip(lowered.Problems)
	for _, rule := range lowered.Rules {
		if err := checkRule(rule); err != nil {
			problems = append(problems, refused(rule, ref, err))
			continue
		}
		kept = append(kept, rule)
	}
	if len(kept) < len(lowered.Rules) {
		lowered.Rules, lowered.Problems = kept, problems
	}
	return lowered
}, equal).Recovering(func(ref ir.Ref, panicked any) route.Lowered {
	return route.Lowered{Total: 1, Dropped: 1, Problems: []finding.Problem{{
		Finding:   finding.New(finding.Internal, ref, "spec.rules", panicked),
		Condition: "PartiallyInvalid", Reason: "UnsupportedValue",
	}}}
})

// checkRule translates a rule alone, so that one that Envoy would refuse harms nobody else on its host.
func checkRule(rule ir.Rule) error {
	_, err := xds.VirtualHost(ir.VirtualHost{Name: ir.VirtualHostName{Table: "check", Host: ir.AnyHost}, Rules: []ir.Rule{rule}})
	return err
}

func refused(rule ir.Rule, ref ir.Ref, err error) finding.Problem {
	return finding.Problem{
		Finding:   finding.New(finding.RuleRefused, ref, "spec.rules", rule.Name+": "+err.Error()),
		Condition: "PartiallyInvalid", Reason: "UnsupportedValue",
	}
}

// claim is a route's claim to a virtual host.
type claim struct {
	route   ir.Ref
	created int64
	host    ir.Hostname // the route's own host name that led here, the most specific if there are several
}

// VirtualHostOf composes a virtual host from the routes that claim it.
var VirtualHostOf = memo.NewQuery("VirtualHostOf", func(c *memo.Ctx, key HostKey) ir.VirtualHost {
	vh := ir.VirtualHost{Name: key.Name()}
	owner, ok := ownerOf(c, key)
	if !ok {
		return vh // nobody's host: every path is 404
	}
	listener := attach.ListenerKey{Gateway: key.Table.Gateway, Section: owner.Section}
	vh.Origin = append(vh.Origin, ir.Origin{Ref: ir.Ref{Kind: ir.KindGateway, Name: key.Table.Gateway}, Section: owner.Section})
	ports := portsOf.Get(c, key.Table.Gateway)
	var ranked []rankedRule
	for _, cl := range claims(c, key.Host, listener) {
		vh.Origin = append(vh.Origin, ir.Origin{Ref: cl.route})
		for i, rule := range RulesOf.Get(c, cl.route).Rules {
			rule.Action = withPorts(rule.Action, key.Table, ports)
			ranked = append(ranked, rankedRule{rule: rule, claim: cl, index: i})
		}
	}
	slices.SortFunc(ranked, compareRank)
	vh.Rules = make([]ir.Rule, len(ranked))
	for i := range ranked {
		vh.Rules[i] = ranked[i].rule
	}
	return vh
}, equal).Recovering(func(key HostKey, _ any) ir.VirtualHost {
	return ir.VirtualHost{Name: key.Name(), Rules: []ir.Rule{{
		Name: "internal error", Match: ir.Match{Path: ir.PathMatch{Value: "/"}}, Action: ir.Respond{Status: 500},
	}}}
})

// claims lists the routes that attach to a listener and whose host names cover this host, by name. Those with a wider
// name are among them: the API gives rules of narrower names precedence and takes no request away from the others, so
// what no rule of a.example.com matches goes on to the rules of *.example.com.
func claims(c *memo.Ctx, host ir.Hostname, listener attach.ListenerKey) []claim {
	raws := append([]ir.Hostname{host}, attach.Wider(host)...)
	best := map[ir.Ref]claim{}
	for _, raw := range raws { // most specific first
		routes, _ := input.RoutesOfHost.Read(c, input.GatewayHost{Gateway: listener.Gateway, Host: raw})
		for _, r := range routes {
			if _, known := best[r]; !known && attaches(c, r, listener) {
				best[r] = claim{route: r, host: raw, created: createdOf.Get(c, r)}
			}
		}
	}
	list := make([]claim, 0, len(best))
	for _, cl := range best {
		list = append(list, cl)
	}
	slices.SortFunc(list, func(a, b claim) int { return a.route.Compare(b.route) })
	return list
}

var createdOf = memo.NewQuery("createdOf", func(c *memo.Ctx, ref ir.Ref) int64 {
	head, ok := input.Routes.Read(c, ref)
	if !ok {
		return 0
	}
	return head.Created
}, same)

// rankedRule is a rule with all that decides its place.
type rankedRule struct {
	rule  ir.Rule
	claim claim
	index int // place in the route
}

// compareRank orders rules by precedence (Gateway API, HTTPRouteSpec.hostnames for the first criterion, then
// HTTPRouteRule.matches and GRPCRouteRule.matches): the route's own host name, the rank of the match; then the older
// route, the name, and the place in the route.
func compareRank(a, b rankedRule) int {
	x, y := &a.rule.Match.Rank, &b.rule.Match.Rank
	return cmp.Or(
		cmp.Compare(attach.Specificity(b.claim.host), attach.Specificity(a.claim.host)),
		cmp.Compare(y.PathType, x.PathType),
		cmp.Compare(y.PathLength, x.PathLength),
		cmp.Compare(y.Method, x.Method),
		cmp.Compare(y.Headers, x.Headers),
		cmp.Compare(y.Query, x.Query),
		compareClaim(a.claim, b.claim),
		cmp.Compare(a.index, b.index),
	)
}

func compareClaim(a, b claim) int {
	if a.route == b.route {
		return 0
	}
	return cmp.Or(attach.CompareAge(a.created, a.route.Name, b.created, b.route.Name), a.route.Compare(b.route))
}

// boundPort is a port of a Gateway and where it is bound.
type boundPort struct {
	Port  int32
	Bound uint32
}

// portsOf lists the ports of a Gateway that a client may be sent to.
var portsOf = memo.NewQuery("portsOf", func(c *memo.Ctx, gateway ir.Name) []boundPort {
	var ports []boundPort
	listeners := attach.Listeners.Get(c, gateway)
	for i := range listeners {
		if l := &listeners[i]; l.Usable() {
			ports = append(ports, boundPort{l.Port, l.Bound})
		}
	}
	slices.SortFunc(ports, func(a, b boundPort) int { return cmp.Compare(a.Port, b.Port) })
	return slices.Compact(ports)
}, equal)

// withPorts completes a redirect with the port that its Location names: the given one; or the scheme's when there is a
// scheme; or the listener's (Gateway API, HTTPRequestRedirectFilter.port). Where ports are bound with an offset the
// client is sent to the bound port, because the other one is not there. The scheme's default port is left out.
func withPorts(action ir.Action, table TableKey, ports []boundPort) ir.Action {
	switch a := action.(type) {
	case ir.Redirect:
		return redirectPort(a, table, ports)
	case ir.Forward:
		if !slices.ContainsFunc(a.Split, func(w ir.Weighted) bool { return w.Redirect != nil }) {
			return a
		}
		a.Split = slices.Clone(a.Split)
		for i := range a.Split {
			if w := &a.Split[i]; w.Redirect != nil {
				r := redirectPort(*w.Redirect, table, ports)
				w.Redirect = &r
			}
		}
		return a
	default:
		return action
	}
}

func redirectPort(r ir.Redirect, table TableKey, ports []boundPort) ir.Redirect {
	scheme := r.Scheme
	if scheme == "" {
		scheme = "http"
		if table.Section != "" {
			scheme = "https"
		}
	}
	wellKnown := map[string]uint32{"http": 80, "https": 443}[scheme]
	port := r.Port
	switch r.PortMode {
	case ir.PortKeep:
		port = uint32(table.Port) //nolint:gosec // the schema bounds ports
	case ir.PortStrip:
		port = wellKnown
	case ir.PortSet:
	}
	for _, p := range ports {
		if uint32(p.Port) == port { //nolint:gosec // the schema bounds ports
			port = p.Bound
			break
		}
	}
	r.Port, r.PortMode = port, ir.PortSet
	if port == wellKnown {
		r.Port, r.PortMode = 0, ir.PortStrip
	}
	return r
}
