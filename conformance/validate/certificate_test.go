package validate

import (
	"testing"

	tlsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"

	"github.com/cloverleaf-mesh/cloverleaf/internal/worldgen"
	"github.com/cloverleaf-mesh/cloverleaf/translator/input"
	"github.com/cloverleaf-mesh/cloverleaf/translator/xds"
)

// TestWhichCertificatesEnvoyTakes is about the table that the translator's tests rely on: it tells the truth.
func TestWhichCertificatesEnvoyTakes(t *testing.T) {
	w := translate(t, "base", settings(input.On), worldgen.Base(pairs(t)[0]))[0]
	for _, c := range worldgen.Certificates() {
		r, err := xds.Certificate("infra/cert", c.Cert, c.Key)
		if err != nil {
			t.Fatal(err)
		}
		m, err := xds.Decode(r)
		if err != nil {
			t.Fatal(err)
		}
		w.secrets = []*tlsv3.Secret{m.(*tlsv3.Secret)}
		if err := envoyTakes(t, static([]world{w})); (err == nil) != c.Usable {
			t.Errorf("%s: usable %t, Envoy says %v", c.Name, c.Usable, err)
		}
	}
}
