package envoysim

import (
	"slices"
	"strings"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/anypb"
)

// knownFields lists, for each message, the fields that this package reads, and those that change no answer: sizes of
// buffers and windows, names of statistics, how something is fetched. A message with "*" is known as a whole. Whatever
// else is set is reported, so that nobody takes an answer for complete that is not.
var knownFields = map[string]string{
	"envoy.config.listener.v3.Listener": `name stat_prefix address filter_chains listener_filters metadata
		per_connection_buffer_limit_bytes enable_reuse_port access_log`,
	"envoy.config.listener.v3.ListenerFilter": "name typed_config",
	"envoy.config.listener.v3.FilterChain": `
		name filters filter_chain_match transport_socket transport_socket_connect_timeout`,
	"envoy.config.listener.v3.FilterChainMatch":                       "server_names",
	"envoy.config.listener.v3.Filter":                                 "name typed_config",
	"envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector": "",
	"envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext":  "common_tls_context require_client_certificate",
	"envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext":    "*",
	"envoy.extensions.transport_sockets.tls.v3.CommonTlsContext": `
		tls_params alpn_protocols tls_certificate_sds_secret_configs validation_context_sds_secret_config`,
	"envoy.extensions.transport_sockets.tls.v3.TlsParameters":                                         "*",
	"envoy.extensions.transport_sockets.tls.v3.SdsSecretConfig":                                       "*",
	"envoy.extensions.transport_sockets.tls.v3.Secret":                                                "*",
	"envoy.extensions.filters.network.http_connection_manager.v3.Rds":                                 "config_source route_config_name",
	"envoy.extensions.filters.network.http_connection_manager.v3.HttpFilter":                          "name typed_config disabled",
	"envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager.UpgradeConfig": "upgrade_type enabled",
	"envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager": `stat_prefix codec_type http_filters
		rds use_remote_address normalize_path merge_slashes path_with_escaped_slashes_action server_header_transformation
		scheme_header_transformation
		max_request_headers_kb request_headers_timeout stream_idle_timeout common_http_protocol_options
		http2_protocol_options http_protocol_options upgrade_configs access_log local_reply_config
		early_header_mutation_extensions internal_address_config`,
	"envoy.config.accesslog.v3.AccessLog":                                          "*", // it says and changes nothing
	"envoy.config.accesslog.v3.AccessLogFilter":                                    "and_filter or_filter header_filter status_code_filter",
	"envoy.config.accesslog.v3.AndFilter":                                          "filters",
	"envoy.config.accesslog.v3.OrFilter":                                           "filters",
	"envoy.config.accesslog.v3.HeaderFilter":                                       "header",
	"envoy.config.accesslog.v3.StatusCodeFilter":                                   "comparison",
	"envoy.config.accesslog.v3.ComparisonFilter":                                   "*",
	"envoy.extensions.filters.network.http_connection_manager.v3.LocalReplyConfig": "mappers",
	"envoy.extensions.filters.network.http_connection_manager.v3.ResponseMapper":   "filter status_code body",

	"envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager.InternalAddressConfig": "*", // nobody is inside

	"envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation": "mutations",
	"envoy.config.common.mutation_rules.v3.HeaderMutation":                          "remove remove_on_match",
	"envoy.config.common.mutation_rules.v3.HeaderMutation.RemoveOnMatch":            "key_matcher",
	"envoy.extensions.filters.http.rbac.v3.RBAC":                                    "rules",
	"envoy.extensions.filters.http.set_filter_state.v3.Config":                      "*", // for the access log alone
	"envoy.config.rbac.v3.RBAC":                                                     "action policies",
	"envoy.config.rbac.v3.Policy":                                                   "permissions principals",
	"envoy.config.rbac.v3.Permission":                                               "header url_path",
	"envoy.config.rbac.v3.Principal":                                                "any",
	"envoy.type.matcher.v3.PathMatcher":                                             "path",
	"envoy.config.core.v3.HttpProtocolOptions":                                      "idle_timeout headers_with_underscores_action max_headers_count",
	"envoy.config.core.v3.Http2ProtocolOptions": `
		max_concurrent_streams initial_stream_window_size initial_connection_window_size`,
	"envoy.config.core.v3.Http1ProtocolOptions":         "",
	"envoy.config.core.v3.SchemeHeaderTransformation":   "match_upstream",
	"envoy.config.core.v3.ConfigSource":                 "*",
	"envoy.config.core.v3.Address":                      "*",
	"envoy.config.core.v3.Metadata":                     "*",
	"envoy.config.core.v3.TransportSocket":              "name typed_config",
	"envoy.config.core.v3.TypedExtensionConfig":         "name typed_config",
	"envoy.config.core.v3.DataSource":                   "inline_string",
	"envoy.config.core.v3.HeaderValueOption":            "header append_action keep_empty_value",
	"envoy.config.core.v3.HeaderValue":                  "key value",
	"envoy.config.core.v3.RuntimeFractionalPercent":     "default_value",
	"envoy.config.core.v3.Locality":                     "*",
	"envoy.type.v3.FractionalPercent":                   "*",
	"envoy.type.v3.Percent":                             "*",
	"envoy.type.matcher.v3.StringMatcher":               "exact prefix suffix contains safe_regex ignore_case",
	"envoy.type.matcher.v3.RegexMatcher":                "regex",
	"envoy.type.matcher.v3.RegexMatchAndSubstitute":     "*",
	"envoy.type.matcher.v3.HttpRequestHeaderMatchInput": "header_name",
	"envoy.type.http.v3.Cookie":                         "name path ttl",
	"xds.type.matcher.v3.Matcher":                       "matcher_tree on_no_match",
	"xds.type.matcher.v3.Matcher.MatcherTree":           "input prefix_match_map",
	"xds.type.matcher.v3.Matcher.MatcherTree.MatchMap":  "map",
	"xds.type.matcher.v3.Matcher.OnMatch":               "action",
	"xds.core.v3.TypedExtensionConfig":                  "name typed_config",
	"envoy.config.route.v3.RouteConfiguration":          "name vhds virtual_hosts ignore_port_in_host_matching metadata " + headerFields,
	"envoy.config.route.v3.Vhds":                        "*",
	"envoy.config.route.v3.VirtualHost":                 "name domains routes matcher metadata " + headerFields,
	"envoy.config.route.v3.RouteList":                   "routes",
	"envoy.config.route.v3.Route":                       "name match route redirect direct_response metadata typed_per_filter_config " + headerFields,
	"envoy.config.route.v3.RouteMatch": `
		path prefix path_separated_prefix safe_regex headers query_parameters grpc runtime_fraction filter_state`,
	"envoy.type.matcher.v3.FilterStateMatcher":                             "key string_match",
	"envoy.extensions.filters.network.set_filter_state.v3.Config":          "on_new_connection",
	"envoy.extensions.filters.common.set_filter_state.v3.FilterStateValue": "object_key factory_key format_string",
	"envoy.config.core.v3.SubstitutionFormatString":                        "text_format_source",
	"envoy.config.route.v3.RouteMatch.GrpcRouteMatchOptions":               "",
	"envoy.config.route.v3.HeaderMatcher":                                  "name string_match invert_match",
	"envoy.config.route.v3.QueryParameterMatcher":                          "name string_match",
	"envoy.config.route.v3.DirectResponseAction":                           "status body",
	"envoy.config.route.v3.RedirectAction": `https_redirect scheme_redirect host_redirect port_redirect path_redirect
		prefix_rewrite regex_rewrite response_code strip_query`,
	"envoy.config.route.v3.RouteAction": `cluster weighted_clusters prefix_rewrite regex_rewrite host_rewrite_literal timeout
		retry_policy request_mirror_policies`,
	"envoy.config.route.v3.WeightedCluster":                 "clusters",
	"envoy.config.route.v3.WeightedCluster.ClusterWeight":   "name weight host_rewrite_literal " + headerFields,
	"envoy.config.route.v3.RouteAction.RequestMirrorPolicy": "cluster runtime_fraction disable_shadow_host_suffix_append",
	"envoy.config.route.v3.RetryPolicy":                     "retry_on num_retries per_try_timeout retriable_status_codes retry_back_off",
	"envoy.config.route.v3.RetryPolicy.RetryBackOff":        "*",
	"envoy.extensions.filters.http.cors.v3.Cors":            "",
	"envoy.extensions.filters.http.cors.v3.CorsPolicy": `allow_origin_string_match allow_methods allow_headers expose_headers max_age allow_credentials
		forward_not_matching_preflights`,
	"envoy.extensions.common.matching.v3.ExtensionWithMatcher":                  "*",
	"envoy.extensions.common.matching.v3.ExtensionWithMatcherPerRoute":          "xds_matcher",
	"envoy.extensions.filters.http.composite.v3.ExecuteFilterAction":            "typed_config",
	"envoy.extensions.filters.http.ext_authz.v3.ExtAuthz":                       "*",
	"envoy.extensions.filters.http.router.v3.Router":                            "suppress_envoy_headers",
	"envoy.extensions.filters.http.stateful_session.v3.StatefulSession":         "session_state",
	"envoy.extensions.filters.http.stateful_session.v3.StatefulSessionPerRoute": "stateful_session",
	"envoy.extensions.http.stateful_session.cookie.v3.CookieBasedSessionState":  "cookie",
	"envoy.extensions.http.stateful_session.header.v3.HeaderBasedSessionState":  "name",
	"envoy.config.cluster.v3.Cluster": `name type eds_cluster_config load_assignment dns_lookup_family lb_policy connect_timeout
		per_connection_buffer_limit_bytes circuit_breakers common_lb_config typed_extension_protocol_options transport_socket
		metadata`,
	"envoy.config.cluster.v3.Cluster.EdsClusterConfig":       "*",
	"envoy.config.cluster.v3.Cluster.CommonLbConfig":         "healthy_panic_threshold",
	"envoy.config.cluster.v3.CircuitBreakers":                "*",
	"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": "*",
	"envoy.config.endpoint.v3.ClusterLoadAssignment":         "cluster_name endpoints",
	"envoy.config.endpoint.v3.LocalityLbEndpoints":           "locality lb_endpoints",
	"envoy.config.endpoint.v3.LbEndpoint":                    "endpoint health_status",
	"envoy.config.endpoint.v3.Endpoint":                      "address",
}

