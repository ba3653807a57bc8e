package xds

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"

	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"

	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

var treePaths = []string{"/", "/a", "/a/", "/a/b", "/ab", "/a/b/c", "/b", "/b/a", "/a/bc", "/c/d/e", "/c"}

// treeExpression is the regular expression of these tests.
const treeExpression = "/[ab](/.*)?"

var treeRegex = regexp.MustCompile("^(?:" + treeExpression + ")$")

// randomRoutes makes routes whose paths are near each other.
func randomRoutes(t *testing.T, r *rand.Rand, n int) []*routev3.Route {
	t.Helper()
	var routes []*routev3.Route
	for i := range n {
		path := ir.PathMatch{Type: ir.PathType(r.IntN(2)), Value: treePaths[r.IntN(len(treePaths))]}
		if path.Type == ir.PathPrefix && path.Value != "/" {
			path.Value = strings.TrimSuffix(path.Value, "/")
		}
		if r.IntN(10) == 0 {
			path = ir.PathMatch{Type: ir.PathRegex, Value: treeExpression}
		}
		m := ir.Match{Path: path}
		if r.IntN(2) == 0 {
			m.Method = []string{"GET", "PUT"}[r.IntN(2)]
		}
		match, err := routeMatch(m)
		if err != nil {
			t.Fatal(err)
		}
		routes = append(routes, &routev3.Route{Name: fmt.Sprint(i), Match: match})
	}
	return routes
}

// take finds the route that a list gives a request, as Envoy's documentation of RouteMatch says.
func take(routes []*routev3.Route, method, target string) string {
	path, _, _ := strings.Cut(target, "?")
	for _, r := range routes {
		value, kind := pathOf(r.GetMatch())
		var ok bool
		switch kind {
		case ir.PathExact:
			ok = path == value
		case ir.PathRegex:
			ok = treeRegex.MatchString(path)
		default:
			ok = value == "/" || path == value || strings.HasPrefix(path, value+"/")
		}
		for _, h := range r.GetMatch().GetHeaders() {
			ok = ok && h.GetStringMatch().GetExact() == method
		}
		if ok {
			return r.GetName()
		}
	}
	return ""
}

// takeTree finds the route that a tree gives: the list of the longest key that begins the path with its query.
func takeTree(t *testing.T, m *routev3.VirtualHost, method, target string) string {
	t.Helper()
	longest := ""
	lists := m.GetMatcher().GetMatcherTree().GetPrefixMatchMap().GetMap()
	for key := range lists {
		if strings.HasPrefix(target, key) && len(key) > len(longest) {
			longest = key
		}
	}
	if longest == "" {
		return ""
	}
	var list routev3.RouteList
	if err := lists[longest].GetAction().GetTypedConfig().UnmarshalTo(&list); err != nil {
		t.Fatal(err)
	}
	return take(list.GetRoutes(), method, target)
}

func TestATreeGivesTheAnswersOfItsList(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 6))
	compared := 0
	for range 1500 {
		routes := randomRoutes(t, r, longestList+1+r.IntN(20))
		m := &routev3.VirtualHost{}
		setRoutes(m, routes)
		if m.GetMatcher() == nil {
			t.Fatal("a long list stayed a list")
		}
		for range 70 {
			target := treePaths[r.IntN(len(treePaths))] + []string{"", "/", "x", "/x", "?q=/a/b", "/?"}[r.IntN(6)]
			method := []string{"GET", "PUT", "POST"}[r.IntN(3)]
			if list, tree := take(routes, method, target), takeTree(t, m, method, target); list != tree {
				t.Fatalf("%s %s: the list gives %q, the tree %q", method, target, list, tree)
			}
			compared++
		}
	}
	fmt.Printf("evidence: %d requests compared between lists and trees\n", compared)
}

func TestAShortListStaysAListAndATreeIsBounded(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	m := &routev3.VirtualHost{}
	setRoutes(m, randomRoutes(t, r, longestList))
	if m.GetMatcher() != nil || len(m.GetRoutes()) != longestList {
		t.Error("a short list became a tree")
	}
	var routes []*routev3.Route
	for i := range 200 {
		match, err := routeMatch(ir.Match{Path: ir.PathMatch{Type: ir.PathRegex, Value: fmt.Sprintf("/r%d", i)}})
		if err != nil {
			t.Fatal(err)
		}
		exact, err := routeMatch(ir.Match{Path: ir.PathMatch{Type: ir.PathExact, Value: fmt.Sprintf("/e%d", i)}})
		if err != nil {
			t.Fatal(err)
		}
		routes = append(routes, &routev3.Route{Match: match}, &routev3.Route{Match: exact})
	}
	m = &routev3.VirtualHost{}
	setRoutes(m, routes)
	if m.GetMatcher() != nil {
		t.Error("200 expressions beside 200 paths made a tree of 40,000 routes")
	}
}
