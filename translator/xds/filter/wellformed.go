package filter

import (
	rbacv3 "github.com/envoyproxy/go-control-plane/envoy/config/rbac/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	rbacfilterv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/rbac/v3"
	matcherv3 "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"
	"google.golang.org/protobuf/proto"
)

const (
	// host is what a Host header may say: a name or an address, and a port. Envoy joins two Host headers by a comma and
	// takes what it finds behind the last colon for a port, so that "a.example:80,evil" would be a request for a.example;
	// HTTP wants 400 for both (RFC 9112, 3.2). Escapes and users (RFC 3986, 3.2) have no place in it either: backends read
	// them as another host than the one that was routed.
	host = `(?:[A-Za-z0-9._~-]*|\[[0-9A-Fa-f:.]+\])(?::[0-9]*)?`
	// confusing are paths that backends resolve to others. Envoy leaves a path of slashes alone at two; and it resolves a
	// dot segment with parameters ("/..;x/") where it is written plainly, but not where its dots or its semicolon were escaped.
	confusing = `//.*|.*/\.\.?(?:;|%3[Bb]).*`
)

// WellFormed refuses requests that a backend may read otherwise than the proxy did, by the Host header or by a path that
// normalising leaves ambiguous. It answers 403; the connection manager makes 400 of it ([Malformed]).
var WellFormed = Filter{
	Name: "cloverleaf.well-formed",
	Config: func() proto.Message {
		return &rbacfilterv3.RBAC{Rules: &rbacv3.RBAC{
			Action: rbacv3.RBAC_DENY,
			Policies: map[string]*rbacv3.Policy{
				"malformed-host": anyone(&rbacv3.Permission{Rule: &rbacv3.Permission_Header{Header: unlessHost()}}),
				"malformed-path": anyone(&rbacv3.Permission{Rule: &rbacv3.Permission_UrlPath{
					UrlPath: &matcherv3.PathMatcher{Rule: &matcherv3.PathMatcher_Path{Path: regexMatcher(confusing)}},
				}}),
			},
		}}
	},
}

// Malformed lists what tells a request that WellFormed refuses; any of them does.
func Malformed() []*routev3.HeaderMatcher {
	path := &routev3.HeaderMatcher{
		Name:                 ":path", // with its query
		HeaderMatchSpecifier: &routev3.HeaderMatcher_StringMatch{StringMatch: regexMatcher(`//.*|[^?]*/\.\.?(?:;|%3[Bb]).*`)},
	}
	return []*routev3.HeaderMatcher{unlessHost(), path}
}

func unlessHost() *routev3.HeaderMatcher {
	return &routev3.HeaderMatcher{
		Name: ":authority", InvertMatch: true,
		HeaderMatchSpecifier: &routev3.HeaderMatcher_StringMatch{StringMatch: regexMatcher(host)},
	}
}

func anyone(p *rbacv3.Permission) *rbacv3.Policy {
	return &rbacv3.Policy{
		Permissions: []*rbacv3.Permission{p},
		Principals:  []*rbacv3.Principal{{Identifier: &rbacv3.Principal_Any{Any: true}}},
	}
}
