package upstream

import (
	"net"
	"net/url"
	"strconv"

	"golang.org/x/net/websocket"
	"google.golang.org/grpc/resolver"
	"sigs.k8s.io/gateway-api/conformance/utils/roundtripper"
)

// The suite knows the ports of listeners, and Envoy binds those below 1024 higher, as `cloverleaf up` does: so whatever
// the suite dials is translated, as a router with address translation does, and the ports of redirects back.

// inside returns what is dialled for an address of a Gateway.
func inside(address string) string {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return address
	}
	if n, err := strconv.Atoi(port); err == nil && n < 1024 {
		port = strconv.Itoa(n + offset)
	}
	return net.JoinHostPort(host, port)
}

// outside returns the port that a client of the suite would see.
func outside(port string) string {
	if n, err := strconv.Atoi(port); err == nil && n > offset && n < offset+1024 {
		return strconv.Itoa(n - offset)
	}
	return port
}

// withPort adds the port of the scheme to a host without one.
func withPort(scheme, host string) string {
	if _, _, err := net.SplitHostPort(host); err == nil {
		return host
	}
	port := map[string]string{"http": "80", "ws": "80", "https": "443", "wss": "443"}[scheme]
	return net.JoinHostPort(host, port)
}

// roundTripper is the suite's own, behind the translation of addresses.
type roundTripper struct {
	roundtripper.DefaultRoundTripper
}

// CaptureRoundTrip makes a request of the suite.
func (r *roundTripper) CaptureRoundTrip(q roundtripper.Request) (*roundtripper.CapturedRequest, *roundtripper.CapturedResponse, error) {
	if q.Host == "" {
		q.Host = q.URL.Host
	}
	q.URL.Host = inside(withPort(q.URL.Scheme, q.URL.Host))
	request, response, err := r.DefaultRoundTripper.CaptureRoundTrip(q)
	if response != nil && response.RedirectRequest != nil {
		response.RedirectRequest.Port = outside(response.RedirectRequest.Port)
	}
	return request, response, err
}

// translating resolves the addresses of gRPC clients, which the suite dials by itself.
type translating struct{}

// Scheme names the resolver.
func (translating) Scheme() string { return "upstream" }

// Build resolves a target, once: addresses do not move.
func (translating) Build(target resolver.Target, cc resolver.ClientConn, _ resolver.BuildOptions) (resolver.Resolver, error) {
	return translated{}, cc.UpdateState(resolver.State{Addresses: []resolver.Address{{Addr: inside(target.Endpoint())}}})
}

type translated struct{}

// ResolveNow has nothing to do.
func (translated) ResolveNow(resolver.ResolveNowOptions) {}

// Close has nothing to do.
func (translated) Close() {}

// webSocketDialer dials behind the translation of addresses, and says the host that it was asked for.
type webSocketDialer struct{}

// Dial opens a WebSocket.
func (webSocketDialer) Dial(address, protocol, origin string) (*websocket.Conn, error) {
	config, err := websocket.NewConfig(address, origin)
	if err != nil {
		return nil, err
	}
	if protocol != "" {
		config.Protocol = []string{protocol}
	}
	at, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	conn, err := net.Dial("tcp", inside(withPort(at.Scheme, at.Host)))
	if err != nil {
		return nil, err
	}
	return websocket.NewClient(config, conn)
}
