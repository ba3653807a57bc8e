package dataplane

import (
	"context"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	authv3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	typev3 "github.com/envoyproxy/go-control-plane/envoy/type/v3"
	"google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
)

// TestCasesWithAnAuthorizationServer: its answers decide, so that these cases are no matter of configuration alone.
func TestCasesWithAnAuthorizationServer(t *testing.T) {
	fill := newMaterial(t).backends(t)
	authz := serveAuthorization(t)
	runCasesOf(t, "testdata/asked", func(s string) string { return strings.ReplaceAll(fill(s), "$authz", authz) })
}

// authorizer allows requests with the header x-allow.
type authorizer struct {
	authv3.UnimplementedAuthorizationServer
}

// serveAuthorization returns the port of an authorization server.
func serveAuthorization(t *testing.T) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := grpc.NewServer()
	authv3.RegisterAuthorizationServer(s, authorizer{})
	go func() { _ = s.Serve(l) }()
	t.Cleanup(s.Stop)
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
}

func (authorizer) Check(_ context.Context, r *authv3.CheckRequest) (*authv3.CheckResponse, error) {
	headers := r.GetAttributes().GetRequest().GetHttp().GetHeaders()
	if headers["x-allow"] == "" {
		return &authv3.CheckResponse{
			Status: &status.Status{Code: int32(codes.Unauthenticated)},
			HttpResponse: &authv3.CheckResponse_DeniedResponse{DeniedResponse: &authv3.DeniedHttpResponse{
				Status: &typev3.HttpStatus{Code: http.StatusUnauthorized}, Body: "stranger",
			}},
		}, nil
	}
	set := func(name, value string) *corev3.HeaderValueOption {
		return &corev3.HeaderValueOption{Header: &corev3.HeaderValue{Key: name, Value: value}, AppendAction: corev3.HeaderValueOption_OVERWRITE_IF_EXISTS_OR_ADD}
	}
	return &authv3.CheckResponse{
		Status: &status.Status{},
		HttpResponse: &authv3.CheckResponse_OkResponse{OkResponse: &authv3.OkHttpResponse{
			Headers: []*corev3.HeaderValueOption{set("x-auth-user", "me"), set("x-auth-saw", headers["x-other"])},
		}},
	}, nil
}
