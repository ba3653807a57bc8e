package translator_test

import (
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/cloverleaf-mesh/cloverleaf/translator/input"
	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
	"github.com/cloverleaf-mesh/cloverleaf/translator/xds"
)

const policyWorld = `
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: cloverleaf}
spec: {controllerName: cloverleaf.dev/gateway}
---
apiVersion: v1
kind: Service
metadata: {name: shop, namespace: default}
spec: {ports: [{name: https, port: 443}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: BackendTLSPolicy
metadata: {name: p, namespace: default}
spec: {targetRefs: [{group: "", kind: Service, name: shop}], validation: {hostname: shop.example, caCertificateRefs: [{group: "", kind: ConfigMap, name: ca}]}}
`

// policyMachine has a policy and a route through so many Gateways.
func policyMachine(t *testing.T, gateways int) *machine {
	t.Helper()
	m := newMachine(input.Settings{Controller: "cloverleaf.dev/gateway", Bind: "127.0.0.1"})
	objects, parents := policyWorld, []string{}
	for i := range gateways {
		name := fmt.Sprintf("gw%02d", i)
		objects += "---\napiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: {name: " + name + ", namespace: default}\n" +
			"spec: {gatewayClassName: cloverleaf, listeners: [{name: http, port: 80, protocol: HTTP}]}\n"
		parents = append(parents, "{name: "+name+"}")
	}
	objects += "---\napiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {name: r, namespace: default}\n" +
		"spec: {parentRefs: [" + strings.Join(parents, ", ") + "], rules: [{backendRefs: [{name: shop, port: 443}]}]}\n"
	put(t, m, objects, "objects.yaml")
	m.store.Put(authorityMap(0))
	m.refresh(t)
	return m
}

func authorityMap(pair int) *corev1.ConfigMap {
	c := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "ca", Namespace: "default"}}
	c.Data = map[string]string{"ca.crt": string(testPairs[pair].Cert)}
	return c
}

func TestAPolicyOfSeventeenGatewaysNamesSixteenAndSaysSo(t *testing.T) {
	m := policyMachine(t, 17)
	ref := ir.Ref{Kind: ir.KindBackendTLSPolicy, Name: ir.Name{Namespace: "default", Name: "p"}}
	report := m.reports[ref]
	if s, ok := report.Status.(*gwv1.PolicyStatus); !ok || len(s.Ancestors) != 16 || s.Ancestors[15].AncestorRef.Name != "gw15" {
		t.Errorf("status %+v", report.Status)
	}
	if len(report.Findings) != 1 || report.Findings[0].Code != "CL0708" || !strings.HasSuffix(report.Findings[0].Message, ": default/gw16") {
		t.Errorf("findings %v", report.Findings)
	}
}

func TestANewCertificateOfACAChangesClustersAlone(t *testing.T) {
	m := policyMachine(t, 2)
	m.store.Put(authorityMap(1))
	d := m.evaluator.Refresh()
	if len(d.Resources) != 2 || len(d.Reports) != 0 {
		t.Errorf("changed %v and reports %v", d.Resources, d.Reports)
	}
	for _, ch := range d.Resources {
		if ch.ID.Type != ir.TypeCluster || ch.ID.Name != "default/shop/443" {
			t.Errorf("%s changed for %s", ch.ID, ch.Class)
		}
	}
}

const frontendWorld = `
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: cloverleaf}
spec: {controllerName: cloverleaf.dev/gateway}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: edge, namespace: default}
spec:
  gatewayClassName: cloverleaf
  listeners: [{name: a, port: 443, protocol: HTTPS, tls: {certificateRefs: [{name: cert}]}}]
  tls: {frontend: {default: {validation: {caCertificateRefs: [{group: "", kind: ConfigMap, name: ca}]}}}}
---
apiVersion: v1
kind: Secret
metadata: {name: cert, namespace: default}
type: kubernetes.io/tls
stringData: $PAIR
`

func TestANewCertificateOfTheClientsCAChangesItsSecretAlone(t *testing.T) {
	m := newMachine(input.Settings{Controller: "cloverleaf.dev/gateway", Bind: "127.0.0.1"})
	put(t, m, strings.ReplaceAll(frontendWorld, "$PAIR", secretData()), "objects.yaml")
	m.store.Put(authorityMap(0))
	m.refresh(t)
	m.store.Put(authorityMap(1))
	d := m.evaluator.Refresh()
	if len(d.Resources) != 1 || d.Resources[0].ID.String() != "secret gw/default/edge/443/clients" || len(d.Reports) != 0 {
		t.Fatalf("changed %v and reports %v", d.Resources, d.Reports)
	}
	text, err := xds.JSON(d.Resources[0].Resource)
	if err != nil || !strings.Contains(string(text), "trusted_ca") || strings.Contains(string(text), "ACCEPT_UNTRUSTED") {
		t.Errorf("printed as %s (%v)", text, err)
	}
}
