package envoysim

import (
	"net"
	"strconv"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	endpointv3 "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	tlsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	httpv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/upstreams/http/v3"

	"github.com/cloverleaf-mesh/cloverleaf/translator/xds"
)

// cluster is a backend and its addresses.
type cluster struct {
	part      Part
	endpoints Endpoints
	speaks    Speaks
}

func newCluster(m *clusterv3.Cluster) (*cluster, error) {
	c := &cluster{part: Part{m.GetName(), xds.Origins(m.GetMetadata())}}
	var err error
	if c.speaks, err = speaks(m); err != nil {
		return nil, err
	}
	if m.GetType() != clusterv3.Cluster_EDS {
		c.load(m.GetLoadAssignment())
		c.endpoints.Resolved = m.GetType() != clusterv3.Cluster_STATIC
	}
	return c, nil
}

// protocolOptions is the key of a cluster's extension options that say what its endpoints speak.
const protocolOptions = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"

func speaks(m *clusterv3.Cluster) (Speaks, error) {
	s := Speaks{Protocol: "HTTP/1.1", TLS: m.GetTransportSocket() != nil}
	if packed, ok := m.GetTypedExtensionProtocolOptions()[protocolOptions]; ok {
		var options httpv3.HttpProtocolOptions
		if err := packed.UnmarshalTo(&options); err != nil {
			return s, err
		}
		switch {
		case options.GetAutoConfig() != nil:
			s.Protocol = ""
		case options.GetExplicitHttpConfig().GetHttp2ProtocolOptions() != nil:
			s.Protocol = "HTTP/2"
		}
	}
	if s.TLS {
		var context tlsv3.UpstreamTlsContext
		if err := m.GetTransportSocket().GetTypedConfig().UnmarshalTo(&context); err != nil {
			return s, err
		}
		s.SNI = context.GetSni()
	}
	return s, nil
}

// load counts addresses. A draining one gets no new requests: without others there is no healthy one, since panic
// mode is off (Cluster.common_lb_config.healthy_panic_threshold).
func (c *cluster) load(m *endpointv3.ClusterLoadAssignment) {
	for _, locality := range m.GetEndpoints() {
		for _, e := range locality.GetLbEndpoints() {
			switch e.GetHealthStatus() {
			case corev3.HealthStatus_UNKNOWN, corev3.HealthStatus_HEALTHY, corev3.HealthStatus_DEGRADED:
				c.endpoints.Ready++
				c.endpoints.Addresses = append(c.endpoints.Addresses, addressOf(e.GetEndpoint().GetAddress()))
			case corev3.HealthStatus_DRAINING:
				c.endpoints.Draining++
			default:
			}
		}
	}
}

func addressOf(a *corev3.Address) string {
	if p := a.GetPipe(); p != nil {
		return p.GetPath()
	}
	s := a.GetSocketAddress()
	return net.JoinHostPort(s.GetAddress(), strconv.Itoa(int(s.GetPortValue())))
}

// clusterShare is a cluster of a route and its share of the requests.
type clusterShare struct {
	cluster string
	weight  uint32
	edits   edits
	host    string // replaces the Host header, when not empty
}

// pick chooses by the request's random number (Envoy, WeightedCluster: the number modulo the total weight).
func (r *route) pick(random uint64) *clusterShare {
	if r.total == 0 {
		return nil
	}
	n := random % uint64(r.total)
	for i := range r.shares {
		w := uint64(r.shares[i].weight)
		if n < w {
			return &r.shares[i]
		}
		n -= w
	}
	return nil
}
