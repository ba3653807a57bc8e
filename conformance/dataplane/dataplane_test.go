// Package dataplane holds cases of objects in, real requests through a real Envoy, and the answers that must come back.
package dataplane

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/tools/txtar"

	"github.com/cloverleaf-mesh/cloverleaf/conformance/updriver"
	"github.com/cloverleaf-mesh/cloverleaf/internal/echo"
)

var binary string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "dataplane")
	if err == nil {
		_ = os.Setenv("XDG_DATA_HOME", filepath.Join(dir, "data")) // the local CA of these tests
		binary, err = updriver.Build(dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// ports of the gateway under test, away from those of other tests.
const (
	offset    = 21000
	httpPort  = 80 + offset
	httpsPort = 443 + offset
)

// TestCases: each file of testdata holds objects and requests with their answers, a line each:
//
//	GET http://a.example/x [name=value ...] -> 200 [name=value ...]
//	MIRROR and SESSION are GET with counts of copies (copies:NAME=LOW-HIGH, copy:host= of one) and with kept cookies, or
//	a kept header (header=NAME): names=COUNT is how many backends answered.
//	GRPC h2c://a.example/shop.Cart/Add [name=value ...] -> OK [name=value ...]
//
// Before the arrow: h:NAME=VALUE sends a header, n=COUNT sends the request so often. After it: backend=NAME, path=, host=,
// query=, proto= are what the backend received; req:NAME= and resp:NAME= are headers that the backend or the client
// received ("-" for none); location= is the header; share:NAME=LOW-HIGH counts backends (or status codes) of n requests.
func TestCases(t *testing.T) { runCases(t) }

// TestCasesInline runs the same with whole route tables instead of VHDS: the answers must be the same.
func TestCasesInline(t *testing.T) { runCases(t, "--virtual-hosts", "inline") }

func runCases(t *testing.T, flags ...string) {
	t.Helper()
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no cases")
	}
	names := map[string]string{}
	for _, name := range []string{"one", "two", "three"} {
		s, err := echo.Start(echo.Options{Name: name, Address: "127.0.0.1:0", Observe: copies.observe})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		names["$"+name] = strconv.Itoa(s.Port())
	}
	base, err := os.ReadFile("testdata/base.yaml")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	updriver.Put(t, dir, "base.yaml", fill(string(base), names))
	updriver.Put(t, dir, "case.yaml", "# the case at hand\n")
	u := updriver.Start(t, binary, dir, append(flags, "--port-offset", strconv.Itoa(offset), "--local-ca", "--admin", "")...)
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			sections := map[string]string{}
			for _, f := range archive.Files {
				sections[f.Name] = string(f.Data)
			}
			from := u.Seen()
			u.Write(t, "case.yaml", fill(sections["objects.yaml"], names)+"\n# "+t.Name()+"\n")
			if p, bad := u.Problem(from, "CL01"); bad {
				t.Fatalf("the case's own objects are wrong: %+v", p)
			}
			for line := range strings.SplitSeq(strings.TrimSpace(sections["requests"]), "\n") {
				t.Run(line, func(t *testing.T) { check(t, line) })
			}
		})
	}
}

func fill(text string, names map[string]string) string {
	for name, value := range names {
		text = strings.ReplaceAll(text, name, value)
	}
	return text
}

// answer is what came back.
type answer struct {
	status  int    // of HTTP
	code    string // of gRPC; empty for HTTP
	headers http.Header
	echo    echo.Answer
}

// request is the left side of a line.
type request struct {
	url     string
	headers http.Header
	times   int
	send    func(context.Context, string, string, http.Header) (answer, error)
	method  string
}

