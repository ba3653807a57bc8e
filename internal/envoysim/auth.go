package envoysim

import (
	"fmt"
	"strings"

	matchingv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/common/matching/v3"
	compositev3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/composite/v3"
	authzv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/ext_authz/v3"
)

const authFilter = "cloverleaf.external_auth"

// authorizer is the server that a route asks. What it would answer cannot be known here: an evaluation goes on as if it
// allowed the request, and says so.
type authorizer struct {
	config *authzv3.ExtAuthz
}

func newAuthorizer(m *matchingv3.ExtensionWithMatcherPerRoute) (*authorizer, error) {
	var action compositev3.ExecuteFilterAction
	if err := m.GetXdsMatcher().GetOnNoMatch().GetAction().GetTypedConfig().UnmarshalTo(&action); err != nil {
		return nil, fmt.Errorf("%s: %w", authFilter, err)
	}
	a := &authorizer{&authzv3.ExtAuthz{}}
	if err := action.GetTypedConfig().GetTypedConfig().UnmarshalTo(a.config); err != nil {
		return nil, fmt.Errorf("%s: %w", authFilter, err)
	}
	return a, nil
}

// filterAuth tells whom a request is shown to before it goes on.
func (s *stream) filterAuth() {
	a := s.route.auth
	if a == nil {
		return
	}
	cluster, how := a.config.GetGrpcService().GetEnvoyGrpc().GetClusterName(), "by gRPC"
	if h := a.config.GetHttpService(); h != nil {
		path, _, _ := strings.Cut(s.target, "?")
		cluster, how = h.GetServerUri().GetCluster(), "with "+s.method+" "+h.GetPathPrefix()+path
	}
	s.effect(authFilter, "ask "+cluster+" "+how+", and go on only if it allows the request")
}
