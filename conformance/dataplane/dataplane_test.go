// Package dataplane holds cases of objects in, real requests through a real Envoy, and the answers that must come back.
package dataplane

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cloverleaf-mesh/cloverleaf/conformance/updriver"
	"github.com/cloverleaf-mesh/cloverleaf/internal/casefile"
)

var binary string

func TestMain(m *testing.M) { updriver.Main(m, &binary) }

// ports of the gateway under test, away from those of other tests.
const (
	offset    = 21000
	httpPort  = 80 + offset
	httpsPort = 443 + offset
)

// TestCases runs the cases of testdata; package casefile says how they are written.
func TestCases(t *testing.T) { runCases(t) }

// TestCasesInline runs the same with whole route tables instead of VHDS: the answers must be the same.
func TestCasesInline(t *testing.T) { runCases(t, "--virtual-hosts", "inline") }

func runCases(t *testing.T, flags ...string) {
	t.Helper()
	runCasesOf(t, "testdata", newMaterial(t).backends(t), flags...)
}

// runCasesOf runs the cases of a folder. Its objects stand beside those of testdata.
func runCasesOf(t *testing.T, folder string, fill func(string) string, flags ...string) {
	t.Helper()
	base, files, err := casefile.Load(folder)
	if err != nil {
		t.Fatal(err)
	}
	common, err := os.ReadFile("testdata/base.yaml")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	updriver.Put(t, dir, "common.yaml", fill(string(common)))
	if base != string(common) {
		updriver.Put(t, dir, "base.yaml", fill(base))
	}
	updriver.Put(t, dir, "case.yaml", "# the case at hand\n")
	u := updriver.Start(t, binary, dir, append(flags, "--port-offset", strconv.Itoa(offset), "--local-ca", "--admin", "")...)
	for _, file := range files {
		t.Run(file.Name, func(t *testing.T) {
			from := u.Seen()
			u.Write(t, "case.yaml", fill(file.Objects)+"\n# "+t.Name()+"\n")
			if p, bad := u.Problem(from, "CL01"); bad {
				t.Fatalf("the case's own objects are wrong: %+v", p)
			}
			for _, line := range file.Lines {
				t.Run(line, func(t *testing.T) { check(t, line) })
			}
		})
	}
}

// sender makes the request of a case.
type sender func(context.Context, *casefile.Case) (casefile.Answer, error)

func check(t *testing.T, line string) {
	t.Helper()
	c, err := casefile.Parse(line)
	if err != nil {
		t.Fatal(err)
	}
	send := sender(sendHTTP)
	switch c.Method {
	case "GRPC":
		send = sendGRPC
	case "MIRROR":
		send = sendCopied(line)
	case "SESSION":
		send = sendSession()
	}
	counts := map[string]int{}
	var last casefile.Answer
	for range c.Times {
		a, err := send(t.Context(), &c)
		switch {
		case err != nil && c.Outcome == casefile.Closed && !errors.Is(err, context.DeadlineExceeded):
			a = casefile.Answer{Code: casefile.Closed}
		case err != nil:
			t.Fatal(err)
		}
		last = a
		counts[a.Echo.Name]++
		counts[a.Outcome()]++
	}
	if c.Outcome != "*" && c.Outcome != last.Outcome() {
		t.Errorf("status %s, want %s (%+v)", last.Outcome(), c.Outcome, last)
	}
	for _, w := range c.Wants {
		expect(t, line, w.Key, w.Value, last, counts)
	}
}

// expect checks one expectation: of the last answer, or of the counts of all.
func expect(t *testing.T, line, key, want string, last casefile.Answer, counts map[string]int) {
	t.Helper()
	kind, name, _ := strings.Cut(key, ":")
	switch kind {
	case "share":
		checkShare(t, counts[name], name, want)
		return
	case "copies":
		checkShare(t, copies.await(line, name, want), name, want)
		return
	}
	var got string
	switch key {
	case "copy:host":
		got = copies.host(line)
	case "names":
		got = strconv.Itoa(backends(counts))
	default:
		got = last.Value(key)
	}
	if !casefile.Matches(got, want) {
		t.Errorf("%s = %q, want %q (%v)", key, got, want, counts)
	}
}

func checkShare(t *testing.T, got int, name, want string) {
	t.Helper()
	low, high, _ := strings.Cut(want, "-")
	from, _ := strconv.Atoi(low)
	to, _ := strconv.Atoi(high)
	if got < from || got > to {
		t.Errorf("%s came %d times, want %s", name, got, want)
	}
}

// sendHTTP sends a request to the gateway, whatever the host name: http to its HTTP port, https with that SNI to its HTTPS
// port, h2c with prior knowledge. A port in the URL is sent in the Host header and replaced on the wire.
func sendHTTP(ctx context.Context, c *casefile.Case) (casefile.Answer, error) {
	scheme, rest, _ := strings.Cut(c.URL, "://")
	host, path, _ := strings.Cut(rest, "/")
	port := httpPort
	protocols := &http.Protocols{}
	protocols.SetHTTP1(true)
	switch scheme {
	case "https":
		port = httpsPort
		protocols.SetHTTP2(true)
	case "h2c":
		protocols = &http.Protocols{}
		protocols.SetUnencryptedHTTP2(true)
		scheme = "http"
	}
	if c.Port != 0 {
		port = c.Port + offset
	}
	client := &tls.Config{InsecureSkipVerify: true, ServerName: c.ServerName} // what is served is the point here
	if c.Certificate != "" {
		client.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			shown := clients[c.Certificate]
			return &shown, nil
		}
	}
	transport := &http.Transport{
		Protocols:         protocols,
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "tcp", net.JoinHostPort(c.Address, strconv.Itoa(port)))
		},
		TLSClientConfig: client,
	}
	defer transport.CloseIdleConnections()
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, c.Method, scheme+"://"+host+"/", http.NoBody)
	if err != nil {
		return casefile.Answer{}, err
	}
	req.URL.Opaque = "/" + path // as it stands, whatever it is
	maps.Copy(req.Header, c.Headers)
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return casefile.Answer{}, err
	}
	defer func() { _ = resp.Body.Close() }()
	a := casefile.Answer{Status: resp.StatusCode, Headers: resp.Header}
	if resp.TLS != nil {
		a.Served = resp.TLS.PeerCertificates[0].Subject.String()
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return a, err
	}
	if strings.HasPrefix(resp.Header.Get("Content-Type"), "application/json") {
		return a, json.Unmarshal(body, &a.Echo)
	}
	a.Text = string(body)
	return a, nil
}
