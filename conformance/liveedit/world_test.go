package liveedit

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/cloverleaf-mesh/cloverleaf/conformance/updriver"
)

// world is what the folder says: a route under load, and what surrounds it.
type world struct {
	random *rand.Rand
	port   int
	echoes map[string]int // backend -> port

	version  int
	name     string            // of the route; another name is another object
	services []string          // that it goes to
	private  int               // number of the newest Service that stands in the route's own file
	backend  map[string]string // Service -> backend
	h2c      map[string]bool
	siblings map[int]int // on the same host: number -> version
	second   bool        // a listener on another port
	isolated bool        // a listener for other hosts on the same port
}

const host = "live.example"

// pool are the Services that stay; private ones come and go with the route.
var pool = []string{"s0", "s1", "s2"}

func newWorld(port int, echoes map[string]int) *world {
	w := &world{
		random: rand.New(rand.NewPCG(1, 2)), port: port, echoes: echoes, name: "live", services: []string{"s0"},
		backend: map[string]string{}, h2c: map[string]bool{}, siblings: map[int]int{},
	}
	for _, s := range pool {
		w.backend[s] = w.other("")
	}
	return w
}

// other picks a backend that is not this one.
func (w *world) other(than string) string {
	names := make([]string, 0, len(w.echoes))
	for name := range w.echoes {
		if name != than {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names[w.random.IntN(len(names))]
}

// state is what the gateway shall answer.
func (w *world) state(edit string) state {
	s := state{version: fmt.Sprint(w.version), edit: edit}
	for _, name := range w.services {
		s.backends = append(s.backends, w.backend[name])
	}
	return s
}

// edit is a kind of change. It returns the file that it is made in.
type edit struct {
	name string
	make func(w *world) (file string)
}

var edits = []edit{
	{"filter", func(w *world) string { return w.changed() }},
	{"another backend", func(w *world) string {
		w.services = []string{pool[w.random.IntN(len(pool))]}
		return w.changed()
	}},
	{"two backends", func(w *world) string {
		i := w.random.IntN(len(pool))
		w.services = []string{pool[i], pool[(i+1)%len(pool)]}
		return w.changed()
	}},
	{"a new Service in place of the old one", func(w *world) string {
		w.private++
		name := fmt.Sprint("private-", w.private)
		w.services, w.backend[name] = []string{name}, w.other("")
		return w.changed()
	}},
	{"another endpoint", func(w *world) string {
		name := w.services[0]
		w.backend[name] = w.other(w.backend[name])
		return w.home(name)
	}},
	{"another protocol", func(w *world) string {
		name := w.services[0]
		w.h2c[name] = !w.h2c[name]
		return w.home(name)
	}},
	{"another object for the same route", func(w *world) string {
		w.name = map[string]string{"live": "alive", "alive": "live"}[w.name]
		return w.changed()
	}},
	{"a sibling on the same host", func(w *world) string {
		n := w.random.IntN(20)
		if w.siblings[n]++; w.siblings[n]%3 == 0 {
			delete(w.siblings, n)
		}
		return "siblings.yaml"
	}},
	{"a listener on another port", func(w *world) string {
		w.second = !w.second
		return "gateway.yaml"
	}},
	{"a listener for other hosts on the same port", func(w *world) string {
		w.isolated = !w.isolated
		return "gateway.yaml"
	}},
}

func (w *world) changed() string {
	w.version++
	return "live.yaml"
}

// home is the file that a Service stands in.
func (w *world) home(service string) string {
	if slices.Contains(pool, service) {
		return "services.yaml"
	}
	return "live.yaml"
}

// file writes a file as the world is.
func (w *world) file(name string) string {
	var out strings.Builder
	switch name {
	case "gateway.yaml":
		fmt.Fprintf(&out, gatewayText, w.port)
		if w.second {
			fmt.Fprintf(&out, "  - {name: second, port: %d, protocol: HTTP}\n", w.port+1)
		}
		if w.isolated {
			fmt.Fprintf(&out, "  - {name: isolated, port: %d, protocol: HTTP, hostname: \"*.isolated.example\"}\n", w.port)
		}
	case "services.yaml":
		for _, s := range pool {
			out.WriteString(w.service(s))
		}
	case "live.yaml":
		out.WriteString(routeText(w.name, host, "/", w.version, w.services...))
		for _, s := range w.services {
			if w.home(s) == name {
				out.WriteString(w.service(s))
			}
		}
	case "siblings.yaml":
		for n := range 20 {
			if version, ok := w.siblings[n]; ok {
				out.WriteString(routeText(fmt.Sprint("sibling-", n), host, fmt.Sprintf("/sibling/%d", n), version, pool[n%len(pool)]))
			}
		}
		out.WriteString("# siblings\n")
	}
	return out.String()
}

func (w *world) service(name string) string {
	protocol := ""
	if w.h2c[name] {
		protocol = "kubernetes.io/h2c"
	}
	return updriver.ServiceManifest(name, protocol, w.echoes[w.backend[name]])
}

// crowd writes a file of routes with hosts and Services of their own.
func (w *world) crowd(first, n int) string {
	var out strings.Builder
	for i := first; i < first+n; i++ {
		name := fmt.Sprint("crowd-", i)
		out.WriteString(routeText(name, name+".example", "/", i, name) + updriver.ServiceManifest(name, "", w.echoes["one"]))
	}
	return out.String()
}

const gatewayText = updriver.ClassManifest + `---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: edge, namespace: default}
spec:
  gatewayClassName: cloverleaf
  listeners:
  - {name: http, port: %d, protocol: HTTP}
`

func routeText(name, host, path string, version int, services ...string) string {
	return fmt.Sprintf(`---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: %s, namespace: default}
spec:
  parentRefs: [{name: edge, sectionName: http}]
  hostnames: [%s]
  rules:
  - matches: [{path: {type: PathPrefix, value: %s}}]
    filters:
    - {type: ResponseHeaderModifier, responseHeaderModifier: {set: [{name: x-version, value: "%d"}]}}
    backendRefs: [{name: %s, port: 80}]
`, name, host, path, version, strings.Join(services, ", port: 80}, {name: "))
}
