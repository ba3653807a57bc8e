package status

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/cloverleaf-mesh/cloverleaf/translator/finding"
)

// Route is what a route's status is made of.
type Route struct {
	Generation int64
	Controller string
	Parents    []Parent // those that are ours, in the order of the manifest
	// Problems are of the rules, the same for every parent.
	Problems []finding.Problem
	// Total and Dropped count rules, and those that are not served as asked.
	Total, Dropped int
}

// Parent is what the status of one parentRef is made of.
type Parent struct {
	Ref gwv1.ParentReference
	// Problems are of this parent alone.
	Problems []finding.Problem
}

// RouteStatus words the status of a route, for the parents that are ours.
func RouteStatus(r Route) gwv1.RouteStatus {
	s := gwv1.RouteStatus{Parents: []gwv1.RouteParentStatus{}}
	for _, p := range r.Parents {
		c := conditions{generation: r.Generation}
		dropped, fallbacks := of(r.Problems, finding.PartiallyInvalid), of(p.Problems, finding.PartiallyInvalid)
		refusals := of(p.Problems, finding.Accepted)
		switch {
		case len(refusals) > 0:
			c.problems(finding.Accepted, metav1.ConditionFalse, refusals)
		case len(dropped) > 0 && r.Dropped == r.Total:
			c.problems(finding.Accepted, metav1.ConditionFalse, dropped)
		default:
			c.set(finding.Accepted, metav1.ConditionTrue, string(gwv1.RouteReasonAccepted), "the route is attached")
		}
		if unresolved := of(r.Problems, finding.ResolvedRefs); len(unresolved) > 0 {
			c.problems(finding.ResolvedRefs, metav1.ConditionFalse, unresolved)
		} else {
			c.set(finding.ResolvedRefs, metav1.ConditionTrue, string(gwv1.RouteReasonResolvedRefs), "all references are resolved")
		}
		switch { // the beginnings of the messages are the spec's (RouteConditionPartiallyInvalid)
		case len(refusals) > 0 || len(dropped) > 0 && r.Dropped == r.Total:
		case len(dropped) > 0:
			c.set(finding.PartiallyInvalid, metav1.ConditionTrue, dropped[0].Reason, "Dropped Rule: "+text(append(dropped, fallbacks...)))
		case len(fallbacks) > 0:
			c.set(finding.PartiallyInvalid, metav1.ConditionTrue, fallbacks[0].Reason, "Fall Back: "+text(fallbacks))
		}
		s.Parents = append(s.Parents, gwv1.RouteParentStatus{
			ParentRef: explicit(p.Ref), ControllerName: gwv1.GatewayController(r.Controller), Conditions: c.list,
		})
	}
	return s
}

// explicit sets group and kind, which readers of a status compare, to their defaults where they are left out.
func explicit(ref gwv1.ParentReference) gwv1.ParentReference {
	group, kind := gwv1.Group(gwv1.GroupName), gwv1.Kind("Gateway")
	ref.Group = &group
	if ref.Kind == nil {
		ref.Kind = &kind
	}
	return ref
}
