package xds

import (
	"fmt"
	"strings"
	"time"

	accesslogv3 "github.com/envoyproxy/go-control-plane/envoy/config/accesslog/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	tlsinspectorv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/listener/tls_inspector/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	tlsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// Limits of every listener. They bound what one connection can take from the proxy (Envoy, "Configuring Envoy as an
// edge proxy").
const (
	connectionBuffer  = 32 << 10         // bytes buffered per connection
	requestHeaderKiB  = 60               // size of all request headers
	requestHeaders    = 100              // how many there may be
	headersTimeout    = 10 * time.Second // from the first byte of a request to the end of its headers
	idleTimeout       = time.Hour        // of a connection without requests
	streamIdleTimeout = time.Hour        // of a request on which nothing moves: long, for streams and WebSockets
	concurrentStreams = 100              // HTTP/2 streams per connection
	streamWindow      = 64 << 10         // bytes
	connectionWindow  = 1 << 20          // bytes
	tlsHandshakeLimit = 10 * time.Second // from accept to the end of the handshake
	warmingPatience   = 15 * time.Second // for the first route table and virtual hosts
)

// PortInUse is what Envoy says, among other words, of a port that another process listens on (EADDRINUSE).
const PortInUse = "Address already in use"

// Listener encodes an Envoy listener. Nothing in it changes with routes.
func Listener(l ir.Listener) (*ir.Resource, error) {
	id := ir.ResourceID{Type: ir.TypeListener, Name: string(l.Name)}
	bind, ok := l.Bind.(ir.Port)
	if !ok {
		return nil, fmt.Errorf("%s: cannot bind %T", id, l.Bind)
	}
	m := &listenerv3.Listener{
		Name: string(l.Name), StatPrefix: strings.ReplaceAll(string(l.Name), ":", "_"),
		Address:                       address(bind.Address, bind.Port),
		PerConnectionBufferLimitBytes: wrapperspb.UInt32(connectionBuffer),
		Metadata:                      originMetadata(l.Origin),
	}
	if bind.Exclusive {
		m.EnableReusePort = wrapperspb.Bool(false)
	}
	if l.Logged {
		m.AccessLog = []*accesslogv3.AccessLog{strangersLog()}
	}
	var needs []ir.ResourceID
	for _, c := range l.Chains {
		chain, wants, err := filterChain(c, l.Logged)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", id, err)
		}
		if c.TLS != nil && len(m.ListenerFilters) == 0 {
			m.ListenerFilters = []*listenerv3.ListenerFilter{{
				Name:       "envoy.filters.listener.tls_inspector",
				ConfigType: &listenerv3.ListenerFilter_TypedConfig{TypedConfig: pack(&tlsinspectorv3.TlsInspector{})},
			}}
		}
		m.FilterChains = append(m.FilterChains, chain)
		needs = append(needs, wants...)
	}
	return encode(id, m, needs)
}

func address(ip string, port uint32) *corev3.Address {
	return &corev3.Address{Address: &corev3.Address_SocketAddress{SocketAddress: &corev3.SocketAddress{
		Address: ip, PortSpecifier: &corev3.SocketAddress_PortValue{PortValue: port},
	}}}
}

func filterChain(c ir.Chain, logged bool) (*listenerv3.FilterChain, []ir.ResourceID, error) {
	http, ok := c.Layer.(ir.HTTP)
	if !ok {
		return nil, nil, fmt.Errorf("chain %s: cannot carry %T", c.Name, c.Layer)
	}
	manager := connectionManager(http.Table)
	if manager.HttpFilters = httpFilters(logged); logged {
		manager.AccessLog = []*accesslogv3.AccessLog{accessLog()}
	}
	if err := manager.ValidateAll(); err != nil {
		return nil, nil, fmt.Errorf("chain %s: %w", c.Name, err)
	}
	chain := &listenerv3.FilterChain{
		Name: c.Name,
		Filters: []*listenerv3.Filter{{
			Name:       "envoy.filters.network.http_connection_manager",
			ConfigType: &listenerv3.Filter_TypedConfig{TypedConfig: pack(manager)},
		}},
	}
	if c.TLS != nil {
		chain.Filters = append([]*listenerv3.Filter{markChain(c.Name)}, chain.Filters...)
	}
	needs := []ir.ResourceID{{Type: ir.TypeRouteTable, Name: string(http.Table)}}
	for _, name := range c.ServerNames {
		if chain.FilterChainMatch == nil {
			chain.FilterChainMatch = &listenerv3.FilterChainMatch{}
		}
		chain.FilterChainMatch.ServerNames = append(chain.FilterChainMatch.ServerNames, string(name))
	}
	if c.TLS != nil {
		for _, s := range c.TLS.Certificates {
			needs = append(needs, ir.ResourceID{Type: ir.TypeSecret, Name: string(s)})
		}
		if check := c.TLS.Clients; check != nil {
			needs = append(needs, ir.ResourceID{Type: ir.TypeSecret, Name: string(check.Authority)})
		}
		chain.TransportSocket = serverTLS(c.TLS)
		chain.TransportSocketConnectTimeout = durationpb.New(tlsHandshakeLimit)
	}
	return chain, needs, nil
}

