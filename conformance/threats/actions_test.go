package threats

import (
	"context"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"golang.org/x/net/http2"

	"github.com/cloverleaf-mesh/cloverleaf/conformance/updriver"
	"github.com/cloverleaf-mesh/cloverleaf/conformance/wire"
)

// TestThreat27_RefusedWhateverTheRouteDoes: what is refused is not redirected, rewritten, mirrored or tried again.
func TestThreat27_RefusedWhateverTheRouteDoes(t *testing.T) {
	g := start(t)
	for _, path := range []string{"/redirect", "/mirror", "/rewrite", "/retry", "/nowhere", "/none"} {
		for _, bad := range []string{path + "/%2e%2e;/x", path + "/..%3b", path + "/%2f", path + "/%5c", path + "/%00"} {
			both(t, "actions.example", bad, func(version string, r *reply) {
				if r.Status != 400 || r.by() != "" {
					t.Errorf("%s %s: %d by %q", version, bad, r.Status, r.by())
				}
			})
		}
		r := text(t, wire.Request1("GET", path, "actions.example", wire.Field{Name: "host", Value: "x"}))
		if r.Status != 400 {
			t.Errorf("%s with two hosts: %d", path, r.Status)
		}
		r = get(t, "u@actions.example", path)
		if r.Status != 400 {
			t.Errorf("%s with a user: %d", path, r.Status)
		}
		preflight := []wire.Field{{Name: "origin", Value: "https://a.example"}, {Name: "access-control-request-method", Value: "PUT"}}
		if r := text(t, wire.Request1("OPTIONS", path+"/..%3b", "actions.example", preflight...)); r.Status != 400 {
			t.Errorf("preflight for %s: %d", path, r.Status)
		}
	}
	// What follows comes after the copies of what came before.
	if r := get(t, "actions.example", "/mirror/last"); r.by() != "site" {
		t.Errorf("%d by %q", r.Status, r.by())
	}
	updriver.Eventually(t, "the copy of the last request", func() bool { return len(g.requests()) >= 2 })
	if n := len(g.requests()); n != 2 {
		t.Errorf("backends received %d requests: %v", n, names(g.requests()))
	}
	g.denied(t)
	before := len(g.requests())
	if r := get(t, "guarded.example", "/mirror/last"); r.by() != "site" {
		t.Errorf("what is allowed: %d by %q", r.Status, r.by())
	}
	updriver.Eventually(t, "the copy of what is allowed", func() bool { return len(g.requests()) >= before+3 })
	if n := len(g.requests()) - before; n != 3 { // the question, the request and its copy
		t.Errorf("backends received %d requests: %v", n, names(g.requests()[before:]))
	}
}

// denied asks for what the authorization server denies, and checks that nothing comes of it.
func (g *gate) denied(t *testing.T, fields ...wire.Field) {
	t.Helper()
	before := len(g.requests())
	fields = append(fields, wire.Field{Name: "x-echo-status", Value: "403"})
	for _, path := range []string{"/", "/redirect", "/mirror", "/retry"} {
		both(t, "guarded.example", path, func(version string, r *reply) {
			if r.Status != 403 || r.by() != "" && r.by() != "guard" || len(r.Headers["location"]) > 0 {
				t.Errorf("%s %s: %d by %q, %v", version, path, r.Status, r.by(), r.Headers)
			}
		}, fields...)
	}
	for _, a := range g.requests()[before:] {
		if a.Name != "guard" {
			t.Errorf("what is denied went to %s: %s", a.Name, a.Path)
		}
	}
}

// TestThreat28_ConnectAndUpgrades: WebSockets alone.
func TestThreat28_ConnectAndUpgrades(t *testing.T) {
	g := start(t)
	for _, request := range []string{
		"CONNECT a.example:80 HTTP/1.1\r\nHost: a.example\r\n\r\n", "CONNECT 127.0.0.1:22 HTTP/1.1\r\nHost: 127.0.0.1:22\r\n\r\n",
		"CONNECT / HTTP/1.1\r\nHost: a.example\r\n\r\n", "CONNECT a.example HTTP/1.1\r\nHost: a.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
	} {
		if r := text(t, request); !r.refused() {
			t.Errorf("%q: %d by %q", request, r.Status, r.by())
		}
	}
	connect := []wire.Field{{Name: ":method", Value: "CONNECT"}, {Name: ":authority", Value: "a.example:80"}}
	extended := append(wire.Request2("CONNECT", "http", "a.example", "/"), wire.Field{Name: ":protocol", Value: "websocket"})
	for _, fields := range [][]wire.Field{connect, extended, append(extended, wire.Field{Name: ":protocol", Value: "x"})} {
		if r := frames(t, fields...); !r.refused() {
			t.Errorf("%v: %d by %q", fields, r.Status, r.by())
		}
	}
	for _, to := range []string{"h2c", "tcp", "connect-udp", "TLS/1.0", "websocket, tcp", "anything"} {
		r := get(t, "a.example", "/", wire.Field{Name: "connection", Value: "upgrade, http2-settings"}, wire.Field{Name: "upgrade", Value: to}, wire.Field{Name: "http2-settings", Value: "AAMAAABkAAQCAAAAAAIAAAAA"})
		if r.Status == 101 || r.header("upgrade") != "" {
			t.Errorf("upgrade to %s: %d, the backend received %v", to, r.Status, r.echo.Headers)
		}
	}
	webSockets(t)
	if earlyData(t) {
		t.Error("session tickets allow early data, which can be played again")
	}
	g.denied(t, wire.Field{Name: "x-a", Value: "1"})
	g.serves(t)
}

