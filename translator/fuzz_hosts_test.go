package translator_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/cloverleaf-mesh/cloverleaf/internal/worldgen"
	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// hostCase is a port with several listeners, and routes that take every path of their host names.
type hostCase struct {
	listeners []gwv1.Listener
	routes    []*gwv1.HTTPRoute
}

func newHostCase(c worldgen.Chooser) hostCase {
	var out hostCase
	seen := map[string]bool{}
	for i := range 1 + c.Pick(4) {
		host := "" // any
		if c.Pick(3) > 0 {
			host = shortHost(c)
		}
		if seen[host] {
			continue // indistinct listeners are refused; another test's business
		}
		seen[host] = true
		l := gwv1.Listener{Name: gwv1.SectionName(fmt.Sprintf("l%d", i)), Port: 80, Protocol: gwv1.HTTPProtocolType}
		if host != "" {
			l.Hostname = new(gwv1.Hostname(host))
		}
		out.listeners = append(out.listeners, l)
	}
	for i := range 1 + c.Pick(4) {
		r := &gwv1.HTTPRoute{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("r%d", i), Namespace: "infra"}}
		parent := gwv1.ParentReference{Name: "edge"}
		if c.Pick(3) == 0 {
			parent.SectionName = &out.listeners[c.Pick(len(out.listeners))].Name
		}
		r.Spec.ParentRefs = []gwv1.ParentReference{parent}
		for range c.Pick(4) {
			r.Spec.Hostnames = append(r.Spec.Hostnames, gwv1.Hostname(shortHost(c)))
		}
		r.Spec.Rules = []gwv1.HTTPRouteRule{{}}
		out.routes = append(out.routes, r)
	}
	return out
}

// shortHost makes a host name of few labels, so that they often meet.
func shortHost(c worldgen.Chooser) string {
	labels := []string{[]string{"com", "org"}[c.Pick(2)]}
	for range c.Pick(4) {
		labels = append(labels, []string{"a", "b"}[c.Pick(2)])
	}
	if c.Pick(2) == 0 {
		labels = append(labels, "*")
	}
	slices.Reverse(labels)
	return strings.Join(labels, ".")
}

// rank orders the host names that take a name as the spec does; 0 for one that does not take it.
func rank(pattern, name string) int {
	suffix, wild := strings.CutPrefix(pattern, "*")
	switch {
	case pattern == "":
		return 1
	case wild && strings.HasSuffix(name, suffix) && len(name) > len(suffix):
		return 1 + len(pattern)
	case pattern == name:
		return 1000 + len(pattern)
	default:
		return 0
	}
}

// owner says which route a request belongs to by the words of the spec: first the most specific listener takes it
// (GatewaySpec.listeners), then of the routes that are attached to it the one with the most specific host name
// (HTTPRouteSpec.hostnames), then the first by name.
func (h hostCase) owner(name string) string {
	var listener *gwv1.Listener
	most := 0
	for i := range h.listeners {
		if n := rank(hostnameOf(&h.listeners[i]), name); n > most {
			listener, most = &h.listeners[i], n
		}
	}
	if listener == nil {
		return ""
	}
	owner, most := "", 0
	for _, r := range h.routes { // by name
		if section := r.Spec.ParentRefs[0].SectionName; section != nil && *section != listener.Name {
			continue
		}
		hosts := r.Spec.Hostnames
		if len(hosts) == 0 {
			hosts = []gwv1.Hostname{""}
		}
		for _, host := range hosts {
			if n := rank(string(host), name); n > most {
				owner, most = r.Name, n
			}
		}
	}
	return owner
}

func hostnameOf(l *gwv1.Listener) string {
	if l.Hostname == nil {
		return ""
	}
	return string(*l.Hostname)
}

// chosen says which route Envoy gives a request to: exact domains first, then the longest wildcard, then `*`
// (Envoy, VirtualHost.domains), and of the virtual host the first rule.
func chosen(hosts []ir.VirtualHost, name string) string {
	best := slices.MaxFunc(hosts, func(a, b ir.VirtualHost) int {
		return cmp.Compare(rank(domain(a), name), rank(domain(b), name))
	})
	if rank(domain(best), name) == 0 || len(best.Rules) == 0 {
		return ""
	}
	return best.Rules[0].Origin.Name.Name
}

func domain(v ir.VirtualHost) string {
	if v.Name.Host == ir.AnyHost {
		return ""
	}
	return string(v.Name.Host)
}

func FuzzHosts(f *testing.F) {
	r := rand.New(rand.NewPCG(8, 1))
	for range 200 {
		program := make([]byte, 20+r.IntN(60))
		for i := range program {
			program[i] = byte(r.IntN(256))
		}
		f.Add(program)
	}
	f.Fuzz(func(t *testing.T, program []byte) {
		h := newHostCase(worldgen.Scripted{Program: &program})
		m := newMachine(settingsOf(1))
		class := &gwv1.GatewayClass{ObjectMeta: metav1.ObjectMeta{Name: "ours"}}
		class.Spec.ControllerName = "cloverleaf.dev/gateway"
		gateway := &gwv1.Gateway{ObjectMeta: metav1.ObjectMeta{Name: "edge", Namespace: "infra"}}
		gateway.Spec.GatewayClassName, gateway.Spec.Listeners = "ours", h.listeners
		m.store.Put(class)
		m.store.Put(gateway)
		for _, r := range h.routes {
			m.store.Put(r)
		}
		m.refresh(t)
		hosts := m.evaluator.IR()[0].VirtualHosts
		for _, name := range []string{
			"com", "org", "a.com", "b.com", "z.com", "a.a.com", "a.b.com", "b.a.com", "z.a.com", "a.b.a.com", "z.z.b.com", "a.a.a.com",
			"z.a.a.a.com", "b.b.org", "a.org", "z.a.b.org", "net",
		} {
			if got, want := chosen(hosts, name), h.owner(name); got != want {
				t.Errorf("a request for %s goes to %q, want %q; listeners %v, routes %s", name, got, want, h.listeners, routesText(h.routes))
			}
		}
	})
}

func routesText(routes []*gwv1.HTTPRoute) string {
	var lines []string
	for _, r := range routes {
		section := "any"
		if s := r.Spec.ParentRefs[0].SectionName; s != nil {
			section = string(*s)
		}
		lines = append(lines, fmt.Sprintf("%s (%s) %v", r.Name, section, r.Spec.Hostnames))
	}
	return strings.Join(lines, "; ")
}
