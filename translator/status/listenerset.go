package status

import (
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/cloverleaf-mesh/cloverleaf/translator/finding"
)

// reasonParentNotProgrammed is in the documentation of ListenerSetConditionProgrammed and has no constant.
const reasonParentNotProgrammed = "ParentNotProgrammed"

// ListenerSet is what a ListenerSet's status is made of.
type ListenerSet struct {
	Generation int64
	Problems   []finding.Problem // of the ListenerSet itself
	Listeners  []Listener
	// Unprogrammed says that the Gateway itself cannot be served as it asks.
	Unprogrammed bool
}

// ListenerSetStatus words the status of a ListenerSet whose Gateway is ours. It sums up the ListenerSet's own listeners
// alone; one that can be served is enough to be accepted (GEP-1713, "ListenerSet Conditions").
func ListenerSetStatus(set ListenerSet) *gwv1.ListenerSetStatus {
	c := conditions{generation: set.Generation}
	refusal := of(set.Problems, finding.Accepted)
	s := &gwv1.ListenerSetStatus{}
	var good, bad, waiting []string
	live := ""
	for i := range set.Listeners {
		l := &set.Listeners[i]
		s.Listeners = append(s.Listeners, gwv1.ListenerEntryStatus(listenerStatus(l, set.Generation, len(refusal) == 0)))
		switch {
		case !l.Programmed.Served:
			bad = append(bad, l.Name)
			continue
		case l.Programmed.done():
			live = l.Programmed.text()
		default:
			waiting = append(waiting, l.Name+": "+l.Programmed.text())
		}
		good = append(good, l.Name)
	}
	c.setAccepted(refusal, good, bad)
	switch {
	case len(refusal) > 0 && refusal[0].Reason == string(gwv1.ListenerSetReasonParentNotAccepted) || len(refusal) == 0 && set.Unprogrammed:
		c.set(finding.Programmed, metav1.ConditionFalse, reasonParentNotProgrammed, "the Gateway is not programmed; its status says why")
	case len(refusal) > 0:
		c.problems(finding.Programmed, metav1.ConditionFalse, refusal)
	case len(good) == 0:
		c.set(finding.Programmed, metav1.ConditionFalse, string(gwv1.ListenerSetReasonListenersNotValid), "no listener is served")
	case len(waiting) > 0:
		c.set(finding.Programmed, metav1.ConditionFalse, string(gwv1.ListenerSetReasonPending), strings.Join(waiting, "; "))
	default:
		c.set(finding.Programmed, metav1.ConditionTrue, string(gwv1.ListenerSetReasonProgrammed), live)
	}
	s.Conditions = c.list
	return s
}

func (c *conditions) setAccepted(refusal []finding.Problem, good, bad []string) {
	switch {
	case len(refusal) > 0:
		c.problems(finding.Accepted, metav1.ConditionFalse, refusal)
	case len(good) == 0:
		c.set(finding.Accepted, metav1.ConditionFalse, string(gwv1.ListenerSetReasonListenersNotValid), "no listener can be served")
	case len(bad) > 0:
		c.set(finding.Accepted, metav1.ConditionTrue, string(gwv1.ListenerSetReasonListenersNotValid),
			"not served: "+strings.Join(bad, ", ")+"; served: "+strings.Join(good, ", "))
	default:
		c.set(finding.Accepted, metav1.ConditionTrue, string(gwv1.ListenerSetReasonAccepted), "all listeners are accepted")
	}
}
