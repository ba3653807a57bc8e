package envoy_test

import (
	"strings"
	"testing"

	bootstrapv3 "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/resource_monitors/downstream_connections/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/resource_monitors/fixed_heap/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/upstreams/http/v3"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/cloverleaf-mesh/cloverleaf/controller/envoy"
	"github.com/cloverleaf-mesh/cloverleaf/internal/re2"
)

func read(t *testing.T, dir string) *bootstrapv3.Bootstrap {
	t.Helper()
	b := &bootstrapv3.Bootstrap{}
	if err := protojson.Unmarshal(envoy.Bootstrap(dir, 1<<30), b); err != nil {
		t.Fatal(err)
	}
	if err := b.ValidateAll(); err != nil {
		t.Fatal(err)
	}
	return b
}

// TestEnvoyIsReachedByNobodyElse: its admin interface and its xDS are sockets of the private folder, whatever its name.
func TestEnvoyIsReachedByNobodyElse(t *testing.T) {
	for _, dir := range []string{"/run/cloverleaf", `/tmp/a "quoted" folder`, "/y", "/tmp/größe"} {
		b := read(t, dir)
		if got := b.GetAdmin().GetAddress().GetPipe().GetPath(); got != dir+"/admin.sock" {
			t.Errorf("the admin interface is at %q", got)
		}
		clusters := b.GetStaticResources().GetClusters()
		if len(clusters) != 1 || len(b.GetStaticResources().GetListeners()) != 0 {
			t.Fatalf("%d clusters and %d listeners", len(clusters), len(b.GetStaticResources().GetListeners()))
		}
		endpoint := clusters[0].GetLoadAssignment().GetEndpoints()[0].GetLbEndpoints()[0].GetEndpoint()
		if got := endpoint.GetAddress().GetPipe().GetPath(); got != envoy.XDSSocket(dir) || !strings.HasPrefix(got, dir+"/") {
			t.Errorf("xDS comes from %q", got)
		}
	}
}

func TestEverythingComesByDeltaADS(t *testing.T) {
	d := read(t, "/run").GetDynamicResources()
	if d.GetAdsConfig().GetApiType() != corev3.ApiConfigSource_DELTA_GRPC || d.GetLdsConfig().GetAds() == nil || d.GetCdsConfig().GetAds() == nil {
		t.Errorf("got %v", d)
	}
}

// TestExpressionsOfTheLargestSizeAreAllowed: what the check of regular expressions lets through, Envoy must take.
func TestExpressionsOfTheLargestSizeAreAllowed(t *testing.T) {
	layer := read(t, "/run").GetLayeredRuntime().GetLayers()[0].GetStaticLayer().GetFields()
	if got := layer["re2.max_program_size.error_level"].GetNumberValue(); got != re2.MaxProgram {
		t.Errorf("the limit is %v", got)
	}
}