func parseRequest(t *testing.T, line, text string) request {
	t.Helper()
	words := strings.Fields(text)
	if len(words) < 2 {
		t.Fatalf("cannot read the case: %q", line)
	}
	r := request{method: words[0], url: words[1], headers: http.Header{}, times: 1, send: sendHTTP}
	kept := ""
	for _, w := range words[2:] {
		switch key, value, _ := strings.Cut(w, "="); key {
		case "n":
			r.times, _ = strconv.Atoi(value)
		case "header":
			kept = value
		default:
			r.headers.Add(strings.TrimPrefix(key, "h:"), value)
		}
	}
	switch r.method {
	case "GRPC":
		r.send = sendGRPC
	case "MIRROR":
		r.send = sendCopied(line)
	case "SESSION":
		r.send = sendSession(kept)
	}
	return r
}

func check(t *testing.T, line string) {
	t.Helper()
	left, right, _ := strings.Cut(line, " -> ")
	r := parseRequest(t, line, left)
	counts := map[string]int{}
	var last answer
	for range r.times {
		a, err := r.send(t.Context(), r.method, r.url, r.headers)
		if err != nil {
			t.Fatal(err)
		}
		last = a
		counts[a.echo.Name]++
		counts[a.outcome()]++
	}
	expect := strings.Fields(right)
	if want := expect[0]; want != "*" && want != last.outcome() {
		t.Errorf("status %s, want %s (%+v)", last.outcome(), want, last)
	}
	for _, w := range expect[1:] {
		key, want, _ := strings.Cut(w, "=")
		expectValue(t, line, key, want, last, counts)
	}
}

// expectValue checks one expectation: of the last answer, or of the counts of all.
func expectValue(t *testing.T, line, key, want string, last answer, counts map[string]int) {
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
	got := last.value(key)
	switch key {
	case "copy:host":
		got = copies.host(line)
	case "names":
		got = strconv.Itoa(backends(counts))
	}
	if got != want && !matches(got, want) {
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

// outcome is the status of the answer as cases write it.
func (a answer) outcome() string {
	if a.code != "" {
		return a.code
	}
	return strconv.Itoa(a.status)
}

// matches compares with a wanted value that begins and ends with a star.
func matches(got, want string) bool {
	inner := strings.Trim(want, "*")
	return len(want) > 2 && len(inner) == len(want)-2 && strings.Contains(got, inner)
}

func (a answer) value(key string) string {
	joined := func(values []string) string {
		if len(values) == 0 {
			return "-"
		}
		return strings.ReplaceAll(strings.Join(values, ","), " ", "_")
	}
	kind, name, _ := strings.Cut(key, ":")
	switch kind {
	case "backend":
		return a.echo.Name
	case "path":
		return a.echo.Path
	case "query":
		return a.echo.Query
	case "host":
		return a.echo.Host
	case "proto":
		return a.echo.Protocol
	case "location":
		return a.headers.Get("Location")
	case "req":
		return joined(a.echo.Headers[strings.ToLower(name)])
	case "resp":
		return joined(a.headers.Values(name))
	default:
		return "unknown key " + key
	}
}

// sendHTTP sends a request to the gateway, whatever the host name: http to its HTTP port, https with that SNI to its HTTPS
// port, h2c with prior knowledge. A port in the URL is sent in the Host header and replaced on the wire.
func sendHTTP(ctx context.Context, method, url string, headers http.Header) (answer, error) {
	scheme, rest, _ := strings.Cut(url, "://")
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
	if custom := headers.Get("port"); custom != "" {
		port, _ = strconv.Atoi(custom)
		port += offset
	}
	transport := &http.Transport{
		Protocols:         protocols,
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		},
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true},
	}
	defer transport.CloseIdleConnections()
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, scheme+"://"+host+"/", http.NoBody)
	if err != nil {
		return answer{}, err
	}
	req.URL.Opaque = "/" + path // as it stands, whatever it is
	for name, values := range headers {
		if !strings.EqualFold(name, "port") {
			req.Header[name] = values
		}
	}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = resp.Body.Close() }()
	a := answer{status: resp.StatusCode, headers: resp.Header}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return a, err
	}
	if strings.HasPrefix(resp.Header.Get("Content-Type"), "application/json") {
		err = json.Unmarshal(body, &a.echo)
	}
	return a, err
}
