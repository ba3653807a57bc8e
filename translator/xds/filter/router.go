package filter

import (
	routerv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/router/v3"
	"google.golang.org/protobuf/proto"
)

// Router sends the request to its backend. It is always the last filter. Envoy's own x-envoy-* headers are suppressed:
// they would tell backends and clients about the inside.
var Router = Filter{
	Name:   "envoy.filters.http.router",
	Config: func() proto.Message { return &routerv3.Router{SuppressEnvoyHeaders: true} },
}
