package envoy

import (
	"encoding/json"
	"path/filepath"

	"github.com/cloverleaf-mesh/cloverleaf/internal/re2"
)

// names of the files in a runtime folder.
const (
	xdsSocket   = "xds.sock"
	adminSocket = "admin.sock"
	bootstrap   = "bootstrap.json"
)

// XDSSocket returns the Unix socket in a runtime folder on which Envoy expects ADS.
func XDSSocket(dir string) string { return filepath.Join(dir, xdsSocket) }

func pipe(path string) map[string]any { return map[string]any{"pipe": map[string]any{"path": path}} }

// Bootstrap returns Envoy's static configuration for a runtime folder, and for the most memory that it may use, in bytes.
// It is JSON, because Envoy's YAML reader takes a bare y for a boolean.
func Bootstrap(dir string, heap uint64) []byte {
	ads := map[string]any{"ads": map[string]any{}, "resource_api_version": "V3"}
	config := map[string]any{
		"node":  map[string]any{"id": "local", "cluster": "cloverleaf"},
		"admin": map[string]any{"address": pipe(filepath.Join(dir, adminSocket))},
		"dynamic_resources": map[string]any{
			"lds_config": ads, "cds_config": ads,
			"ads_config": map[string]any{
				"api_type": "DELTA_GRPC", "transport_api_version": "V3", "set_node_on_first_message_only": true,
				"grpc_services": []any{map[string]any{"envoy_grpc": map[string]any{"cluster_name": "xds"}}},
			},
		},
		"static_resources": map[string]any{"clusters": []any{xdsCluster(dir)}},
		"stats_config":     map[string]any{"stats_matcher": map[string]any{"inclusion_list": statsKept()}},
		"layered_runtime":  map[string]any{"layers": []any{map[string]any{"name": "static", "static_layer": runtime()}}},
		"overload_manager": overload(heap),
	}
	text, err := json.MarshalIndent(config, "", " ")
	if err != nil {
		panic(err) // made of strings, numbers and maps
	}
	return text
}

func xdsCluster(dir string) map[string]any {
	return map[string]any{
		"name": "xds", "type": "STATIC", "connect_timeout": "5s",
		"typed_extension_protocol_options": map[string]any{
			"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": map[string]any{
				"@type":                "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
				"explicit_http_config": map[string]any{"http2_protocol_options": map[string]any{}},
			},
		},
		"load_assignment": map[string]any{"cluster_name": "xds", "endpoints": []any{map[string]any{
			"lb_endpoints": []any{map[string]any{"endpoint": map[string]any{"address": pipe(filepath.Join(dir, xdsSocket))}}},
		}}},
	}
}

// runtime sets what cannot be set elsewhere: regular expressions may be larger than Envoy's default of 100 instructions
// (they are RE2, so they cannot run away).
func runtime() map[string]any {
	return map[string]any{
		"re2.max_program_size.error_level": re2.MaxProgram,
		"re2.max_program_size.warn_level":  re2.MaxProgram,
	}
}

// statsKept bounds the number of statistics: those of whole listeners, connections, xDS and clusters' requests.
func statsKept() map[string]any {
	var patterns []any
	for _, prefix := range []string{"server.", "overload.", "listener_manager.", "cluster_manager.", "http.", "control_plane.", "listener."} {
		patterns = append(patterns, map[string]any{"prefix": prefix})
	}
	for _, part := range []string{"upstream_rq", "upstream_cx", "membership"} {
		patterns = append(patterns, map[string]any{"contains": part})
	}
	return map[string]any{"patterns": patterns}
}

// mostConnections is how many connections of clients there may be at once.
const mostConnections = 50_000

// overload says what happens when memory gets short: connections without requests are closed earlier and earlier, unused
// memory is given back, connections are no longer kept for further requests, and at last requests are answered with 503.
// Open requests go on. (Envoy, "Configuring Envoy as an edge proxy".)
func overload(heap uint64) map[string]any {
	const used = "envoy.resource_monitors.fixed_heap"
	from := func(share float64) []any {
		return []any{map[string]any{"name": used, "threshold": map[string]any{"value": share}}}
	}
	return map[string]any{
		"refresh_interval": "0.25s",
		"resource_monitors": []any{
			monitor(used, "fixed_heap.v3.FixedHeapConfig", map[string]any{"max_heap_size_bytes": heap}),
			monitor("envoy.resource_monitors.global_downstream_max_connections",
				"downstream_connections.v3.DownstreamConnectionsConfig", map[string]any{"max_active_downstream_connections": mostConnections}),
		},
		"actions": []any{
			map[string]any{
				"name":     "envoy.overload_actions.reduce_timeouts",
				"triggers": []any{map[string]any{"name": used, "scaled": map[string]any{"scaling_threshold": 0.80, "saturation_threshold": 0.95}}},
				"typed_config": map[string]any{
					"@type":               "type.googleapis.com/envoy.config.overload.v3.ScaleTimersOverloadActionConfig",
					"timer_scale_factors": []any{map[string]any{"timer": "HTTP_DOWNSTREAM_CONNECTION_IDLE", "min_timeout": "2s"}},
				},
			},
			map[string]any{"name": "envoy.overload_actions.shrink_heap", "triggers": from(0.90)},
			map[string]any{"name": "envoy.overload_actions.disable_http_keepalive", "triggers": from(0.95)},
			map[string]any{"name": "envoy.overload_actions.stop_accepting_requests", "triggers": from(0.98)},
		},
	}
}

func monitor(name, kind string, config map[string]any) map[string]any {
	config["@type"] = "type.googleapis.com/envoy.extensions.resource_monitors." + kind
	return map[string]any{"name": name, "typed_config": config}
}
