package translator

import (
	"cmp"
	"slices"

	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/cloverleaf-mesh/cloverleaf/internal/memo"
	"github.com/cloverleaf-mesh/cloverleaf/translator/attach"
	"github.com/cloverleaf-mesh/cloverleaf/translator/input"
	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// chain is one filter chain of a port, apart from its certificates' contents.
type chain struct {
	Table    TableKey
	Listener attach.ListenerKey // the HTTPS listener; empty for HTTP
	Hostname ir.Hostname
	Secrets  []ir.Name // none for HTTP
	Clients  *ir.ClientCheck
	Origin   []ir.Origin
}

// clientCheck says how a port checks the certificates of clients; nil when it does not ask for any.
func clientCheck(c *memo.Ctx, port PortKey) *ir.ClientCheck {
	v := attach.ClientValidationOf.Get(c, input.GatewayPort(port))
	if !v.Asked {
		return nil
	}
	return &ir.ClientCheck{Authority: ir.ClientAuthority(port.Gateway, port.Port), Optional: v.Fallback}
}

// chainsOf lists the filter chains of a port: one for all of its HTTP listeners, or one for each HTTPS listener that
// has a usable certificate.
var chainsOf = memo.NewQuery("chainsOf", func(c *memo.Ctx, port PortKey) []chain {
	var out []chain
	plain := chain{Table: TableKey{PortKey: port}, Hostname: ir.AnyHost}
	for _, d := range doors.Get(c, port) {
		switch {
		case !d.TLS:
			plain.Origin = append(plain.Origin, d.Listener.Origin())
		case d.Open:
			out = append(out, chain{
				Table: TableKey{port, true}, Listener: d.Listener, Hostname: d.Hostname,
				Secrets: attach.CertificatesOf.Get(c, d.Listener).Secrets, Clients: clientCheck(c, port),
				Origin: []ir.Origin{d.Listener.Origin()},
			})
		}
	}
	if len(plain.Origin) > 0 {
		out = append(out, plain)
	}
	return out
}, memo.Equal)

// boundPort is a port of a Gateway and where it is bound.
type boundPort struct {
	Port  int32
	Bound uint32
}

// portsOf lists the ports of a Gateway that a client may be sent to.
var portsOf = memo.NewQuery("portsOf", func(c *memo.Ctx, gateway ir.Name) []boundPort {
	settings, _ := input.SettingsOf.Read(c, struct{}{})
	asked, _ := input.PortsOfGateway.Read(c, gateway)
	var ports []boundPort
	for _, port := range asked {
		if hasDoor.Get(c, PortKey{gateway, port}) {
			ports = append(ports, boundPort{port, attach.Bound(port, settings)})
		}
	}
	return ports
}, memo.Equal)

// hasDoor tells whether a port has a usable listener.
var hasDoor = memo.NewQuery("hasDoor", func(c *memo.Ctx, port PortKey) bool { return len(doors.Get(c, port)) > 0 }, memo.Same)

// listenerOf composes the Envoy listener of a port. Of what it is made it names the Gateway alone, which stays: when
// anything but the filter chains of a listener changes, Envoy closes all of its connections.
var listenerOf = memo.NewQuery("listenerOf", func(c *memo.Ctx, port PortKey) ir.Listener {
	settings, _ := input.SettingsOf.Read(c, struct{}{})
	bind := ir.Port{
		Address: attach.AddressOf.Get(c, port.Gateway).IP, Port: attach.Bound(port.Port, settings), Exclusive: settings.Standalone == input.On,
	}
	l := ir.Listener{
		Name: port.Name(), Role: ir.RoleGateway, Bind: bind, Logged: settings.AccessLog == input.On,
		Origin: []ir.Origin{{Ref: ir.Ref{Kind: ir.KindGateway, Name: port.Gateway}}},
	}
	for _, ch := range chainsOf.Get(c, port) {
		l.Chains = append(l.Chains, ch.lower())
	}
	slices.SortFunc(l.Chains, func(a, b ir.Chain) int { return cmp.Compare(a.Name, b.Name) })
	return l
}, memo.Equal)

func (ch chain) lower() ir.Chain {
	out := ir.Chain{Name: ir.HTTPChain, Layer: ir.HTTP{Table: ch.Table.Name()}, Origin: ch.Origin}
	if !ch.Table.TLS {
		return out
	}
	out.Name, out.TLS = ir.TLSChain(ch.Listener.Origin()), &ir.ServerTLS{Clients: ch.Clients}
	for _, s := range ch.Secrets {
		out.TLS.Certificates = append(out.TLS.Certificates, ir.SecretOf(s))
	}
	if ch.Hostname != ir.AnyHost {
		out.ServerNames = []ir.Hostname{ch.Hostname}
	}
	return out
}

// routeTableOf names the Gateway's own listeners that a table is of. Those of ListenerSets come and go too often: Envoy
// takes every virtual host of a table anew when the table itself changes.
func routeTableOf(c *memo.Ctx, key TableKey) ir.RouteTable {
	parent := ir.Ref{Kind: ir.KindGateway, Name: key.Gateway}
	t := ir.RouteTable{Name: key.Name()}
	for _, l := range attach.Listeners.Get(c, parent) {
		tls := l.Protocol == gwv1.HTTPSProtocolType
		if l.Port == key.Port && tls == key.TLS && isOpen(c, &l) {
			t.Origin = append(t.Origin, l.Key.Origin())
		}
	}
	if len(t.Origin) == 0 {
		t.Origin = []ir.Origin{{Ref: parent}}
	}
	return t
}

// isOpen tells whether connections come in by a listener: it is usable, and has a certificate or needs none.
func isOpen(c *memo.Ctx, l *attach.Listener) bool {
	return l.Usable() && (l.Protocol != gwv1.HTTPSProtocolType || len(attach.CertificatesOf.Get(c, l.Key).Secrets) > 0)
}
