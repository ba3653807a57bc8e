package translator

import (
	"slices"

	"github.com/cloverleaf-mesh/cloverleaf/internal/memo"
	"github.com/cloverleaf-mesh/cloverleaf/translator/attach"
	"github.com/cloverleaf-mesh/cloverleaf/translator/input"
	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// classList lists the classes of proxies that there are.
var classList = memo.NewQuery("classList", func(c *memo.Ctx, _ struct{}) []ir.ProxyClass {
	if settings, _ := input.SettingsOf.Read(c, struct{}{}); settings.Standalone == input.On {
		return []ir.ProxyClass{{Role: ir.ClassLocal}}
	}
	var classes []ir.ProxyClass
	for _, gw := range attach.OurGateways.Get(c, struct{}{}) {
		classes = append(classes, ir.ProxyClass{Role: ir.ClassGateway, Name: gw})
	}
	return classes
}, memo.Equal)

// ClassOf returns the class of the proxies that serve a Gateway.
func ClassOf(settings input.Settings, gateway ir.Name) ir.ProxyClass {
	if settings.Standalone == input.On {
		return ir.ProxyClass{Role: ir.ClassLocal}
	}
	return ir.ProxyClass{Role: ir.ClassGateway, Name: gateway}
}

// plan is what a class is told, apart from hosts and backends, of which there may be many.
type plan struct {
	Resources []ResourceKey
	Tables    []TableKey
}

// planOf lists the listeners, route tables and certificates of a class: names, never contents.
var planOf = memo.NewQuery("planOf", func(c *memo.Ctx, class ir.ProxyClass) plan {
	gateways := []ir.Name{class.Name}
	if class.Role == ir.ClassLocal {
		gateways = attach.OurGateways.Get(c, struct{}{})
	}
	var p plan
	for _, gw := range gateways {
		if !GatewayServed.Get(c, gw) {
			continue
		}
		for _, port := range portsOf.Get(c, gw) {
			p.add(c, PortKey{gw, port.Port})
		}
	}
	slices.SortFunc(p.Resources, compareKeys)
	p.Resources = slices.Compact(p.Resources)
	return p
}, memo.Equal)

func (p *plan) add(c *memo.Ctx, port PortKey) {
	chains := chainsOf.Get(c, port)
	if len(chains) == 0 {
		return
	}
	p.Resources = append(p.Resources, listenerResource(port))
	p.Tables = append(p.Tables, chains[0].Table) // HTTP and HTTPS do not meet on a port
	for _, ch := range chains {
		p.Resources = append(p.Resources, ResourceKey{Type: ir.TypeRouteTable, Table: ch.Table})
		for _, s := range ch.Secrets {
			p.Resources = append(p.Resources, certificateResource(s))
		}
		if ch.Clients != nil {
			p.Resources = append(p.Resources, ResourceKey{Type: ir.TypeSecret, Table: TableKey{PortKey: port}})
		}
	}
}

// backendsIn lists the backends that rules send requests to, sorted.
func backendsIn(rules []ir.Rule) []ir.BackendName {
	var names []ir.BackendName
	for i := range rules {
		names = append(names, rules[i].Backends()...)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Want is a certificate that a local CA shall make: for a Secret that is missing.
type Want struct {
	Secret ir.Name
	Hosts  []ir.Hostname // sorted; none when the listener takes any host
}

// wantsOf lists the certificates that a local CA shall make.
var wantsOf = memo.NewQuery("wantsOf", func(c *memo.Ctx, _ struct{}) []Want {
	if settings, _ := input.SettingsOf.Read(c, struct{}{}); settings.LocalCA != input.On {
		return nil
	}
	hosts := map[ir.Name][]ir.Hostname{}
	for _, gw := range attach.OurGateways.Get(c, struct{}{}) {
		for _, parent := range attach.ParentsFor(c, gw) {
			listeners := attach.Listeners.Get(c, parent)
			for i := range listeners {
				for _, secret := range attach.CertificatesOf.Get(c, listeners[i].Key).Missing {
					hosts[secret] = append(hosts[secret], namesOf(c, &listeners[i])...)
				}
			}
		}
	}
	wants := make([]Want, 0, len(hosts))
	for secret, names := range hosts {
		slices.Sort(names)
		wants = append(wants, Want{Secret: secret, Hosts: slices.Compact(names)})
	}
	slices.SortFunc(wants, func(a, b Want) int { return a.Secret.Compare(b.Secret) })
	return wants
}, memo.Equal)

// namesOf lists the host names that a listener's certificate should carry: its own, or those of its routes.
func namesOf(c *memo.Ctx, l *attach.Listener) []ir.Hostname {
	if l.Hostname != ir.AnyHost {
		return []ir.Hostname{l.Hostname}
	}
	var names []ir.Hostname
	table := TableKey{PortKey{l.Key.Gateway, l.Port}, true}
	for _, bucket := range bucketsOf.Get(c, table) {
		if bucket.Parent != l.Ref() {
			continue
		}
		for _, host := range hostsOf.Get(c, bucketKey{table, bucket}) {
			if owner, _ := ownerOf(c, table.PortKey, host); owner.Listener == l.Key {
				names = append(names, host)
			}
		}
	}
	return names
}
