package translator_test

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/cloverleaf-mesh/cloverleaf/controller/source/manifest"
	"github.com/cloverleaf-mesh/cloverleaf/internal/golden"
	"github.com/cloverleaf-mesh/cloverleaf/translator/finding"
	"github.com/cloverleaf-mesh/cloverleaf/translator/input"
	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
	"github.com/cloverleaf-mesh/cloverleaf/translator/xds"
)

// TestCases: given these objects, expect this configuration, status, finding. Every case begins with the objects of
// testdata/base.yaml (a class, a Gateway `edge` with one HTTP listener, Services `one` and `two`), which it may define
// again.
func TestCases(t *testing.T) {
	golden.Run(t, "testdata", func(t *testing.T, c golden.Case) map[string]string {
		settings := laptop()
		if strings.Contains(c.In["settings"], "cluster") {
			settings.Standalone, settings.PortOffset = input.Off, 0
		}
		if strings.Contains(c.In["settings"], "bind-any") {
			settings.Bind = "0.0.0.0"
		}
		if strings.Contains(c.In["settings"], "local-ca") {
			settings.LocalCA = input.On
		}
		m := newMachine(settings)
		objects := put(t, m, base(t), "base.yaml")
		maps.Copy(objects, put(t, m, fill(c.In["objects.yaml"]), "objects.yaml"))
		m.refresh(t)
		tell(t, m, c.In["facts"])
		return map[string]string{
			"findings": findings(m, objects), "status": conditions(m), "programmed": programmed(m), "wants": wantsText(m),
			"hosts": hostsText(m), "listeners": listenersText(m),
			"backends": backendsText(m), "xds": resourceText(t, m, c.In["show"]),
		}
	})
}

// fill puts a certificate with its key and a certificate alone into the objects of a case.
func fill(objects string) string {
	return strings.NewReplacer("$PAIR", secretData(), "$CERT", strconv.Quote(string(testPairs[0].Cert))).Replace(objects)
}

func laptop() input.Settings {
	return input.Settings{Controller: "cloverleaf.dev/gateway", Standalone: input.On, Bind: "127.0.0.1", PortOffset: 10000}
}

