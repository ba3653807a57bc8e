package attach

import (
	"strings"

	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/cloverleaf-mesh/cloverleaf/internal/memo"
	"github.com/cloverleaf-mesh/cloverleaf/translator/input"
	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// Authority is what a ConfigMap holds of CAs.
type Authority struct {
	PEM   string // certificates; empty with a fault
	Fault string // why it cannot be used
}

// AuthorityOf reads a ConfigMap as certificates of CAs. Their dates are not checked: the core has no clock.
var AuthorityOf = memo.NewQuery("AuthorityOf", func(c *memo.Ctx, name ir.Name) Authority {
	data, ok := input.ConfigMaps.Read(c, name)
	if !ok {
		return Authority{Fault: "there is no ConfigMap " + name.String()}
	}
	if n, ok := certificates(data["ca.crt"]); n == 0 || !ok {
		return Authority{Fault: "ConfigMap " + name.String() + " holds no certificate under ca.crt"}
	}
	return Authority{PEM: strings.TrimSpace(data["ca.crt"]) + "\n"}
}, memo.Same)

// trust is what a backend's certificate is checked against, and which references had to be left out.
type trust struct {
	pem    string
	system bool
	faults []trustFault
}

// trustFault is a reference to a CA that cannot be used.
type trustFault struct {
	index int    // in caCertificateRefs
	kind  string // the kind that it refers to, when that is the fault
	why   string // otherwise
}

// usable tells whether there is anything to check a certificate against.
func (t *trust) usable() bool { return t.pem != "" || t.system }

// trustOf resolves the CAs of an object in namespace.
func trustOf(c *memo.Ctx, namespace string, v *gwv1.BackendTLSPolicyValidation) trust {
	if known := wellKnown(v); known != "" {
		return trust{system: known == gwv1.WellKnownCACertificatesSystem}
	}
	var t trust
	for i, ref := range v.CACertificateRefs {
		if ref.Group != "" || ref.Kind != "ConfigMap" {
			t.faults = append(t.faults, trustFault{index: i, kind: strings.TrimPrefix(string(ref.Group)+"/"+string(ref.Kind), "/")})
			continue
		}
		a := AuthorityOf.Get(c, ir.Name{Namespace: namespace, Name: string(ref.Name)})
		if a.Fault != "" {
			t.faults = append(t.faults, trustFault{index: i, why: a.Fault})
		}
		t.pem += a.PEM
	}
	return t
}

func wellKnown(v *gwv1.BackendTLSPolicyValidation) gwv1.WellKnownCACertificatesType {
	if v.WellKnownCACertificates == nil {
		return ""
	}
	return *v.WellKnownCACertificates
}

// clientTLS is what a validation asks for.
func clientTLS(v *gwv1.BackendTLSPolicyValidation, t trust) *ir.ClientTLS {
	out := &ir.ClientTLS{SNI: string(v.Hostname), Hostname: string(v.Hostname), CA: t.pem, SystemCA: t.system}
	for _, san := range v.SubjectAltNames {
		if san.Type == gwv1.URISubjectAltNameType {
			out.SANs = append(out.SANs, ir.SAN{URI: true, Value: string(san.URI)})
		} else {
			out.SANs = append(out.SANs, ir.SAN{Value: string(san.Hostname)})
		}
	}
	return out
}
