package translator_test

import (
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"

	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	matcherv3 "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/cloverleaf-mesh/cloverleaf/internal/worldgen"
	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
	"github.com/cloverleaf-mesh/cloverleaf/translator/xds"
)

// segments cuts a path at its slashes; a trailing slash does not count.
func segments(path string) []string {
	return strings.Split(strings.TrimSuffix(path, "/"), "/")
}

// matches is the reference of path matches (Gateway API, PathMatchType): a prefix is compared by whole segments, and a
// trailing slash of it is ignored; a regular expression takes the whole path.
func matches(kind gwv1.PathMatchType, value, path string) bool {
	switch kind {
	case gwv1.PathMatchExact:
		return path == value
	case gwv1.PathMatchPathPrefix:
		want, got := segments(value), segments(path)
		return len(got) >= len(want) && slices.Equal(got[:len(want)], want)
	default:
		return matchesWhole(value, path)
	}
}

// modified is the reference of path modifiers (Gateway API, HTTPPathModifier): the replacement takes the place of the
// whole path, or of the segments that matched; what follows them stays, a trailing slash too.
func modified(full bool, replacement, prefix, path string) string {
	if full {
		if !strings.HasPrefix(replacement, "/") {
			replacement = "/" + replacement
		}
		return replacement
	}
	rest := path[len(strings.TrimSuffix(prefix, "/")):]
	out := strings.TrimRight(replacement, "/")
	if out != "" && out[0] != '/' {
		out = "/" + out
	}
	if out += rest; out == "" {
		return "/"
	}
	return out
}

// envoyMatches is what Envoy does with a path (route_components.proto, RouteMatch), and the part that it matched.
func envoyMatches(m *routev3.RouteMatch, path string) (matched string, ok bool) {
	switch by := m.GetPathSpecifier().(type) {
	case *routev3.RouteMatch_Path:
		return path, path == by.Path
	case *routev3.RouteMatch_Prefix:
		return by.Prefix, strings.HasPrefix(path, by.Prefix)
	case *routev3.RouteMatch_PathSeparatedPrefix:
		p := by.PathSeparatedPrefix
		return p, path == p || strings.HasPrefix(path, p+"/")
	case *routev3.RouteMatch_SafeRegex:
		return path, matchesWhole(by.SafeRegex.GetRegex(), path)
	default:
		return "", false
	}
}

// matchesWhole tells whether an expression matches all of a text. An expression may quote to its end, so nothing is
// written around it: of the matches that begin first, the longest is all of the text if any is.
func matchesWhole(expr, text string) bool {
	re := regexp.MustCompile(expr)
	re.Longest()
	at := re.FindStringIndex(text)
	return at != nil && at[0] == 0 && at[1] == len(text)
}

