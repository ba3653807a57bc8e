package translator

import (
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/cloverleaf-mesh/cloverleaf/internal/memo"
	"github.com/cloverleaf-mesh/cloverleaf/translator/attach"
	"github.com/cloverleaf-mesh/cloverleaf/translator/input"
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
	Proof    bool // clients must show a certificate
}

// Entrances lists the listeners that are served, in the order of Gateways and of their listeners' precedence. It is for
// people: it walks all Gateways.
func (e *Evaluator) Entrances() []Entrance {
	var out []Entrance
	for _, gw := range attach.OurGateways.Root(e.table, struct{}{}) {
		out = append(out, entrancesOf.Root(e.table, gw)...)
	}
	return out
}

var entrancesOf = memo.NewQuery("entrancesOf", func(c *memo.Ctx, gateway ir.Name) []Entrance {
	if !GatewayServed.Get(c, gateway) {
		return nil
	}
	address := attach.AddressOf.Get(c, gateway).IP
	var out []Entrance
	for _, parent := range attach.ParentsFor(c, gateway) {
		for _, l := range attach.Listeners.Get(c, parent) {
			if isOpen(c, &l) {
				port := PortKey{gateway, l.Port}
				e := Entrance{Listener: l.Key, Name: port.Name(), Hostname: l.Hostname, Address: address, Port: l.Bound}
				if e.TLS = l.Protocol == gwv1.HTTPSProtocolType; e.TLS {
					v := attach.ClientValidationOf.Get(c, input.GatewayPort(port))
					e.Proof = v.Asked && !v.Fallback
				}
				out = append(out, e)
			}
		}
	}
	return out
}, memo.Equal)

// AttachedTo lists the listeners that a route attaches to.
func (e *Evaluator) AttachedTo(route ir.Ref) []attach.ListenerKey {
	return placeOf.Root(e.table, route).Listeners
}
