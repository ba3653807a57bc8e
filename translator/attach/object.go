package attach

import (
	"net/netip"
	"slices"

	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/cloverleaf-mesh/cloverleaf/api/v1alpha1"
	"github.com/cloverleaf-mesh/cloverleaf/internal/memo"
	"github.com/cloverleaf-mesh/cloverleaf/translator/finding"
	"github.com/cloverleaf-mesh/cloverleaf/translator/input"
	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// objectDestination resolves a reference to a Backend object. A cluster refuses all of them for now: a Backend can
// point anywhere, and the switch that allows them per class (ProxyConfig) does not exist yet.
func objectDestination(c *memo.Ctx, r BackendRef) Destination {
	b, ok := input.Backends.Read(c, r.To)
	if !ok {
		return fault(finding.BackendMissing, gwv1.RouteReasonBackendNotFound, r.name())
	}
	if settings, _ := input.SettingsOf.Read(c, struct{}{}); settings.Standalone != input.On {
		return fault(finding.BackendUnsafe, gwv1.RouteReasonRefNotPermitted, r.name(), "Backends are not enabled for its class")
	}
	if r.Port != 0 {
		if ports := objectPorts(b); !slices.Contains(ports, r.Port) {
			return fault(finding.BackendPort, gwv1.RouteReasonBackendNotFound, r.name(), r.Port, "other ports")
		}
	}
	app := appProtocolOf(b)
	protocol, ok := protocols[app]
	if !ok {
		return fault(finding.BackendProtocol, gwv1.RouteReasonUnsupportedProtocol, r.Port, r.name(), app)
	}
	if mixed(b) {
		return fault(finding.BackendUnsafe, gwv1.RouteReasonBackendNotFound, r.name(), "it mixes host names with other addresses")
	}
	tls := ClientTLSOf.Get(c, r.To)
	switch {
	case tls.Fault != "":
		return fault(finding.BackendTLS, reasonBackendTLS, r.name(), tls.Fault)
	case protocol.tls && tls.TLS == nil:
		return fault(finding.BackendTLS, reasonBackendTLS, r.name(), "appProtocol "+app+" is TLS and spec.tls says nothing of it")
	}
	return Destination{Backend: r.variant(ir.ObjectBackend(r.To), app)}
}

func appProtocolOf(b *v1alpha1.BackendSpec) string {
	if b.AppProtocol == nil {
		return ""
	}
	return *b.AppProtocol
}

func objectPorts(b *v1alpha1.BackendSpec) []int32 {
	if b.ExternalHostname != nil {
		return []int32{b.ExternalHostname.Port}
	}
	var ports []int32
	for _, e := range b.Endpoints {
		if e.Port != nil {
			ports = append(ports, *e.Port)
		}
	}
	return ports
}

// mixed tells whether a Backend has host names and other addresses: Envoy resolves a cluster's names or none.
func mixed(b *v1alpha1.BackendSpec) bool {
	names := 0
	for _, e := range b.Endpoints {
		if e.Hostname != nil {
			names++
		}
	}
	return names > 0 && names < len(b.Endpoints)
}

func objectBackend(c *memo.Ctx, name ir.BackendName, p ir.BackendParts) *ir.Backend {
	b, ok := input.Backends.Read(c, p.Object)
	if !ok {
		return nil
	}
	tls := ClientTLSOf.Get(c, p.Object)
	if tls.Fault != "" {
		return nil // never without the TLS that was asked for
	}
	out := &ir.Backend{
		Name: name, Protocol: speaks(p, appProtocolOf(b)), TLS: tls.TLS,
		Origin: []ir.Origin{{Ref: ir.Ref{Kind: ir.KindBackend, Name: p.Object}}},
	}
	if h := b.ExternalHostname; h != nil {
		out.DNS = append(out.DNS, ir.HostPort{Host: string(h.Hostname), Port: uint32(h.Port)}) //nolint:gosec // bounded
	}
	for _, e := range b.Endpoints {
		if e.Hostname != nil && e.Port != nil {
			out.DNS = append(out.DNS, ir.HostPort{Host: string(*e.Hostname), Port: uint32(*e.Port)}) //nolint:gosec // bounded
		}
	}
	return out
}

func objectEndpoints(c *memo.Ctx, name ir.BackendName, object ir.Name) ir.Endpoints {
	eps := ir.Endpoints{Backend: name}
	b, ok := input.Backends.Read(c, object)
	if !ok {
		return eps
	}
	zones := map[string][]ir.Endpoint{}
	for _, e := range b.Endpoints {
		switch {
		case e.Unix != nil:
			zones[""] = append(zones[""], ir.Endpoint{Address: *e.Unix})
		case e.IP != nil && e.Port != nil:
			if addr, err := netip.ParseAddr(*e.IP); err == nil {
				zones[""] = append(zones[""], ir.Endpoint{Address: addr.String(), Port: uint32(*e.Port)}) //nolint:gosec // bounded
			}
		}
	}
	eps.Localities = localities(zones)
	return eps
}

// ClientTLS is how a Backend is reached, or why it cannot be.
type ClientTLS struct {
	TLS   *ir.ClientTLS
	Fault string
}

// ClientTLSOf resolves the TLS settings of a Backend object.
var ClientTLSOf = memo.NewQuery("ClientTLSOf", func(c *memo.Ctx, object ir.Name) ClientTLS {
	b, ok := input.Backends.Read(c, object)
	if !ok || b.TLS == nil || b.TLS.Mode == v1alpha1.BackendTLSNone {
		return ClientTLS{}
	}
	v := b.TLS.Validation
	if v == nil {
		return ClientTLS{Fault: "tls.validation is missing"}
	}
	trust := trustOf(c, object.Namespace, v)
	if fault := trust.fault(v); fault != "" {
		return ClientTLS{Fault: fault}
	}
	out := clientTLS(v, trust)
	if ref := b.TLS.ClientCertificateRef; ref != nil {
		secret := ir.Name{Namespace: object.Namespace, Name: ref.Name}
		if p := givenPairOf.Get(c, secret); p.Chain == "" {
			return ClientTLS{Fault: "Secret " + secret.String() + " holds no usable certificate"}
		}
		out.Certificate = ir.SecretOf(secret)
	}
	return ClientTLS{TLS: out}
}, memo.Equal)

// fault says why the CAs of a Backend cannot be used: all of them must be.
func (t *trust) fault(v *gwv1.BackendTLSPolicyValidation) string {
	switch {
	case len(t.faults) > 0 && t.faults[0].kind != "":
		return "a CA must be a ConfigMap, not " + t.faults[0].kind
	case len(t.faults) > 0:
		return t.faults[0].why
	case t.usable():
		return ""
	case wellKnown(v) != "":
		return "wellKnownCACertificates " + string(wellKnown(v)) + " is not known"
	default:
		return "no CA is given"
	}
}
