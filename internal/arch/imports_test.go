package arch

import (
	"fmt"
	"slices"
	"strings"
)

// layer says what a package may import besides the standard library.
type layer struct {
	packages string // a package, or a folder with everything below it ("cmd/...")
	why      string
	own      []string // packages of this module; nil and "..." in anything's place allow all
	others   []string // of other modules, by prefix
}

// Families of packages of other modules.
const (
	gatewayTypes  = "sigs.k8s.io/gateway-api/apis"
	coreTypes     = "k8s.io/api"
	machinery     = "k8s.io/apimachinery/pkg"
	envoyMessages = "github.com/envoyproxy/go-control-plane/envoy"
	protobuf      = "google.golang.org/protobuf"
	anything      = "..."
)

// layers is the table of who may import whom, from the bottom to the top. A new package needs a line here.
func layers() []layer {
	return slices.Concat(coreLayers(), shellLayers())
}

func coreLayers() []layer {
	return []layer{
		{
			packages: "api/v1alpha1", why: "it is the contract with users: types alone, for everyone's import",
			others: []string{machinery, gatewayTypes},
		},
		{packages: "internal/memo", why: "the engine knows nothing of what is computed"},
		{packages: "internal/re2", why: "Envoy's regular expressions, whatever they are for"},
		{packages: "translator/ir", why: "the vocabulary knows nothing of Kubernetes and nothing of Envoy"},
		{
			packages: "translator/finding", why: "words know names, and neither objects nor Envoy",
			own: []string{"translator/ir"},
		},
		{
			packages: "translator/input", why: "cells hold projections of objects and decide nothing",
			own:    []string{"api/v1alpha1", "internal/memo", "translator/ir"},
			others: []string{gatewayTypes, coreTypes, machinery},
		},
		{
			packages: "translator/attach", why: "what belongs together is decided without rules and without Envoy",
			own:    []string{"api/v1alpha1", "internal/memo", "translator/finding", "translator/input", "translator/ir"},
			others: []string{gatewayTypes, coreTypes, machinery},
		},
		{
			packages: "translator/route", why: "rules become IR without a look at parents or Envoy",
			own:    []string{"internal/memo", "internal/re2", "translator/attach", "translator/finding", "translator/input", "translator/ir"},
			others: []string{gatewayTypes},
		},
		{
			packages: "translator/status", why: "statuses are worded from what was found, and decide nothing again",
			own:    []string{"translator/finding", "translator/ir"},
			others: []string{gatewayTypes, machinery},
		},
		{
			packages: "translator/xds/filter", why: "a filter reads features of the IR and writes Envoy's messages",
			own: []string{"translator/ir"}, others: []string{envoyMessages, "github.com/cncf/xds/go", protobuf},
		},
		{
			packages: "translator/xds", why: "Envoy's messages are written from the IR alone",
			own: []string{"internal/re2", "translator/ir", "translator/xds/filter"}, others: []string{envoyMessages, "github.com/cncf/xds/go", protobuf},
		},
		{
			packages: "translator", why: "the root composes the core, and knows no shell",
			own:    []string{"internal/memo", "translator/..."},
			others: []string{gatewayTypes},
		},
	}
}

