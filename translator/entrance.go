package translator

import (
	"github.com/cloverleaf-mesh/cloverleaf/translator/attach"
	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// Entrance is a served listener as a client sees it.
type Entrance struct {
	Listener attach.ListenerKey
	Name     ir.ListenerName // of the Envoy listener: that of its port
	Hostname ir.Hostname     // ir.AnyHost for any
	Address  string          // an IP address
	Port     uint32          // as bound
	TLS      bool
}

// Entrances lists the listeners that are served, in the order of Gateways and their listeners. It is for people: it
// walks all Gateways.
func (e *Evaluator) Entrances() []Entrance {
	var out []Entrance
	for _, gw := range attach.OurGateways.Root(e.table, struct{}{}) {
		if !GatewayServed.Root(e.table, gw) {
			continue
		}
		address := attach.AddressOf.Root(e.table, gw).IP
		for _, l := range attach.Listeners.Root(e.table, gw) {
			for _, ch := range chainsOf.Root(e.table, PortKey{gw, l.Port}) {
				if ch.has(&l) {
					port := PortKey{gw, l.Port}
					out = append(out, Entrance{l.Key, port.Name(), l.Hostname, address, l.Bound, ch.Table.TLS})
				}
			}
		}
	}
	return out
}

// AttachedTo lists the listeners that a route attaches to.
func (e *Evaluator) AttachedTo(route ir.Ref) []attach.ListenerKey {
	return placeOf.Root(e.table, route).Listeners
}
