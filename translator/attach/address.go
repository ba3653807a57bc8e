package attach

import (
	"net/netip"

	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/cloverleaf-mesh/cloverleaf/internal/memo"
	"github.com/cloverleaf-mesh/cloverleaf/translator/finding"
	"github.com/cloverleaf-mesh/cloverleaf/translator/input"
	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// Address is where the listeners of a Gateway are bound.
type Address struct {
	IP       string
	Problems []finding.Problem
}

// AddressOf finds the IP address that the listeners of a Gateway bind: the first of spec.addresses that can be used, or
// that of the process. An address that is not used is said, and the Gateway is served all the same; one of a type that
// nobody knows refuses it (Gateway API, GatewaySpec.addresses).
var AddressOf = memo.NewQuery("AddressOf", func(c *memo.Ctx, gateway ir.Name) Address {
	settings, _ := input.SettingsOf.Read(c, struct{}{})
	gw, ok := input.Gateways.Read(c, gateway)
	if !ok {
		return Address{IP: settings.Bind}
	}
	a := Address{}
	ref := ir.Ref{Kind: ir.KindGateway, Name: gateway}
	var unused []int
	for i := range gw.Spec.Addresses {
		asked := &gw.Spec.Addresses[i]
		value := canonical(asked.Value)
		switch {
		case asked.Type != nil && *asked.Type != gwv1.IPAddressType:
			a.Problems = append(a.Problems, finding.Under(finding.Accepted, gwv1.GatewayReasonUnsupportedAddress,
				finding.New(finding.GatewayAddressType, ref, finding.Element("spec.addresses", i)+".type", *asked.Type)))
		case a.IP == "" && usable(value, settings):
			a.IP = value
		default:
			unused = append(unused, i)
		}
	}
	if a.IP == "" {
		a.IP = settings.Bind
	}
	for _, i := range unused {
		if value := gw.Spec.Addresses[i].Value; value != "" && canonical(value) != a.IP {
			a.Problems = append(a.Problems, finding.Under(finding.Programmed, gwv1.GatewayReasonAddressNotUsable,
				finding.New(finding.GatewayAddresses, ref, finding.Element("spec.addresses", i), value, a.IP)))
		}
	}
	return a
}, memo.Equal)

// canonical returns the one spelling of an IP address that has several; whatever else it leaves as it is.
func canonical(value string) string {
	if ip, err := netip.ParseAddr(value); err == nil {
		return ip.String()
	}
	return value
}

// usable tells whether listeners can be bound to an address that is not that of the process: on a laptop every loopback
// address is there for the taking, so that Gateways with the same ports can stand side by side.
func usable(value string, s input.Settings) bool {
	if value == s.Bind {
		return true
	}
	ip, err := netip.ParseAddr(value)
	return err == nil && s.Standalone == input.On && ip.IsLoopback() && !ip.Is4In6()
}

// meet tells whether the same port cannot be bound on two addresses: they are one, or one of them is every address of the
// machine. Envoy binds those of IPv6 apart from those of IPv4 (SocketAddress.ipv4_compat).
func meet(one, other string) bool {
	if one == other {
		return true
	}
	a, errA := netip.ParseAddr(one)
	b, errB := netip.ParseAddr(other)
	return errA == nil && errB == nil && a.Is4() == b.Is4() && (a.IsUnspecified() || b.IsUnspecified())
}
