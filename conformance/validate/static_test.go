package validate

import (
	"fmt"
	"strings"
	"testing"

	bootstrapv3 "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	endpointv3 "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/resource_monitors/downstream_connections/v3" // of the bootstrap
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/resource_monitors/fixed_heap/v3"
	tlsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/cloverleaf-mesh/cloverleaf/controller/envoy"
	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
	"github.com/cloverleaf-mesh/cloverleaf/translator/xds"
)

// world is what one class of proxies is told, as a name for people and Envoy's messages.
type world struct {
	name      string
	clusters  []*clusterv3.Cluster
	endpoints map[string]*endpointv3.ClusterLoadAssignment
	secrets   []*tlsv3.Secret
	listeners []*listenerv3.Listener
	tables    map[string]*routev3.RouteConfiguration
	hosts     map[string][]*routev3.VirtualHost // by route table
}

func newWorld(t *testing.T, name string, resources map[ir.ResourceID]*ir.Resource) world {
	t.Helper()
	w := world{
		name: name, endpoints: map[string]*endpointv3.ClusterLoadAssignment{}, tables: map[string]*routev3.RouteConfiguration{},
		hosts: map[string][]*routev3.VirtualHost{},
	}
	for id, r := range resources {
		m, err := xds.Decode(r)
		if err != nil {
			t.Fatal(err)
		}
		switch m := m.(type) {
		case *clusterv3.Cluster:
			w.clusters = append(w.clusters, m)
		case *endpointv3.ClusterLoadAssignment:
			w.endpoints[id.Name] = m
		case *tlsv3.Secret:
			w.secrets = append(w.secrets, m)
		case *listenerv3.Listener:
			w.listeners = append(w.listeners, m)
		case *routev3.RouteConfiguration:
			w.tables[id.Name] = m
		case *routev3.VirtualHost:
			table := id.Name[:strings.LastIndexByte(id.Name, '/')]
			w.hosts[table] = append(w.hosts[table], m)
		}
	}
	return w
}

// static puts worlds into one configuration without xDS, which `envoy --mode validate` reads whole: routes stand inline,
// endpoints in their clusters, and every name and address is made the world's own.
func static(worlds []world) *bootstrapv3.Bootstrap {
	running := &bootstrapv3.Bootstrap{}
	if err := protojson.Unmarshal(envoy.Bootstrap("/run", 1<<30), running); err != nil {
		panic(err) // controller/envoy's tests read it too
	}
	b := &bootstrapv3.Bootstrap{
		StaticResources: &bootstrapv3.Bootstrap_StaticResources{}, LayeredRuntime: running.GetLayeredRuntime(),
	}
	for i := range worlds {
		s := statics{prefix: fmt.Sprintf("%d:", i), world: &worlds[i], out: b.GetStaticResources()}
		s.add()
	}
	return b
}

// statics turns one world's resources.
type statics struct {
	prefix string
	world  *world
	out    *bootstrapv3.Bootstrap_StaticResources
}

func (s *statics) add() {
	for _, secret := range s.world.secrets {
		secret = proto.CloneOf(secret)
		secret.Name = s.prefix + secret.GetName()
		s.out.Secrets = append(s.out.Secrets, secret)
	}
	for _, c := range s.world.clusters {
		s.out.Clusters = append(s.out.Clusters, s.cluster(proto.CloneOf(c)))
	}
	for _, l := range s.world.listeners {
		s.out.Listeners = append(s.out.Listeners, s.listener(proto.CloneOf(l)))
	}
}

