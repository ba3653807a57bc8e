package attach

import (
	"slices"
	"strconv"

	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/cloverleaf-mesh/cloverleaf/internal/memo"
	"github.com/cloverleaf-mesh/cloverleaf/translator/finding"
	"github.com/cloverleaf-mesh/cloverleaf/translator/input"
	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// Listeners of one object that are not distinct all lose: the spec forbids to pick a winner (GatewaySpec.listeners,
// "Handling indistinct Listeners"). Between objects precedence decides: the first that asks for a port and protocol, or for
// a host name there, has it, also while its own listeners quarrel about it (GEP-1713, "Listener Precedence").

// conflict reports which other listener is in the way.
func (l *Listener) conflict(code finding.Code, sub string, reason gwv1.ListenerConditionReason, other string) {
	l.Problems = append(l.Problems, finding.Under(finding.Conflicted, reason, finding.New(code, l.Ref(), l.Field()+sub, other, l.Port)))
}

func (l *Listener) protocolConflict(other string) {
	l.conflict(finding.ListenerProtocols, ".protocol", gwv1.ListenerReasonProtocolConflict, other)
}

func (l *Listener) hostnameConflict(other string) {
	l.conflict(finding.ListenerHostname, ".hostname", gwv1.ListenerReasonHostnameConflict, other)
}

// findConflicts marks indistinct listeners of one object, which are at most 64. What an earlier object has none of them
// asks for.
func findConflicts(listeners []Listener) {
	asks := make([]bool, len(listeners))
	for i := range listeners {
		l := &listeners[i]
		asks[i] = served(l.Protocol) && !slices.ContainsFunc(l.Problems, func(p finding.Problem) bool { return p.Condition == finding.Conflicted })
	}
	for i := range listeners {
		a := &listeners[i]
		for j := range listeners {
			b := &listeners[j]
			switch {
			case i == j || a.Port != b.Port || !asks[i] || !asks[j]:
			case a.Protocol != b.Protocol:
				a.protocolConflict(ownWords(b.Key.Section))
			case a.Hostname == b.Hostname:
				a.hostnameConflict(ownWords(b.Key.Section))
			}
		}
	}
}

// findEarlier marks the listeners of a ListenerSet whose port or host name an object with precedence has.
func findEarlier(c *memo.Ctx, listeners []Listener) {
	for i := range listeners {
		l := &listeners[i]
		port := input.GatewayPort{Gateway: l.Key.Gateway, Port: l.Port}
		holder := holderOf.Get(c, port)
		if holder.refuses(l.Ref(), l.Protocol) {
			l.protocolConflict(l.words(holder.Parent))
			continue
		}
		if !served(l.Protocol) {
			continue
		}
		if owner := hostHolder.Get(c, input.ListenerPlace{GatewayPort: port, Host: l.Hostname}); owner != l.Ref() {
			l.hostnameConflict(l.words(owner))
		}
	}
}

// holder is the object that a port of a Gateway belongs to; without a Parent nobody asks for it.
type holder struct {
	Parent    ir.Ref
	Port      int32
	Protocols []gwv1.ProtocolType // that it speaks there: several when its own listeners conflict
}

// refuses tells whether a listener of an object cannot have the port for its protocol. One of UDP is on another port, and
// one of TLS can be told from HTTPS by its server names.
func (h *holder) refuses(parent ir.Ref, protocol gwv1.ProtocolType) bool {
	if h.Parent == (ir.Ref{}) || h.Parent == parent || protocol == gwv1.UDPProtocolType {
		return false
	}
	return slices.ContainsFunc(h.Protocols, func(p gwv1.ProtocolType) bool {
		return p != protocol && !(p == gwv1.HTTPSProtocolType && protocol == gwv1.TLSProtocolType)
	})
}

// holderOf finds the object with the highest precedence that asks for a port with a protocol that is served.
var holderOf = memo.NewQuery("holderOf", func(c *memo.Ctx, port input.GatewayPort) holder {
	var h holder
	parents, _ := input.ParentsOfPort.Read(c, port)
	for _, parent := range parents {
		if !parentAdmitted(c, parent) {
			continue
		}
		spoken := protocolsOn.Get(c, parentPort{parent, port.Port})
		if len(spoken) > 0 && (h.Parent == (ir.Ref{}) || compareParents(c, parent, h.Parent) < 0) {
			h = holder{parent, port.Port, spoken}
		}
	}
	return h
}, memo.Equal)

// parentPort is a port of an object with listeners.
type parentPort struct {
	Parent ir.Ref
	Port   int32
}

// protocolsOn lists the protocols that an object's listeners speak on a port, of those that are served.
var protocolsOn = memo.NewQuery("protocolsOn", func(c *memo.Ctx, p parentPort) []gwv1.ProtocolType {
	var spoken []gwv1.ProtocolType
	for _, l := range specsOf(c, p.Parent) {
		if l.Port == p.Port && served(l.Protocol) {
			spoken = append(spoken, l.Protocol)
		}
	}
	slices.Sort(spoken)
	return slices.Compact(spoken)
}, memo.Equal)

// hostHolder finds the object with the highest precedence that asks for a host name on a port, of those that the port
// does not refuse.
var hostHolder = memo.NewQuery("hostHolder", func(c *memo.Ctx, place input.ListenerPlace) ir.Ref {
	var first ir.Ref
	listeners, _ := input.ListenersAt.Read(c, place)
	port := holderOf.Get(c, place.GatewayPort)
	for _, l := range listeners {
		if !parentAdmitted(c, l.Ref) {
			continue
		}
		protocol := protocolOf.Get(c, l)
		if !served(protocol) || port.refuses(l.Ref, protocol) {
			continue
		}
		if first == (ir.Ref{}) || compareParents(c, l.Ref, first) < 0 {
			first = l.Ref
		}
	}
	return first
}, memo.Same)

// protocolOf is what a listener speaks, as its manifest says.
var protocolOf = memo.NewQuery("protocolOf", func(c *memo.Ctx, o ir.Origin) gwv1.ProtocolType {
	for _, l := range specsOf(c, o.Ref) {
		if string(l.Name) == o.Section {
			return l.Protocol
		}
	}
	return ""
}, memo.Same)

// findClash marks a listener whose port of the machine another port of the Gateway is bound as, or another Gateway has.
func (l *Listener) findClash(c *memo.Ctx, s input.Settings) {
	if l.Bound > 65535 {
		l.refuse(finding.ListenerPort, ".port", gwv1.ListenerReasonPortUnavailable, l.Port, l.Bound, "beyond 65535")
		return
	}
	if s.Standalone != input.On {
		return
	}
	if h := boundHolder.Get(c, boundPort{l.Key.Gateway, l.Bound}); h.Parent != (ir.Ref{}) && h.Port != l.Port {
		l.refuse(finding.ListenerPort, ".port", gwv1.ListenerReasonPortUnavailable, l.Port, l.Bound,
			"port "+strconv.Itoa(int(h.Port))+" of "+l.words(h.Parent))
	}
	at := boundAt{AddressOf.Get(c, l.Key.Gateway).IP, l.Bound}
	if owner := portOwner.Get(c, at); owner != (ir.Name{}) && owner != l.Key.Gateway {
		l.refuse(finding.ListenerPortTaken, ".port", gwv1.ListenerReasonPortUnavailable, l.Bound, "Gateway "+owner.String())
	}
}

// boundPort is a port of this machine, asked for by a Gateway.
type boundPort struct {
	Gateway ir.Name
	Bound   uint32
}

// boundHolder finds the port of a Gateway that is bound as a port of this machine: with an offset two may be. Precedence
// decides between objects; of one object's ports the one that needs no offset keeps it.
var boundHolder = memo.NewQuery("boundHolder", func(c *memo.Ctx, b boundPort) holder {
	settings, _ := input.SettingsOf.Read(c, struct{}{})
	var h holder
	for _, port := range []int32{int32(b.Bound), int32(b.Bound) - settings.PortOffset} { //nolint:gosec // the schema bounds ports
		if port < 1 || Bound(port, settings) != b.Bound {
			continue
		}
		other := holderOf.Get(c, input.GatewayPort{Gateway: b.Gateway, Port: port})
		if h.Parent == (ir.Ref{}) || other.Parent != (ir.Ref{}) && compareParents(c, other.Parent, h.Parent) < 0 {
			h = other
		}
	}
	return h
}, memo.Equal)

// boundAt is a port of an address of this machine.
type boundAt struct {
	IP   string
	Port uint32
}

// portOwner finds the Gateway that a port of an address belongs to: the oldest of those that have the address, or one that
// includes it or is part of it, and ask for the port, by themselves or through ListenerSets; then the first by name. It
// matters only where one proxy serves all Gateways.
var portOwner = memo.NewQuery("portOwner", func(c *memo.Ctx, at boundAt) ir.Name {
	var owner ir.Name
	var since int64
	for _, name := range OurGateways.Get(c, struct{}{}) {
		if !meet(AddressOf.Get(c, name).IP, at.IP) || boundHolder.Get(c, boundPort{name, at.Port}).Parent == (ir.Ref{}) {
			continue
		}
		if created := gatewayCreated.Get(c, name); owner == (ir.Name{}) || CompareAge(created, name, since, owner) < 0 {
			owner, since = name, created
		}
	}
	return owner
}, memo.Same)

// gatewayCreated is when a Gateway was made, which few edits change.
var gatewayCreated = memo.NewQuery("gatewayCreated", func(c *memo.Ctx, gateway ir.Name) int64 {
	gw, ok := input.Gateways.Read(c, gateway)
	if !ok {
		return 0
	}
	return gw.Created
}, memo.Same)

// words names another object's listener, as far as it may be known.
func (l *Listener) words(other ir.Ref) string {
	switch {
	case other == l.Ref():
		return "another listener"
	case l.mayKnow(other):
		return "a listener of " + words(other)
	default:
		return "a listener of a ListenerSet of another namespace"
	}
}

// mayKnow tells whether a message may name another object with listeners of the same Gateway: who may read a ListenerSet
// need not be allowed to read those of other namespaces (ListenerSetSpec.listeners). Its Gateway it names itself.
func (l *Listener) mayKnow(other ir.Ref) bool {
	return l.Key.Set == (ir.Name{}) || other.Kind == ir.KindGateway || other.Namespace == l.Key.Set.Namespace
}

func ownWords(section string) string { return "listener " + strconv.Quote(section) }
