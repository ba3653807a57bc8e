// Package standalone holds tests of `cloverleaf up` as its users meet it: the real binary and a real Envoy on a folder,
// what is said of bad input and what goes on meanwhile, and the life of the processes from start to end.
package standalone

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cloverleaf-mesh/cloverleaf/conformance/updriver"
	"github.com/cloverleaf-mesh/cloverleaf/internal/echo"
)

var binary string

func TestMain(m *testing.M) { updriver.Main(m, &binary) }

// backend starts an echo backend that ends with the test, and returns its port.
func backend(t *testing.T, name string) int {
	t.Helper()
	s, err := echo.Start(echo.Options{Name: name, Address: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s.Port()
}

const class = updriver.ClassManifest

// gateway is a manifest of the Gateway edge with listeners, a line each.
func gateway(listeners ...string) string {
	return fmt.Sprintf(`---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: edge, namespace: default}
spec:
  gatewayClassName: cloverleaf
  listeners:
  - %s
`, strings.Join(listeners, "\n  - "))
}

// plain is an HTTP listener.
func plain(name string, port int) string {
	return fmt.Sprintf("{name: %s, port: %d, protocol: HTTP}", name, port)
}

// service is a manifest of a Service with one endpoint on this machine.
func service(name string, port int) string { return updriver.ServiceManifest(name, "", port) }

// route is a manifest of an HTTPRoute of the Gateway edge that sends everything for a host to a Service.
func route(name, host, service string) string {
	return fmt.Sprintf(`---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: %s, namespace: default}
spec:
  parentRefs: [{name: edge}]
  hostnames: [%q]
  rules:
  - backendRefs: [{name: %s, port: 80}]
`, name, host, service)
}

// folder makes a folder with one file in it.
func folder(t *testing.T, manifests ...string) string {
	t.Helper()
	dir := t.TempDir()
	updriver.Put(t, dir, "all.yaml", strings.Join(manifests, ""))
	return dir
}

// answer is what came back: a status and the name of the backend, or nothing but an error.
type answer struct {
	status  int
	backend string
	headers http.Header
	err     error
}

// String returns "200 good", "404" or "refused".
func (a answer) String() string {
	if a.err != nil {
		return "refused"
	}
	return strings.TrimSpace(strconv.Itoa(a.status) + " " + a.backend)
}

// get sends a request for a host name on a connection of its own.
func get(t *testing.T, port int, host, path string) answer {
	t.Helper()
	return send(t, port, "http://"+host+path, nil)
}

// getTLS is get by HTTPS, trusting some roots alone.
func getTLS(t *testing.T, port int, host string, roots *x509.CertPool) answer {
	t.Helper()
	return send(t, port, "https://"+host+"/", &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12})
}

func send(t *testing.T, port int, url string, config *tls.Config) answer {
	t.Helper()
	transport := &http.Transport{
		DisableKeepAlives: true, TLSClientConfig: config,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		},
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return answer{err: err}
	}
	defer func() { _ = resp.Body.Close() }()
	_, err = io.Copy(io.Discard, resp.Body)
	return answer{status: resp.StatusCode, backend: resp.Header.Get("X-Echo-Name"), headers: resp.Header, err: err}
}

// want checks an answer.
func want(t *testing.T, got answer, text string) {
	t.Helper()
	if got.String() != text {
		t.Errorf("answered %q (%v), want %q", got, got.err, text)
	}
}

// becomes waits until requests for a.example are answered so.
func becomes(t *testing.T, port int, text string) {
	t.Helper()
	updriver.Eventually(t, fmt.Sprintf("port %d answers %q", port, text), func() bool {
		return get(t, port, "a.example", "/").String() == text
	})
}
