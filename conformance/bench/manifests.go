package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// folder is the manifests that a control plane reads: a class and a Gateway, backends, and routes. Every default is
// written out, because a control plane that reads files may not know them.
type folder struct {
	dir        string
	n          int
	pack       bool // routes that are not edited share a file
	hot        int  // how many routes are edited, spread over all
	backends   int  // even; each answers on one of two ports
	kind       string
	controller string
	port       int // of the Gateway's listener
	ports      [2]int
}

const (
	headText = `apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: bench}
spec: {controllerName: %s}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: bench, namespace: default}
spec:
  gatewayClassName: bench
  listeners:
  - {name: http, protocol: HTTP, port: %d, allowedRoutes: {namespaces: {from: Same}}}
`
	routeText = `apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: %[1]s, namespace: default}
spec:
  parentRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: bench}]
  hostnames: ["%[2]s"]
  rules:
  - matches: [{path: {type: PathPrefix, value: /api}}]
    filters:
    - type: ResponseHeaderModifier
      responseHeaderModifier: {set: [{name: x-rev, value: "%[3]s"}]}
    backendRefs: [%[4]s]
  - matches: [{path: {type: PathPrefix, value: /}}]
    backendRefs: [%[4]s]
`
)

// backendTexts are the kinds of backends: how a route refers to one, and what it is.
var backendTexts = map[string]struct{ ref, object string }{
	"Service": {
		`{group: "", kind: Service, name: %[1]s, port: %[2]d, weight: 1}`,
		`apiVersion: v1
kind: Service
metadata: {name: %[1]s, namespace: default}
spec: {ports: [{name: http, port: %[2]d, targetPort: %[2]d, protocol: TCP}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: %[1]s-1, namespace: default, labels: {kubernetes.io/service-name: %[1]s}}
addressType: IPv4
ports: [{name: http, port: %[2]d, protocol: TCP}]
endpoints: [{addresses: [127.0.0.1], conditions: {ready: true}}]
`,
	},
	"Backend": { // Envoy Gateway's
		`{group: gateway.envoyproxy.io, kind: Backend, name: %[1]s, weight: 1}`,
		`apiVersion: gateway.envoyproxy.io/v1alpha1
kind: Backend
metadata: {name: %[1]s, namespace: default}
spec: {endpoints: [{ip: {address: 127.0.0.1, port: %[2]d}}]}
`,
	},
}

func (f *folder) portOf(backend int) int { return f.ports[backend%2] }

// home is the backend that a route begins with.
func (f *folder) home(route int) int { return 2 * route % f.backends }

// edited is the route that the k-th edit changes.
func (f *folder) edited(k int) int { return k % f.hot * max(1, f.n/f.hot) }

func (f *folder) routeText(route int, revision string, backend int) string {
	ref := fmt.Sprintf(backendTexts[f.kind].ref, backName(backend), f.portOf(backend))
	return fmt.Sprintf(routeText, routeName(route), hostOf(route), revision, ref)
}

// put replaces a file by renaming.
func (f *folder) put(name, text string) error {
	tmp := filepath.Join(f.dir, "."+name+".tmp")
	if err := os.WriteFile(tmp, []byte(text), 0o644); err != nil {
		return err
	}
	return os.Rename(tmp, filepath.Join(f.dir, name))
}

// route writes a route into a file of its own.
func (f *folder) route(route int, revision string, backend int) error {
	return f.put(routeName(route)+".yaml", f.routeText(route, revision, backend))
}

// write writes everything into a folder that is new or empty.
func (f *folder) write() error {
	if err := os.MkdirAll(f.dir, 0o755); err != nil {
		return err
	}
	if there, err := os.ReadDir(f.dir); err != nil || len(there) > 0 {
		return fmt.Errorf("%s is not an empty folder (%d entries): %w", f.dir, len(there), err)
	}
	if err := f.put("000-gateway.yaml", fmt.Sprintf(headText, f.controller, f.port)); err != nil {
		return err
	}
	var backends []string
	for i := range f.backends {
		backends = append(backends, fmt.Sprintf(backendTexts[f.kind].object, backName(i), f.portOf(i)))
	}
	if err := f.put("001-backends.yaml", strings.Join(backends, "---\n")); err != nil {
		return err
	}
	own := map[int]bool{f.n - 1: true, f.n / 2: true} // the last is waited for, the middle one is flipped under load
	for k := range f.hot {
		own[f.edited(k)] = true
	}
	var packed []string
	for i := range f.n {
		if f.pack && !own[i] {
			packed = append(packed, f.routeText(i, "0", f.home(i)))
		} else if err := f.route(i, "0", f.home(i)); err != nil {
			return err
		}
	}
	if len(packed) == 0 {
		return nil
	}
	return f.put("packed.yaml", strings.Join(packed, "---\n"))
}
