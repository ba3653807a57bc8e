package echo_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/cloverleaf-mesh/cloverleaf/controller/localca"
	"github.com/cloverleaf-mesh/cloverleaf/internal/echo"
)

func start(t *testing.T, o echo.Options) *echo.Server {
	t.Helper()
	if o.Address == "" {
		o.Address = "127.0.0.1:0"
	}
	o.Name = "me"
	s, err := echo.Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = s.Close()
		if err := s.Wait(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// client speaks one protocol.
func client(t *testing.T, set func(*http.Protocols), config *tls.Config) *http.Client {
	t.Helper()
	protocols := &http.Protocols{}
	set(protocols)
	transport := &http.Transport{Protocols: protocols, TLSClientConfig: config}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: 20 * time.Second}
}

func http1(p *http.Protocols) { p.SetHTTP1(true) }
func http2(p *http.Protocols) { p.SetHTTP2(true) }
func h2c(p *http.Protocols)   { p.SetUnencryptedHTTP2(true) }

func request(t *testing.T, method, url, body string, headers ...string) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Add(headers[i], headers[i+1])
	}
	return req
}

// do returns the answer, its status, protocol and headers.
func do(t *testing.T, c *http.Client, req *http.Request) (received, echo.Answer) {
	t.Helper()
	resp, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	var a echo.Answer
	if err := json.NewDecoder(resp.Body).Decode(&a); err != nil {
		t.Fatal(err)
	}
	return received{resp.StatusCode, resp.Proto, resp.Header}, a
}

type received struct {
	status   int
	protocol string
	headers  http.Header
}

