package xds

import (
	"maps"
	"slices"
	"strings"

	xdscorev3 "github.com/cncf/xds/go/xds/core/v3"
	xdsmatcherv3 "github.com/cncf/xds/go/xds/type/matcher/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	matcherv3 "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"

	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

const (
	// longestList is the number of routes up to which a host has a list. Envoy goes through a list from the top, which
	// costs 40 to 90 ns for each route that it passes over; a tree costs the same wherever the route stands.
	longestList = 32
	// treeGrowth bounds a tree: it holds at most so many times the routes of the list.
	treeGrowth = 16
)

// setRoutes gives a virtual host its routes: as a list or, where that would be long, as a tree of paths that gives the
// same answers.
func setRoutes(m *routev3.VirtualHost, routes []*routev3.Route) {
	if len(routes) > longestList {
		if tree := pathTree(routes); tree != nil {
			m.Matcher = tree
			return
		}
	}
	m.Routes = routes
}

// pathTree makes a map from path prefixes to lists of routes; nil when it would grow too large. Envoy takes the longest
// key that begins the path (with its query), so a key's list holds every route that could take such a path, in the order
// of precedence and with its whole match: those with that path, those with a prefix that begins it, and all regular
// expressions. Nothing depends on Envoy going on from one list to another: it does not, once a list was chosen.
func pathTree(routes []*routev3.Route) *xdsmatcherv3.Matcher {
	keys := map[string]bool{"/": true}
	for _, r := range routes {
		if path, kind := pathOf(r.GetMatch()); kind != ir.PathRegex {
			keys[path] = true
		}
	}
	lists := make(map[string]*xdsmatcherv3.Matcher_OnMatch, len(keys))
	room := treeGrowth * len(routes)
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		list := candidates(routes, key)
		if room -= len(list.GetRoutes()); room < 0 {
			return nil
		}
		lists[key] = &xdsmatcherv3.Matcher_OnMatch{OnMatch: &xdsmatcherv3.Matcher_OnMatch_Action{
			Action: &xdscorev3.TypedExtensionConfig{Name: "routes", TypedConfig: pack(list)},
		}}
	}
	return &xdsmatcherv3.Matcher{MatcherType: &xdsmatcherv3.Matcher_MatcherTree_{MatcherTree: &xdsmatcherv3.Matcher_MatcherTree{
		Input: &xdscorev3.TypedExtensionConfig{
			Name: "path", TypedConfig: pack(&matcherv3.HttpRequestHeaderMatchInput{HeaderName: ":path"}),
		},
		TreeType: &xdsmatcherv3.Matcher_MatcherTree_PrefixMatchMap{
			PrefixMatchMap: &xdsmatcherv3.Matcher_MatcherTree_MatchMap{Map: lists},
		},
	}}}
}

// candidates lists the routes that could take a path of which key is the longest key.
func candidates(routes []*routev3.Route, key string) *routev3.RouteList {
	list := &routev3.RouteList{}
	for _, r := range routes {
		path, kind := pathOf(r.GetMatch())
		switch {
		case kind == ir.PathRegex, path == key, kind == ir.PathPrefix && strings.HasPrefix(key, path):
			list.Routes = append(list.Routes, r)
		}
	}
	return list
}

// pathOf returns the path of a match and how it is compared.
func pathOf(m *routev3.RouteMatch) (string, ir.PathType) {
	switch p := m.GetPathSpecifier().(type) {
	case *routev3.RouteMatch_Path:
		return p.Path, ir.PathExact
	case *routev3.RouteMatch_Prefix:
		return p.Prefix, ir.PathPrefix
	case *routev3.RouteMatch_PathSeparatedPrefix:
		return p.PathSeparatedPrefix, ir.PathPrefix
	default:
		return "", ir.PathRegex
	}
}
