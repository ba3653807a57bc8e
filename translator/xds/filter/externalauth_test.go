package filter_test

import (
	"testing"

	matchingv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/common/matching/v3"
	compositev3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/composite/v3"
	authzv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/ext_authz/v3"

	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
	"github.com/cloverleaf-mesh/cloverleaf/translator/xds/filter"
)

// TestAnAuthorizationServerFailsClosed, whatever it speaks: what is packed twice is checked by nobody else.
func TestAnAuthorizationServerFailsClosed(t *testing.T) {
	for name, auth := range map[string]ir.ExternalAuth{
		"HTTP": {Backend: "n/s/80"}, "gRPC": {Backend: "n/s/80", GRPC: true},
		"with all": {Backend: "n/s/80", Prefix: "/check", Request: []string{"x-a"}, Response: []string{"x-b"}},
	} {
		t.Run(name, func(t *testing.T) {
			m, ok := filter.ExternalAuth.PerRoute(ir.Features{Auth: &auth}).(*matchingv3.ExtensionWithMatcherPerRoute)
			var action compositev3.ExecuteFilterAction
			var config authzv3.ExtAuthz
			if !ok || m.ValidateAll() != nil ||
				m.GetXdsMatcher().GetOnNoMatch().GetAction().GetTypedConfig().UnmarshalTo(&action) != nil || action.ValidateAll() != nil ||
				action.GetTypedConfig().GetTypedConfig().UnmarshalTo(&config) != nil || config.ValidateAll() != nil {
				t.Fatalf("%v", m)
			}
			if config.GetFailureModeAllow() || config.GetWithRequestBody() != nil {
				t.Errorf("%v", &config)
			}
		})
	}
}
