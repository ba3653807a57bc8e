package attach

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"slices"
	"strconv"
	"strings"

	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/cloverleaf-mesh/cloverleaf/internal/memo"
	"github.com/cloverleaf-mesh/cloverleaf/translator/finding"
	"github.com/cloverleaf-mesh/cloverleaf/translator/input"
	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// Certificates are those of one HTTPS listener.
type Certificates struct {
	Secrets  []ir.Name // usable ones, in the order of the manifest
	Problems []finding.Problem
	// Missing are Secrets that a local CA shall stand in for.
	Missing []ir.Name
}

// CertificatesOf resolves the certificates of an HTTPS listener. A reference that cannot be used is left out and
// reported; the others go on (Gateway API, ListenerTLSConfig.certificateRefs).
var CertificatesOf = memo.NewQuery("CertificatesOf", func(c *memo.Ctx, key ListenerKey) Certificates {
	l := ListenerOf(c, key)
	if l == nil || l.Protocol != gwv1.HTTPSProtocolType {
		return Certificates{}
	}
	spec := &specsOf(c, key.Parent())[l.Index]
	r := certificateResolver{c: c, listener: l, at: l.Field() + ".tls"}
	if spec.TLS != nil {
		for i := range spec.TLS.CertificateRefs {
			r.resolve(i, &spec.TLS.CertificateRefs[i])
		}
	}
	if spec.TLS == nil || len(spec.TLS.CertificateRefs) == 0 {
		r.problem(finding.CertificateNone, r.at, gwv1.ListenerReasonInvalidCertificateRef)
	}
	return r.found
}, memo.Equal)

type certificateResolver struct {
	c        *memo.Ctx
	listener *Listener
	at       string // path of the listener's TLS settings
	found    Certificates
}

func (r *certificateResolver) problem(code finding.Code, at string, reason gwv1.ListenerConditionReason, args ...any) {
	r.found.Problems = append(r.found.Problems, finding.Under(
		finding.ResolvedRefs, reason, finding.New(code, r.listener.Ref(), at, args...)))
}

func (r *certificateResolver) resolve(index int, ref *gwv1.SecretObjectReference) {
	at := finding.Element(r.at+".certificateRefs", index)
	secret, fault := certificateRef(r.c, r.listener.Ref(), ref, string(gwv1.ListenerReasonInvalidCertificateRef))
	pair := KeyPair{}
	if fault == nil {
		pair = KeyPairOf.Get(r.c, secret)
		fault = pair.fault(secret, string(gwv1.ListenerReasonInvalidCertificateRef))
	}
	if fault != nil {
		r.problem(fault.Code, at, gwv1.ListenerConditionReason(fault.Reason), fault.Args...)
		return
	}
	if slices.Contains(r.found.Secrets, secret) {
		return
	}
	r.found.Secrets = append(r.found.Secrets, secret)
	if pair.Wanted {
		r.found.Missing = append(r.found.Missing, secret)
		r.found.Problems = append(r.found.Problems, finding.Problem{
			Finding: finding.New(finding.CertificateLocal, r.listener.Ref(), at, secret),
		})
	}
}

// certificateRef resolves the reference of a Gateway or ListenerSet to a certificate; invalid is the reason of one that is
// permitted and cannot be used. What a Gateway may use its ListenerSets may not, nor the other way round (GEP-1713,
// "ReferenceGrant Semantics").
func certificateRef(c *memo.Ctx, from ir.Ref, ref *gwv1.SecretObjectReference, invalid string) (ir.Name, *Fault) {
	if ref.Group != nil && *ref.Group != "" || ref.Kind != nil && *ref.Kind != "Secret" {
		return ir.Name{}, &Fault{finding.CertificateKind, invalid, []any{kindOf(ref.Group, ref.Kind)}}
	}
	secret := ir.Name{Namespace: from.Namespace, Name: string(ref.Name)}
	if ref.Namespace != nil {
		secret.Namespace = string(*ref.Namespace)
	}
	granted := Granted(c, Reference{
		FromGroup: gwv1.GroupName, FromKind: string(from.Kind), FromNamespace: from.Namespace, ToKind: "Secret", To: secret,
	})
	if !granted {
		return secret, &Fault{finding.CertificateGrant, string(gwv1.ListenerReasonRefNotPermitted), []any{secret, from.Kind, from.Namespace}}
	}
	return secret, nil
}

