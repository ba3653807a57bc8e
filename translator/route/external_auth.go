package route

import (
	"slices"
	"strings"

	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/cloverleaf-mesh/cloverleaf/translator/attach"
	"github.com/cloverleaf-mesh/cloverleaf/translator/finding"
	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// externalAuth reads which authorization server is asked. Without one nobody could allow a request, so the rule at hand
// is not served (GEP-1494: a filter whose backend cannot be resolved fails closed).
func (l *lowering) externalAuth(sub string, f *gwv1.HTTPExternalAuthFilter) *ir.ExternalAuth {
	if f == nil {
		l.dropped = true
		return nil
	}
	grpc := f.ExternalAuthProtocol == gwv1.HTTPRouteExternalAuthGRPCProtocol
	ref := attach.NewBackendRef(l.route, f.BackendRef)
	ref.HTTP2 = grpc
	a := &ir.ExternalAuth{Backend: l.destination(sub+".backendRef", ref), GRPC: grpc}
	if a.Backend == "" {
		l.dropped = true
		return nil
	}
	if f.ForwardBody != nil && f.ForwardBody.MaxSize > 0 {
		// Envoy 1.40 shows a body cut where the frame that is too much ends the request, instead of refusing it with 413.
		l.drop(finding.RuleUnsupported, sub+".forwardBody.maxSize", "forwardBody of an authorization server")
	}
	switch {
	case grpc && f.GRPCAuthConfig != nil:
		a.Request = headerNames(f.GRPCAuthConfig.AllowedRequestHeaders)
	case !grpc && f.HTTPAuthConfig != nil:
		a.Request = headerNames(f.HTTPAuthConfig.AllowedRequestHeaders)
		a.Response = headerNames(f.HTTPAuthConfig.AllowedResponseHeaders)
		if prefix := strings.Trim(f.HTTPAuthConfig.Path, "/"); prefix != "" {
			a.Prefix = "/" + prefix
		}
	}
	return a
}

// headerNames are names of headers as proxies compare them.
func headerNames(list []string) []string {
	var out []string
	for _, name := range list {
		out = append(out, strings.ToLower(name))
	}
	slices.Sort(out)
	return slices.Compact(out)
}
