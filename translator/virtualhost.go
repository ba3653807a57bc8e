package translator

import (
	"slices"

	"github.com/cloverleaf-mesh/cloverleaf/internal/memo"
	"github.com/cloverleaf-mesh/cloverleaf/translator/attach"
	"github.com/cloverleaf-mesh/cloverleaf/translator/input"
	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// claim is a route's claim to a virtual host.
type claim struct {
	route   ir.Ref
	created int64
	host    ir.Hostname // the route's own host name that led here, the most specific if there are several
}

// virtualHostOf composes a virtual host from the routes that claim it.
func virtualHostOf(c *memo.Ctx, key HostKey) ir.VirtualHost {
	vh := ir.VirtualHost{Name: key.Name()}
	owner, ok := ownerOf(c, key.Table.PortKey, key.Host)
	if !ok {
		return vh // nobody's host: every path is 404
	}
	if key.Table.TLS && crowded.Get(c, key.Table.PortKey) {
		vh.Chain = ir.TLSChain(owner.Listener.Origin())
	}
	vh.Origin = append(vh.Origin, owner.Listener.Origin())
	ports := portsOf.Get(c, key.Table.Gateway)
	shown := shower{c, attach.ClientCertificateOf.Get(c, key.Table.Gateway)}
	var ranked []rankedRule
	for _, cl := range claims(c, key.Host, owner.Listener) {
		vh.Origin = append(vh.Origin, ir.Origin{Ref: cl.route})
		for i, rule := range RulesOf.Get(c, cl.route).Rules {
			rule.Action = withPorts(rule.Action, key.Table, ports)
			ranked = append(ranked, rankedRule{rule: shown.rule(rule), claim: cl, index: i})
		}
	}
	slices.SortFunc(ranked, compareRank)
	vh.Rules = make([]ir.Rule, len(ranked))
	for i := range ranked {
		vh.Rules[i] = ranked[i].rule
	}
	return vh
}

// failingHost stands in for a virtual host that the translator fails on.
func failingHost(key HostKey) ir.VirtualHost {
	return ir.VirtualHost{Name: key.Name(), Rules: []ir.Rule{{
		Name: "internal error", Match: ir.Match{Path: ir.PathMatch{Value: "/"}}, Action: ir.Respond{Status: 500},
	}}}
}

// claims lists the routes that attach to a listener and whose host names cover this host, by name. Those with a wider
// name are among them: the API gives rules of narrower names precedence and takes no request away from the others, so
// what no rule of a.example.com matches goes on to the rules of *.example.com.
func claims(c *memo.Ctx, host ir.Hostname, listener attach.ListenerKey) []claim {
	var list []claim
	for _, raw := range append([]ir.Hostname{host}, attach.Wider(host)...) { // most specific first
		narrower := list
		routes, _ := input.RoutesOfHost.Read(c, input.ParentHost{Parent: listener.Parent(), Host: raw})
		for _, r := range routes {
			if _, known := slices.BinarySearchFunc(narrower, r, claim.compareRoute); known {
				continue
			}
			if p := placeOf.Get(c, r); slices.Contains(p.Listeners, listener) {
				list = append(list, claim{route: r, host: raw, created: p.Created})
			}
		}
		if len(narrower) > 0 && len(list) > len(narrower) {
			slices.SortFunc(list, func(a, b claim) int { return a.compareRoute(b.route) })
		}
	}
	return list
}

func (cl claim) compareRoute(r ir.Ref) int { return cl.route.Compare(r) }
