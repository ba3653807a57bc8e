package xds

import (
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	endpointv3 "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"

	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// Endpoints encodes the addresses of a cluster. Zones are carried and not weighted, so every address is equally likely.
func Endpoints(e ir.Endpoints) (*ir.Resource, error) {
	m := &endpointv3.ClusterLoadAssignment{ClusterName: string(e.Backend)}
	for _, l := range e.Localities {
		group := &endpointv3.LocalityLbEndpoints{}
		if l.Zone != "" {
			group.Locality = &corev3.Locality{Zone: l.Zone}
		}
		for _, ep := range l.Endpoints {
			health := corev3.HealthStatus_UNKNOWN
			if ep.Draining {
				health = corev3.HealthStatus_DRAINING
			}
			group.LbEndpoints = append(group.LbEndpoints, lbEndpoint(endpointAddress(ep), health))
		}
		m.Endpoints = append(m.Endpoints, group)
	}
	return encode(ir.ResourceID{Type: ir.TypeEndpoints, Name: string(e.Backend)}, m, nil)
}

func lbEndpoint(a *corev3.Address, health corev3.HealthStatus) *endpointv3.LbEndpoint {
	return &endpointv3.LbEndpoint{
		HealthStatus:   health,
		HostIdentifier: &endpointv3.LbEndpoint_Endpoint{Endpoint: &endpointv3.Endpoint{Address: a}},
	}
}

func endpointAddress(ep ir.Endpoint) *corev3.Address {
	if ep.Port == 0 {
		return &corev3.Address{Address: &corev3.Address_Pipe{Pipe: &corev3.Pipe{Path: ep.Address}}}
	}
	return address(ep.Address, ep.Port)
}
