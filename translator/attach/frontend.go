package attach

import (
	"slices"
	"strings"

	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/cloverleaf-mesh/cloverleaf/internal/memo"
	"github.com/cloverleaf-mesh/cloverleaf/translator/finding"
	"github.com/cloverleaf-mesh/cloverleaf/translator/input"
	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// ClientValidation is how the HTTPS listeners of a port check the certificates of clients.
type ClientValidation struct {
	Asked       bool      // clients are asked for a certificate
	Fallback    bool      // those without one, and those whose certificate fails the check, are let in all the same
	Authorities []ir.Name // ConfigMaps that can be used, in the order of the manifest
	Problems    []finding.Problem
}

// ClientValidationOf resolves the client certificate validation of a port (GEP-91). It is of ports and not of host names:
// in HTTP/2 a request may come by the connection of another host, so that what one listener asks for could be walked
// around by another's. Without any CA the listeners are not finding.Accepted, and the port stays closed.
var ClientValidationOf = memo.NewQuery("ClientValidationOf", func(c *memo.Ctx, p input.GatewayPort) ClientValidation {
	gw, ok := input.Gateways.Read(c, p.Gateway)
	if !ok {
		return ClientValidation{}
	}
	at, v := frontendValidation(&gw.Spec, p.Port)
	if v == nil {
		return ClientValidation{}
	}
	r := authorityResolver{c: c, gateway: p.Gateway}
	for i := range v.CACertificateRefs {
		r.resolve(finding.Element(at+".caCertificateRefs", i), &v.CACertificateRefs[i])
	}
	if len(r.found) == 0 {
		r.problem(finding.FrontendNone, at+".caCertificateRefs", finding.Accepted, gwv1.ListenerReasonNoValidCACertificate)
	}
	return ClientValidation{
		Asked: true, Fallback: v.Mode == gwv1.AllowInsecureFallback, Authorities: r.found, Problems: r.problems,
	}
}, memo.Equal)

// frontendValidation finds the validation of a port, and its path: its own settings or, without any, the default.
func frontendValidation(spec *gwv1.GatewaySpec, port int32) (at string, v *gwv1.FrontendTLSValidation) {
	if spec.TLS == nil || spec.TLS.Frontend == nil {
		return "", nil
	}
	const frontend = "spec.tls.frontend"
	for i := range spec.TLS.Frontend.PerPort {
		if p := &spec.TLS.Frontend.PerPort[i]; p.Port == port {
			return finding.Element(frontend+".perPort", i) + ".tls.validation", p.TLS.Validation
		}
	}
	return frontend + ".default.validation", spec.TLS.Frontend.Default.Validation
}

type authorityResolver struct {
	c        *memo.Ctx
	gateway  ir.Name
	found    []ir.Name
	problems []finding.Problem
}

func (r *authorityResolver) problem(
	code finding.Code, at string, condition finding.Condition, reason gwv1.ListenerConditionReason, args ...any,
) {
	r.problems = append(r.problems, finding.Under(condition, reason,
		finding.New(code, ir.Ref{Kind: ir.KindGateway, Name: r.gateway}, at, args...)))
}

func (r *authorityResolver) resolve(at string, ref *gwv1.ObjectReference) {
	if ref.Group != "" || ref.Kind != "ConfigMap" {
		kind := strings.TrimPrefix(string(ref.Group)+"/"+string(ref.Kind), "/")
		r.problem(finding.AuthorityKind, at, finding.ResolvedRefs, gwv1.ListenerReasonInvalidCACertificateKind, kind)
		return
	}
	name := ir.Name{Namespace: r.gateway.Namespace, Name: string(ref.Name)}
	if ref.Namespace != nil {
		name.Namespace = string(*ref.Namespace)
	}
	granted := Granted(r.c, Reference{
		FromGroup: gwv1.GroupName, FromKind: "Gateway", FromNamespace: r.gateway.Namespace, ToKind: "ConfigMap", To: name,
	})
	fault := authorityFault.Get(r.c, name)
	switch {
	case !granted:
		r.problem(finding.AuthorityGrant, at, finding.ResolvedRefs, gwv1.ListenerReasonRefNotPermitted, name, r.gateway.Namespace)
	case fault != "":
		r.problem(finding.AuthorityInvalid, at, finding.ResolvedRefs, gwv1.ListenerReasonInvalidCACertificateRef, fault)
	case !slices.Contains(r.found, name):
		r.found = append(r.found, name)
	}
}

// authorityFault is all that listeners read of a CA, so that a new certificate touches none of them.
var authorityFault = memo.NewQuery("authorityFault", func(c *memo.Ctx, name ir.Name) string {
	return AuthorityOf.Get(c, name).Fault
}, memo.Same)

// ClientAuthorities joins the certificates of the CAs that a port's clients are checked against.
var ClientAuthorities = memo.NewQuery("ClientAuthorities", func(c *memo.Ctx, p input.GatewayPort) string {
	var all strings.Builder
	for _, name := range ClientValidationOf.Get(c, p).Authorities {
		all.WriteString(AuthorityOf.Get(c, name).PEM)
	}
	return all.String()
}, memo.Same)

// FrontendProblems lists what is wrong or dangerous in the client certificate validation of a Gateway itself.
func FrontendProblems(c *memo.Ctx, gateway ir.Name, spec *gwv1.GatewaySpec) []finding.Problem {
	if spec.TLS == nil || spec.TLS.Frontend == nil {
		return nil
	}
	r := authorityResolver{gateway: gateway}
	const frontend = "spec.tls.frontend"
	check := func(at string, v *gwv1.FrontendTLSValidation) {
		if v != nil && v.Mode == gwv1.AllowInsecureFallback {
			r.problem(finding.FrontendFallback, at+".validation.mode", finding.InsecureClients,
				gwv1.ListenerConditionReason(gwv1.GatewayReasonConfigurationChanged))
		}
	}
	check(frontend+".default", spec.TLS.Frontend.Default.Validation)
	for i := range spec.TLS.Frontend.PerPort {
		p, at := &spec.TLS.Frontend.PerPort[i], finding.Element(frontend+".perPort", i)
		check(at+".tls", p.TLS.Validation)
		holder := holderOf.Get(c, input.GatewayPort{Gateway: gateway, Port: p.Port})
		if !slices.Contains(holder.Protocols, gwv1.HTTPSProtocolType) {
			r.problem(finding.FrontendUnused, at+".port", "", "", p.Port)
		}
	}
	return r.problems
}
