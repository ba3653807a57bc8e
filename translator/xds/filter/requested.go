package filter

import (
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	statev3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/common/set_filter_state/v3"
	setstatev3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/set_filter_state/v3"
	"google.golang.org/protobuf/proto"
)

// Where [Requested] keeps what it notes.
const (
	RequestedHost = "cloverleaf.host"
	RequestedPath = "cloverleaf.path"
)

// Requested notes for the access log which host and path the client asked for, after the path was normalised and before
// a route rewrites either: when the log is written, Envoy knows only what the backend got. The query is left out.
var Requested = Filter{
	Name: "envoy.filters.http.set_filter_state",
	Config: func() proto.Message {
		return &setstatev3.Config{OnRequestHeaders: []*statev3.FilterStateValue{
			note(RequestedHost, "%REQ(:AUTHORITY)%"), note(RequestedPath, "%PATH(NQ:PATH)%"),
		}}
	},
}

func note(key, format string) *statev3.FilterStateValue {
	return &statev3.FilterStateValue{
		Key: &statev3.FilterStateValue_ObjectKey{ObjectKey: key}, FactoryKey: "envoy.string",
		Value: &statev3.FilterStateValue_FormatString{FormatString: &corev3.SubstitutionFormatString{
			Format: &corev3.SubstitutionFormatString_TextFormatSource{TextFormatSource: &corev3.DataSource{
				Specifier: &corev3.DataSource_InlineString{InlineString: format},
			}},
		}},
	}
}
