package xds_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	endpointv3 "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	setstatev3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/set_filter_state/v3"
	tlsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	httpv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/upstreams/http/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
	"github.com/cloverleaf-mesh/cloverleaf/translator/xds"
)

var origins = []ir.Origin{
	{Ref: ir.Ref{Kind: ir.KindHTTPRoute, Name: ir.Name{Namespace: "n", Name: "r"}}, Section: "0"},
	{Ref: ir.Ref{Kind: ir.KindGateway, Name: ir.Name{Namespace: "n", Name: "g"}}, Section: "http"},
}

func prefix(path string) ir.Match { return ir.Match{Path: ir.PathMatch{Value: path}} }

// samples are resources of every type, with everything in them that comes from a map on its way to the bytes.
func samples() map[string]func() (*ir.Resource, error) {
	tls := &ir.ClientTLS{SNI: "b.example", Hostname: "b.example", CA: "ca", Certificate: "n/cert"}
	return map[string]func() (*ir.Resource, error){
		"cluster": func() (*ir.Resource, error) {
			return xds.Cluster(ir.Backend{Name: "n/s/80", TLS: tls, Origin: origins})
		},
		"endpoints": func() (*ir.Resource, error) {
			return xds.Endpoints(ir.Endpoints{Backend: "n/s/80", Localities: []ir.Locality{{Zone: "z", Endpoints: []ir.Endpoint{{Address: "10.0.0.1", Port: 80}}}}})
		},
		"listener": func() (*ir.Resource, error) {
			return xds.Listener(ir.Listener{Name: "l", Bind: ir.Port{Address: "127.0.0.1", Port: 80}, Origin: origins, Chains: []ir.Chain{
				{Name: "a", ServerNames: []ir.Hostname{"a.example"}, TLS: &ir.ServerTLS{Certificates: []ir.SecretName{"n/b", "n/a"}}, Layer: ir.HTTP{Table: "t"}},
				{Name: "http", Layer: ir.HTTP{Table: "u"}},
			}})
		},
		"routes": func() (*ir.Resource, error) { return xds.RouteTable(ir.RouteTable{Name: "t", Origin: origins}) },
		"secret": func() (*ir.Resource, error) { return xds.Certificate("n/cert", []byte("chain"), []byte("key")) },
		"virtualhost": func() (*ir.Resource, error) {
			edits := ir.HeaderEdits{Request: []ir.HeaderEdit{{Name: "x-a", Value: "1"}, {Op: ir.HeaderRemove, Name: "x-b"}}}
			return xds.VirtualHost(ir.VirtualHost{Name: ir.VirtualHostName{Table: "t", Host: "a.example"}, Origin: origins, Rules: []ir.Rule{
				{Name: "split", Match: prefix("/a"), Origin: origins[0], Features: ir.Features{Headers: edits}, Action: ir.Forward{Failure: 500, Split: []ir.Weighted{
					{Weight: 2, Backend: "n/z/80", Own: &ir.Filters{Features: ir.Features{Headers: edits}}}, {Weight: 1, Backend: "n/a/80"}, {Weight: 1, Invalid: true}, {Weight: 1, Backend: "n/m/80"},
				}}},
				{Name: "redirect", Match: prefix("/b"), Origin: origins[0], Action: ir.Redirect{Status: 302, Scheme: "https"}},
			}})
		},
	}
}

func TestTheSameIRGivesTheSameBytesAThousandTimes(t *testing.T) {
	for name, sample := range samples() {
		t.Run(name, func(t *testing.T) {
			first := encoded(t)(sample())
			sum := sha256.Sum256(first.Body)
			if first.Version != hex.EncodeToString(sum[:12]) || first.ID.Type.String() != name {
				t.Errorf("%s is of version %s", first.ID, first.Version)
			}
			words, err := xds.JSON(first)
			if err != nil {
				t.Fatal(err)
			}
			for range 1000 {
				r := encoded(t)(sample())
				if !bytes.Equal(r.Body, first.Body) || r.Version != first.Version || !slices.Equal(r.Needs, first.Needs) {
					t.Fatal("the bytes differ")
				}
			}
			if again, err := xds.JSON(encoded(t)(sample())); err != nil || !bytes.Equal(again, words) {
				t.Errorf("the words differ (%v)", err)
			}
			if !slices.IsSortedFunc(first.Needs, ir.ResourceID.Compare) {
				t.Errorf("needs %v", first.Needs)
			}
		})
	}
}

