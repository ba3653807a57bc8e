package xds

import (
	"bytes"
	"encoding/json"
	"fmt"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	endpointv3 "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	tlsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// Decode returns the Envoy message of a resource.
func Decode(r *ir.Resource) (proto.Message, error) {
	m := newMessage(r.ID.Type)
	if err := proto.Unmarshal(r.Body, m); err != nil {
		return nil, fmt.Errorf("%s: %w", r.ID, err)
	}
	return m, nil
}

func newMessage(t ir.Type) proto.Message {
	switch t {
	case ir.TypeSecret:
		return &tlsv3.Secret{}
	case ir.TypeCluster:
		return &clusterv3.Cluster{}
	case ir.TypeEndpoints:
		return &endpointv3.ClusterLoadAssignment{}
	case ir.TypeListener:
		return &listenerv3.Listener{}
	case ir.TypeRouteTable:
		return &routev3.RouteConfiguration{}
	default:
		return &routev3.VirtualHost{}
	}
}

// JSON returns a resource as indented JSON for people and goldens: the same bytes every time (protojson alone varies
// its spaces on purpose), and private keys left out.
func JSON(r *ir.Resource) ([]byte, error) {
	m, err := Decode(r)
	if err != nil {
		return nil, err
	}
	if s, ok := m.(*tlsv3.Secret); ok && s.GetTlsCertificate() != nil {
		s.GetTlsCertificate().PrivateKey = &corev3.DataSource{
			Specifier: &corev3.DataSource_InlineString{InlineString: "[redacted]"},
		}
	}
	raw, err := protojson.MarshalOptions{UseProtoNames: true}.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", r.ID, err)
	}
	var out bytes.Buffer
	if err := json.Indent(&out, raw, "", "  "); err != nil {
		return nil, fmt.Errorf("%s: %w", r.ID, err)
	}
	return out.Bytes(), nil
}