func (s *statics) cluster(c *clusterv3.Cluster) *clusterv3.Cluster {
	if c.GetEdsClusterConfig() != nil {
		c.EdsClusterConfig = nil
		c.ClusterDiscoveryType = &clusterv3.Cluster_Type{Type: clusterv3.Cluster_STATIC}
		c.LoadAssignment = proto.CloneOf(s.world.endpoints[c.GetName()])
	}
	c.Name = s.prefix + c.GetName()
	if c.GetLoadAssignment() != nil {
		c.LoadAssignment.ClusterName = c.GetName()
	}
	edit(c.GetTransportSocket().GetTypedConfig(), &tlsv3.UpstreamTlsContext{}, func(m *tlsv3.UpstreamTlsContext) { s.tls(m.GetCommonTlsContext()) })
	return c
}

func (s *statics) listener(l *listenerv3.Listener) *listenerv3.Listener {
	l.Name = s.prefix + l.GetName()
	n := len(s.out.Listeners) // validation binds nothing, but two listeners may not have one address
	l.Address = &corev3.Address{Address: &corev3.Address_SocketAddress{SocketAddress: &corev3.SocketAddress{
		Address: fmt.Sprintf("127.1.%d.%d", n/250, 1+n%250), PortSpecifier: &corev3.SocketAddress_PortValue{PortValue: 27400},
	}}}
	for _, chain := range l.GetFilterChains() {
		edit(chain.GetTransportSocket().GetTypedConfig(), &tlsv3.DownstreamTlsContext{}, func(m *tlsv3.DownstreamTlsContext) { s.tls(m.GetCommonTlsContext()) })
		for _, filter := range chain.GetFilters() {
			edit(filter.GetTypedConfig(), &hcmv3.HttpConnectionManager{}, func(m *hcmv3.HttpConnectionManager) {
				m.RouteSpecifier = &hcmv3.HttpConnectionManager_RouteConfig{RouteConfig: s.routes(m.GetRds().GetRouteConfigName())}
			})
		}
	}
	return l
}

// tls makes secrets static ones.
func (s *statics) tls(c *tlsv3.CommonTlsContext) {
	for _, ref := range c.GetTlsCertificateSdsSecretConfigs() {
		ref.Name, ref.SdsConfig = s.prefix+ref.GetName(), nil
	}
	if ref := c.GetValidationContextSdsSecretConfig(); ref != nil {
		ref.Name, ref.SdsConfig = s.prefix+ref.GetName(), nil
	}
}

func (s *statics) routes(table string) *routev3.RouteConfiguration {
	out := proto.CloneOf(s.world.tables[table])
	out.Vhds = nil
	for _, host := range s.world.hosts[table] {
		host = proto.CloneOf(host)
		for _, r := range host.GetRoutes() {
			s.route(r)
		}
		for _, list := range host.GetMatcher().GetMatcherTree().GetPrefixMatchMap().GetMap() {
			edit(list.GetAction().GetTypedConfig(), &routev3.RouteList{}, func(m *routev3.RouteList) {
				for _, r := range m.GetRoutes() {
					s.route(r)
				}
			})
		}
		out.VirtualHosts = append(out.VirtualHosts, host)
	}
	return out
}

// route makes the names of clusters the world's own.
func (s *statics) route(r *routev3.Route) {
	for _, m := range r.GetRoute().GetRequestMirrorPolicies() {
		m.Cluster = s.prefix + m.GetCluster()
	}
	switch by := r.GetRoute().GetClusterSpecifier().(type) {
	case *routev3.RouteAction_Cluster:
		by.Cluster = s.prefix + by.Cluster
	case *routev3.RouteAction_WeightedClusters:
		for _, c := range by.WeightedClusters.GetClusters() {
			c.Name = s.prefix + c.GetName()
		}
	}
}

// edit changes a packed message of the given type; one of another type, or none, stays.
func edit[M proto.Message](packed *anypb.Any, m M, change func(M)) {
	if packed == nil || !packed.MessageIs(m) {
		return
	}
	if err := packed.UnmarshalTo(m); err != nil {
		panic(err) // what was decoded a moment ago
	}
	change(m)
	if err := packed.MarshalFrom(m); err != nil {
		panic(err)
	}
}
