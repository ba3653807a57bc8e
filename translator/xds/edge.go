package xds

import (
	accesslogv3 "github.com/envoyproxy/go-control-plane/envoy/config/accesslog/v3"
	mutationv3 "github.com/envoyproxy/go-control-plane/envoy/config/common/mutation_rules/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	earlyv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/http/early_header_mutation/header_mutation/v3"
	matcherv3 "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/cloverleaf-mesh/cloverleaf/translator/xds/filter"
)

// What a client says about itself, or about proxies before this one, is removed before anything looks at it: backends
// believe such headers, because proxies set them (docs/decisions/015-clients-headers-are-not-believed.md). Envoy itself
// knows only some of them, and passes the rest on.
var (
	unbelievedPrefixes = []string{"x-envoy-", "x-forwarded-"}
	unbelievedNames    = []string{"forwarded", "x-real-ip", "x-original-url", "x-rewrite-url"}
)

// unbelieved removes them. Envoy adds its own x-forwarded-for, x-forwarded-proto and x-envoy-* afterwards.
func unbelieved() []*corev3.TypedExtensionConfig {
	m := &earlyv3.HeaderMutation{}
	for _, prefix := range unbelievedPrefixes {
		m.Mutations = append(m.Mutations, &mutationv3.HeaderMutation{Action: &mutationv3.HeaderMutation_RemoveOnMatch_{
			RemoveOnMatch: &mutationv3.HeaderMutation_RemoveOnMatch{
				KeyMatcher: &matcherv3.StringMatcher{MatchPattern: &matcherv3.StringMatcher_Prefix{Prefix: prefix}},
			},
		}})
	}
	for _, name := range unbelievedNames {
		m.Mutations = append(m.Mutations, &mutationv3.HeaderMutation{Action: &mutationv3.HeaderMutation_Remove{Remove: name}})
	}
	return []*corev3.TypedExtensionConfig{{Name: "envoy.http.early_header_mutation.header_mutation", TypedConfig: pack(m)}}
}

// nobodyInside says that no client is inside: an internal one may set x-envoy-* headers and its own request id. An empty
// list would mean all private addresses, and what no list means depends on Envoy's version; so it names an address that
// no client has.
func nobodyInside() *hcmv3.HttpConnectionManager_InternalAddressConfig {
	return &hcmv3.HttpConnectionManager_InternalAddressConfig{
		CidrRanges: []*corev3.CidrRange{{AddressPrefix: "255.255.255.255", PrefixLen: wrapperspb.UInt32(32)}},
	}
}

// localReplies makes 400 of the 403 of [filter.WellFormed], which is all that its kind of filter answers.
func localReplies() *hcmv3.LocalReplyConfig {
	forbidden := &accesslogv3.AccessLogFilter{FilterSpecifier: &accesslogv3.AccessLogFilter_StatusCodeFilter{
		StatusCodeFilter: &accesslogv3.StatusCodeFilter{Comparison: &accesslogv3.ComparisonFilter{
			Op: accesslogv3.ComparisonFilter_EQ, Value: &corev3.RuntimeUInt32{DefaultValue: 403, RuntimeKey: "unused"},
		}},
	}}
	malformed := &accesslogv3.OrFilter{}
	for _, m := range filter.Malformed() {
		malformed.Filters = append(malformed.Filters, &accesslogv3.AccessLogFilter{
			FilterSpecifier: &accesslogv3.AccessLogFilter_HeaderFilter{HeaderFilter: &accesslogv3.HeaderFilter{Header: m}},
		})
	}
	return &hcmv3.LocalReplyConfig{Mappers: []*hcmv3.ResponseMapper{{
		Filter: &accesslogv3.AccessLogFilter{FilterSpecifier: &accesslogv3.AccessLogFilter_AndFilter{
			AndFilter: &accesslogv3.AndFilter{Filters: []*accesslogv3.AccessLogFilter{
				forbidden, {FilterSpecifier: &accesslogv3.AccessLogFilter_OrFilter{OrFilter: malformed}},
			}},
		}},
		StatusCode: wrapperspb.UInt32(400),
		Body: &corev3.DataSource{Specifier: &corev3.DataSource_InlineString{
			InlineString: "malformed host or path\n",
		}},
	}}}
}
