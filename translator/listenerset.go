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

// setProblems lists what is wrong with a ListenerSet itself. That all of its Gateway's own listeners are invalid is not its
// business: with the ListenerSet's the Gateway has valid ones.
func setProblems(c *memo.Ctx, set ir.Name) []finding.Problem {
	admission := attach.AdmissionOf.Get(c, set)
	if !admission.Admitted || GatewayServed.Get(c, admission.Gateway) {
		return admission.Problems
	}
	return []finding.Problem{finding.Under(finding.Accepted, gwv1.ListenerSetReasonParentNotAccepted, finding.New(
		finding.SetParentRefused, ir.Ref{Kind: ir.KindListenerSet, Name: set}, "spec.parentRef", admission.Gateway))}
}

// setReport words the report of a ListenerSet. One whose Gateway is not ours has no status of ours.
func setReport(c *memo.Ctx, ref ir.Ref) status.Report {
	r := status.Report{Object: ref}
	generation, _ := input.Generations.Read(c, ref)
	in := status.ListenerSet{Generation: generation, Problems: setProblems(c, ref.Name)}
	admission := attach.AdmissionOf.Get(c, ref.Name)
	in.Unprogrammed = admission.Admitted && gatewayUnusable.Get(c, admission.Gateway)
	all := slices.Clone(in.Problems)
	for _, l := range attach.Listeners.Get(c, ref) {
		row := listenerRow(c, &l)
		all = append(all, row.Problems...)
		in.Listeners = append(in.Listeners, row)
	}
	if admission.Owner == attach.Ours {
		r.Status = status.ListenerSetStatus(in)
	}
	r.Findings = status.Findings(all)
	return r
}

// gatewayUnusable tells whether a Gateway itself, listeners apart, cannot be served as it asks.
var gatewayUnusable = memo.NewQuery("gatewayUnusable", func(c *memo.Ctx, gateway ir.Name) bool {
	return slices.ContainsFunc(gatewayProblems.Get(c, gateway), func(p finding.Problem) bool { return p.Condition == finding.Programmed })
}, memo.Same)

// setAttached tells whether a ListenerSet is accepted: let in, and with a listener that can be served.
var setAttached = memo.NewQuery("setAttached", func(c *memo.Ctx, set ir.Name) bool {
	listeners := attach.Listeners.Get(c, ir.Ref{Kind: ir.KindListenerSet, Name: set})
	return len(setProblems(c, set)) == 0 && slices.ContainsFunc(listeners, func(l attach.Listener) bool { return isOpen(c, &l) })
}, memo.Same)

// attachedSets counts the ListenerSets that are attached to a Gateway (GatewayStatus.attachedListenerSets).
var attachedSets = memo.NewQuery("attachedSets", func(c *memo.Ctx, gateway ir.Name) int {
	n := 0
	if attach.AllowsNone(c, gateway) {
		return n
	}
	for shard := range uint8(input.Shards) {
		n += attachedSetsIn.Get(c, input.GatewayShard{Gateway: gateway, Shard: shard})
	}
	return n
}, memo.Same)

var attachedSetsIn = memo.NewQuery("attachedSetsIn", func(c *memo.Ctx, key input.GatewayShard) int {
	sets, _ := input.SetsOfGateway.Read(c, key)
	n := 0
	for _, set := range sets {
		if setAttached.Get(c, set) {
			n++
		}
	}
	return n
}, memo.Same)
