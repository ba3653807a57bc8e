package xds

import (
	"encoding/json"
	"fmt"

	accesslogv3 "github.com/envoyproxy/go-control-plane/envoy/config/accesslog/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	streamv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/access_loggers/stream/v3"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/cloverleaf-mesh/cloverleaf/translator/xds/filter"
)

// accessLogFields are the fields of a line of the access log. Whatever a client can make long is cut. No field has the
// query of the request, which may hold secrets (docs/decisions/016-access-log.md).
func accessLogFields() map[string]string {
	return map[string]string{
		"start_time":       "%START_TIME%",
		"method":           "%REQ(:METHOD):32%",
		"authority":        firstOf(256, "FILTER_STATE", filter.RequestedHost+":PLAIN", "REQ", ":AUTHORITY"),
		"path":             firstOf(1024, "FILTER_STATE", filter.RequestedPath+":PLAIN", "PATH", "NQ:PATH"),
		"protocol":         "%PROTOCOL%",
		"status":           "%RESPONSE_CODE%",
		"flags":            "%RESPONSE_FLAGS%",
		"details":          "%RESPONSE_CODE_DETAILS%",
		"route":            "%ROUTE_NAME%",
		"objects":          "%METADATA(ROUTE:" + metadataNamespace + ":" + resourcesKey + ")%",
		"backend":          "%UPSTREAM_CLUSTER%",
		"backend_address":  "%UPSTREAM_HOST%",
		"backend_failure":  "%UPSTREAM_TRANSPORT_FAILURE_REASON%",
		"attempts":         "%UPSTREAM_REQUEST_ATTEMPT_COUNT%",
		"duration_ms":      "%DURATION%",
		"bytes_received":   "%BYTES_RECEIVED%",
		"bytes_sent":       "%BYTES_SENT%",
		"request_id":       "%REQ(X-REQUEST-ID):64%",
		"user_agent":       "%REQ(USER-AGENT):256%",
		"client":           "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%",
		"server_name":      "%REQUESTED_SERVER_NAME%",
		"listener_address": "%DOWNSTREAM_LOCAL_ADDRESS%",
	}
}

// firstOf is the first of two values that there is: each is a command and what stands in its parentheses.
func firstOf(most int, command, param, other, otherParam string) string {
	type operator struct {
		Command string `json:"command"`
		Param   string `json:"param"`
		Most    int    `json:"max_length"`
	}
	text, err := json.Marshal(map[string][]operator{"operators": {{command, param, most}, {other, otherParam, most}}})
	if err != nil {
		panic(err) // made of strings and numbers
	}
	return fmt.Sprintf("%%COALESCE(%s)%%", text)
}

// accessLog writes a line of JSON for each request to the proxy's standard output, where whoever runs the proxy takes it
// from.
func accessLog() *accesslogv3.AccessLog {
	fields := &structpb.Struct{Fields: map[string]*structpb.Value{}}
	for name, format := range accessLogFields() {
		fields.Fields[name] = structpb.NewStringValue(format)
	}
	return &accesslogv3.AccessLog{
		Name: "envoy.access_loggers.stdout",
		ConfigType: &accesslogv3.AccessLog_TypedConfig{TypedConfig: pack(&streamv3.StdoutAccessLog{
			AccessLogFormat: &streamv3.StdoutAccessLog_LogFormat{LogFormat: &corev3.SubstitutionFormatString{
				Format: &corev3.SubstitutionFormatString_JsonFormat{JsonFormat: fields},
			}},
		})},
	}
}

// strangersLog writes a line for each connection that no filter chain takes: it never becomes a request.
func strangersLog() *accesslogv3.AccessLog {
	log := accessLog()
	log.Filter = &accesslogv3.AccessLogFilter{FilterSpecifier: &accesslogv3.AccessLogFilter_ResponseFlagFilter{
		ResponseFlagFilter: &accesslogv3.ResponseFlagFilter{Flags: []string{"NR"}},
	}}
	return log
}
