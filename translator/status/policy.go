package status

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/cloverleaf-mesh/cloverleaf/translator/finding"
	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// MaxAncestors is how many ancestors the status of a policy has room for (PolicyStatus.ancestors).
const MaxAncestors = 16

// Policy is what a policy's status is made of.
type Policy struct {
	Generation int64
	Controller string
	Ancestors  []ir.Name // the Gateways that it takes effect for; at most MaxAncestors
	// Problems are the same for every ancestor. Those that are only warnings are said and change no condition.
	Problems []finding.Problem
}

// PolicyStatus words the status of a policy, for the Gateways that are ours.
func PolicyStatus(p Policy) *gwv1.PolicyStatus {
	c := conditions{generation: p.Generation}
	var refusals, notes []finding.Problem
	for _, problem := range of(p.Problems, finding.Accepted) {
		if problem.Level() == finding.Error {
			refusals = append(refusals, problem)
		} else {
			notes = append(notes, problem)
		}
	}
	switch {
	case len(refusals) > 0:
		c.problems(finding.Accepted, metav1.ConditionFalse, refusals)
	case len(notes) > 0:
		c.set(finding.Accepted, metav1.ConditionTrue, string(gwv1.PolicyReasonAccepted), text(notes))
	default:
		c.set(finding.Accepted, metav1.ConditionTrue, string(gwv1.PolicyReasonAccepted), "the policy takes effect")
	}
	if unresolved := of(p.Problems, finding.ResolvedRefs); len(unresolved) > 0 {
		c.problems(finding.ResolvedRefs, metav1.ConditionFalse, unresolved)
	} else {
		c.set(finding.ResolvedRefs, metav1.ConditionTrue, string(gwv1.BackendTLSPolicyReasonResolvedRefs), "all references are resolved")
	}
	s := &gwv1.PolicyStatus{Ancestors: []gwv1.PolicyAncestorStatus{}}
	for _, gw := range p.Ancestors {
		namespace := gwv1.Namespace(gw.Namespace)
		s.Ancestors = append(s.Ancestors, gwv1.PolicyAncestorStatus{
			AncestorRef:    explicit(gwv1.ParentReference{Namespace: &namespace, Name: gwv1.ObjectName(gw.Name)}),
			ControllerName: gwv1.GatewayController(p.Controller), Conditions: c.list,
		})
	}
	return s
}
