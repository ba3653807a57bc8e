package attach

import (
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/cloverleaf-mesh/cloverleaf/internal/memo"
	"github.com/cloverleaf-mesh/cloverleaf/translator/finding"
	"github.com/cloverleaf-mesh/cloverleaf/translator/input"
	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// ClientCertificate is what a Gateway shows to the Services that it reaches by TLS.
type ClientCertificate struct {
	Asked    bool    // the Gateway says that one is shown
	Secret   ir.Name // empty when there is none that can be shown
	Problems []finding.Problem
}

// ClientCertificateOf resolves the client certificate of a Gateway (GEP-3155). A local CA does not stand in for it: what
// it signs no backend trusts.
var ClientCertificateOf = memo.NewQuery("ClientCertificateOf", func(c *memo.Ctx, gateway ir.Name) ClientCertificate {
	gw, ok := input.Gateways.Read(c, gateway)
	if !ok || gw.Spec.TLS == nil || gw.Spec.TLS.Backend == nil || gw.Spec.TLS.Backend.ClientCertificateRef == nil {
		return ClientCertificate{}
	}
	const invalid = string(gwv1.GatewayReasonInvalidClientCertificateRef)
	ref := ir.Ref{Kind: ir.KindGateway, Name: gateway}
	secret, fault := certificateRef(c, ref, gw.Spec.TLS.Backend.ClientCertificateRef, invalid)
	if fault == nil {
		fault = givenPairOf.Get(c, secret).fault(secret, invalid)
	}
	if fault == nil {
		return ClientCertificate{Asked: true, Secret: secret}
	}
	at := "spec.tls.backend.clientCertificateRef"
	why := finding.New(fault.Code, ref, at, fault.Args...).Message
	return ClientCertificate{Asked: true, Problems: []finding.Problem{
		finding.Under(finding.ResolvedRefs, fault.Reason, finding.New(finding.ClientCertificate, ref, at, why)),
	}}
}, memo.Equal)

// TakesCertificate tells whether a backend is a Service that is reached by TLS: a Backend object says by itself what it
// is shown.
func TakesCertificate(c *memo.Ctx, name ir.BackendName) bool {
	p := name.Parts()
	return p.Port != 0 && BackendTLSOf.Get(c, ServicePort{p.Object, p.Port}).TLS != nil
}

// showing adds a certificate to how a backend is reached.
func showing(t *ir.ClientTLS, secret ir.Name) *ir.ClientTLS {
	if t == nil || secret == (ir.Name{}) {
		return t
	}
	shown := *t
	shown.Certificate = ir.SecretOf(secret)
	return &shown
}
