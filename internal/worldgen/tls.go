package worldgen

import (
	"strconv"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

func (m *Maker) tlsPolicy() (metav1.Object, ir.Kind) {
	p := &gwv1.BackendTLSPolicy{ObjectMeta: m.meta("p"+strconv.Itoa(m.Choose.Pick(3)), of(m, namespaces))}
	for range 1 + m.Choose.Pick(2) {
		var ref gwv1.LocalPolicyTargetReferenceWithSectionName
		ref.Kind = of(m, []gwv1.Kind{"Service", "Service", "Service", "Backend"})
		ref.Name = of(m, []gwv1.ObjectName{"cart", "cart", "pay", "absent"})
		ref.SectionName = of(m, []*gwv1.SectionName{nil, ptr(gwv1.SectionName("http")), ptr(gwv1.SectionName("more")), ptr(gwv1.SectionName(""))})
		p.Spec.TargetRefs = append(p.Spec.TargetRefs, ref)
	}
	v := &p.Spec.Validation
	v.Hostname = of(m, []gwv1.PreciseHostname{"cart.example", "pay.example"})
	for range m.Choose.Pick(3) {
		v.CACertificateRefs = append(v.CACertificateRefs, gwv1.LocalObjectReference{Kind: m.authorityKind(), Name: m.authority()})
	}
	if m.Choose.Pick(4) == 0 {
		v.WellKnownCACertificates = ptr(of(m, []gwv1.WellKnownCACertificatesType{"System", "example.com/own"}))
	}
	if m.Choose.Pick(4) == 0 {
		v.SubjectAltNames = []gwv1.SubjectAltName{
			{Type: gwv1.URISubjectAltNameType, URI: "spiffe://a/b"}, {Type: gwv1.HostnameSubjectAltNameType, Hostname: "a.example"},
		}
	}
	return p, ir.KindBackendTLSPolicy
}

func (m *Maker) authorityKind() gwv1.Kind {
	return of(m, []gwv1.Kind{"ConfigMap", "ConfigMap", "Secret"})
}

func (m *Maker) authority() gwv1.ObjectName {
	return of(m, []gwv1.ObjectName{"ca", "ca", "bad", "absent"})
}

func (m *Maker) secretRef() *gwv1.SecretObjectReference {
	ref := &gwv1.SecretObjectReference{Name: of(m, []gwv1.ObjectName{"cert", "broken", "absent"})}
	if m.flip() {
		ref.Namespace = ptr(gwv1.Namespace(of(m, namespaces)))
	}
	return ref
}

func (m *Maker) frontend() *gwv1.FrontendTLSConfig {
	f := &gwv1.FrontendTLSConfig{Default: gwv1.TLSConfig{Validation: m.validation()}}
	if m.flip() {
		f.PerPort = []gwv1.TLSPortConfig{{Port: of(m, []int32{443, 8080}), TLS: gwv1.TLSConfig{Validation: m.validation()}}}
	}
	return f
}

func (m *Maker) validation() *gwv1.FrontendTLSValidation {
	if m.Choose.Pick(4) == 0 {
		return nil
	}
	v := &gwv1.FrontendTLSValidation{Mode: of(m, []gwv1.FrontendValidationModeType{gwv1.AllowValidOnly, gwv1.AllowInsecureFallback})}
	for range 1 + m.Choose.Pick(2) {
		ref := gwv1.ObjectReference{Kind: m.authorityKind(), Name: m.authority()}
		if m.Choose.Pick(3) == 0 {
			ref.Namespace = ptr(gwv1.Namespace(of(m, namespaces)))
		}
		v.CACertificateRefs = append(v.CACertificateRefs, ref)
	}
	return v
}