// envoyRewrites is what Envoy makes of a path (RouteAction.prefix_rewrite and regex_rewrite).
func envoyRewrites(prefix string, re *matcherv3.RegexMatchAndSubstitute, matched, path string) string {
	switch {
	case re != nil:
		value := strings.ReplaceAll(re.GetSubstitution(), `\\`, `\`)
		return regexp.MustCompile(re.GetPattern().GetRegex()).ReplaceAllLiteralString(path, value)
	case prefix != "":
		return prefix + path[len(matched):]
	default:
		return path
	}
}

// usual tells whether a request's path is one that reaches the routes: Envoy has normalised it before.
var usual = regexp.MustCompile(`^(/|(/[-A-Za-z0-9_~!$&'()*+,;=:@.]+)+/?)$`)

func FuzzPaths(f *testing.F) {
	for _, row := range [][4]string{
		// kind and modifier, value, replacement, path; the first ones are the spec's table of HTTPPathModifier
		{"pP", "/foo", "/xyz", "/foo/bar"},
		{"pP", "/foo", "/xyz/", "/foo/bar"},
		{"pP", "/foo/", "/xyz", "/foo/bar"},
		{"pP", "/foo/", "/xyz/", "/foo/bar"},
		{"pP", "/foo", "/xyz", "/foo"},
		{"pP", "/foo", "/xyz", "/foo/"},
		{"pP", "/foo", "", "/foo/bar"},
		{"pP", "/foo", "", "/foo/"},
		{"pP", "/foo", "", "/foo"},
		{"pP", "/foo", "/", "/foo/"},
		{"pP", "/foo", "/", "/foo"},
		{"pR", "/foo/", "/", "/foo/bar"},
		{"pR", "/", "/xyz", "/"},
		{"pP", "/", "/xyz/", "/a/b/"},
		{"pP", "/", "", "/a"},
		{"pP", "/", "", "/"},
		{"p-", "/abc", "", "/abcd"},
		{"p-", "/abc/", "", "/abc"},
		{"p-", "/a.c", "", "/abc"},
		{"pP", "/a.c(d", "/", "/a.c(d/e"},
		{"pP", "/$1", `/\1`, "/$1/x"},
		{"e-", "/abc", "", "/abc/"},
		{"eF", "/abc", "x?y=1", "/abc"},
		{"eG", "/abc", "/x/", "/abc"},
		{"r-", "/a.+", "", "/abc/d"},
		{"rF", "/a|/b", "", "/bc"},
		{"rF", "/(?i)A*", `/\0`, "/aA"},
		{"pP", "/a/b", "c//", "/a/b/c"},
		{"pF", "/a*b", "", "/a*b/"},
		{"pG", "/", "", "/x"},
	} {
		f.Add(row[0], row[1], row[2], row[3])
	}
	maker := &worldgen.Maker{Choose: worldgen.Seeded{Rand: rand.New(rand.NewPCG(6, 6))}}
	for range 100 {
		f.Add("rF", maker.Regex(), maker.Replacement(), maker.Path())
		f.Add("pP", maker.Path(), maker.Replacement(), maker.Path())
	}
	schemas := worldgen.NewSchemas()
	base := worldgen.Base(testPairs[0])
	f.Fuzz(func(t *testing.T, kinds, value, replacement, path string) {
		if !readable(kinds, path) {
			return
		}
		kind := map[byte]gwv1.PathMatchType{'p': gwv1.PathMatchPathPrefix, 'e': gwv1.PathMatchExact, 'r': gwv1.PathMatchRegularExpression}[kinds[0]]
		rule := gwv1.HTTPRouteRule{Matches: []gwv1.HTTPRouteMatch{{Path: &gwv1.HTTPPathMatch{Type: &kind, Value: &value}}}}
		full := kinds[1] == 'F' || kinds[1] == 'G'
		setModifier(&rule, kinds[1], full, replacement)
		r := &gwv1.HTTPRoute{ObjectMeta: metav1.ObjectMeta{Name: "r", Namespace: "infra"}}
		r.Spec.ParentRefs = []gwv1.ParentReference{{Name: "edge", SectionName: new(gwv1.SectionName("exact"))}}
		r.Spec.Rules = []gwv1.HTTPRouteRule{rule}
		r, valid := schemas.HTTPRoute(r)
		if !valid || !ascii(value) {
			return
		}
		m := newMachine(settingsOf(1))
		for _, o := range base {
			m.store.Put(o)
		}
		m.store.Put(r)
		m.refresh(t)
		first := firstRoute(t, m)
		if first == nil {
			return // refused with a finding
		}
		matched, ok := envoyMatches(first.GetMatch(), path)
		if want := matches(kind, value, path); ok != want {
			t.Fatalf("%s %q takes %q: %t, want %t (%v)", kind, value, path, ok, want, first.GetMatch())
		}
		if !ok || first.GetDirectResponse() != nil || kinds[1] == '-' {
			return
		}
		if got, want := rewritten(first, matched, path), modified(full, replacement, value, path); got != want {
			t.Fatalf("%s %q with %q makes %q of %q, want %q", kind, value, replacement, got, path, want)
		}
	})
}

// readable tells whether kinds are a kind of match and of modifier, and the path one that reaches the routes.
func readable(kinds, path string) bool {
	return len(kinds) == 2 && usual.MatchString(path) && strings.Contains("per", kinds[:1]) && strings.Contains("-PFRG", kinds[1:])
}

func setModifier(rule *gwv1.HTTPRouteRule, kind byte, full bool, replacement string) {
	modifier := &gwv1.HTTPPathModifier{Type: gwv1.PrefixMatchHTTPPathModifier, ReplacePrefixMatch: &replacement}
	if full {
		modifier = &gwv1.HTTPPathModifier{Type: gwv1.FullPathHTTPPathModifier, ReplaceFullPath: &replacement}
	}
	service := gwv1.HTTPBackendRef{}
	service.Name, service.Port = "cart", new(int32(80))
	switch kind {
	case 'P', 'F': // a rewrite
		rule.Filters = []gwv1.HTTPRouteFilter{{Type: gwv1.HTTPRouteFilterURLRewrite, URLRewrite: &gwv1.HTTPURLRewriteFilter{Path: modifier}}}
		rule.BackendRefs = []gwv1.HTTPBackendRef{service}
	case 'R', 'G': // a redirect
		rule.Filters = []gwv1.HTTPRouteFilter{{Type: gwv1.HTTPRouteFilterRequestRedirect, RequestRedirect: &gwv1.HTTPRequestRedirectFilter{Path: modifier}}}
	default:
		rule.BackendRefs = []gwv1.HTTPBackendRef{service}
	}
}

// firstRoute returns the first route of the virtual host a.com; nil when nothing but the 404 is there.
func firstRoute(t *testing.T, m *machine) *routev3.Route {
	t.Helper()
	id := ir.ResourceID{Type: ir.TypeVirtualHost, Name: "gw/infra/edge/http-8080/a.com"}
	for _, all := range m.resources {
		decoded, err := xds.Decode(all[id])
		if err != nil {
			t.Fatal(err)
		}
		if routes := decoded.(*routev3.VirtualHost).GetRoutes(); len(routes) > 1 {
			return routes[0]
		}
	}
	return nil
}

func rewritten(r *routev3.Route, matched, path string) string {
	if a := r.GetRoute(); a != nil {
		return envoyRewrites(a.GetPrefixRewrite(), a.GetRegexRewrite(), matched, path)
	}
	a := r.GetRedirect()
	if p := a.GetPathRedirect(); p != "" {
		return p
	}
	return envoyRewrites(a.GetPrefixRewrite(), a.GetRegexRewrite(), matched, path)
}

func ascii(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r > 127 })
}
