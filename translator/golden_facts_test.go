package translator_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cloverleaf-mesh/cloverleaf/translator/input"
	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// tell stores the facts of a case, a line each, as the proxies of `cloverleaf up` would report them:
//
//	listener gw/default/edge/80 proxies 2 live 1 refused 0      how far the proxies are with its newest version
//	outdated gw/default/edge/80 proxies 2 live 2 refused 0      with an older one
//	refused virtualhost gw/default/edge/http-80/a.example: words
//	made default/cert                                           a certificate of the local CA
func tell(t *testing.T, m *machine, facts string) {
	t.Helper()
	for line := range strings.Lines(facts) {
		kind, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch kind {
		case "listener", "outdated":
			report := input.ListenerReport{Version: "outdated"}
			var name string
			if _, err := fmt.Sscanf(rest, "%s proxies %d live %d refused %d", &name, &report.Proxies, &report.Live, &report.Refused); err != nil {
				t.Fatalf("%s: %v", line, err)
			}
			if kind == "listener" {
				report.Version = m.version(t, "listener "+name)
			}
			class := ir.ProxyClass{Role: ir.ClassLocal}
			m.store.SetListenerReport(input.ClassListener{Class: class, Listener: ir.ListenerName(name)}, report)
		case "refused":
			id, words, _ := strings.Cut(rest, ": ")
			r := m.resource(t, id)
			m.store.SetRejection(r.ID, input.Rejection{Version: r.Version, Message: words})
		case "made":
			namespace, name, _ := strings.Cut(rest, "/")
			m.store.SetLocalCertificate(ir.Name{Namespace: namespace, Name: name}, testPairs[0].Cert, testPairs[0].Key)
		default:
			t.Fatalf("there is no fact %q", line)
		}
	}
	m.refresh(t)
}

func (m *machine) version(t *testing.T, id string) string {
	t.Helper()
	return m.resource(t, id).Version
}

// resource finds a resource by its type and name.
func (m *machine) resource(t *testing.T, text string) *ir.Resource {
	t.Helper()
	for _, all := range m.resources {
		for id, r := range all {
			if id.String() == text {
				return r
			}
		}
	}
	t.Fatalf("no resource %s", text)
	return nil
}
