package attach

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/cloverleaf-mesh/cloverleaf/internal/memo"
	"github.com/cloverleaf-mesh/cloverleaf/translator/finding"
	"github.com/cloverleaf-mesh/cloverleaf/translator/input"
	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// ListenerKey names one listener of a Gateway.
type ListenerKey struct {
	Gateway ir.Name
	Section string
}

// Listener is one listener of a Gateway, decided apart from its certificates and its routes.
type Listener struct {
	Key      ListenerKey
	Index    int // position in spec.listeners, for the paths of findings
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

// Ref names the Gateway of the listener.
func (l *Listener) Ref() ir.Ref { return ir.Ref{Kind: ir.KindGateway, Name: l.Key.Gateway} }

// Field is the path of the listener in its Gateway, for findings.
func (l *Listener) Field() string { return finding.Element("spec.listeners", l.Index) }

// Origin names the listener as the origin of what is made of it.
func (l *Listener) Origin() ir.Origin { return ir.Origin{Ref: l.Ref(), Section: l.Key.Section} }

// Listeners decides the listeners of a Gateway of ours, in the order of its manifest; nil for any other Gateway.
var Listeners = memo.NewQuery("Listeners", func(c *memo.Ctx, gateway ir.Name) []Listener {
	if GatewayOwner.Get(c, gateway) != Ours {
		return nil
	}
	gw, _ := input.Gateways.Read(c, gateway)
	settings, _ := input.SettingsOf.Read(c, struct{}{})
	listeners := make([]Listener, len(gw.Spec.Listeners))
	for i := range gw.Spec.Listeners {
		l := newListener(gateway, i, &gw.Spec.Listeners[i], settings)
		if l.Protocol == gwv1.HTTPSProtocolType {
			l.Problems = append(l.Problems, ClientValidationOf.Get(c, GatewayPort{gateway, l.Port}).Problems...)
		}
		listeners[i] = l
	}
	findConflicts(listeners)
	findPortClashes(listeners)
	if settings.Standalone == input.On {
		findTakenPorts(c, listeners)
	}
	findOverlaps(listeners)
	return listeners
}, memo.Equal).Recovering(func(ir.Name, any) []Listener { return nil })

// ListenerOf finds one listener; nil when the Gateway has none of that name.
func ListenerOf(c *memo.Ctx, key ListenerKey) *Listener {
	listeners := Listeners.Get(c, key.Gateway)
	for i := range listeners {
		if listeners[i].Key == key {
			return &listeners[i]
		}
	}
	return nil
}

func newListener(gateway ir.Name, index int, spec *gwv1.Listener, s input.Settings) Listener {
	l := Listener{
		Key: ListenerKey{gateway, string(spec.Name)}, Index: index, Hostname: ir.AnyHost,
		Port: spec.Port, Bound: bound(spec.Port, s), Protocol: spec.Protocol,
	}
	if spec.Hostname != nil && *spec.Hostname != "" {
		l.Hostname = input.LowerHost(*spec.Hostname)
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
			f := finding.New(finding.ListenerKinds, l.Ref(), at, k.Kind, l.Protocol, words(possible, ir.Kind.String))
			l.Problems = append(l.Problems, finding.Under(finding.ResolvedRefs, gwv1.ListenerReasonInvalidRouteKinds, f))
		case !slices.Contains(l.Kinds, kind):
			l.Kinds = append(l.Kinds, kind)
		}
	}
}

// checkSelector reports a selector that selects nothing because it cannot be read. The listener is served: what else it
// allows is not known, and a port that answers 404 tells more than one that is closed.
func (l *Listener) checkSelector(allowed *gwv1.AllowedRoutes) {
	if allowed == nil || allowed.Namespaces == nil || allowed.Namespaces.From == nil ||
		*allowed.Namespaces.From != gwv1.NamespacesFromSelector {
		return
	}
	why := "it is missing"
	if selector := allowed.Namespaces.Selector; selector != nil {
		_, err := metav1.LabelSelectorAsSelector(selector)
		if err == nil {
			return
		}
		why = err.Error()
	}
	l.Problems = append(l.Problems, finding.Under(finding.Programmed, gwv1.ListenerReasonInvalid,
		finding.New(finding.ListenerSelector, l.Ref(), l.Field()+".allowedRoutes.namespaces.selector", why)))
}

// refuse reports why the listener is not accepted.
func (l *Listener) refuse(code finding.Code, sub string, reason gwv1.ListenerConditionReason, args ...any) {
	l.Problems = append(l.Problems, finding.Under(finding.Accepted, reason, finding.New(code, l.Ref(), l.Field()+sub, args...)))
}

