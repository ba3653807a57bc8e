package translator_test

import (
	"strings"
	"testing"

	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// referrers are the references that lead to another namespace: who makes it, and the object that it leads to.
var referrers = map[string]struct {
	from, to string // group and kind
	target   string // name, in namespace far
	objects  string
}{
	"a backend of an HTTPRoute": {"HTTPRoute", "Service", "far", `
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: r, namespace: default}
spec: {parentRefs: [{name: edge}], rules: [{backendRefs: [{name: far, namespace: far, port: 80}]}]}`},
	"a mirror of an HTTPRoute": {"HTTPRoute", "Service", "far", `
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: r, namespace: default}
spec: {parentRefs: [{name: edge}], rules: [{filters: [{type: RequestMirror, requestMirror: {backendRef: {name: far, namespace: far, port: 80}}}], backendRefs: [{name: one, port: 80}]}]}`},
	"an authorization server of an HTTPRoute": {"HTTPRoute", "Service", "far", `
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: r, namespace: default}
spec: {parentRefs: [{name: edge}], rules: [{filters: [{type: ExternalAuth, externalAuth: {protocol: HTTP, backendRef: {name: far, namespace: far, port: 80}, http: {}}}], backendRefs: [{name: one, port: 80}]}]}`},
	"a backend of a GRPCRoute": {"GRPCRoute", "Service", "far", `
apiVersion: gateway.networking.k8s.io/v1
kind: GRPCRoute
metadata: {name: r, namespace: default}
spec: {parentRefs: [{name: edge}], rules: [{backendRefs: [{name: far, namespace: far, port: 80}]}]}`},
	"a certificate of a listener": {"Gateway", "Secret", "cert", `
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: edge, namespace: default}
spec: {gatewayClassName: cloverleaf, listeners: [{name: web, port: 443, protocol: HTTPS, tls: {certificateRefs: [{name: cert, namespace: far}]}}]}`},
	"a certificate of a ListenerSet's listener": {"ListenerSet", "Secret", "cert", `
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: edge, namespace: default}
spec: {gatewayClassName: cloverleaf, allowedListeners: {namespaces: {from: Same}}, listeners: [{name: http, port: 80, protocol: HTTP}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: ListenerSet
metadata: {name: set, namespace: default}
spec: {parentRef: {name: edge}, listeners: [{name: web, port: 443, protocol: HTTPS, tls: {certificateRefs: [{name: cert, namespace: far}]}}]}`},
	"the CAs of a listener's clients": {"Gateway", "ConfigMap", "ca", `
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: edge, namespace: default}
spec:
  gatewayClassName: cloverleaf
  listeners: [{name: web, port: 443, protocol: HTTPS, tls: {certificateRefs: [{name: cert}]}}]
  tls: {frontend: {default: {validation: {caCertificateRefs: [{group: "", kind: ConfigMap, name: ca, namespace: far}]}}}}`},
	"a Gateway's certificate for backends": {"Gateway", "Secret", "cert", `
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: edge, namespace: default}
spec:
  gatewayClassName: cloverleaf
  listeners: [{name: http, port: 80, protocol: HTTP}]
  tls: {backend: {clientCertificateRef: {name: cert, namespace: far}}}`},
}

const farObjects = `
apiVersion: v1
kind: Service
metadata: {name: far, namespace: far}
spec: {ports: [{port: 80}]}
---
apiVersion: v1
kind: Secret
metadata: {name: cert, namespace: far}
type: kubernetes.io/tls
stringData: $PAIR
---
apiVersion: v1
kind: Secret
metadata: {name: cert, namespace: default}
type: kubernetes.io/tls
stringData: $PAIR
---
apiVersion: v1
kind: ConfigMap
metadata: {name: ca, namespace: far}
data: {ca.crt: $CERT}
`

// TestAGrantMustFitInEveryPart: each part of a ReferenceGrant that fits is changed, alone, and then it grants nothing.
func TestAGrantMustFitInEveryPart(t *testing.T) {
	other := func(kinds []string, not string) (others []string) {
		for _, k := range kinds {
			if k != not {
				others = append(others, k)
			}
		}
		return others
	}
	for name, r := range referrers {
		fitting := map[string]string{
			"in": "far", "group": "gateway.networking.k8s.io", "from": r.from, "namespace": "default",
			"toGroup": `""`, "to": r.to, "name": r.target,
		}
		spoilt := map[string][]string{
			"in": {"default", "elsewhere"}, "group": {"cloverleaf.dev", `""`}, "namespace": {"far", "elsewhere"}, "name": {"another"},
			"from":    other([]string{"Gateway", "ListenerSet", "HTTPRoute", "GRPCRoute"}, r.from),
			"toGroup": {"cloverleaf.dev"}, "to": other([]string{"Service", "Secret", "ConfigMap"}, r.to),
		}
		t.Run(name, func(t *testing.T) {
			if !granted(t, r.objects, fitting) {
				t.Fatal("a grant that fits grants nothing")
			}
			for part, values := range spoilt {
				for _, value := range values {
					g := map[string]string{}
					for k, v := range fitting {
						g[k] = v
					}
					g[part] = value
					if granted(t, r.objects, g) {
						t.Errorf("with %s: %s it still grants", part, value)
					}
				}
			}
		})
	}
}

// granted tells whether nobody misses a grant.
func granted(t *testing.T, objects string, grant map[string]string) bool {
	t.Helper()
	m := based(t)
	put(t, m, fill(farObjects), "far.yaml")
	put(t, m, objects, "objects.yaml")
	put(t, m, `
apiVersion: gateway.networking.k8s.io/v1
kind: ReferenceGrant
metadata: {name: g, namespace: `+grant["in"]+`}
spec: {from: [{group: `+grant["group"]+`, kind: `+grant["from"]+`, namespace: `+grant["namespace"]+`}], to: [{group: `+grant["toGroup"]+`, kind: `+grant["to"]+`, name: `+grant["name"]+`}]}`, "grant.yaml")
	m.refresh(t)
	for ref := range m.reports {
		if ref.Kind == ir.KindReferenceGrant {
			t.Errorf("a grant has findings: %v", codesOf(m, ref))
		}
	}
	return !strings.Contains(conditions(m), "RefNotPermitted")
}
