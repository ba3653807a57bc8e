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
	Section  string // of an HTTPS listener; empty for HTTP
	Hostname ir.Hostname
	Secrets  []ir.Name // none for HTTP
	Clients  *ir.ClientCheck
	Origin   []ir.Origin
}

// has tells whether a listener is one of the chain's.
func (ch *chain) has(l *attach.Listener) bool { return slices.Contains(ch.Origin, l.Origin()) }

// clientCheck says how a port checks the certificates of clients; nil when it does not ask for any.
func clientCheck(c *memo.Ctx, port PortKey) *ir.ClientCheck {
	v := attach.ClientValidationOf.Get(c, attach.GatewayPort(port))
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
	listeners := attach.Listeners.Get(c, port.Gateway)
	for i := range listeners {
		l := &listeners[i]
		switch {
		case l.Port != port.Port || !l.Usable():
		case l.Protocol == gwv1.HTTPProtocolType:
			plain.Origin = append(plain.Origin, l.Origin())
		default:
			if secrets := attach.CertificatesOf.Get(c, l.Key).Secrets; len(secrets) > 0 {
				out = append(out, chain{
					Table: TableKey{port, true}, Section: l.Key.Section, Hostname: l.Hostname, Secrets: secrets, Clients: clientCheck(c, port),
					Origin: []ir.Origin{l.Origin()},
				})
			}
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
	var ports []boundPort
	listeners := attach.Listeners.Get(c, gateway)
	for i := range listeners {
		if l := &listeners[i]; l.Usable() {
			ports = append(ports, boundPort{l.Port, l.Bound})
		}
	}
	slices.SortFunc(ports, func(a, b boundPort) int { return cmp.Compare(a.Port, b.Port) })
	return slices.Compact(ports)
}, memo.Equal)

// listenerOf composes the Envoy listener of a port. Of what it is made it names the Gateway alone, which stays: when
// anything but the filter chains of a listener changes, Envoy closes all of its connections.
var listenerOf = memo.NewQuery("listenerOf", func(c *memo.Ctx, port PortKey) ir.Listener {
	settings, _ := input.SettingsOf.Read(c, struct{}{})
	bind := ir.Port{Address: attach.AddressOf.Get(c, port.Gateway).IP, Port: bindOf(c, port), Exclusive: settings.Standalone == input.On}
	l := ir.Listener{
		Name: port.Name(), Role: ir.RoleGateway, Bind: bind,
		Origin: []ir.Origin{{Ref: ir.Ref{Kind: ir.KindGateway, Name: port.Gateway}}},
	}
	for _, ch := range chainsOf.Get(c, port) {
		l.Chains = append(l.Chains, ch.lower())
	}
	slices.SortFunc(l.Chains, func(a, b ir.Chain) int { return cmp.Compare(a.Name, b.Name) })
	return l
}, memo.Equal)

func (ch chain) lower() ir.Chain {
	out := ir.Chain{Name: "http", Layer: ir.HTTP{Table: ch.Table.Name()}, Origin: ch.Origin}
	if !ch.Table.TLS {
		return out
	}
	out.Name, out.TLS = ch.Section, &ir.ServerTLS{Clients: ch.Clients}
	for _, s := range ch.Secrets {
		out.TLS.Certificates = append(out.TLS.Certificates, ir.SecretOf(s))
	}
	if ch.Hostname != ir.AnyHost {
		out.ServerNames = []ir.Hostname{ch.Hostname}
	}
	return out
}

func bindOf(c *memo.Ctx, port PortKey) uint32 {
	for _, p := range portsOf.Get(c, port.Gateway) {
		if p.Port == port.Port {
			return p.Bound
		}
	}
	return 0
}

func routeTableOf(c *memo.Ctx, key TableKey) ir.RouteTable {
	t := ir.RouteTable{Name: key.Name()}
	for _, ch := range chainsOf.Get(c, key.PortKey) {
		if ch.Table == key {
			t.Origin = append(t.Origin, ch.Origin...)
		}
	}
	return t
}