func kindOf(group *gwv1.Group, kind *gwv1.Kind) string {
	s := "Secret"
	if kind != nil {
		s = string(*kind)
	}
	if group != nil && *group != "" {
		s = string(*group) + "/" + s
	}
	return s
}

// KeyPair says whether a Secret holds a certificate and its key.
type KeyPair struct {
	Chain, Key string // PEM
	Absent     bool   // no such Secret
	Fault      string // why it cannot be used
	Wanted     bool   // a local CA stands in, or shall as soon as it made one
}

// fault says why a certificate cannot be used; nil when it can.
func (p KeyPair) fault(secret ir.Name, reason string) *Fault {
	switch {
	case p.Absent:
		return &Fault{finding.CertificateMissing, reason, []any{secret}}
	case p.Fault != "":
		return &Fault{finding.CertificateInvalid, reason, []any{secret, p.Fault}}
	default:
		return nil
	}
}

// KeyPairOf reads a Secret as a certificate and key or, where it is missing, what a local CA made for it.
var KeyPairOf = memo.NewQuery("KeyPairOf", func(c *memo.Ctx, name ir.Name) KeyPair {
	given := givenPairOf.Get(c, name)
	if settings, _ := input.SettingsOf.Read(c, struct{}{}); !given.Absent || settings.LocalCA != input.On {
		return given
	}
	pair := KeyPair{}
	if made, ok := input.LocalCertificates.Read(c, name); ok {
		pair = parsePair(made)
	}
	pair.Wanted = true
	return pair
}, memo.Same)

// givenPairOf reads a Secret as a certificate and key. A certificate's dates are not checked: the core has no clock.
var givenPairOf = memo.NewQuery("givenPairOf", func(c *memo.Ctx, name ir.Name) KeyPair {
	secret, ok := input.Secrets.Read(c, name)
	if !ok {
		return KeyPair{Absent: true}
	}
	return parsePair(secret)
}, memo.Same)

func parsePair(s *input.Secret) KeyPair {
	if s.Cert == "" || s.Key == "" {
		return KeyPair{Fault: "tls.crt or tls.key is missing or empty"}
	}
	pair, err := tls.X509KeyPair([]byte(s.Cert), []byte(s.Key))
	if err != nil {
		return KeyPair{Fault: err.Error()}
	}
	if _, ok := certificates(s.Cert); !ok {
		return KeyPair{Fault: "a certificate of the chain cannot be read"}
	}
	if fault := leafFault(pair.Leaf); fault != "" {
		return KeyPair{Fault: fault}
	}
	return KeyPair{Chain: s.Cert, Key: s.Key}
}

// leafFault says why Envoy would refuse a certificate that Go takes (Envoy, "TLS", and BoringSSL's own checks).
func leafFault(leaf *x509.Certificate) string {
	switch key := leaf.PublicKey.(type) {
	case *rsa.PublicKey:
		if bits := key.N.BitLen(); bits < 2048 {
			return "an RSA key must have 2048 bits or more, not " + strconv.Itoa(bits)
		}
	case *ecdsa.PublicKey:
		if key.Curve == elliptic.P224() {
			return "the curve P-224 is not supported"
		}
		if leaf.KeyUsage != 0 && leaf.KeyUsage&x509.KeyUsageDigitalSignature == 0 {
			return "its key usage does not allow digital signatures"
		}
	}
	return ""
}

// certificates counts the certificates of a PEM text; false when something that begins like a block cannot be read, or
// is no certificate although it says so.
func certificates(text string) (n int, ok bool) {
	blocks := 0
	for rest := []byte(text); ; blocks++ {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return n, blocks == strings.Count(text, "-----BEGIN ")
		}
		if block.Type != "CERTIFICATE" {
			continue
		}
		if _, err := x509.ParseCertificate(block.Bytes); err != nil {
			return n, false
		}
		n++
	}
}