const headerFields = "request_headers_to_add request_headers_to_remove response_headers_to_add response_headers_to_remove"

// unknownFields lists the fields of a message that are set and not known.
func unknownFields(m proto.Message) []string {
	var out []string
	walk(m.ProtoReflect(), &out)
	slices.Sort(out)
	return slices.Compact(out)
}

func walk(m protoreflect.Message, out *[]string) {
	name := string(m.Descriptor().FullName())
	if packed, ok := m.Interface().(*anypb.Any); ok {
		inner, err := packed.UnmarshalNew()
		if err != nil {
			*out = append(*out, packed.GetTypeUrl())
			return
		}
		walk(inner.ProtoReflect(), out)
		return
	}
	fields, ok := knownFields[name]
	switch {
	case fields == "*", strings.HasPrefix(name, "google.protobuf."):
		return
	case !ok:
		*out = append(*out, name)
		return
	}
	if o, ok := m.Interface().(*corev3.HeaderValueOption); ok && strings.Contains(strings.ReplaceAll(o.GetHeader().GetValue(), "%%", ""), "%") {
		*out = append(*out, name+" with a format")
	}
	known := strings.Fields(fields)
	m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		if !slices.Contains(known, string(f.Name())) {
			*out = append(*out, name+"."+string(f.Name()))
			return true
		}
		walkValue(f, v, out)
		return true
	})
}

func walkValue(f protoreflect.FieldDescriptor, v protoreflect.Value, out *[]string) {
	switch {
	case f.IsMap():
		if f.MapValue().Message() != nil {
			v.Map().Range(func(_ protoreflect.MapKey, v protoreflect.Value) bool {
				walk(v.Message(), out)
				return true
			})
		}
	case f.Message() == nil:
	case f.IsList():
		for i := range v.List().Len() {
			walk(v.List().Get(i).Message(), out)
		}
	default:
		walk(v.Message(), out)
	}
}