func serverTLS(t *ir.ServerTLS) *corev3.TransportSocket {
	common := &tlsv3.CommonTlsContext{
		TlsParams:     &tlsv3.TlsParameters{TlsMinimumProtocolVersion: tlsv3.TlsParameters_TLSv1_2},
		AlpnProtocols: []string{"h2", "http/1.1"},
	}
	for _, s := range t.Certificates {
		common.TlsCertificateSdsSecretConfigs = append(common.TlsCertificateSdsSecretConfigs, sds(s))
	}
	context := &tlsv3.DownstreamTlsContext{CommonTlsContext: common}
	if t.Clients != nil {
		common.ValidationContextType = &tlsv3.CommonTlsContext_ValidationContextSdsSecretConfig{
			ValidationContextSdsSecretConfig: sds(t.Clients.Authority),
		}
		context.RequireClientCertificate = wrapperspb.Bool(!t.Clients.Optional)
	}
	return &corev3.TransportSocket{
		Name:       "envoy.transport_sockets.tls",
		ConfigType: &corev3.TransportSocket_TypedConfig{TypedConfig: pack(context)},
	}
}

func sds(name ir.SecretName) *tlsv3.SdsSecretConfig {
	return &tlsv3.SdsSecretConfig{Name: string(name), SdsConfig: ads()}
}

// connectionManager is the same for every listener but for its route table. Paths are normalised before anything
// looks at them, the client's Host reaches the backend as it was sent, and nothing that a client says about itself in
// x-forwarded-* or x-envoy-* is believed. In HTTP/2 a backend is told the scheme that it is reached by: servers refuse
// another one, or take the request for one without TLS; what the client spoke is in x-forwarded-proto.
func connectionManager(table ir.RouteTableName) *hcmv3.HttpConnectionManager {
	source := ads()
	source.InitialFetchTimeout = durationpb.New(warmingPatience)
	return &hcmv3.HttpConnectionManager{
		StatPrefix: string(table),
		CodecType:  hcmv3.HttpConnectionManager_AUTO,
		RouteSpecifier: &hcmv3.HttpConnectionManager_Rds{
			Rds: &hcmv3.Rds{RouteConfigName: string(table), ConfigSource: source},
		},
		UseRemoteAddress:              wrapperspb.Bool(true),
		InternalAddressConfig:         nobodyInside(),
		EarlyHeaderMutationExtensions: unbelieved(),
		LocalReplyConfig:              localReplies(),
		NormalizePath:                 wrapperspb.Bool(true),
		MergeSlashes:                  true,
		PathWithEscapedSlashesAction:  hcmv3.HttpConnectionManager_REJECT_REQUEST,
		ServerHeaderTransformation:    hcmv3.HttpConnectionManager_PASS_THROUGH,
		SchemeHeaderTransformation:    &corev3.SchemeHeaderTransformation{MatchUpstream: true},
		MaxRequestHeadersKb:           wrapperspb.UInt32(requestHeaderKiB),
		RequestHeadersTimeout:         durationpb.New(headersTimeout),
		StreamIdleTimeout:             durationpb.New(streamIdleTimeout),
		CommonHttpProtocolOptions: &corev3.HttpProtocolOptions{
			IdleTimeout:                  durationpb.New(idleTimeout),
			MaxHeadersCount:              wrapperspb.UInt32(requestHeaders),
			HeadersWithUnderscoresAction: corev3.HttpProtocolOptions_REJECT_REQUEST,
		},
		Http2ProtocolOptions: &corev3.Http2ProtocolOptions{
			MaxConcurrentStreams:        wrapperspb.UInt32(concurrentStreams),
			InitialStreamWindowSize:     wrapperspb.UInt32(streamWindow),
			InitialConnectionWindowSize: wrapperspb.UInt32(connectionWindow),
		},
		HttpProtocolOptions: &corev3.Http1ProtocolOptions{},
		UpgradeConfigs:      []*hcmv3.HttpConnectionManager_UpgradeConfig{{UpgradeType: "websocket"}},
	}
}
