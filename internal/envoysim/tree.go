package envoysim

import (
	"fmt"
	"slices"
	"strings"

	xdsmatcherv3 "github.com/cncf/xds/go/xds/type/matcher/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	matcherv3 "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"
	"google.golang.org/protobuf/proto"
)

// tree is a matcher tree on the path: a list of routes for each key.
type tree struct{ lists map[string][]*route }

// newTree compiles the one shape of a matcher tree that is understood: a map of prefixes of :path to lists of routes.
// It returns every route of it once, in an order that keeps that of each list.
func newTree(m *xdsmatcherv3.Matcher) (*tree, []*route, error) {
	var input matcherv3.HttpRequestHeaderMatchInput
	t := m.GetMatcherTree()
	err := t.GetInput().GetTypedConfig().UnmarshalTo(&input)
	if err != nil || input.GetHeaderName() != ":path" || t.GetPrefixMatchMap() == nil || m.GetOnNoMatch() != nil {
		return nil, nil, fmt.Errorf("only matcher trees with a prefix map on :path are understood")
	}
	out := &tree{lists: map[string][]*route{}}
	known := map[string]*route{} // lists share their routes
	for key, on := range t.GetPrefixMatchMap().GetMap() {
		var list routev3.RouteList
		if err := on.GetAction().GetTypedConfig().UnmarshalTo(&list); err != nil {
			return nil, nil, fmt.Errorf("path %q: %w", key, err)
		}
		for _, config := range list.GetRoutes() {
			text, err := proto.MarshalOptions{Deterministic: true}.Marshal(config) // names need not be unique
			if err != nil {
				return nil, nil, err
			}
			r, ok := known[string(text)]
			if !ok {
				if r, err = newRoute(config); err != nil {
					return nil, nil, err
				}
				known[string(text)] = r
			}
			out.lists[key] = append(out.lists[key], r)
		}
	}
	return out, out.merge(), nil
}

// find returns the list of the longest key that begins a target, its query included.
func (t *tree) find(target string) []*route {
	for n := len(target); n > 0; n-- {
		if list, ok := t.lists[target[:n]]; ok {
			return list
		}
	}
	return nil
}

// merge lists all routes. A route comes after those that stand before it in any list.
func (t *tree) merge() []*route {
	keys := make([]string, 0, len(t.lists))
	for key := range t.lists {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(a, b string) int { // longer lists tell more of the order
		if d := len(t.lists[b]) - len(t.lists[a]); d != 0 {
			return d
		}
		return strings.Compare(a, b)
	})
	before := map[*route][]*route{}
	for _, key := range keys {
		list := t.lists[key]
		for i := 1; i < len(list); i++ {
			before[list[i]] = append(before[list[i]], list[i-1])
		}
	}
	var out []*route
	done := map[*route]bool{}
	var visit func(*route)
	visit = func(r *route) {
		if done[r] {
			return
		}
		done[r] = true
		for _, p := range before[r] {
			visit(p)
		}
		out = append(out, r)
	}
	for _, key := range keys {
		for _, r := range t.lists[key] {
			visit(r)
		}
	}
	return out
}
