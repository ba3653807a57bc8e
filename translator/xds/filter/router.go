package filter

import (
	routerv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/router/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
)

// Router sends the request to its backend. It is always the last filter. Envoy's own x-envoy-* headers are suppressed:
// they would tell backends and clients about the inside.
var Router = Filter{
	Name:   "envoy.filters.http.router",
	Config: func() *anypb.Any { return pack(&routerv3.Router{SuppressEnvoyHeaders: true}) },
}

// pack wraps a message. Packing a message that was just made cannot fail.
func pack(m proto.Message) *anypb.Any {
	a := &anypb.Any{}
	if err := anypb.MarshalFrom(a, m, proto.MarshalOptions{Deterministic: true}); err != nil {
		panic(err)
	}
	return a
}
