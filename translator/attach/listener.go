package attach

import (
	"cmp"
	"maps"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/cloverleaf-mesh/cloverleaf/internal/memo"
	"github.com/cloverleaf-mesh/cloverleaf/translator/finding"
	"github.com/cloverleaf-mesh/cloverleaf/translator/input"
	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// ListenerKey names one listener of a Gateway: its own, or one of a ListenerSet.
type ListenerKey struct {
	Gateway ir.Name
	Set     ir.Name // the ListenerSet; empty for the Gateway's own
	Section string
}

// Parent names the object that has the listener: that routes attach to, and whose namespace counts.
func (k ListenerKey) Parent() ir.Ref {
	if k.Set != (ir.Name{}) {
		return ir.Ref{Kind: ir.KindListenerSet, Name: k.Set}
	}
	return ir.Ref{Kind: ir.KindGateway, Name: k.Gateway}
}

// Origin names the listener as the origin of what is made of it.
func (k ListenerKey) Origin() ir.Origin { return ir.Origin{Ref: k.Parent(), Section: k.Section} }

// CompareKeys orders listeners by name: those of Gateways before those of ListenerSets.
func CompareKeys(a, b ListenerKey) int {
	return cmp.Or(a.Gateway.Compare(b.Gateway), a.Set.Compare(b.Set), cmp.Compare(a.Section, b.Section))
}

// keyAt is the key of a listener of a Gateway that an origin names.
func keyAt(gateway ir.Name, o ir.Origin) ListenerKey {
	key := ListenerKey{Gateway: gateway, Section: o.Section}
	if o.Kind == ir.KindListenerSet {
		key.Set = o.Name
	}
	return key
}

// Listener is one listener of a Gateway, decided apart from its certificates and its routes.
type Listener struct {
	Key      ListenerKey
	Index    int // position in the spec.listeners of its object, for the paths of findings
	Hostname ir.Hostname
	Port     int32  // as the manifest says
	Bound    uint32 // as bound on this machine
	Protocol gwv1.ProtocolType
	Kinds    []ir.Kind // kinds of routes that may attach; none when the protocol is not supported
	Problems []finding.Problem
}

// Usable tells whether the listener takes part in the data plane.
func (l *Listener) Usable() bool {
	return !slices.ContainsFunc(l.Problems, func(p finding.Problem) bool {
		return p.Level() == finding.Error && (p.Condition == finding.Accepted || p.Condition == finding.Conflicted)
	})
}

// Ref names the object of the listener.
func (l *Listener) Ref() ir.Ref { return l.Key.Parent() }

// Field is the path of the listener in its object, for findings.
func (l *Listener) Field() string { return finding.Element("spec.listeners", l.Index) }

// Listeners decides the listeners of a Gateway of ours, or of a ListenerSet that it lets in, in the order of the manifest;
// nil for any other.
var Listeners = memo.NewQuery("Listeners", func(c *memo.Ctx, parent ir.Ref) []Listener {
	if !parentAdmitted(c, parent) {
		return nil
	}
	settings, _ := input.SettingsOf.Read(c, struct{}{})
	specs, gateway := specsOf(c, parent), gatewayOf(c, parent)
	listeners := make([]Listener, len(specs))
	for i := range specs {
		key := keyAt(gateway, ir.Origin{Ref: parent, Section: string(specs[i].Name)})
		listeners[i] = newListener(key, i, &specs[i], settings)
		if listeners[i].Protocol == gwv1.HTTPSProtocolType {
			listeners[i].checkClients(c)
		}
	}
	if parent.Kind == ir.KindListenerSet {
		findEarlier(c, listeners)
	}
	findConflicts(listeners)
	for i := range listeners {
		if served(listeners[i].Protocol) {
			listeners[i].findClash(c, settings)
		}
	}
	return listeners
}, memo.Equal).Recovering(func(ir.Ref, any) []Listener { return nil })

// checkClients adds what is wrong with the CAs that the Gateway has clients of the port checked by. To a ListenerSet it
// matters only when the port is closed, and the Gateway's references are none of its business.
func (l *Listener) checkClients(c *memo.Ctx) {
	v := ClientValidationOf.Get(c, input.GatewayPort{Gateway: l.Key.Gateway, Port: l.Port})
	switch {
	case l.Key.Set == (ir.Name{}):
		l.Problems = append(l.Problems, v.Problems...)
	case v.Asked && len(v.Authorities) == 0:
		l.refuse(finding.SetClients, ".port", gwv1.ListenerReasonNoValidCACertificate, l.Key.Gateway, l.Port)
	}
}

// ListenerOf finds one listener; nil when there is none of that name.
func ListenerOf(c *memo.Ctx, key ListenerKey) *Listener {
	listeners := Listeners.Get(c, key.Parent())
	for i := range listeners {
		if listeners[i].Key == key {
			return &listeners[i]
		}
	}
	return nil
}

// ListenerAt finds the listener of a Gateway's port that serves a host name as its own; nil when none does. At most one is
// usable: the others conflict with it.
func ListenerAt(c *memo.Ctx, place input.ListenerPlace) *Listener {
	origins, _ := input.ListenersAt.Read(c, place)
	for _, o := range origins {
		if l := ListenerOf(c, keyAt(place.Gateway, o)); l != nil && l.Usable() {
			return l
		}
	}
	return nil
}

func newListener(key ListenerKey, index int, spec *gwv1.Listener, s input.Settings) Listener {
	l := Listener{
		Key: key, Index: index, Hostname: input.ListenerHost(spec),
		Port: spec.Port, Bound: Bound(spec.Port, s), Protocol: spec.Protocol,
	}
	if !served(spec.Protocol) {
		l.refuse(finding.ListenerProtocol, ".protocol", gwv1.ListenerReasonUnsupportedProtocol, spec.Protocol)
		return l
	}
	l.setKinds(spec.AllowedRoutes)
	l.checkSelector(spec.AllowedRoutes)
	if spec.TLS != nil {
		for _, key := range slices.Sorted(maps.Keys(spec.TLS.Options)) {
			l.Problems = append(l.Problems, finding.Problem{Finding: finding.New(finding.ListenerOptions, l.Ref(), l.Field()+".tls.options", key)})
		}
	}
	if spec.Filters != nil {
		l.refuse(finding.ListenerUnsupported, ".filters", gwv1.ListenerReasonUnsupportedValue, "filters")
	}
	return l
}

// routeKinds lists the kinds of routes that listeners of a protocol may take; none for protocols that are not served.
func routeKinds(protocol gwv1.ProtocolType) []ir.Kind {
	var kinds []ir.Kind
	for _, k := range input.RouteKinds() {
		if slices.Contains(k.Protocols, protocol) {
			kinds = append(kinds, k.Kind)
		}
	}
	return kinds
}

func served(p gwv1.ProtocolType) bool { return len(routeKinds(p)) > 0 }

func (l *Listener) setKinds(allowed *gwv1.AllowedRoutes) {
	possible := routeKinds(l.Protocol)
	if allowed == nil || len(allowed.Kinds) == 0 {
		l.Kinds = possible
		return
	}
	for i, k := range allowed.Kinds {
		kind := ir.Kind(k.Kind)
		ours := (k.Group == nil || *k.Group == gwv1.GroupName) && slices.Contains(possible, kind)
		switch {
		case !ours:
			at := finding.Element(l.Field()+".allowedRoutes.kinds", i)
			f := finding.New(finding.ListenerKinds, l.Ref(), at, k.Kind, l.Protocol, join(possible, ir.Kind.String))
			l.Problems = append(l.Problems, finding.Under(finding.ResolvedRefs, gwv1.ListenerReasonInvalidRouteKinds, f))
		case !slices.Contains(l.Kinds, kind):
			l.Kinds = append(l.Kinds, kind)
		}
	}
}

// checkSelector reports a selector that selects nothing because it cannot be read. The listener is served: what else it
// allows is not known, and a port that answers 404 tells more than one that is closed.
func (l *Listener) checkSelector(allowed *gwv1.AllowedRoutes) {
	if allowed == nil || allowed.Namespaces == nil {
		return
	}
	if why := selectorFault(allowed.Namespaces.From, allowed.Namespaces.Selector); why != "" {
		l.Problems = append(l.Problems, finding.Under(finding.Programmed, gwv1.ListenerReasonInvalid,
			finding.New(finding.ListenerSelector, l.Ref(), l.Field()+".allowedRoutes.namespaces.selector", why)))
	}
}

// selectorFault says why a selector of namespaces that is asked for cannot be read.
func selectorFault(from *gwv1.FromNamespaces, selector *metav1.LabelSelector) string {
	switch {
	case from == nil || *from != gwv1.NamespacesFromSelector:
		return ""
	case selector == nil:
		return "it is missing"
	}
	if _, err := metav1.LabelSelectorAsSelector(selector); err != nil {
		return err.Error()
	}
	return ""
}

// refuse reports why the listener is not accepted.
func (l *Listener) refuse(code finding.Code, sub string, reason gwv1.ListenerConditionReason, args ...any) {
	l.Problems = append(l.Problems, finding.Under(finding.Accepted, reason, finding.New(code, l.Ref(), l.Field()+sub, args...)))
}

// Bound returns the port of this machine that a port of a manifest is bound as.
func Bound(port int32, s input.Settings) uint32 {
	if s.Standalone == input.On && port < 1024 {
		port += s.PortOffset
	}
	return uint32(port) //nolint:gosec // the schema bounds ports
}

// OurGateways lists the Gateways of our classes, sorted by name.
var OurGateways = memo.NewQuery("OurGateways", func(c *memo.Ctx, _ struct{}) []ir.Name {
	var ours []ir.Name
	for shard := range uint8(input.Shards) {
		classes, _ := input.ObjectsOf.Read(c, input.KindShard{Kind: ir.KindGatewayClass, Shard: shard})
		for _, class := range classes {
			if OwnerOf.Get(c, class.Name) == Ours {
				names, _ := input.GatewaysOfClass.Read(c, class.Name)
				ours = append(ours, names...)
			}
		}
	}
	slices.SortFunc(ours, ir.Name.Compare)
	return ours
}, memo.Equal)

// CompareAge orders objects by creation time, then by name: negative when the first is older. An object that does not
// say when it was made counts as new.
func CompareAge(at int64, a ir.Name, bt int64, b ir.Name) int {
	if (at == 0) != (bt == 0) {
		if at == 0 {
			return 1
		}
		return -1
	}
	return cmp.Or(cmp.Compare(at, bt), a.Compare(b))
}