// conflict reports which other listener is in the way.
func (l *Listener) conflict(code finding.Code, sub string, reason gwv1.ListenerConditionReason, other string, port int32) {
	l.Problems = append(l.Problems, finding.Under(finding.Conflicted, reason, finding.New(code, l.Ref(), l.Field()+sub, other, port)))
}

func bound(port int32, s input.Settings) uint32 {
	if s.Standalone == input.On && port < 1024 {
		port += s.PortOffset
	}
	return uint32(port) //nolint:gosec // the schema bounds ports
}

// findConflicts marks indistinct listeners. All of them lose: the spec forbids to pick a winner (Gateway API,
// GatewaySpec.listeners, "Handling indistinct Listeners").
func findConflicts(listeners []Listener) {
	for i := range listeners {
		a := &listeners[i]
		if !served(a.Protocol) {
			continue
		}
		for j := range listeners {
			b := &listeners[j]
			switch {
			case i == j || a.Port != b.Port || !served(b.Protocol):
			case a.Protocol != b.Protocol:
				a.conflict(finding.ListenerProtocols, ".protocol", gwv1.ListenerReasonProtocolConflict, b.Key.Section, a.Port)
			case a.Hostname == b.Hostname:
				a.conflict(finding.ListenerHostname, ".hostname", gwv1.ListenerReasonHostnameConflict, b.Key.Section, a.Port)
			}
		}
	}
}

// findPortClashes marks listeners whose port, after the offset, is another listener's own port: the one that needs no
// offset keeps it.
func findPortClashes(listeners []Listener) {
	for i := range listeners {
		a := &listeners[i]
		for j := range listeners {
			b := &listeners[j]
			if a.Port != b.Port && a.Bound == b.Bound && a.Port < b.Port {
				a.refuse(finding.ListenerPort, ".port", gwv1.ListenerReasonPortUnavailable, a.Port, a.Bound, b.Key.Section)
				break
			}
		}
		if a.Bound > 65535 {
			a.refuse(finding.ListenerPort, ".port", gwv1.ListenerReasonPortUnavailable, a.Port, a.Bound, "beyond 65535")
		}
	}
}

// findTakenPorts marks listeners whose port an established Gateway of the same address serves already.
func findTakenPorts(c *memo.Ctx, listeners []Listener) {
	for i := range listeners {
		l := &listeners[i]
		if owner := portOwner.Get(c, boundAt{AddressOf.Get(c, l.Key.Gateway).IP, l.Bound}); owner != (ir.Name{}) && owner != l.Key.Gateway {
			l.refuse(finding.ListenerPortTaken, ".port", gwv1.ListenerReasonPortUnavailable, l.Bound, "Gateway "+owner.String())
		}
	}
}

// findOverlaps marks HTTPS listeners of a port whose host names have names in common: a browser that has a connection to
// one sends requests for the other over it, as far as the certificate goes (GEP-3567).
func findOverlaps(listeners []Listener) {
	for i := range listeners {
		a := &listeners[i]
		if a.Protocol != gwv1.HTTPSProtocolType || !a.Usable() {
			continue
		}
		var others []string
		for j := range listeners {
			b := &listeners[j]
			_, common := Intersect(a.Hostname, b.Hostname)
			if i != j && common && b.Protocol == gwv1.HTTPSProtocolType && b.Port == a.Port && b.Usable() {
				others = append(others, b.Key.Section)
			}
		}
		if len(others) > 0 {
			a.Problems = append(a.Problems, finding.Under(finding.OverlappingTLS, gwv1.ListenerReasonOverlappingHostnames,
				finding.New(finding.ListenerOverlap, a.Ref(), a.Field()+".hostname", strings.Join(others, ", "))))
		}
	}
}

// boundAt is a port of an address of this machine.
type boundAt struct {
	IP   string
	Port uint32
}

// portOwner finds the Gateway that a port of this machine belongs to: the oldest that asks for it, then the first by
// name. It matters only where one proxy serves all Gateways.
var portOwner = memo.NewQuery("portOwner", func(c *memo.Ctx, at boundAt) ir.Name {
	settings, _ := input.SettingsOf.Read(c, struct{}{})
	var owner ir.Name
	var since int64
	for _, name := range OurGateways.Get(c, struct{}{}) {
		gw, _ := input.Gateways.Read(c, name)
		asks := slices.ContainsFunc(gw.Spec.Listeners, func(l gwv1.Listener) bool { return bound(l.Port, settings) == at.Port })
		if asks && AddressOf.Get(c, name).IP == at.IP && (owner == (ir.Name{}) || CompareAge(gw.Created, name, since, owner) < 0) {
			owner, since = name, gw.Created
		}
	}
	return owner
}, memo.Same)

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
