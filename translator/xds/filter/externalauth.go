package filter

import (
	"time"

	xdscorev3 "github.com/cncf/xds/go/xds/core/v3"
	matcherv3 "github.com/cncf/xds/go/xds/type/matcher/v3"
	rulesv3 "github.com/envoyproxy/go-control-plane/envoy/config/common/mutation_rules/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	matchingv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/common/matching/v3"
	actionv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/common/matcher/action/v3"
	compositev3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/composite/v3"
	authzv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/ext_authz/v3"
	stringv3 "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"
	typev3 "github.com/envoyproxy/go-control-plane/envoy/type/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// ExternalAuth asks an authorization server before a request goes on (GEP-1494). What a route may say to Envoy's filter
// leaves out which headers are sent, so the chain holds a composite filter, and a rule brings the whole filter along
// (tried on 1.40). It is no part of the chain for rules that bring none.
var ExternalAuth = Filter{
	Name:     "cloverleaf.external_auth",
	Disabled: true,
	Config: func() proto.Message {
		return &matchingv3.ExtensionWithMatcher{
			ExtensionConfig: &corev3.TypedExtensionConfig{Name: "composite", TypedConfig: Pack(&compositev3.Composite{})},
			XdsMatcher:      always("skip", &actionv3.SkipFilter{}),
		}
	},
	PerRoute: func(f ir.Features) proto.Message {
		if f.Auth == nil {
			return nil
		}
		return &matchingv3.ExtensionWithMatcherPerRoute{XdsMatcher: always("ask", &compositev3.ExecuteFilterAction{
			TypedConfig: &corev3.TypedExtensionConfig{Name: "envoy.filters.http.ext_authz", TypedConfig: Pack(authorizer(f.Auth))},
		})}
	},
}

// always is a matcher that takes every request.
func always(name string, action proto.Message) *matcherv3.Matcher {
	return &matcherv3.Matcher{OnNoMatch: &matcherv3.Matcher_OnMatch{OnMatch: &matcherv3.Matcher_OnMatch_Action{
		Action: &xdscorev3.TypedExtensionConfig{Name: name, TypedConfig: Pack(action)},
	}}}
}

// authTimeout is how long an authorization server may think; then the request is refused.
const authTimeout = 10 * time.Second

// kept are headers of a request that no authorization server replaces: those that say where it goes and how its body is
// framed and to be read. The server's answer has a body of its own.
const kept = "host|content-.*|transfer-encoding|connection|te|upgrade|trailer|keep-alive|proxy-.*|date|server"

// authorizer is the filter that asks. A server that cannot be reached or fails refuses the request.
func authorizer(a *ir.ExternalAuth) *authzv3.ExtAuthz {
	m := &authzv3.ExtAuthz{
		TransportApiVersion: corev3.ApiVersion_V3, AllowedHeaders: namesMatcher(a.Request),
		StatusOnError:              &typev3.HttpStatus{Code: typev3.StatusCode_Forbidden},
		DecoderHeaderMutationRules: &rulesv3.HeaderMutationRules{DisallowExpression: &stringv3.RegexMatcher{Regex: kept}},
	}
	if a.GRPC {
		m.Services = &authzv3.ExtAuthz_GrpcService{GrpcService: &corev3.GrpcService{
			TargetSpecifier: &corev3.GrpcService_EnvoyGrpc_{EnvoyGrpc: &corev3.GrpcService_EnvoyGrpc{ClusterName: string(a.Backend)}},
			Timeout:         durationpb.New(authTimeout),
		}}
		return m
	}
	answer := namesMatcher(a.Response)
	if answer == nil {
		answer = &stringv3.ListStringMatcher{Patterns: []*stringv3.StringMatcher{regexMatcher(".*")}}
	}
	m.Services = &authzv3.ExtAuthz_HttpService{HttpService: &authzv3.HttpService{
		ServerUri: &corev3.HttpUri{
			Uri: "http://" + string(a.Backend), Timeout: durationpb.New(authTimeout),
			HttpUpstreamType: &corev3.HttpUri_Cluster{Cluster: string(a.Backend)},
		},
		PathPrefix:            a.Prefix,
		AuthorizationResponse: &authzv3.AuthorizationResponse{AllowedUpstreamHeaders: answer},
	}}
	return m
}

// namesMatcher matches names of headers; nil for none.
func namesMatcher(names []string) *stringv3.ListStringMatcher {
	if len(names) == 0 {
		return nil
	}
	m := &stringv3.ListStringMatcher{}
	for _, name := range names {
		m.Patterns = append(m.Patterns, &stringv3.StringMatcher{
			MatchPattern: &stringv3.StringMatcher_Exact{Exact: name}, IgnoreCase: true,
		})
	}
	return m
}
