package dataplane

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"net"
	"net/http"
	"strconv"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/cloverleaf-mesh/cloverleaf/internal/casefile"
)

// sendGRPC calls a method of any service with an empty message: h2c://host/service/method, or https:// for TLS.
func sendGRPC(ctx context.Context, c *casefile.Case) (casefile.Answer, error) {
	scheme, rest, _ := strings.Cut(c.URL, "://")
	host, method, _ := strings.Cut(rest, "/")
	port, security := httpPort, insecure.NewCredentials()
	if scheme == "https" {
		port, security = httpsPort, credentials.NewTLS(&tls.Config{InsecureSkipVerify: true, ServerName: host}) //nolint:gosec // what is served is the point here
	}
	conn, err := grpc.NewClient(net.JoinHostPort(c.Address, strconv.Itoa(port)),
		grpc.WithTransportCredentials(security), grpc.WithAuthority(host))
	if err != nil {
		return casefile.Answer{}, err
	}
	defer func() { _ = conn.Close() }()
	for name, values := range c.Headers {
		for _, v := range values {
			ctx = metadata.AppendToOutgoingContext(ctx, strings.ToLower(name), v)
		}
	}
	var received metadata.MD
	err = conn.Invoke(ctx, "/"+method, &emptypb.Empty{}, &emptypb.Empty{}, grpc.Header(&received))
	a := casefile.Answer{Code: status.Code(err).String(), Headers: http.Header{}}
	for name, values := range received {
		a.Headers[http.CanonicalHeaderKey(name)] = values
	}
	if text := a.Headers.Get("X-Echo-Answer"); text != "" {
		return a, json.Unmarshal([]byte(text), &a.Echo)
	}
	return a, nil
}
