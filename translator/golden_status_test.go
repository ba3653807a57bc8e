package translator_test

import (
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// conditions prints the conditions, in a line each. Programmed has a section of its own: without facts no proxy is
// connected.
func conditions(m *machine) string {
	var lines []string
	for ref, r := range m.reports {
		lines = append(lines, counts(ref, r.Status)...)
		eachStatus(ref, r.Status, func(who string, list []metav1.Condition) {
			for _, c := range list {
				if c.Type != "Programmed" || c.Reason != "Pending" {
					lines = append(lines, fmt.Sprintf("%s %s=%s %s", who, c.Type, c.Status, c.Reason))
				}
			}
		})
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// programmed prints how far the proxies are, in the words of the statuses.
func programmed(m *machine) string {
	var lines []string
	for ref, r := range m.reports {
		eachStatus(ref, r.Status, func(who string, list []metav1.Condition) {
			for _, c := range list {
				if c.Type == "Programmed" {
					lines = append(lines, fmt.Sprintf("%s %s %s: %s", who, c.Status, c.Reason, c.Message))
				}
			}
		})
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// eachStatus tells the conditions of an object and of its parts.
func eachStatus(ref ir.Ref, status any, tell func(who string, list []metav1.Condition)) {
	parents := func(list []gwv1.RouteParentStatus) {
		for i, p := range list {
			tell(fmt.Sprintf("%s parent %d", ref, i), p.Conditions)
		}
	}
	switch s := status.(type) {
	case *gwv1.GatewayClassStatus:
		tell(ref.String(), s.Conditions)
	case *gwv1.GatewayStatus:
		tell(ref.String(), s.Conditions)
		for _, l := range s.Listeners {
			tell(ref.String()+"#"+string(l.Name), l.Conditions)
		}
	case *gwv1.ListenerSetStatus:
		tell(ref.String(), s.Conditions)
		for _, l := range s.Listeners {
			tell(ref.String()+"#"+string(l.Name), l.Conditions)
		}
	case *gwv1.HTTPRouteStatus:
		parents(s.Parents)
	case *gwv1.GRPCRouteStatus:
		parents(s.Parents)
	case *gwv1.PolicyStatus:
		for _, a := range s.Ancestors {
			tell(fmt.Sprintf("%s ancestor %s/%s", ref, *a.AncestorRef.Namespace, a.AncestorRef.Name), a.Conditions)
		}
	}
}

// counts prints what the status of an object with listeners counts.
func counts(ref ir.Ref, status any) []string {
	var listeners []gwv1.ListenerStatus
	var lines []string
	switch s := status.(type) {
	case *gwv1.GatewayStatus:
		listeners = s.Listeners
		if n := *s.AttachedListenerSets; n > 0 {
			lines = append(lines, fmt.Sprintf("%s sets=%d", ref, n))
		}
	case *gwv1.ListenerSetStatus:
		for _, l := range s.Listeners {
			listeners = append(listeners, gwv1.ListenerStatus(l))
		}
	}
	for _, l := range listeners {
		lines = append(lines, fmt.Sprintf("%s#%s attached=%d kinds=%d", ref, l.Name, l.AttachedRoutes, len(l.SupportedKinds)))
	}
	return lines
}
