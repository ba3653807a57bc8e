package attach

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/cloverleaf-mesh/cloverleaf/internal/memo"
	"github.com/cloverleaf-mesh/cloverleaf/translator/finding"
	"github.com/cloverleaf-mesh/cloverleaf/translator/input"
	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// ParentKey names one parentRef of a route.
type ParentKey struct {
	Route ir.Ref
	Index int
}

// Attachment says where one parentRef of a route leads.
type Attachment struct {
	Owner     Ownership     // Ours: we write a status for it
	Listeners []ListenerKey // those that the route attaches to, in the order of the parent
	Problems  []finding.Problem
}

// Attach decides one parentRef: the listeners that it names, that allow the route, and whose host names meet the
// route's, in this order; the first step that leaves nothing is the reason of the refusal.
var Attach = memo.NewQuery("Attach", func(c *memo.Ctx, key ParentKey) Attachment {
	head, ok := input.Routes.Read(c, key.Route)
	if !ok || key.Index >= len(head.Parents) {
		return Attachment{}
	}
	a := attacher{c: c, key: key, head: head, ref: head.Parents[key.Index]}
	parent, ok := input.ParentOf(a.ref, key.Route.Namespace)
	if !ok {
		return a.nobodys(Foreign, finding.ParentKind, kindName(a.ref.Kind))
	}
	a.parent = parent
	if parent.Kind == ir.KindListenerSet {
		return a.toSet()
	}
	switch GatewayOwner.Get(c, parent.Name) {
	case Foreign:
		return Attachment{Owner: Foreign}
	case Unknown:
		if _, exists := input.Gateways.Read(c, parent.Name); exists {
			return Attachment{Owner: Unknown} // the Gateway says what is missing
		}
		return a.nobodys(Unknown, finding.ParentMissing, words(parent))
	default:
		return a.attach()
	}
}, memo.Equal).Recovering(func(key ParentKey, panicked any) Attachment {
	return Attachment{Owner: Ours, Problems: []finding.Problem{
		finding.Under(finding.Accepted, gwv1.RouteReasonPending, finding.New(finding.Internal, key.Route, key.field(), panicked)),
	}}
})

// field is the path of the parentRef in its route, for findings.
func (k ParentKey) field() string { return finding.Element("spec.parentRefs", k.Index) }

type attacher struct {
	c      *memo.Ctx
	key    ParentKey
	head   *input.RouteHead
	ref    gwv1.ParentReference
	parent ir.Ref
}

// toSet attaches to a ListenerSet: to its listeners alone, and only while its Gateway lets it in.
func (a *attacher) toSet() Attachment {
	if _, exists := input.ListenerSets.Read(a.c, a.parent.Name); !exists {
		return a.nobodys(Unknown, finding.ParentMissing, words(a.parent))
	}
	admission := AdmissionOf.Get(a.c, a.parent.Name)
	switch {
	case admission.Owner != Ours: // the ListenerSet says why, if it is anybody's business
		return Attachment{Owner: admission.Owner}
	case !admission.Admitted:
		return a.refuse(finding.ParentNotAttached, gwv1.RouteReasonNoMatchingParent, a.parent.Name, admission.Gateway)
	default:
		return a.attach()
	}
}

// nobodys answers for a parent that we write no status for.
func (a *attacher) nobodys(owner Ownership, code finding.Code, args ...any) Attachment {
	return Attachment{Owner: owner, Problems: []finding.Problem{{Finding: finding.New(code, a.key.Route, a.key.field(), args...)}}}
}

// refuse answers for a parent of ours that does not take the route.
func (a *attacher) refuse(code finding.Code, reason gwv1.RouteConditionReason, args ...any) Attachment {
	return Attachment{Owner: Ours, Problems: []finding.Problem{
		finding.Under(finding.Accepted, reason, finding.New(code, a.key.Route, a.key.field(), args...)),
	}}
}

