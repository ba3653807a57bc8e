package updriver

import "fmt"

// ClassManifest is a GatewayClass of ours, cloverleaf.
const ClassManifest = `apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: cloverleaf}
spec: {controllerName: cloverleaf.dev/gateway}
`

// ServiceManifest is a Service with one endpoint on this machine. Its port 80 has an appProtocol, or none when empty.
func ServiceManifest(name, appProtocol string, port int) string {
	if appProtocol != "" {
		appProtocol = ", appProtocol: " + appProtocol
	}
	return fmt.Sprintf(`---
apiVersion: v1
kind: Service
metadata: {name: %[1]s, namespace: default}
spec: {ports: [{name: http, port: 80%[2]s}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: %[1]s-1, namespace: default, labels: {kubernetes.io/service-name: %[1]s}}
addressType: IPv4
ports: [{name: http, port: %[3]d}]
endpoints: [{addresses: [127.0.0.1]}]
`, name, appProtocol, port)
}
