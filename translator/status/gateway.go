package status

import (
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/cloverleaf-mesh/cloverleaf/translator/finding"
	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// GatewayClassStatus words the status of a class of ours.
func GatewayClassStatus(generation int64, problems []finding.Problem) *gwv1.GatewayClassStatus {
	c := conditions{generation: generation}
	if bad := of(problems, finding.Accepted); len(bad) > 0 {
		c.problems(finding.Accepted, metav1.ConditionFalse, bad)
	} else {
		c.set(finding.Accepted, metav1.ConditionTrue, string(gwv1.GatewayClassReasonAccepted), "Gateways of this class are served")
	}
	c.set("SupportedVersion", metav1.ConditionTrue, "SupportedVersion", "Gateway API v1.7")
	return &gwv1.GatewayClassStatus{Conditions: c.list}
}

// Gateway is what a Gateway's status is made of.
type Gateway struct {
	Generation int64
	Problems   []finding.Problem // of the Gateway itself
	Listeners  []Listener
	Addresses  []string // IP addresses under which it is served
	Sets       int      // ListenerSets that are attached
}

// Listener is what a listener's status is made of.
type Listener struct {
	Name     string
	Kinds    []ir.Kind
	Attached int
	Problems []finding.Problem
	// Programmed says how far the proxies are; its zero value is that nobody was told.
	Programmed Progress
}

// Progress says how far the proxies are with a listener.
type Progress struct {
	Served  bool // the listener is part of the configuration
	Current bool // the proxies' answers are about its newest version
	Proxies int  // connected
	Live    int  // of these serve it
	Refused int  // of these refuse it
}

func (p Progress) done() bool { return p.Served && p.Current && p.Live > 0 && p.Refused == 0 }

func (p Progress) text() string {
	switch {
	case !p.Served:
		return "not served"
	case p.Proxies == 0:
		return "no proxy is connected"
	case p.Refused > 0:
		return fmt.Sprintf("refused by %d of %d proxies", p.Refused, p.Proxies)
	case !p.Current:
		return fmt.Sprintf("live on 0 of %d proxies", p.Proxies)
	default:
		return fmt.Sprintf("live on %d of %d proxies", p.Live, p.Proxies)
	}
}

// bad tells whether problems keep the listener from being served.
func (l *Listener) bad() bool {
	return len(of(l.Problems, finding.Accepted))+len(of(l.Problems, finding.Conflicted)) > 0
}

// GatewayStatus words the status of a Gateway of ours.
func GatewayStatus(g Gateway) *gwv1.GatewayStatus {
	c := conditions{generation: g.Generation}
	refusal := of(g.Problems, finding.Accepted)
	c.setGatewayAccepted(g, refusal)
	c.setGatewayProgrammed(g, refusal)
	var unresolved []string
	sets := int32(g.Sets) //nolint:gosec // far below
	s := &gwv1.GatewayStatus{AttachedListenerSets: &sets}
	for i := range g.Listeners {
		l := &g.Listeners[i]
		s.Listeners = append(s.Listeners, listenerStatus(l, g.Generation, len(refusal) == 0))
		if len(of(l.Problems, finding.ResolvedRefs)) > 0 {
			unresolved = append(unresolved, l.Name)
		}
	}
	c.setGatewayResolvedRefs(of(g.Problems, finding.ResolvedRefs), unresolved)
	if fallback := of(g.Problems, finding.InsecureClients); len(fallback) > 0 {
		c.problems(finding.InsecureClients, metav1.ConditionTrue, fallback)
	}
	kind := gwv1.IPAddressType
	for _, a := range g.Addresses {
		s.Addresses = append(s.Addresses, gwv1.GatewayStatusAddress{Type: &kind, Value: a})
	}
	s.Conditions = c.list
	return s
}

// setGatewayResolvedRefs says which references of the Gateway itself and of which listeners cannot be resolved.
func (c *conditions) setGatewayResolvedRefs(own []finding.Problem, listeners []string) {
	if len(own)+len(listeners) == 0 {
		c.set(finding.ResolvedRefs, metav1.ConditionTrue, string(gwv1.GatewayReasonResolvedRefs), "all references are resolved")
		return
	}
	reason, message := string(gwv1.GatewayReasonListenersNotResolved), ""
	if len(own) > 0 {
		reason, message = own[0].Reason, text(own)
	}
	if len(listeners) > 0 {
		message = strings.TrimPrefix(message+"; references of these listeners cannot be resolved: "+strings.Join(listeners, ", "), "; ")
	}
	c.set(finding.ResolvedRefs, metav1.ConditionFalse, reason, message)
}

func (c *conditions) setGatewayAccepted(g Gateway, refusal []finding.Problem) {
	var good, bad []string
	for i := range g.Listeners {
		if l := &g.Listeners[i]; l.bad() {
			bad = append(bad, l.Name)
		} else {
			good = append(good, l.Name)
		}
	}
	switch {
	case len(refusal) > 0:
		c.problems(finding.Accepted, metav1.ConditionFalse, refusal)
	case len(bad) == 0:
		c.set(finding.Accepted, metav1.ConditionTrue, string(gwv1.GatewayReasonAccepted), "all listeners are accepted")
	case len(good) == 0:
		c.set(finding.Accepted, metav1.ConditionFalse, string(gwv1.GatewayReasonListenersNotValid), "no listener is accepted")
	default:
		c.set(finding.Accepted, metav1.ConditionTrue, string(gwv1.GatewayReasonListenersNotValid),
			"not accepted: "+strings.Join(bad, ", ")+"; accepted: "+strings.Join(good, ", "))
	}
}

func (c *conditions) setGatewayProgrammed(g Gateway, refusal []finding.Problem) {
	var waiting []string
	served := 0
	for i := range g.Listeners {
		l := &g.Listeners[i]
		if !l.Programmed.Served {
			continue
		}
		served++
		if !l.Programmed.done() {
			waiting = append(waiting, l.Name+": "+l.Programmed.text())
		}
	}
	unusable := of(g.Problems, finding.Programmed)
	switch {
	case len(refusal) > 0 || served == 0:
		c.set(finding.Programmed, metav1.ConditionFalse, string(gwv1.GatewayReasonInvalid), "no listener is served")
	case len(unusable) > 0:
		c.problems(finding.Programmed, metav1.ConditionFalse, unusable)
	case len(waiting) > 0:
		c.set(finding.Programmed, metav1.ConditionFalse, string(gwv1.GatewayReasonPending), strings.Join(waiting, "; "))
	default:
		c.set(finding.Programmed, metav1.ConditionTrue, string(gwv1.GatewayReasonProgrammed), g.Listeners[firstServed(g)].Programmed.text())
	}
}

func firstServed(g Gateway) int {
	for i := range g.Listeners {
		if g.Listeners[i].Programmed.Served {
			return i
		}
	}
	return 0
}

func listenerStatus(l *Listener, generation int64, gatewayAccepted bool) gwv1.ListenerStatus {
	c := conditions{generation: generation}
	conflicts := of(l.Problems, finding.Conflicted)
	refusals := append(slices.Clip(conflicts), of(l.Problems, finding.Accepted)...)
	if len(refusals) > 0 {
		c.problems(finding.Accepted, metav1.ConditionFalse, refusals)
	} else {
		c.set(finding.Accepted, metav1.ConditionTrue, string(gwv1.ListenerReasonAccepted), "the listener is accepted")
	}
	if len(conflicts) > 0 {
		c.problems(finding.Conflicted, metav1.ConditionTrue, conflicts)
	} else {
		c.set(finding.Conflicted, metav1.ConditionFalse, string(gwv1.ListenerReasonNoConflicts), "no other listener conflicts")
	}
	if unresolved := of(l.Problems, finding.ResolvedRefs); len(unresolved) > 0 {
		c.problems(finding.ResolvedRefs, metav1.ConditionFalse, unresolved)
	} else {
		c.set(finding.ResolvedRefs, metav1.ConditionTrue, string(gwv1.ListenerReasonResolvedRefs), "all references are resolved")
	}
	if overlaps := of(l.Problems, finding.OverlappingTLS); len(overlaps) > 0 { // absent otherwise
		c.problems(finding.OverlappingTLS, metav1.ConditionTrue, overlaps)
	}
	c.setListenerProgrammed(l, conflicts, gatewayAccepted)
	return gwv1.ListenerStatus{
		Name: gwv1.SectionName(l.Name), SupportedKinds: supported(l.Kinds),
		AttachedRoutes: int32(l.Attached), Conditions: c.list, //nolint:gosec // far below
	}
}

func (c *conditions) setListenerProgrammed(l *Listener, conflicts []finding.Problem, gatewayAccepted bool) {
	refused := of(l.Problems, finding.Programmed)
	switch {
	case len(conflicts) > 0:
		c.set(finding.Programmed, metav1.ConditionFalse, conflicts[0].Reason, "the listener conflicts with another")
	case !l.Programmed.Served || !gatewayAccepted:
		c.set(finding.Programmed, metav1.ConditionFalse, string(gwv1.ListenerReasonInvalid), "the listener is not served")
	case len(refused) > 0:
		c.problems(finding.Programmed, metav1.ConditionFalse, refused)
	case l.Programmed.done():
		c.set(finding.Programmed, metav1.ConditionTrue, string(gwv1.ListenerReasonProgrammed), l.Programmed.text())
	default:
		c.set(finding.Programmed, metav1.ConditionFalse, string(gwv1.ListenerReasonPending), l.Programmed.text())
	}
}

// supported lists kinds as a status does. The list is never nil: an empty one says that no kind is supported.
func supported(kinds []ir.Kind) []gwv1.RouteGroupKind {
	group := gwv1.Group(gwv1.GroupName)
	out := []gwv1.RouteGroupKind{}
	for _, k := range kinds {
		out = append(out, gwv1.RouteGroupKind{Group: &group, Kind: gwv1.Kind(k)})
	}
	return out
}