// pair is a certificate for localhost, and who trusts it.
func pair(t *testing.T) (server, trusting *tls.Config) {
	t.Helper()
	ca, err := localca.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	chain, key, err := ca.Leaf([]string{"localhost"}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := tls.X509KeyPair(chain, key)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(chain) // the CA stands after the leaf
	server = &tls.Config{Certificates: []tls.Certificate{certificate}, ClientAuth: tls.RequestClientCert, MinVersion: tls.VersionTLS12}
	return server, &tls.Config{RootCAs: roots, ServerName: "localhost", Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
}

func TestEveryProtocolIsAnsweredWithWhatWasReceived(t *testing.T) {
	server, trusting := pair(t)
	plain, secure := start(t, echo.Options{}), start(t, echo.Options{TLS: server})
	for name, c := range map[string]struct {
		protocol string
		at       string
		client   *http.Client
		alpn     string
	}{
		"HTTP/1.1":          {"HTTP/1.1", "http://" + plain.Address(), client(t, http1, nil), ""},
		"h2c":               {"HTTP/2.0", "http://" + plain.Address(), client(t, h2c, nil), ""},
		"HTTP/1.1 over TLS": {"HTTP/1.1", "https://" + secure.Address(), client(t, http1, trusting.Clone()), ""},
		"HTTP/2 over TLS":   {"HTTP/2.0", "https://" + secure.Address(), client(t, http2, trusting.Clone()), "h2"},
	} {
		t.Run(name, func(t *testing.T) {
			req := request(t, http.MethodPut, c.at+"/a%20b/c?q=1&q=2", "four", "X-One", "a", "X-One", "b")
			req.Host = "name.example"
			resp, a := do(t, c.client, req)
			if resp.status != http.StatusOK || resp.headers.Get("X-Echo-Name") != "me" || resp.protocol != c.protocol {
				t.Errorf("%+v", resp)
			}
			if got := strings.Join(a.Headers["x-one"], " "); got != "a b" {
				t.Errorf("x-one: %s", got)
			}
			if a.TLS != nil && (a.TLS.ServerName != "localhost" || a.TLS.Client == "" || a.TLS.Protocol != c.alpn) ||
				(a.TLS != nil) != strings.HasPrefix(c.at, "https:") {
				t.Errorf("TLS %+v", a.TLS)
			}
			a.Headers, a.TLS, a.Remote = nil, nil, ""
			want := echo.Answer{
				Name: "me", Method: http.MethodPut, Path: "/a%20b/c", Query: "q=1&q=2", Host: "name.example", Protocol: c.protocol, Bytes: 4,
			}
			if d := cmp.Diff(want, a); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestARequestMayAskForAnotherAnswer(t *testing.T) {
	s := start(t, echo.Options{})
	resp, a := do(t, client(t, http1, nil), request(t, http.MethodGet, "http://"+s.Address()+"/", "",
		"X-Echo-Status", "503", "X-Echo-Delay", "1ms", "X-Echo-Header", "x-a: 1", "X-Echo-Header", "x-a: 2"))
	if resp.status != http.StatusServiceUnavailable || strings.Join(resp.headers.Values("X-A"), " ") != "1 2" || a.Name != "me" {
		t.Errorf("%+v", resp)
	}
}

func TestAUnixSocketIsServed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "echo.sock")
	s := start(t, echo.Options{Address: path})
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", path)
	}}
	defer transport.CloseIdleConnections()
	if _, a := do(t, &http.Client{Transport: transport}, request(t, http.MethodGet, "http://any/", "")); a.Name != "me" || s.Port() != 0 {
		t.Errorf("%+v, port %d", a, s.Port())
	}
}

func TestWebSocketMessagesComeBack(t *testing.T) {
	s := start(t, echo.Options{})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	c, resp, err := websocket.Dial(ctx, "ws://"+s.Address()+"/chat", nil) //nolint:bodyclose // it has none that must be closed
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.CloseNow() }()
	if resp.Header.Get("X-Echo-Name") != "me" {
		t.Errorf("%v", resp.Header)
	}
	for kind, message := range map[websocket.MessageType]string{websocket.MessageText: "words", websocket.MessageBinary: "\x00\xff"} {
		if err := c.Write(ctx, kind, []byte(message)); err != nil {
			t.Fatal(err)
		}
		gotKind, got, err := c.Read(ctx)
		if err != nil || gotKind != kind || string(got) != message {
			t.Errorf("%v %q, %v", gotKind, got, err)
		}
	}
	if err := c.Close(websocket.StatusNormalClosure, ""); err != nil {
		t.Error(err)
	}
}

// TestGRPCMessagesComeBack: of any method, as they come, by a client that knows its own types alone.
func TestGRPCMessagesComeBack(t *testing.T) {
	s := start(t, echo.Options{})
	conn, err := grpc.NewClient(s.Address(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	out := &wrapperspb.StringValue{}
	if err := conn.Invoke(t.Context(), "/any.Service/Method", wrapperspb.String("hello"), out); err != nil || out.GetValue() != "hello" {
		t.Errorf("%v, %v", out, err)
	}
	stream, err := conn.NewStream(t.Context(), &grpc.StreamDesc{ClientStreams: true, ServerStreams: true}, "/any.Service/Stream")
	if err != nil {
		t.Fatal(err)
	}
	for _, word := range []string{"one", "two", strings.Repeat("three", 20_000)} {
		if err := stream.SendMsg(wrapperspb.String(word)); err != nil {
			t.Fatal(err)
		}
		if err := stream.RecvMsg(out); err != nil || out.GetValue() != word {
			t.Fatalf("%.20q, %v", out.GetValue(), err)
		}
	}
	if err := stream.CloseSend(); err != nil {
		t.Fatal(err)
	}
	if err := stream.RecvMsg(out); err != io.EOF { //nolint:errorlint // gRPC returns it bare
		t.Errorf("the stream ends with %v", err)
	}
	ctx := metadata.AppendToOutgoingContext(t.Context(), "x-echo-grpc-status", "8")
	if err := conn.Invoke(ctx, "/any.Service/Method", wrapperspb.String("x"), out); status.Code(err) != codes.ResourceExhausted {
		t.Errorf("got %v", err)
	}
}

func TestAnAddressInUseIsReported(t *testing.T) {
	s := start(t, echo.Options{})
	if _, err := echo.Start(echo.Options{Address: s.Address()}); err == nil || !strings.Contains(err.Error(), "echo: ") {
		t.Errorf("got %v", err)
	}
}

// TestShutdownLetsRequestsEnd: one is in the middle of its body.
func TestShutdownLetsRequestsEnd(t *testing.T) {
	s, err := echo.Start(echo.Options{Name: "me", Address: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	body, writer := io.Pipe()
	req := request(t, http.MethodPost, "http://"+s.Address()+"/", "", "Expect", "100-continue")
	req.Body = body
	answered := make(chan error, 1)
	received := &bytes.Buffer{}
	c := client(t, http1, nil)
	c.Transport.(*http.Transport).ExpectContinueTimeout = 20 * time.Second
	go func() {
		resp, err := c.Do(req)
		if err == nil {
			_, err = io.Copy(received, resp.Body)
			_ = resp.Body.Close()
		}
		answered <- err
	}()
	if _, err := writer.Write([]byte("half")); err != nil { // the server said that it reads the body
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- s.Shutdown(context.Background()) }()
	if err := s.Wait(); err != nil { // it takes no more
		t.Error(err)
	}
	_, _ = writer.Write([]byte("more"))
	_ = writer.Close()
	if err := <-answered; err != nil || !strings.Contains(received.String(), `"bytes": 8`) {
		t.Errorf("%v: %s", err, received)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
