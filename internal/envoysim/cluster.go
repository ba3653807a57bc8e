package envoysim

import (
	"net"
	"strconv"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	endpointv3 "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"

	"github.com/cloverleaf-mesh/cloverleaf/translator/xds"
)

// cluster is a backend and its addresses.
type cluster struct {
	part      Part
	endpoints Endpoints
}

func newCluster(m *clusterv3.Cluster) *cluster {
	c := &cluster{part: Part{m.GetName(), xds.Origins(m.GetMetadata())}}
	if m.GetType() != clusterv3.Cluster_EDS {
		c.load(m.GetLoadAssignment())
		c.endpoints.Resolved = m.GetType() != clusterv3.Cluster_STATIC
	}
	return c
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
		if w := uint64(r.shares[i].weight); n < w {
			return &r.shares[i]
		} else {
			n -= w
		}
	}
	return nil
}