// webSockets checks that they work, and only where the request itself does.
func webSockets(t *testing.T) {
	t.Helper()
	attempt(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	address := fmt.Sprintf("ws://127.0.0.1:%d/", httpPort)
	c, _, err := websocket.Dial(ctx, address, &websocket.DialOptions{Host: "a.example"}) //nolint:bodyclose // CloseNow does
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Write(ctx, websocket.MessageText, []byte("hello")); err != nil {
		t.Error(err)
	}
	if _, text, err := c.Read(ctx); err != nil || string(text) != "hello" {
		t.Errorf("%q %v", text, err)
	}
	_ = c.CloseNow()
	upgrade := []wire.Field{{Name: "connection", Value: "upgrade"}, {Name: "upgrade", Value: "websocket"}, {Name: "x-echo-status", Value: "403"}}
	if r := get(t, "guarded.example", "/", upgrade...); r.Status != 403 {
		t.Errorf("a WebSocket that is denied: %d by %q", r.Status, r.by())
	}
	for _, bad := range []string{"/..%3b", "/%2f"} { // a refused request is not upgraded
		r := get(t, "a.example", bad, wire.Field{Name: "connection", Value: "upgrade"}, wire.Field{Name: "upgrade", Value: "websocket"})
		if r.Status != 400 {
			t.Errorf("%s: %d", bad, r.Status)
		}
	}
}

// grpcCall sends what a gRPC client sends, with any path.
func grpcCall(t *testing.T, path, contentType string) reply {
	t.Helper()
	return frames(t, append(wire.Request2("POST", "http", "grpc.example", path), wire.Field{Name: "content-type", Value: contentType}, wire.Field{Name: "te", Value: "trailers"})...)
}

func TestThreat29_PathsOfMethods(t *testing.T) {
	g := start(t)
	if r := grpcCall(t, "/shop.Cart/Delete", "application/grpc"); r.by() != "admin" {
		t.Fatalf("the method itself: %d %v by %q", r.Status, r.Headers, r.by())
	}
	for _, path := range []string{
		"shop.Cart/Delete", "/shop.Cart/Delete/", "/shop.cart/Delete", "/shop.Cart/delete", "/SHOP.CART/DELETE", "//Delete", "/shop.Cart/", "/shop.Cart", "/",
		"/shop.Cart/Delete/x", "/shop.Cart/Delete;x", "/shop.Cart//x", "/shop.Cart%2FDelete", "/shop%2ECart.x/Delete", "/x/shop.Cart/Delete", "/shop.Cart/%2e%2e;/Delete",
		"/.Cart/Delete", "/Cart/Delete", "/shop/Cart/Delete", "/shop.Cart/Delete%00", "/shop.Cart/Delete%20", "*", "",
	} {
		r := grpcCall(t, path, "application/grpc")
		if r.by() != "" || r.Status == 200 && strings.Join(r.Headers["grpc-status"], "") == "0" {
			t.Errorf("%q: %d %v by %q", path, r.Status, r.Headers, r.by())
		}
	}
	for _, path := range []string{"/shop.Cart//Delete", "/x/../shop.Cart/Delete", "/shop%2eCart/Delete"} { // normalised before anything looks
		if r := grpcCall(t, path, "application/grpc"); r.by() != "admin" || r.echo.Path != "/shop.Cart/Delete" {
			t.Errorf("%q: %d by %q, which received %q", path, r.Status, r.by(), r.echo.Path)
		}
	}
	// Our own gRPC server, too, knows no method without a slash.
	for _, path := range []string{
		"envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources", "",
		"/envoy.service.discovery.v3.aggregateddiscoveryservice/DeltaAggregatedResources", "//DeltaAggregatedResources",
	} {
		attempt(t)
		if a := callSocket(t, filepath.Join(g.folder(t), "xds.sock"), path); a.Status == 200 && strings.Join(a.Headers["grpc-status"], "") != "12" {
			t.Errorf("xDS %q: %+v", path, a)
		}
	}
}

// callSocket calls a method of the xDS server.
func callSocket(t *testing.T, socket, path string) wire.Answer {
	t.Helper()
	conn, err := net.DialTimeout("unix", socket, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	return wire.HTTP2(conn, append(wire.Request2("POST", "http", "xds", path), wire.Field{Name: "content-type", Value: "application/grpc"}, wire.Field{Name: "te", Value: "trailers"})...)
}

// TestThreat30_OtherNamesOfMethods: there is no gateway from other protocols to a method.
func TestThreat30_OtherNamesOfMethods(t *testing.T) {
	start(t)
	for _, kind := range []string{"application/grpc-web", "application/grpc-web+proto", "application/grpc-web-text", "application/json", "application/connect+proto", "application/grpcx", "text/plain", ""} {
		for _, path := range []string{"/shop.Cart/Delete", "/shop.Cart.Delete", "/v1/shop.Cart/Delete", "/shop.Cart:Delete"} {
			if r := grpcCall(t, path, kind); r.Status != 404 || r.by() != "" {
				t.Errorf("%s as %q: %d by %q", path, kind, r.Status, r.by())
			}
			r := text(t, fmt.Sprintf("POST %s HTTP/1.1\r\nHost: grpc.example\r\nContent-Type: %s\r\nContent-Length: 0\r\n\r\n", path, kind))
			if r.Status != 404 || r.by() != "" {
				t.Errorf("HTTP/1 %s as %q: %d by %q", path, kind, r.Status, r.by())
			}
		}
	}
}

// drain reads frames until the connection ends, and returns how it ended.
func drain(framer *http2.Framer) (goaway bool) {
	for {
		frame, err := framer.ReadFrame()
		if err != nil {
			return goaway
		}
		if f, ok := frame.(*http2.GoAwayFrame); ok && f.ErrCode != http2.ErrCodeNo {
			goaway = true
		}
	}
}

// discard reads bytes until the connection ends.
func discard(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) }