func base(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("testdata/base.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// based returns a machine that holds what every case begins with.
func based(t *testing.T) *machine {
	t.Helper()
	m := newMachine(laptop())
	put(t, m, base(t), "base.yaml")
	return m
}

func secretData() string {
	return fmt.Sprintf("{tls.crt: %q, tls.key: %q}", testPairs[0].Cert, testPairs[0].Key)
}

func put(t *testing.T, m *machine, text, name string) map[ir.Ref]*manifest.Object {
	t.Helper()
	f := manifest.NewDecoder().Decode(name, []byte(text))
	for _, p := range f.Problems {
		t.Fatalf("the case's own objects are wrong: %s", p)
	}
	objects := map[ir.Ref]*manifest.Object{}
	for _, o := range f.Objects {
		m.store.Put(o.Value)
		objects[o.Ref] = o
	}
	return objects
}

func findings(m *machine, objects map[ir.Ref]*manifest.Object) string {
	var lines []string
	for ref, r := range m.reports {
		for _, f := range r.Findings {
			lines = append(lines, fmt.Sprintf("%s %s %s %s", objects[ref].Position(f.Field), f.Level(), f.Field, finding.Problem{Finding: f}.Text()))
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

func hostsText(m *machine) string {
	var b strings.Builder
	for _, class := range m.evaluator.IR() {
		for _, vh := range class.VirtualHosts {
			fmt.Fprintf(&b, "%s%s\n", vh.Name, map[bool]string{true: " for connections of " + vh.Chain}[vh.Chain != ""])
			for _, r := range vh.Rules {
				fmt.Fprintf(&b, "  %s -> %s\n", matchText(r.Match), actionText(r))
			}
		}
	}
	return b.String()
}

func matchText(m ir.Match) string {
	s := [...]string{"prefix", "exact", "regex"}[m.Path.Type] + " " + m.Path.Value
	if m.GRPC {
		s += " grpc"
	}
	if m.Method != "" {
		s += " " + m.Method
	}
	for _, h := range m.Headers {
		s += fmt.Sprintf(" %s=%s%s", h.Name, map[bool]string{true: "~"}[h.Regex], h.Value)
	}
	for _, q := range m.Query {
		s += fmt.Sprintf(" ?%s=%s%s", q.Name, map[bool]string{true: "~"}[q.Regex], q.Value)
	}
	return s
}

func actionText(r ir.Rule) string {
	var s string
	switch a := r.Action.(type) {
	case ir.Respond:
		s = fmt.Sprint(a.Status)
	case ir.Redirect:
		s = fmt.Sprintf("%d %s//%s:%d%s", a.Status, a.Scheme, a.Hostname, a.Port, editText(a.Path))
	case ir.Forward:
		for _, w := range a.Split {
			name := string(w.Backend)
			if w.Invalid {
				name = "invalid"
			}
			s += fmt.Sprintf("%d:%s%s ", w.Weight, name, headersText(w.Filters().Features.Headers)+authText(w.Filters().Features.Auth))
		}
		s = strings.TrimSpace(s + a.Rewrite.Hostname + editText(a.Rewrite.Path))
		if a.Timeout != (ir.Timeouts{}) {
			s += fmt.Sprintf(" timeout %s/%s", a.Timeout.Request, a.Timeout.Backend)
		}
	}
	return s + headersText(r.Features.Headers) + authText(r.Features.Auth)
}

func editText(e *ir.PathEdit) string {
	switch {
	case e == nil:
		return ""
	case e.Full:
		return " path=" + e.Value
	default:
		return " " + e.Prefix + "=>" + e.Value
	}
}

func authText(a *ir.ExternalAuth) string {
	if a == nil {
		return ""
	}
	return fmt.Sprintf(" ask %s grpc=%t prefix=%q request=%v response=%v", a.Backend, a.GRPC, a.Prefix, a.Request, a.Response)
}

func headersText(h ir.HeaderEdits) string {
	s := ""
	for _, e := range h.Request {
		s += fmt.Sprintf(" req%s%s=%s", [...]string{"=", "+", "-"}[e.Op], e.Name, e.Value)
	}
	for _, e := range h.Response {
		s += fmt.Sprintf(" resp%s%s=%s", [...]string{"=", "+", "-"}[e.Op], e.Name, e.Value)
	}
	return s
}

func listenersText(m *machine) string {
	var b strings.Builder
	for _, class := range m.evaluator.IR() {
		for _, l := range class.Listeners {
			bind, _ := l.Bind.(ir.Port)
			fmt.Fprintf(&b, "%s {%s %d}\n", l.Name, bind.Address, bind.Port)
			for _, c := range l.Chains {
				fmt.Fprintf(&b, "  %s %v", c.Name, c.ServerNames)
				if c.TLS != nil {
					fmt.Fprintf(&b, " tls %v", c.TLS.Certificates)
					if check := c.TLS.Clients; check != nil {
						fmt.Fprintf(&b, " clients %s optional=%t", check.Authority, check.Optional)
					}
				}
				fmt.Fprintf(&b, " %s\n", c.Layer.(ir.HTTP).Table)
			}
		}
	}
	return b.String()
}

func backendsText(m *machine) string {
	var b strings.Builder
	for _, class := range m.evaluator.IR() {
		for _, be := range class.Backends {
			fmt.Fprintf(&b, "%s protocol=%d dns=%v", be.Name, be.Protocol, be.DNS)
			if be.TLS != nil {
				fmt.Fprintf(&b, " tls sni=%s sans=%v system=%t ca=%t cert=%q", be.TLS.SNI, be.TLS.SANs, be.TLS.SystemCA, be.TLS.CA != "", be.TLS.Certificate)
			}
			b.WriteString("\n")
		}
		for _, e := range class.Endpoints {
			fmt.Fprintf(&b, "%s %+v\n", e.Backend, e.Localities)
		}
	}
	return b.String()
}

func wantsText(m *machine) string {
	var b strings.Builder
	for _, w := range m.wants {
		fmt.Fprintf(&b, "%s for %v\n", w.Secret, w.Hosts)
	}
	return b.String()
}

// resourceText prints the Envoy resource whose name a case asks for.
func resourceText(t *testing.T, m *machine, name string) string {
	t.Helper()
	name = strings.TrimSpace(name)
	if name == "" {
		return ""
	}
	text, err := xds.JSON(m.resource(t, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
