package envoysim

import (
	"fmt"
	"regexp"

	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	matchingv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/common/matching/v3"
	corsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/cors/v3"
	sessionv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/stateful_session/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/cloverleaf-mesh/cloverleaf/translator/xds"
)

// route is a compiled route.
type route struct {
	part    Part
	config  *routev3.Route
	match   *matcher
	edits   edits
	rewrite rewrite
	shares  []clusterShare // of a forwarding route
	total   uint32
	mirrors []mirror
	cors    *corsPolicy  // nil without
	session *sessionRule // nil without
	auth    *authorizer  // nil without
}

// rewrite is what a route does to a path.
type rewrite struct {
	prefix       string // replaces what the match took, when not empty
	regex        *regexp.Regexp
	substitution string
}

// mirror is a copy that a route sends.
type mirror struct {
	cluster string
	share   *share
}

func newRoutes(list []*routev3.Route) ([]*route, error) {
	out := make([]*route, 0, len(list))
	for _, config := range list {
		r, err := newRoute(config)
		if err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, nil
}

func newRoute(config *routev3.Route) (*route, error) {
	r := &route{part: Part{config.GetName(), xds.Origins(config.GetMetadata())}, config: config, edits: newEdits(config)}
	var err error
	if r.match, err = newMatcher(config.GetMatch()); err != nil {
		return nil, r.wrap(err)
	}
	switch a := config.GetAction().(type) {
	case *routev3.Route_Route:
		err = r.forward(a.Route)
	case *routev3.Route_Redirect:
		r.rewrite, err = newRewrite(a.Redirect.GetPrefixRewrite(), a.Redirect)
	case *routev3.Route_DirectResponse:
	default:
		err = fmt.Errorf("action %T is not understood", a)
	}
	if err == nil {
		err = r.filters(config.GetTypedPerFilterConfig())
	}
	return r, r.wrap(err)
}

func (r *route) wrap(err error) error {
	if err != nil {
		return fmt.Errorf("route %s: %w", r.part.Name, err)
	}
	return nil
}

func (r *route) forward(a *routev3.RouteAction) error {
	switch c := a.GetClusterSpecifier().(type) {
	case *routev3.RouteAction_Cluster:
		r.shares, r.total = []clusterShare{{cluster: c.Cluster, weight: 1}}, 1
	case *routev3.RouteAction_WeightedClusters:
		for _, w := range c.WeightedClusters.GetClusters() {
			r.shares = append(r.shares, clusterShare{
				cluster: w.GetName(), weight: w.GetWeight().GetValue(), edits: newEdits(w), host: w.GetHostRewriteLiteral(),
			})
			r.total += w.GetWeight().GetValue()
		}
	default:
		return fmt.Errorf("cluster specifier %T is not understood", c)
	}
	switch h := a.GetHostRewriteSpecifier().(type) {
	case nil, *routev3.RouteAction_HostRewriteLiteral:
	default:
		return fmt.Errorf("host rewrite %T is not understood", h)
	}
	for _, m := range a.GetRequestMirrorPolicies() {
		r.mirrors = append(r.mirrors, mirror{m.GetCluster(), newShare(m.GetRuntimeFraction())})
	}
	var err error
	r.rewrite, err = newRewrite(a.GetPrefixRewrite(), a)
	return err
}

// filters compiles what a route says to the HTTP filters.
func (r *route) filters(configs map[string]*anypb.Any) error {
	for name, config := range configs {
		m, err := config.UnmarshalNew()
		if err != nil {
			return fmt.Errorf("filter %s: %w", name, err)
		}
		if err := r.filter(m); err != nil {
			return fmt.Errorf("filter %s: %w", name, err)
		}
	}
	return nil
}

// filter takes over what the route says to one HTTP filter.
func (r *route) filter(config proto.Message) (err error) {
	switch m := config.(type) {
	case *corsv3.CorsPolicy:
		r.cors, err = newCORS(m)
	case *sessionv3.StatefulSessionPerRoute:
		r.session, err = newSession(m)
	case *matchingv3.ExtensionWithMatcherPerRoute:
		r.auth, err = newAuthorizer(m)
	default:
		err = fmt.Errorf("%T is not understood", m)
	}
	return err
}
