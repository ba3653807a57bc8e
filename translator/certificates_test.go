package translator_test

import (
	"testing"

	"github.com/cloverleaf-mesh/cloverleaf/internal/worldgen"
	"github.com/cloverleaf-mesh/cloverleaf/translator/finding"
	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// TestACertificateThatEnvoyRefusesIsAFinding: conformance/validate holds the table against a real Envoy.
func TestACertificateThatEnvoyRefusesIsAFinding(t *testing.T) {
	gateway := ir.Ref{Kind: ir.KindGateway, Name: ir.Name{Namespace: "infra", Name: "edge"}}
	for _, c := range worldgen.Certificates() {
		t.Run(c.Name, func(t *testing.T) {
			m := newMachine(settingsOf(1))
			for _, o := range worldgen.Base(c.Pair) {
				m.store.Put(o)
			}
			m.refresh(t)
			invalid := 0
			for _, f := range m.reports[gateway].Findings {
				if f.Code == finding.CertificateInvalid {
					invalid++
				}
			}
			if (invalid == 0) != c.Usable {
				t.Errorf("%d findings: %v", invalid, m.reports[gateway].Findings)
			}
		})
	}
}