func (a *attacher) attach() Attachment {
	all := Listeners.Get(a.c, a.parent)
	named := filter(all, a.names)
	if len(named) == 0 {
		return a.refuse(finding.ParentNoListener, gwv1.RouteReasonNoMatchingParent, words(a.parent), a.wanted(), join(all, section))
	}
	allowed := filter(named, a.allows)
	if len(allowed) == 0 {
		return a.refuse(finding.ParentNotAllowed, gwv1.RouteReasonNotAllowedByListeners,
			words(a.parent), a.key.Route.Kind, a.key.Route.Namespace)
	}
	matching := filter(allowed, a.meets)
	if len(matching) == 0 {
		return a.refuse(finding.ParentHostname, gwv1.RouteReasonNoMatchingListenerHostname, words(a.parent), join(allowed, hostname))
	}
	keys := make([]ListenerKey, len(matching))
	for i, l := range matching {
		keys[i] = l.Key
	}
	return Attachment{Owner: Ours, Listeners: keys}
}

func (a *attacher) names(l *Listener) bool {
	return (a.ref.SectionName == nil || string(*a.ref.SectionName) == l.Key.Section) &&
		(a.ref.Port == nil || *a.ref.Port == l.Port)
}

func (a *attacher) allows(l *Listener) bool {
	if !slices.Contains(l.Kinds, a.key.Route.Kind) {
		return false
	}
	allowed := specsOf(a.c, a.parent)[l.Index].AllowedRoutes
	if allowed == nil || allowed.Namespaces == nil || allowed.Namespaces.From == nil {
		return a.key.Route.Namespace == a.parent.Namespace
	}
	switch *allowed.Namespaces.From {
	case gwv1.NamespacesFromAll:
		return true
	case gwv1.NamespacesFromSelector:
		return selects(a.c, allowed.Namespaces.Selector, a.key.Route.Namespace)
	case gwv1.NamespacesFromSame:
		return a.key.Route.Namespace == a.parent.Namespace
	default: // None
		return false
	}
}

// selects tells whether a namespace carries the labels that a selector asks for. Every namespace carries its name as
// the label kubernetes.io/metadata.name, also one that has no manifest.
func selects(c *memo.Ctx, selector *metav1.LabelSelector, namespace string) bool {
	s, err := metav1.LabelSelectorAsSelector(selector)
	if err != nil {
		return false
	}
	given, _ := input.NamespaceLabels.Read(c, namespace)
	set := labels.Set{"kubernetes.io/metadata.name": namespace}
	maps.Copy(set, given)
	return s.Matches(set)
}

func (a *attacher) meets(l *Listener) bool {
	for _, h := range a.head.Hosts() {
		if _, ok := Intersect(h, l.Hostname); ok {
			return true
		}
	}
	return false
}

func filter(listeners []Listener, keep func(*Listener) bool) []Listener {
	var kept []Listener
	for i := range listeners {
		if keep(&listeners[i]) {
			kept = append(kept, listeners[i])
		}
	}
	return kept
}

func (a *attacher) wanted() string {
	s := ""
	if a.ref.SectionName != nil {
		s += " named " + strconv.Quote(string(*a.ref.SectionName))
	}
	if a.ref.Port != nil {
		s += " with port " + strconv.Itoa(int(*a.ref.Port))
	}
	return s
}

func section(l Listener) string { return l.Key.Section + ":" + strconv.Itoa(int(l.Port)) }

func hostname(l Listener) string { return string(l.Hostname) }

// words names a parent, for messages.
func words(parent ir.Ref) string { return string(parent.Kind) + " " + parent.Name.String() }

// join lists what there is, for messages.
func join[T any](list []T, say func(T) string) string {
	said := make([]string, len(list))
	for i, item := range list {
		said[i] = say(item)
	}
	return strings.Join(said, ", ")
}

func kindName(kind *gwv1.Kind) string {
	if kind == nil {
		return "Gateway of another group"
	}
	return string(*kind)
}
