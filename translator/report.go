package translator

import (
	"slices"

	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/cloverleaf-mesh/cloverleaf/internal/memo"
	"github.com/cloverleaf-mesh/cloverleaf/translator/attach"
	"github.com/cloverleaf-mesh/cloverleaf/translator/finding"
	"github.com/cloverleaf-mesh/cloverleaf/translator/input"
	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
	"github.com/cloverleaf-mesh/cloverleaf/translator/status"
)

// objectsOf lists the objects of a kind: the index bucket as a query, so that its changes are reported.
var objectsOf = memo.NewQuery("objectsOf", func(c *memo.Ctx, key input.KindShard) []ir.Name {
	names, _ := input.ObjectsOf.Read(c, key)
	return names
}, memo.Equal)

// reportOf words the report of an object.
var reportOf = memo.NewQuery("reportOf", func(c *memo.Ctx, ref ir.Ref) status.Report {
	switch ref.Kind {
	case ir.KindGatewayClass:
		return classReport(c, ref)
	case ir.KindGateway:
		return gatewayReport(c, ref)
	case ir.KindListenerSet:
		return setReport(c, ref)
	case ir.KindBackendTLSPolicy:
		return policyReport(c, ref)
	default:
		return routeReport(c, ref)
	}
}, memo.Equal).Recovering(func(ref ir.Ref, panicked any) status.Report {
	return status.Report{Object: ref, Findings: []finding.Finding{finding.New(finding.Internal, ref, "", panicked)}}
})

func classReport(c *memo.Ctx, ref ir.Ref) status.Report {
	r := status.Report{Object: ref}
	if attach.OwnerOf.Get(c, ref.Name.Name) != attach.Ours {
		return r
	}
	problems := attach.ClassProblems.Get(c, ref.Name.Name)
	generation, _ := input.Generations.Read(c, ref)
	r.Status, r.Findings = status.GatewayClassStatus(generation, problems), status.Findings(problems)
	return r
}

// GatewayServed tells whether a Gateway of ours is served at all, listeners apart.
var GatewayServed = memo.NewQuery("GatewayServed", func(c *memo.Ctx, gateway ir.Name) bool {
	return attach.GatewayOwner.Get(c, gateway) == attach.Ours && !slices.ContainsFunc(gatewayProblems.Get(c, gateway),
		func(p finding.Problem) bool { return p.Condition == finding.Accepted })
}, memo.Same)

// gatewayProblems lists what is wrong with a Gateway of ours itself.
var gatewayProblems = memo.NewQuery("gatewayProblems", func(c *memo.Ctx, gateway ir.Name) []finding.Problem {
	gw, ok := input.Gateways.Read(c, gateway)
	if !ok {
		return nil
	}
	g := gatewayChecker{ref: ir.Ref{Kind: ir.KindGateway, Name: gateway}}
	spec := &gw.Spec
	if len(attach.ClassProblems.Get(c, string(spec.GatewayClassName))) > 0 {
		g.refuse(finding.ClassParameters, "spec.gatewayClassName", gwv1.GatewayReasonInvalidParameters)
	}
	if spec.Infrastructure != nil && spec.Infrastructure.ParametersRef != nil {
		g.refuse(finding.GatewayParameters, "spec.infrastructure.parametersRef", gwv1.GatewayReasonInvalidParameters)
	}
	g.problems = append(g.problems, attach.FrontendProblems(c, gateway, spec)...)
	g.problems = append(g.problems, attach.AllowedListenersProblems(gateway, spec)...)
	g.problems = append(g.problems, attach.ClientCertificateOf.Get(c, gateway).Problems...)
	return append(g.problems, attach.AddressOf.Get(c, gateway).Problems...)
}, memo.Equal)

type gatewayChecker struct {
	ref      ir.Ref
	problems []finding.Problem
}

func (g *gatewayChecker) refuse(code finding.Code, field string, reason gwv1.GatewayConditionReason, args ...any) {
	g.problems = append(g.problems, finding.Under(finding.Accepted, reason, finding.New(code, g.ref, field, args...)))
}

func gatewayReport(c *memo.Ctx, ref ir.Ref) status.Report {
	r := status.Report{Object: ref}
	settings, _ := input.SettingsOf.Read(c, struct{}{})
	switch attach.GatewayOwner.Get(c, ref.Name) {
	case attach.Unknown:
		gw, _ := input.Gateways.Read(c, ref.Name)
		r.Findings = []finding.Finding{finding.New(finding.GatewayNoClass, ref, "spec.gatewayClassName",
			string(gw.Spec.GatewayClassName), settings.Controller)}
		return r
	case attach.Foreign:
		return r
	case attach.Ours:
	}
	generation, _ := input.Generations.Read(c, ref)
	g := status.Gateway{Generation: generation, Problems: gatewayProblems.Get(c, ref.Name)}
	all := slices.Clone(g.Problems)
	for _, l := range attach.Listeners.Get(c, ref) {
		row := listenerRow(c, &l)
		all = append(all, row.Problems...)
		g.Listeners = append(g.Listeners, row)
	}
	if settings.Standalone == input.On && GatewayServed.Get(c, ref.Name) {
		g.Addresses = []string{attach.AddressOf.Get(c, ref.Name).IP}
	}
	g.Sets = attachedSets.Get(c, ref.Name)
	r.Status, r.Findings = status.GatewayStatus(g), status.Findings(all)
	return r
}

