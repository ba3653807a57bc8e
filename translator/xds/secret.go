package xds

import (
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	tlsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"

	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// Authority encodes the CAs that the certificates of clients are checked against, PEM, for SDS: so a new certificate of a
// CA leaves the listener and its connections alone. With fallback a certificate that fails the check is no reason to end
// the connection.
func Authority(name ir.SecretName, authorities []byte, fallback bool) (*ir.Resource, error) {
	check := &tlsv3.CertificateValidationContext{TrustedCa: &corev3.DataSource{
		Specifier: &corev3.DataSource_InlineBytes{InlineBytes: authorities},
	}}
	if fallback {
		check.TrustChainVerification = tlsv3.CertificateValidationContext_ACCEPT_UNTRUSTED
	}
	return encode(ir.ResourceID{Type: ir.TypeSecret, Name: string(name)}, &tlsv3.Secret{
		Name: string(name), Type: &tlsv3.Secret_ValidationContext{ValidationContext: check},
	}, nil)
}

// Certificate encodes a certificate chain and its private key, both PEM, for SDS.
func Certificate(name ir.SecretName, chain, key []byte) (*ir.Resource, error) {
	inline := func(b []byte) *corev3.DataSource {
		return &corev3.DataSource{Specifier: &corev3.DataSource_InlineBytes{InlineBytes: b}}
	}
	return encode(ir.ResourceID{Type: ir.TypeSecret, Name: string(name)}, &tlsv3.Secret{
		Name: string(name),
		Type: &tlsv3.Secret_TlsCertificate{TlsCertificate: &tlsv3.TlsCertificate{CertificateChain: inline(chain), PrivateKey: inline(key)}},
	}, nil)
}
