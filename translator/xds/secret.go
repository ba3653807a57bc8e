package xds

import (
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	tlsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"

	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

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
