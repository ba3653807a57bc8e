package attach

import (
	"cmp"
	"slices"

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
		return p.Level() == finding.Error && (p.Condition == "Accepted" || p.Condition == "Conflicted")
	})
}

// Ref names the Gateway of the listener.
func (l *Listener) Ref() ir.Ref { return ir.Ref{Kind: ir.KindGateway, Name: l.Key.Gateway} }

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
		listeners[i] = newListener(gateway, i, &gw.Spec.Listeners[i], settings)
	}
	findConflicts(listeners)
	findPortClashes(listeners)
	if settings.Standalone == input.On {
		findTakenPorts(c, listeners)
	}
	return listeners
}, equal).Recovering(func(ir.Name, any) []Listener { return nil })

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
	if spec.Protocol != gwv1.HTTPProtocolType && spec.Protocol != gwv1.HTTPSProtocolType {
		l.add(finding.ListenerProtocol, ".protocol", because{"Accepted", "UnsupportedProtocol"}, spec.Protocol)
		return l
	}
	l.setKinds(spec.AllowedRoutes)
	if spec.Filters != nil {
		l.add(finding.ListenerUnsupported, ".filters", because{"Accepted", "UnsupportedValue"}, "filters")
	}
	return l
}

func (l *Listener) setKinds(allowed *gwv1.AllowedRoutes) {
	possible := kindsOf(l.Protocol)
	if allowed == nil || len(allowed.Kinds) == 0 {
		l.Kinds = possible
		return
	}
	for i, k := range allowed.Kinds {
		ours := (k.Group == nil || *k.Group == gwv1.GroupName) && slices.Contains(possible, ir.Kind(k.Kind))
		switch {
		case !ours:
			l.add(finding.ListenerKinds, field(".allowedRoutes.kinds", i), because{"ResolvedRefs", "InvalidRouteKinds"}, k.Kind, l.Protocol)
		case !slices.Contains(l.Kinds, ir.Kind(k.Kind)):
			l.Kinds = append(l.Kinds, ir.Kind(k.Kind))
		}
	}
}

// kindsOf lists the kinds of routes that listeners of a protocol can carry.
func kindsOf(protocol gwv1.ProtocolType) []ir.Kind {
	var kinds []ir.Kind
	for _, k := range input.RouteKinds() {
		if slices.Contains(k.Protocols, protocol) {
			kinds = append(kinds, k.Kind)
		}
	}
	return kinds
}

type because struct{ condition, reason string }

func (l *Listener) add(code finding.Code, sub string, b because, args ...any) {
	l.Problems = append(l.Problems, finding.Problem{
		Finding:   finding.New(code, l.Ref(), field("spec.listeners", l.Index)+sub, args...),
		Condition: b.condition, Reason: b.reason,
	})
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
		if len(a.Kinds) == 0 && len(a.Problems) > 0 {
			continue // not of a protocol that we serve
		}
		for j := range listeners {
			b := &listeners[j]
			switch {
			case i == j || a.Port != b.Port || !httpLike(b.Protocol):
			case a.Protocol != b.Protocol:
				a.add(finding.ListenerProtocols, ".protocol", because{"Conflicted", "ProtocolConflict"}, b.Key.Section, a.Port)
			case a.Hostname == b.Hostname:
				a.add(finding.ListenerHostname, ".hostname", because{"Conflicted", "HostnameConflict"}, b.Key.Section, a.Port)
			}
		}
	}
}

func httpLike(p gwv1.ProtocolType) bool {
	return p == gwv1.HTTPProtocolType || p == gwv1.HTTPSProtocolType
}

// findPortClashes marks listeners whose port, after the offset, is another listener's own port: the one that needs no
// offset keeps it.
func findPortClashes(listeners []Listener) {
	for i := range listeners {
		a := &listeners[i]
		for j := range listeners {
			b := &listeners[j]
			if a.Port != b.Port && a.Bound == b.Bound && a.Port < b.Port {
				a.add(finding.ListenerPort, ".port", because{"Accepted", "PortUnavailable"}, a.Port, a.Bound, b.Key.Section)
				break
			}
		}
		if a.Bound > 65535 {
			a.add(finding.ListenerPort, ".port", because{"Accepted", "PortUnavailable"}, a.Port, a.Bound, "beyond 65535")
		}
	}
}

// findTakenPorts marks listeners whose port an established Gateway of the same machine serves already.
func findTakenPorts(c *memo.Ctx, listeners []Listener) {
	for i := range listeners {
		l := &listeners[i]
		if owner := portOwner.Get(c, l.Bound); owner != (ir.Name{}) && owner != l.Key.Gateway {
			l.add(finding.ListenerPortTaken, ".port", because{"Accepted", "PortUnavailable"}, l.Bound, "Gateway "+owner.String())
		}
	}
}

// portOwner finds the Gateway that a port of this machine belongs to: the oldest that asks for it, then the first by
// name. It matters only where one proxy serves all Gateways.
var portOwner = memo.NewQuery("portOwner", func(c *memo.Ctx, port uint32) ir.Name {
	settings, _ := input.SettingsOf.Read(c, struct{}{})
	var owner ir.Name
	var since int64
	for _, name := range OurGateways.Get(c, struct{}{}) {
		gw, _ := input.Gateways.Read(c, name)
		asks := slices.ContainsFunc(gw.Spec.Listeners, func(l gwv1.Listener) bool { return bound(l.Port, settings) == port })
		if asks && (owner == (ir.Name{}) || Older(gw.Created, name, since, owner)) {
			owner, since = name, gw.Created
		}
	}
	return owner
}, same)

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
}, equal)

// Older orders objects by creation time, then by name. An object that does not say when it was made counts as new.
func Older(at int64, a ir.Name, bt int64, b ir.Name) bool {
	return CompareAge(at, a, bt, b) < 0
}

// CompareAge is negative when the first object is older; see [Older].
func CompareAge(at int64, a ir.Name, bt int64, b ir.Name) int {
	if (at == 0) != (bt == 0) {
		if at == 0 {
			return 1
		}
		return -1
	}
	return cmp.Or(cmp.Compare(at, bt), a.Compare(b))
}