func listenerRow(c *memo.Ctx, l *attach.Listener) status.Listener {
	row := status.Listener{Name: l.Key.Section, Kinds: l.Kinds, Attached: attachedTo.Get(c, l.Key), Problems: slices.Clone(l.Problems)}
	row.Problems = append(row.Problems, attach.CertificatesOf.Get(c, l.Key).Problems...)
	row.Problems = append(row.Problems, attach.Overlaps.Get(c, l.Key)...)
	if !isOpen(c, l) || !GatewayServed.Get(c, l.Key.Gateway) {
		return row
	}
	row.Programmed = progressOf.Get(c, PortKey{l.Key.Gateway, l.Port})
	row.Problems = append(row.Problems, refusedListener(c, l)...)
	return row
}

// progressOf says how far the proxies are with a port: all of its listeners are one resource.
var progressOf = memo.NewQuery("progressOf", func(c *memo.Ctx, port PortKey) status.Progress {
	settings, _ := input.SettingsOf.Read(c, struct{}{})
	p := status.Progress{Served: true}
	report, ok := input.ListenerReports.Read(c, input.ClassListener{Class: ClassOf(settings, port.Gateway), Listener: port.Name()})
	if !ok {
		return p
	}
	wanted := ResourceOf.Get(c, listenerResource(port)).Resource
	p.Proxies, p.Live, p.Refused = report.Proxies, report.Live, report.Refused
	p.Current = wanted != nil && wanted.Version == report.Version
	return p
}, memo.Same)

// attachedTo counts the routes that attach to a listener, whether or not it is served.
var attachedTo = memo.NewQuery("attachedTo", func(c *memo.Ctx, key attach.ListenerKey) int {
	n := 0
	for group := range uint8(attachedGroups) {
		n += attachedInGroup.Get(c, listenerShard{key, group})
	}
	return n
}, memo.Same)

// attachedGroups is the number of groups that the buckets of a parent's routes are counted in, so that one more route
// adds up a few numbers and not one for each bucket.
const attachedGroups = 16

// attachedInGroup counts the routes in a sixteenth of the buckets. Its key's Shard is the group.
var attachedInGroup = memo.NewQuery("attachedInGroup", func(c *memo.Ctx, key listenerShard) int {
	shards, _ := input.RouteShards.Read(c, key.Listener.Parent())
	n := 0
	for _, shard := range shards {
		if shard%attachedGroups == key.Shard {
			n += attachedInShard.Get(c, listenerShard{key.Listener, shard})
		}
	}
	return n
}, memo.Same)

type listenerShard struct {
	Listener attach.ListenerKey
	Shard    uint8
}

var attachedInShard = memo.NewQuery("attachedInShard", func(c *memo.Ctx, key listenerShard) int {
	routes, _ := input.RoutesOfParent.Read(c, input.ParentShard{Parent: key.Listener.Parent(), Shard: key.Shard})
	n := 0
	for _, r := range routes {
		if attaches(c, r, key.Listener) {
			n++
		}
	}
	return n
}, memo.Same)

func routeReport(c *memo.Ctx, ref ir.Ref) status.Report {
	r := status.Report{Object: ref}
	head, ok := input.Routes.Read(c, ref)
	if !ok {
		return r
	}
	rules := RulesOf.Get(c, ref)
	settings, _ := input.SettingsOf.Read(c, struct{}{})
	generation, _ := input.Generations.Read(c, ref)
	in := status.Route{
		Generation: generation, Controller: settings.Controller,
		Problems: rules.Problems, Total: rules.Total, Dropped: rules.Dropped,
	}
	var all []finding.Problem
	if head.DefaultGateways != "" {
		all = append(all, finding.Problem{Finding: finding.New(finding.ParentDefault, ref, "spec.useDefaultGateways")})
	}
	for i, parent := range head.Parents {
		a := attach.Attach.Get(c, attach.ParentKey{Route: ref, Index: i})
		problems := a.Problems
		if len(a.Listeners) > 0 {
			problems = slices.Concat(problems, refusedHosts(c, ref, head, a), refusedBackends(c, ref, a.Listeners[0].Gateway, rules.Rules))
		}
		all = append(all, problems...)
		if a.Owner == attach.Ours {
			in.Parents = append(in.Parents, status.Parent{Ref: parent, Problems: problems})
		}
	}
	r.Findings = status.Findings(append(all, rules.Problems...))
	if kind, ok := routeKind(ref.Kind); ok && len(in.Parents) > 0 {
		r.Status = kind.Status(status.RouteStatus(in))
	}
	return r
}
