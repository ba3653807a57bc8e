package xds

import (
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"

	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// RouteTable encodes a RouteConfiguration without virtual hosts: they come by VHDS, so that one changed host is one
// small resource. Ports in the Host header are ignored for matching but not stripped: the backend sees what the client
// sent.
func RouteTable(t ir.RouteTable) (*ir.Resource, error) {
	return encode(ir.ResourceID{Type: ir.TypeRouteTable, Name: string(t.Name)}, &routev3.RouteConfiguration{
		Name:                     string(t.Name),
		Vhds:                     &routev3.Vhds{ConfigSource: ads()},
		IgnorePortInHostMatching: true,
		Metadata:                 originMetadata(t.Origin),
	}, nil)
}