func shellLayers() []layer {
	core := []string{"internal/memo", "translator/..."}
	return []layer{
		{
			packages: "config/schema", why: "it wraps the API server's libraries and knows no meaning",
			others: []string{machinery, "k8s.io/apiextensions-apiserver", "k8s.io/apiserver"},
		},
		{
			packages: "controller/rollout", why: "a state machine of names and versions: no streams, no encodings",
			own: []string{"translator/ir"},
		},
		{
			packages: "controller/store", why: "objects become cells here, and nothing is evaluated",
			own:    []string{"api/v1alpha1", "internal/memo", "translator/input", "translator/ir"},
			others: []string{gatewayTypes, coreTypes, machinery},
		},
		{
			packages: "controller/loop", why: "the loop orders steps; sources and servers are given to it",
			own: append([]string{"controller/store"}, core...), others: []string{machinery},
		},
		{
			packages: "controller/source/...", why: "sources read objects; what these mean is the core's business",
			own: []string{"api/v1alpha1", "config/schema", "controller/source/...", "translator/finding", "translator/ir"},
			others: []string{
				gatewayTypes, coreTypes, machinery, "github.com/fsnotify/fsnotify", "go.yaml.in/yaml", "sigs.k8s.io/json", "sigs.k8s.io/yaml",
			},
		},
		{
			packages: "controller/xdsserver", why: "the server carries messages between streams and rollout",
			own:    []string{"controller/rollout", "translator/ir", "translator/xds"},
			others: []string{envoyMessages, protobuf, "github.com/envoyproxy/go-control-plane/pkg", "google.golang.org/grpc"},
		},
		{
			packages: "controller/envoy", why: "it runs a process, and knows nothing of what Envoy is told",
			own: []string{"internal/re2", "translator/finding", "translator/ir"},
		},
		{packages: "controller/localca", why: "a certificate authority needs nothing of ours"},
		{packages: "internal/cli", why: "how something is said on a terminal, not what", others: []string{"golang.org/x/term"}},
		{
			packages: "internal/casefile", why: "how data-plane cases are written, for whoever plays them",
			own: []string{"internal/echo"}, others: []string{"golang.org/x/tools/txtar"},
		},
		{
			packages: "internal/envoysim", why: "what Envoy does follows from what it is told, and from nothing else",
			own: []string{"translator/ir", "translator/xds"}, others: []string{envoyMessages, "github.com/cncf/xds/go", protobuf},
		},
		{
			packages: "internal/explain", why: "an explanation reads the simulator's answer back to manifests, and serves nothing",
			own:    []string{"controller/source/manifest", "internal/cli", "internal/envoysim", "translator/attach", "translator/finding", "translator/ir"},
			others: []string{"k8s.io/api", "sigs.k8s.io/gateway-api"},
		},
		{packages: "internal/echo", why: "a backend for tests knows nothing of the gateway", others: []string{"github.com/coder/websocket"}},
		{
			packages: "internal/golden", why: "a test helper knows nothing of what is tested",
			others: []string{"github.com/google/go-cmp/cmp", "golang.org/x/tools/txtar"},
		},
		{
			packages: "internal/telemetry", why: "names and units of measurements; who measures is decided above it",
			own:    []string{"internal/memo", "translator/ir"},
			others: []string{"github.com/prometheus/client_golang", "go.opentelemetry.io"},
		},
		{
			packages: "internal/worldgen", why: "it makes objects at random, and knows nothing of what they become",
			own:    []string{"api/v1alpha1", "config/schema", "controller/store", "translator/input", "translator/ir"},
			others: []string{gatewayTypes, coreTypes, machinery},
		},
		{packages: "internal/arch", why: "rules read source; they run none of it"},
		{
			packages: "internal/cmd/...", why: "generators and test tools read catalogues and schemas",
			own: []string{"translator/finding"}, others: []string{"k8s.io/apiextensions-apiserver", "sigs.k8s.io/yaml"},
		},
		{packages: "cmd/...", why: "wiring", own: []string{anything}, others: []string{anything}},
		{packages: "conformance/...", why: "tests of the whole", own: []string{anything}, others: []string{anything}},
	}
}

// checkImports holds the imports of every package against the table. Tests may import what they like of the module
// below cmd and conformance; those two are imported by nobody but themselves.
func checkImports(tr *tree) []string {
	var out []string
	for _, p := range tr.packages {
		i := slices.IndexFunc(layers(), func(l layer) bool { return p.in(l.packages) })
		if i < 0 {
			out = append(out, fmt.Sprintf("%s: no line in the table of layers: say what it may import, and why", p.path))
			continue
		}
		l := layers()[i]
		for _, f := range p.files {
			for _, in := range tr.imports(f) {
				switch {
				case in.own && matches(in.path, "cmd/...") || in.own && matches(in.path, "conformance/...") && !p.in("conformance/..."):
					out = append(out, tr.at(in.pos, "nothing imports %s: commands and conformance tests stand on top", in.path))
				case !f.test && !l.allows(in):
					out = append(out, tr.at(in.pos, "%s may not import %s: %s", p.path, in.path, l.why))
				}
			}
		}
	}
	return out
}

func (l layer) allows(in imported) bool {
	if in.own {
		return slices.Contains(l.own, anything) || matches(in.path, l.own...)
	}
	return standard(in.path) || slices.Contains(l.others, anything) ||
		slices.ContainsFunc(l.others, func(prefix string) bool { return matches(in.path, prefix+"/...") })
}

// standard tells packages of the standard library: their first element has no dot.
func standard(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return !strings.Contains(first, ".")
}

// confined are libraries that stay behind one door, tests included.
var confined = []struct {
	library, why string
	doors        []string
}{
	{"go.opentelemetry.io/otel/sdk", "everyone else uses at most the API of OpenTelemetry", []string{"internal/telemetry", "cmd/..."}},
	{"go.opentelemetry.io/otel/exporters", "everyone else uses at most the API of OpenTelemetry", []string{"internal/telemetry", "cmd/..."}},
	{"go.opentelemetry.io/contrib/exporters", "everyone else uses at most the API of OpenTelemetry", []string{"internal/telemetry", "cmd/..."}},
	{"github.com/lestrrat-go/jwx", "a move to another library must stay a change of one folder", []string{"jwt/..."}},
	{"github.com/open-policy-agent/opa", "the core compiles without OPA", []string{"authz/..."}},
	{"sigs.k8s.io/controller-runtime", "the core and the laptop need no cluster", []string{"controller/...", "cmd/..."}},
	{"k8s.io/client-go", "the core and the laptop need no cluster", []string{"controller/...", "cmd/..."}},
	{"github.com/envoyproxy/go-control-plane/pkg", "one package speaks xDS", []string{"controller/xdsserver"}},
}

func checkConfined(tr *tree) []string {
	var out []string
	for _, p := range tr.packages {
		for _, f := range p.files {
			for _, in := range tr.imports(f) {
				for _, c := range confined {
					if matches(in.path, c.library+"/...") && !p.in(append(c.doors, "conformance/...")...) {
						out = append(out, tr.at(in.pos, "%s belongs to %s: %s", c.library, strings.Join(c.doors, " and "), c.why))
					}
				}
			}
		}
	}
	return out
}
