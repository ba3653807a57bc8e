package xds

import (
	"fmt"
	"time"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	endpointv3 "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	tlsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	httpv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/upstreams/http/v3"
	matcherv3 "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"
	typev3 "github.com/envoyproxy/go-control-plane/envoy/type/v3"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

const (
	connectTimeout = 5 * time.Second
	// systemCA is where distributions of Linux keep the trust store of the machine.
	systemCA = "/etc/ssl/certs/ca-certificates.crt"
	// breaker is high enough never to be met by a laptop or a usual service: limits are a policy's business.
	breaker = 1 << 20
)

// Cluster encodes an Envoy cluster. Round robin spreads requests evenly whatever their number, so that shares of few
// requests are exact.
func Cluster(b ir.Backend) (*ir.Resource, error) {
	id := ir.ResourceID{Type: ir.TypeCluster, Name: string(b.Name)}
	m := &clusterv3.Cluster{
		Name: string(b.Name), ConnectTimeout: durationpb.New(connectTimeout), LbPolicy: clusterv3.Cluster_ROUND_ROBIN,
		PerConnectionBufferLimitBytes: wrapperspb.UInt32(connectionBuffer),
		CircuitBreakers:               breakers(),
		CommonLbConfig:                &clusterv3.Cluster_CommonLbConfig{HealthyPanicThreshold: &typev3.Percent{}},
		TypedExtensionProtocolOptions: protocolOptions(b),
		Metadata:                      originMetadata(b.Origin),
	}
	var needs []ir.ResourceID
	if len(b.DNS) == 0 {
		m.ClusterDiscoveryType = &clusterv3.Cluster_Type{Type: clusterv3.Cluster_EDS}
		m.EdsClusterConfig = &clusterv3.Cluster_EdsClusterConfig{EdsConfig: ads(), ServiceName: string(b.Name)}
		needs = append(needs, ir.ResourceID{Type: ir.TypeEndpoints, Name: string(b.Name)})
	} else {
		m.ClusterDiscoveryType = &clusterv3.Cluster_Type{Type: clusterv3.Cluster_STRICT_DNS}
		m.LoadAssignment = resolved(b)
		m.DnsLookupFamily = clusterv3.Cluster_V4_PREFERRED
	}
	if b.TLS != nil {
		context := clientTLS(b)
		if err := context.ValidateAll(); err != nil {
			return nil, fmt.Errorf("%s: %w", id, err)
		}
		m.TransportSocket = &corev3.TransportSocket{
			Name: "envoy.transport_sockets.tls", ConfigType: &corev3.TransportSocket_TypedConfig{TypedConfig: pack(context)},
		}
		if b.TLS.Certificate != "" {
			needs = append(needs, ir.ResourceID{Type: ir.TypeSecret, Name: string(b.TLS.Certificate)})
		}
	}
	return encode(id, m, needs)
}

func breakers() *clusterv3.CircuitBreakers {
	n := wrapperspb.UInt32(breaker)
	return &clusterv3.CircuitBreakers{Thresholds: []*clusterv3.CircuitBreakers_Thresholds{
		{MaxConnections: n, MaxPendingRequests: n, MaxRequests: n},
	}}
}

// protocolOptions says what the backend speaks. Over TLS the protocol is negotiated, unless the backend says it.
func protocolOptions(b ir.Backend) map[string]*anypb.Any {
	options := &httpv3.HttpProtocolOptions{}
	explicit := &httpv3.HttpProtocolOptions_ExplicitHttpConfig{}
	switch {
	case b.Protocol == ir.ProtocolH2C:
		explicit.ProtocolConfig = &httpv3.HttpProtocolOptions_ExplicitHttpConfig_Http2ProtocolOptions{
			Http2ProtocolOptions: &corev3.Http2ProtocolOptions{},
		}
	case b.TLS != nil && b.Protocol == ir.ProtocolHTTP1:
		options.UpstreamProtocolOptions = &httpv3.HttpProtocolOptions_AutoConfig{AutoConfig: &httpv3.HttpProtocolOptions_AutoHttpConfig{}}
	default:
		explicit.ProtocolConfig = &httpv3.HttpProtocolOptions_ExplicitHttpConfig_HttpProtocolOptions{
			HttpProtocolOptions: &corev3.Http1ProtocolOptions{},
		}
	}
	if explicit.ProtocolConfig != nil {
		options.UpstreamProtocolOptions = &httpv3.HttpProtocolOptions_ExplicitHttpConfig_{ExplicitHttpConfig: explicit}
	}
	return map[string]*anypb.Any{"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": pack(options)}
}

func resolved(b ir.Backend) *endpointv3.ClusterLoadAssignment {
	group := &endpointv3.LocalityLbEndpoints{}
	for _, h := range b.DNS {
		group.LbEndpoints = append(group.LbEndpoints, lbEndpoint(address(h.Host, h.Port), corev3.HealthStatus_UNKNOWN))
	}
	return &endpointv3.ClusterLoadAssignment{ClusterName: string(b.Name), Endpoints: []*endpointv3.LocalityLbEndpoints{group}}
}

// clientVersions are spoken to backends. Envoy itself would offer no more than 1.2 (tls.proto, TlsParameters), which
// backends that take 1.3 alone refuse.
func clientVersions() *tlsv3.TlsParameters {
	return &tlsv3.TlsParameters{
		TlsMinimumProtocolVersion: tlsv3.TlsParameters_TLSv1_2, TlsMaximumProtocolVersion: tlsv3.TlsParameters_TLSv1_3,
	}
}

func clientTLS(b ir.Backend) *tlsv3.UpstreamTlsContext {
	t := b.TLS
	check := &tlsv3.CertificateValidationContext{TrustedCa: &corev3.DataSource{
		Specifier: &corev3.DataSource_InlineString{InlineString: t.CA},
	}}
	if t.SystemCA {
		check.TrustedCa.Specifier = &corev3.DataSource_Filename{Filename: systemCA}
	}
	sans := t.SANs
	if len(sans) == 0 {
		sans = []ir.SAN{{Value: t.Hostname}}
	}
	for _, san := range sans {
		kind := tlsv3.SubjectAltNameMatcher_DNS
		if san.URI {
			kind = tlsv3.SubjectAltNameMatcher_URI
		}
		check.MatchTypedSubjectAltNames = append(check.MatchTypedSubjectAltNames, &tlsv3.SubjectAltNameMatcher{
			SanType: kind, Matcher: &matcherv3.StringMatcher{MatchPattern: &matcherv3.StringMatcher_Exact{Exact: san.Value}},
		})
	}
	common := &tlsv3.CommonTlsContext{
		TlsParams:             clientVersions(),
		ValidationContextType: &tlsv3.CommonTlsContext_ValidationContext{ValidationContext: check},
	}
	if t.Certificate != "" {
		common.TlsCertificateSdsSecretConfigs = []*tlsv3.SdsSecretConfig{sds(t.Certificate)}
	}
	if b.Protocol == ir.ProtocolH2C {
		common.AlpnProtocols = []string{"h2"}
	}
	return &tlsv3.UpstreamTlsContext{CommonTlsContext: common, Sni: t.SNI}
}
