package translator_test

import (
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"
	"sigs.k8s.io/yaml"

	"github.com/cloverleaf-mesh/cloverleaf/translator/finding"
	"github.com/cloverleaf-mesh/cloverleaf/translator/input"
	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// unchecked reads an object as a source that checks no schema would.
func unchecked[O metav1.Object](t *testing.T, object O, text string) O {
	t.Helper()
	if err := yaml.UnmarshalStrict([]byte(text), object); err != nil {
		t.Fatal(err)
	}
	return object
}

func codesOf(m *machine, ref ir.Ref) []finding.Code {
	var codes []finding.Code
	for _, f := range m.reports[ref].Findings {
		codes = append(codes, f.Code)
	}
	return codes
}

// TestWhatTheSchemaRefusesIsFoundAgain: the schema of the CRDs refuses these objects. An older CRD in a cluster does not,
// and then nothing may be served otherwise than it was asked for.
func TestWhatTheSchemaRefusesIsFoundAgain(t *testing.T) {
	const head = "metadata: {name: r, namespace: default}\nspec: {parentRefs: [{name: edge}], hostnames: [a.example], rules: [{backendRefs: [{name: one, port: 80}], "
	cases := []struct {
		name, rule string
		want       finding.Code
	}{
		{"a redirect and a rewrite", "filters: [{type: RequestRedirect, requestRedirect: {}}, {type: URLRewrite, urlRewrite: {hostname: b.example}}]", finding.RuleFilters},
		{"a prefix of an exact match", "matches: [{path: {type: Exact, value: /a}}], filters: [{type: URLRewrite, urlRewrite: {path: {type: ReplacePrefixMatch, replacePrefixMatch: /b}}}]", finding.RuleRewrite},
		{"an attempt longer than the request", "timeouts: {request: 1s, backendRequest: 2s}", finding.RuleTimeouts},
		{"a duration that is none", "timeouts: {request: soon}", finding.RuleTimeouts},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			m := based(t)
			m.store.Put(unchecked(t, &gwv1.HTTPRoute{}, head+c.rule+"}]}"))
			m.refresh(t)
			ref := ir.Ref{Kind: ir.KindHTTPRoute, Name: ir.Name{Namespace: "default", Name: "r"}}
			if codes := codesOf(m, ref); !slices.Equal(codes, []finding.Code{c.want}) {
				t.Errorf("found %v, want %s", codes, c.want)
			}
			if hosts := hostsText(m); !strings.HasSuffix(hosts, " -> 500\n") {
				t.Errorf("the rule is served:\n%s", hosts)
			}
			status := m.reports[ref].Status.(*gwv1.HTTPRouteStatus).Parents[0].Conditions
			if status[0].Type != "Accepted" || status[0].Status != "False" || status[0].Reason != "UnsupportedValue" {
				t.Errorf("got %+v", status[0])
			}
		})
	}
}

func TestListenersOfOneNameAndPortAreBothRefused(t *testing.T) {
	m := based(t)
	m.store.Put(unchecked(t, &gwv1.Gateway{}, "metadata: {name: edge, namespace: default}\n"+
		"spec: {gatewayClassName: cloverleaf, listeners: [{name: a, port: 80, protocol: HTTP}, {name: b, port: 80, protocol: HTTP}, {name: c, port: 81, protocol: HTTP}]}"))
	m.refresh(t)
	ref := ir.Ref{Kind: ir.KindGateway, Name: ir.Name{Namespace: "default", Name: "edge"}}
	if codes := codesOf(m, ref); !slices.Equal(codes, []finding.Code{finding.ListenerHostname, finding.ListenerHostname}) {
		t.Errorf("found %v", codes)
	}
	if served := listenersText(m); strings.Contains(served, "edge/80 ") || !strings.Contains(served, "edge/81 ") {
		t.Errorf("served:\n%s", served)
	}
	if text := conditions(m); strings.Count(text, "Conflicted=True HostnameConflict") != 2 {
		t.Errorf("got:\n%s", text)
	}
}

// TestABugInAListenerSetIsContainedToIt plants a cell that no store writes.
func TestABugInAListenerSetIsContainedToIt(t *testing.T) {
	m := based(t)
	m.store.Put(unchecked(t, &gwv1.Gateway{}, "metadata: {name: edge, namespace: default}\nspec: {gatewayClassName: cloverleaf, "+
		"allowedListeners: {namespaces: {from: Same}}, listeners: [{name: http, port: 80, protocol: HTTP, hostname: own.example}]}"))
	for _, name := range []string{"hit", "spared"} {
		m.store.Put(unchecked(t, &gwv1.ListenerSet{}, "metadata: {name: "+name+", namespace: default}\n"+
			"spec: {parentRef: {name: edge}, listeners: [{name: http, port: 80, protocol: HTTP, hostname: "+name+".example}]}"))
	}
	input.ListenerSets.Set(m.store.Table(), ir.Name{Namespace: "default", Name: "hit"}, nil)
	m.refresh(t)
	if codes := codesOf(m, ir.Ref{Kind: ir.KindListenerSet, Name: ir.Name{Namespace: "default", Name: "hit"}}); !slices.Equal(codes, []finding.Code{finding.Internal}) {
		t.Errorf("found %v on the ListenerSet that meets the bug", codes)
	}
	want := "gw/default/edge/http-80/*\ngw/default/edge/http-80/own.example\ngw/default/edge/http-80/spared.example\n"
	if hosts := hostsText(m); hosts != want {
		t.Errorf("served:\n%s", hosts)
	}
	if text := conditions(m); !strings.Contains(text, "Gateway/default/edge sets=1") {
		t.Errorf("got:\n%s", text)
	}
}

// TestABugIsContainedToWhatReachesIt plants a cell that no store writes, on which the resolving of a backend panics.
func TestABugIsContainedToWhatReachesIt(t *testing.T) {
	m := based(t)
	route := func(name, host, service string) ir.Ref {
		m.store.Put(unchecked(t, &gwv1.HTTPRoute{}, "metadata: {name: "+name+", namespace: default}\nspec: {parentRefs: [{name: edge}], "+
			"hostnames: ["+host+"], rules: [{backendRefs: [{name: "+service+", port: 80}]}]}"))
		return ir.Ref{Kind: ir.KindHTTPRoute, Name: ir.Name{Namespace: "default", Name: name}}
	}
	hit, spared := route("hit", "a.example", "one"), route("spared", "b.example", "two")
	before, _ := input.Services.Lookup(m.store.Table(), ir.Name{Namespace: "default", Name: "one"})
	input.Services.Set(m.store.Table(), ir.Name{Namespace: "default", Name: "one"}, nil)
	m.refresh(t)
	if codes := codesOf(m, hit); !slices.Equal(codes, []finding.Code{finding.Internal}) {
		t.Errorf("found %v on the route that meets the bug", codes)
	}
	if codes := codesOf(m, spared); len(codes) > 0 {
		t.Errorf("found %v on the other route", codes)
	}
	want := "gw/default/edge/http-80/*\ngw/default/edge/http-80/a.example\n  prefix / -> 500\n" +
		"gw/default/edge/http-80/b.example\n  prefix / -> 1:default/two/80\n"
	if hosts := hostsText(m); hosts != want {
		t.Errorf("served:\n%s", hosts)
	}
	input.Services.Set(m.store.Table(), ir.Name{Namespace: "default", Name: "one"}, before)
	m.refresh(t)
	if codes := codesOf(m, hit); len(codes) > 0 {
		t.Errorf("found %v after the cell was mended", codes)
	}
}