func encoded(t *testing.T) func(*ir.Resource, error) *ir.Resource {
	t.Helper()
	return func(r *ir.Resource, err error) *ir.Resource {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
}

// decode returns the message of a resource.
func decode[M proto.Message](t *testing.T, r *ir.Resource, err error) M {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	m, err := xds.Decode(r)
	if err != nil {
		t.Fatal(err)
	}
	return m.(M)
}

// open reads a packed message.
func open[M proto.Message](t *testing.T, a *anypb.Any, m M) M {
	t.Helper()
	if err := a.UnmarshalTo(m); err != nil {
		t.Fatal(err)
	}
	return m
}

func needs(r *ir.Resource) string { return fmt.Sprint(r.Needs) }

func TestAClusterOfAServiceGetsItsEndpointsByEDS(t *testing.T) {
	r, err := xds.Cluster(ir.Backend{Name: "n/s/80"})
	c := decode[*clusterv3.Cluster](t, r, err)
	if c.GetType() != clusterv3.Cluster_EDS || c.GetEdsClusterConfig().GetServiceName() != "n/s/80" || c.GetTransportSocket() != nil {
		t.Errorf("%v", c)
	}
	if needs(r) != "[endpoints n/s/80]" {
		t.Errorf("needs %v", r.Needs)
	}
}

func TestAClusterOfHostNamesResolvesThemItself(t *testing.T) {
	r, err := xds.Cluster(ir.Backend{Name: "Backend/n/b", DNS: []ir.HostPort{{Host: "b.example", Port: 443}}})
	c := decode[*clusterv3.Cluster](t, r, err)
	address := c.GetLoadAssignment().GetEndpoints()[0].GetLbEndpoints()[0].GetEndpoint().GetAddress().GetSocketAddress()
	if c.GetType() != clusterv3.Cluster_STRICT_DNS || address.GetAddress() != "b.example" || address.GetPortValue() != 443 || len(r.Needs) != 0 {
		t.Errorf("%v needs %v", c, r.Needs)
	}
}

func TestAClusterSpeaksWhatItsBackendSpeaks(t *testing.T) {
	for name, c := range map[string]struct {
		backend ir.Backend
		want    func(*httpv3.HttpProtocolOptions) bool
	}{
		"HTTP/1.1": {ir.Backend{}, func(o *httpv3.HttpProtocolOptions) bool {
			return o.GetExplicitHttpConfig().GetHttpProtocolOptions() != nil
		}},
		"h2c": {ir.Backend{Protocol: ir.ProtocolH2C}, func(o *httpv3.HttpProtocolOptions) bool {
			return o.GetExplicitHttpConfig().GetHttp2ProtocolOptions() != nil
		}},
		"TLS negotiates": {ir.Backend{TLS: &ir.ClientTLS{Hostname: "b", SystemCA: true}}, func(o *httpv3.HttpProtocolOptions) bool {
			return o.GetAutoConfig() != nil
		}},
	} {
		t.Run(name, func(t *testing.T) {
			c.backend.Name = "n/s/80"
			r, err := xds.Cluster(c.backend)
			m := decode[*clusterv3.Cluster](t, r, err)
			options := open(t, m.GetTypedExtensionProtocolOptions()["envoy.extensions.upstreams.http.v3.HttpProtocolOptions"], &httpv3.HttpProtocolOptions{})
			if !c.want(options) {
				t.Errorf("%v", options)
			}
		})
	}
}

// TestTheCertificateOfABackendIsChecked: by its CA and by name, which is the host name unless others are given.
func TestTheCertificateOfABackendIsChecked(t *testing.T) {
	check := func(tls ir.ClientTLS) (*tlsv3.UpstreamTlsContext, *ir.Resource) {
		r, err := xds.Cluster(ir.Backend{Name: "n/s/443", TLS: &tls})
		c := decode[*clusterv3.Cluster](t, r, err)
		return open(t, c.GetTransportSocket().GetTypedConfig(), &tlsv3.UpstreamTlsContext{}), r
	}
	names := func(m *tlsv3.UpstreamTlsContext) string {
		var list []string
		for _, san := range m.GetCommonTlsContext().GetValidationContext().GetMatchTypedSubjectAltNames() {
			list = append(list, san.GetSanType().String()+" "+san.GetMatcher().GetExact())
		}
		return strings.Join(list, ", ")
	}
	m, r := check(ir.ClientTLS{SNI: "sni.example", Hostname: "b.example", CA: "pem", Certificate: "n/cert"})
	validation := m.GetCommonTlsContext().GetValidationContext()
	if m.GetSni() != "sni.example" || names(m) != "DNS b.example" || validation.GetTrustedCa().GetInlineString() != "pem" {
		t.Errorf("%v", m)
	}
	if needs(r) != "[secret n/cert endpoints n/s/443]" {
		t.Errorf("needs %v", r.Needs)
	}
	m, _ = check(ir.ClientTLS{Hostname: "b.example", SystemCA: true, SANs: []ir.SAN{{Value: "c.example"}, {URI: true, Value: "spiffe://d"}}})
	if names(m) != "DNS c.example, URI spiffe://d" || m.GetCommonTlsContext().GetValidationContext().GetTrustedCa().GetFilename() == "" {
		t.Errorf("%v", m)
	}
}

func TestEndpointsAreListedByZoneAndHealth(t *testing.T) {
	r, err := xds.Endpoints(ir.Endpoints{Backend: "n/s/80", Localities: []ir.Locality{
		{Endpoints: []ir.Endpoint{{Address: "/run/app.sock"}}},
		{Zone: "z", Endpoints: []ir.Endpoint{{Address: "10.0.0.1", Port: 80}, {Address: "::1", Port: 80, Draining: true}}},
	}})
	var lines []string
	for _, l := range decode[*endpointv3.ClusterLoadAssignment](t, r, err).GetEndpoints() {
		for _, e := range l.GetLbEndpoints() {
			a := e.GetEndpoint().GetAddress()
			lines = append(lines, fmt.Sprintf("%s %s%s:%d %s", l.GetLocality().GetZone(), a.GetPipe().GetPath(), a.GetSocketAddress().GetAddress(), a.GetSocketAddress().GetPortValue(), e.GetHealthStatus()))
		}
	}
	want := " /run/app.sock:0 UNKNOWN\nz 10.0.0.1:80 UNKNOWN\nz ::1:80 DRAINING"
	if got := strings.Join(lines, "\n"); got != want || len(r.Needs) != 0 {
		t.Errorf("got\n%s", got)
	}
}

func TestAListenerHasAChainForEachCertificateAndOneForTheRest(t *testing.T) {
	r := encoded(t)(samples()["listener"]())
	l := decode[*listenerv3.Listener](t, r, nil)
	chains := l.GetFilterChains()
	if len(chains) != 2 || chains[0].GetFilterChainMatch().GetServerNames()[0] != "a.example" || chains[1].GetFilterChainMatch() != nil {
		t.Errorf("%v", chains)
	}
	if len(l.GetListenerFilters()) != 1 || l.GetListenerFilters()[0].GetName() != "envoy.filters.listener.tls_inspector" {
		t.Errorf("%v", l.GetListenerFilters())
	}
	if needs(r) != "[secret n/a secret n/b routes t routes u]" {
		t.Errorf("needs %v", r.Needs)
	}
	tls := open(t, chains[0].GetTransportSocket().GetTypedConfig(), &tlsv3.DownstreamTlsContext{}).GetCommonTlsContext()
	if tls.GetTlsParams().GetTlsMinimumProtocolVersion() != tlsv3.TlsParameters_TLSv1_2 || tls.GetTlsCertificateSdsSecretConfigs()[0].GetName() != "n/b" {
		t.Errorf("%v", tls)
	}
	plain, err := xds.Listener(ir.Listener{Name: "l", Bind: ir.Port{Address: "::", Port: 80}, Chains: []ir.Chain{{Name: "http", Layer: ir.HTTP{Table: "t"}}}})
	if m := decode[*listenerv3.Listener](t, plain, err); len(m.GetListenerFilters()) != 0 {
		t.Errorf("%v", m.GetListenerFilters())
	}
}

// TestAListenerBelievesNothingThatAClientSaysOfItself: and bounds what one connection can take.
func TestAListenerBelievesNothingThatAClientSaysOfItself(t *testing.T) {
	l := decode[*listenerv3.Listener](t, encoded(t)(samples()["listener"]()), nil)
	for _, chain := range l.GetFilterChains() {
		last := chain.GetFilters()[len(chain.GetFilters())-1]
		m := open(t, last.GetTypedConfig(), &hcmv3.HttpConnectionManager{})
		common := m.GetCommonHttpProtocolOptions()
		if !m.GetUseRemoteAddress().GetValue() || !m.GetNormalizePath().GetValue() || !m.GetMergeSlashes() || m.GetStripAnyHostPort() {
			t.Errorf("%v", m)
		}
		if m.GetRequestHeadersTimeout().AsDuration() == 0 || common.GetIdleTimeout().AsDuration() < time.Minute || l.GetPerConnectionBufferLimitBytes().GetValue() == 0 {
			t.Errorf("%v", m)
		}
		filters := m.GetHttpFilters()
		if filters[len(filters)-1].GetName() != "envoy.filters.http.router" {
			t.Errorf("the last filter is %s", filters[len(filters)-1].GetName())
		}
	}
}

func TestConnectionsWithTLSCarryTheMarkOfTheirChain(t *testing.T) {
	chains := decode[*listenerv3.Listener](t, encoded(t)(samples()["listener"]()), nil).GetFilterChains()
	set := open(t, chains[0].GetFilters()[0].GetTypedConfig(), &setstatev3.Config{}).GetOnNewConnection()
	if mark := set[0].GetFormatString().GetTextFormatSource().GetInlineString(); len(set) != 1 || len(mark) < 10 {
		t.Errorf("%v", set)
	}
	if n := len(chains[1].GetFilters()); n != 1 {
		t.Errorf("%d filters without TLS", n)
	}
}

func TestWhatCannotBeSaidToEnvoyIsAnError(t *testing.T) {
	for name, r := range map[string]func() (*ir.Resource, error){
		"a listener without an address": func() (*ir.Resource, error) { return xds.Listener(ir.Listener{Name: "l"}) },
		"a chain without a layer": func() (*ir.Resource, error) {
			return xds.Listener(ir.Listener{Name: "l", Bind: ir.Port{Address: "127.0.0.1", Port: 80}, Chains: []ir.Chain{{Name: "c"}}})
		},
		"a port beyond 65535": func() (*ir.Resource, error) {
			return xds.Endpoints(ir.Endpoints{Backend: "b", Localities: []ir.Locality{{Endpoints: []ir.Endpoint{{Address: "10.0.0.1", Port: 70000}}}}})
		},
		"a cluster without a name": func() (*ir.Resource, error) { return xds.Cluster(ir.Backend{}) },
		"a rule without an action": func() (*ir.Resource, error) { return host(ir.Rule{Match: prefix("/")}) },
		"a redirect with another status": func() (*ir.Resource, error) {
			return host(ir.Rule{Match: prefix("/"), Action: ir.Redirect{Status: 200}})
		},
		"a rule whose backends have no share": func() (*ir.Resource, error) {
			return host(ir.Rule{Match: prefix("/"), Action: ir.Forward{Split: []ir.Weighted{{Backend: "n/s/80"}}}})
		},
		"an invalid expression": func() (*ir.Resource, error) {
			return host(ir.Rule{Match: ir.Match{Path: ir.PathMatch{Type: ir.PathRegex, Value: "("}}, Action: ir.Respond{Status: 200}})
		},
		"an invalid expression of a header": func() (*ir.Resource, error) {
			return host(ir.Rule{Match: ir.Match{Path: ir.PathMatch{Value: "/"}, Headers: []ir.ValueMatch{{Name: "a", Value: "(", Regex: true}}}, Action: ir.Respond{Status: 200}})
		},
		"a header value with a line feed": func() (*ir.Resource, error) {
			return host(ir.Rule{Match: prefix("/"), Action: ir.Respond{Status: 200}, Features: ir.Features{Headers: ir.HeaderEdits{Request: []ir.HeaderEdit{{Name: "a", Value: "\n"}}}}})
		},
	} {
		t.Run(name, func(t *testing.T) {
			if resource, err := r(); err == nil {
				t.Errorf("made %s", resource.ID)
			}
		})
	}
}

func host(rules ...ir.Rule) (*ir.Resource, error) {
	return xds.VirtualHost(ir.VirtualHost{Name: ir.VirtualHostName{Table: "t", Host: "a.example"}, Rules: rules})
}

func TestARouteTableIsEmptyAndItsHostsComeByVHDS(t *testing.T) {
	r := encoded(t)(samples()["routes"]())
	m := decode[*routev3.RouteConfiguration](t, r, nil)
	if m.GetName() != "t" || len(m.GetVirtualHosts()) != 0 || m.GetVhds().GetConfigSource().GetAds() == nil || !m.GetIgnorePortInHostMatching() || len(r.Needs) != 0 {
		t.Errorf("%v needs %v", m, r.Needs)
	}
}

func TestAVirtualHostEndsWithA404(t *testing.T) {
	for n := range 3 {
		rules := make([]ir.Rule, n)
		for i := range rules {
			rules[i] = ir.Rule{Name: "r", Match: prefix("/"), Action: ir.Respond{Status: 200}}
		}
		r, err := host(rules...)
		m := decode[*routev3.VirtualHost](t, r, err)
		last := m.GetRoutes()[len(m.GetRoutes())-1]
		if len(m.GetRoutes()) != n+1 || last.GetDirectResponse().GetStatus() != 404 || last.GetMatch().GetPrefix() != "/" {
			t.Errorf("%v", m)
		}
		if m.GetName() != "t/a.example" || m.GetName() != r.ID.Name || !slices.Equal(m.GetDomains(), []string{"a.example", "a.example."}) {
			t.Errorf("%s has domains %v", m.GetName(), m.GetDomains())
		}
	}
}

// TestAnInvalidShareIsAnsweredWith500BeforeTheRest: as many of a million requests as its weight says.
func TestAnInvalidShareIsAnsweredWith500BeforeTheRest(t *testing.T) {
	for _, c := range []struct {
		valid, invalid uint32
		want           uint32 // of a million
	}{{1, 1, 500_000}, {2, 1, 333_333}, {1, 2, 666_667}, {1_000_000, 1, 1}, {1, 1_000_000, 999_999}, {3, 0, 0}} {
		r, err := host(ir.Rule{Name: "r", Match: prefix("/a"), Action: ir.Forward{Failure: 500, Split: []ir.Weighted{
			{Weight: c.valid, Backend: "n/s/80"}, {Weight: c.invalid, Invalid: true},
		}}})
		m := decode[*routev3.VirtualHost](t, r, err)
		got := m.GetRoutes()[0].GetMatch().GetRuntimeFraction().GetDefaultValue().GetNumerator()
		if got != c.want || c.want > 0 && m.GetRoutes()[0].GetDirectResponse().GetStatus() != 500 {
			t.Errorf("%d of %d: %d of a million", c.invalid, c.valid+c.invalid, got)
		}
		rest := m.GetRoutes()[len(m.GetRoutes())-2]
		if rest.GetRoute().GetCluster() != "n/s/80" || rest.GetMatch().GetPathSeparatedPrefix() != "/a" || needs(r) != "[cluster n/s/80]" {
			t.Errorf("%v needs %v", rest, r.Needs)
		}
	}
}

// TestHeaderValuesAreLiteral: what Envoy would read as a format is not.
func TestHeaderValuesAreLiteral(t *testing.T) {
	r, err := host(ir.Rule{Name: "r", Match: prefix("/"), Action: ir.Respond{Status: 200}, Features: ir.Features{Headers: ir.HeaderEdits{
		Request: []ir.HeaderEdit{{Name: "x-a", Value: "100% %REQ(b)%"}, {Op: ir.HeaderAdd, Name: "x-b", Value: ""}, {Op: ir.HeaderRemove, Name: "x-c"}},
	}}})
	route := decode[*routev3.VirtualHost](t, r, err).GetRoutes()[0]
	add := route.GetRequestHeadersToAdd()
	if len(add) != 2 || add[0].GetHeader().GetValue() != "100%% %%REQ(b)%%" || !add[1].GetKeepEmptyValue() || add[0].GetAppendAction() == add[1].GetAppendAction() {
		t.Errorf("%v", add)
	}
	if !slices.Equal(route.GetRequestHeadersToRemove(), []string{"x-c"}) {
		t.Errorf("%v", route.GetRequestHeadersToRemove())
	}
}

func TestWordsForPeopleHaveNoPrivateKeys(t *testing.T) {
	words, err := xds.JSON(encoded(t)(xds.Certificate("n/cert", []byte("the chain"), []byte("the key"))))
	if err != nil {
		t.Fatal(err)
	}
	if text := string(words); strings.Contains(text, "dGhlIGtleQ") || !strings.Contains(text, "[redacted]") || !strings.Contains(text, "dGhlIGNoYWlu") {
		t.Errorf("%s", text)
	}
}

func TestBytesOfNoSenseAreAnError(t *testing.T) {
	for kind := range ir.TypeCount {
		r := &ir.Resource{ID: ir.ResourceID{Type: kind, Name: "x"}, Body: []byte{0xff}}
		if _, err := xds.JSON(r); err == nil || !strings.Contains(err.Error(), kind.String()+" x") {
			t.Errorf("%s: %v", kind, err)
		}
		if url := xds.TypeURL(kind); !strings.HasPrefix(url, "type.googleapis.com/envoy.") {
			t.Errorf("%s has the type %s", kind, url)
		}
	}
}
