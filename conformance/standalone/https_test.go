package standalone

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cloverleaf-mesh/cloverleaf/conformance/updriver"
)

// certificate makes a certificate that vouches for itself, with a serial number to know it by.
func certificate(t *testing.T, serial int64, host string) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), DNSNames: []string{host}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalECPrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	encode := func(kind string, der []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	return encode("CERTIFICATE", der), encode("EC PRIVATE KEY", keyDER)
}

// secret is a manifest of a Secret with a certificate.
func secret(name, cert, key string) string {
	indent := func(text string) string { return strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n    ") }
	return fmt.Sprintf(`---
apiVersion: v1
kind: Secret
metadata: {name: %s, namespace: default}
type: kubernetes.io/tls
stringData:
  tls.crt: |
    %s
  tls.key: |
    %s
`, name, indent(cert), indent(key))
}

func secure(name string, port int, host, secret string) string {
	return fmt.Sprintf("{name: %s, port: %d, protocol: HTTPS, hostname: %q, tls: {certificateRefs: [{name: %s}]}}", name, port, host, secret)
}

func pool(t *testing.T, text []byte) *x509.CertPool {
	t.Helper()
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(text) {
		t.Fatalf("no certificate in %q", text)
	}
	return roots
}

func TestTheLocalCAServesHTTPSThatItsPrintedCertificateVerifies(t *testing.T) {
	u := updriver.Start(t, binary, folder(t, class, gateway(secure("web", 24600, "*.localhost", "missing")),
		service("s", backend(t, "s")), route("r", "a.localhost", "s")), "--local-ca")
	e := u.Await(t, "the CA", func(e updriver.Event) bool { return e.Step == "local CA" })
	_, path, _ := strings.Cut(e.Text, "trust it: ")
	root, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want(t, getTLS(t, 24600, "a.localhost", pool(t, root)), "200 s")
	if a := getTLS(t, 24600, "a.localhost", x509.NewCertPool()); a.err == nil {
		t.Error("a client that does not trust the CA was served")
	}
	key, err := os.Stat(strings.TrimSuffix(path, "crt") + "key")
	if err != nil || key.Mode().Perm() != 0o600 {
		t.Errorf("the CA's key: %v, %v", key, err)
	}
	for _, p := range u.Problems(0) {
		t.Errorf("reported: %+v", p)
	}
}

func TestACertificateFromAFileIsServedAndItsRotationFollowed(t *testing.T) {
	rest := class + gateway(secure("web", 24610, "a.example", "cert")) + service("s", backend(t, "s")) + route("r", "a.example", "s")
	dir := folder(t, rest)
	cert, key := certificate(t, 1, "a.example")
	updriver.Put(t, dir, "secret.yaml", secret("cert", cert, key))
	u := updriver.Start(t, binary, dir)
	var kept, fresh atomic.Int64
	keeps := client(t, 24610, pool(t, []byte(cert)), &kept)
	if got := served(t, keeps); got != 1 {
		t.Errorf("served certificate %d", got)
	}
	for serial := int64(2); serial <= 5; serial++ {
		cert, key = certificate(t, serial, "a.example")
		u.Write(t, "secret.yaml", secret("cert", cert, key))
		if got := served(t, client(t, 24610, pool(t, []byte(cert)), &fresh)); got != serial {
			t.Errorf("served certificate %d, want %d", got, serial)
		}
		served(t, keeps)
	}
	if kept.Load() != 1 || fresh.Load() != 4 {
		t.Errorf("clients opened %d and %d connections, want 1 and 4", kept.Load(), fresh.Load())
	}
}

func TestALocalCertificateGivesWayToTheSecretThatComes(t *testing.T) {
	dir := folder(t, class, gateway(secure("web", 24620, "a.example", "cert")), service("s", backend(t, "s")), route("r", "a.example", "s"))
	u := updriver.Start(t, binary, dir, "--local-ca")
	cert, key := certificate(t, 7, "a.example")
	u.Write(t, "secret.yaml", secret("cert", cert, key))
	want(t, getTLS(t, 24620, "a.example", pool(t, []byte(cert))), "200 s")
}

func TestAListenerThatJoinsAPortLeavesItsConnectionsOpen(t *testing.T) {
	one, oneKey := certificate(t, 1, "a.example")
	two, twoKey := certificate(t, 2, "b.example")
	listeners := []string{plain("http", 24631), secure("one", 24630, "a.example", "one")}
	write := func(more ...string) string {
		return class + gateway(append(listeners, more...)...) + service("s", backend(t, "s")) + route("r", "a.example", "s") +
			secret("one", one, oneKey) + secret("two", two, twoKey)
	}
	dir := folder(t, write())
	u := updriver.Start(t, binary, dir)
	var connections atomic.Int64
	kept := client(t, 24630, pool(t, []byte(one)), &connections)
	served(t, kept)
	for _, more := range [][]string{
		{secure("two", 24630, "b.example", "two")},
		{secure("two", 24630, "b.example", "two"), secure("three", 24630, "*.example", "two")},
		{secure("three", 24630, "*.example", "two")},
		{},
	} {
		u.Write(t, "all.yaml", write(more...))
		served(t, kept)
	}
	if n := connections.Load(); n != 1 {
		t.Errorf("the client opened %d connections, want 1: edits closed some", n)
	}
}

// client is an HTTPS client of a port of the gateway that keeps its connection open, and counts those that it opens.
func client(t *testing.T, port int, roots *x509.CertPool, connections *atomic.Int64) *http.Client {
	t.Helper()
	transport := &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			connections.Add(1)
			return (&net.Dialer{}).DialContext(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		},
	}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: 30 * time.Second}
}

// served sends a request, and returns the serial number of the certificate of the connection that it went by.
func served(t *testing.T, c *http.Client) int64 {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://a.example/", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("answered %s", resp.Status)
	}
	return resp.TLS.PeerCertificates[0].SerialNumber.Int64()
}
