// Package threats attacks a real Envoy that the real binary runs, as clients do that mean ill: a test for each row of
// the table of threats, TestThreatNN_. It decides nothing about features; what they do is conformance/dataplane's business.
package threats

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/cloverleaf-mesh/cloverleaf/conformance/updriver"
	"github.com/cloverleaf-mesh/cloverleaf/conformance/wire"
	"github.com/cloverleaf-mesh/cloverleaf/internal/echo"
)

var executable string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "threats")
	if err == nil {
		_ = os.Setenv("XDG_DATA_HOME", filepath.Join(dir, "data")) // the local CA of these tests
		executable, err = updriver.Build(dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// ports of the gateway under attack, away from those of other tests.
const (
	offset    = 29000
	httpPort  = 80 + offset
	httpsPort = 443 + offset
)

// gate is a gateway under attack, and its backends.
type gate struct {
	up  *updriver.Up
	raw *rawBackend

	mu       sync.Mutex
	received []echo.Answer // by all backends
}

// start runs the gateway on the objects of testdata/world.yaml.
func start(t *testing.T, flags ...string) *gate {
	t.Helper()
	g := &gate{}
	text, err := os.ReadFile("testdata/world.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var pairs []string
	for _, name := range []string{"site", "admin", "public", "mirror", "guard"} {
		s, err := echo.Start(echo.Options{Name: name, Address: "127.0.0.1:0", Observe: g.observe})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		pairs = append(pairs, "$("+name+")", strconv.Itoa(s.Port()))
	}
	g.raw = startRaw(t)
	pairs = append(pairs, "$(raw)", strconv.Itoa(g.raw.port()))
	dir := t.TempDir()
	updriver.Put(t, dir, "world.yaml", strings.NewReplacer(pairs...).Replace(string(text)))
	g.up = updriver.Start(t, executable, dir, append(flags, "--port-offset", strconv.Itoa(offset), "--local-ca", "--admin", "")...)
	return g
}

func (g *gate) observe(a echo.Answer) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.received = append(g.received, a)
}

// requests returns what backends received so far.
func (g *gate) requests() []echo.Answer {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.received)
}

// results are the tests that ran and the attempts of each, for the table.
var results = struct {
	sync.Mutex
	tests    map[string]*testing.T
	attempts map[string]int
}{tests: map[string]*testing.T{}, attempts: map[string]int{}}

// attempt counts an attack of a test.
func attempt(t *testing.T) {
	t.Helper()
	name, _, _ := strings.Cut(t.Name(), "/")
	results.Lock()
	defer results.Unlock()
	results.attempts[name]++
	results.tests[name] = t
}

// reply is what came of a request: the answer, and what the backend received if one did.
type reply struct {
	wire.Answer
	echo echo.Answer
}

// by names the backend that answered; empty for none.
func (r *reply) by() string { return r.echo.Name }

func read(a wire.Answer) reply {
	r := reply{Answer: a}
	text := a.Body
	if grpc := a.Headers["x-echo-answer"]; len(grpc) > 0 {
		text = []byte(grpc[0])
	}
	_ = json.Unmarshal(text, &r.echo) // what is no echo is an answer of the proxy
	return r
}

// header returns a header that the backend received.
func (r *reply) header(name string) string { return strings.Join(r.echo.Headers[name], ",") }

// refused tells whether the proxy refused a request: with a status that blames the client, or by closing the connection
// or stream; and no backend answered.
func (r *reply) refused() bool {
	return r.by() == "" && (r.Status == 0 || r.Status >= 400 && r.Status < 500)
}

// text sends bytes to the HTTP port and reads one answer.
func text(t *testing.T, bytes string) reply {
	t.Helper()
	attempt(t)
	conn := wire.Dial(t, httpPort, nil)
	if conn == nil {
		return reply{}
	}
	defer func() { _ = conn.Close() }()
	method, _, _ := strings.Cut(bytes, " ")
	return read(wire.HTTP1(conn, method, bytes))
}

// get sends a request over HTTP/1.
func get(t *testing.T, host, target string, fields ...wire.Field) reply {
	t.Helper()
	return text(t, wire.Request1("GET", target, host, fields...))
}

// get2 sends a request over HTTP/2.
func get2(t *testing.T, host, target string, fields ...wire.Field) reply {
	t.Helper()
	return frames(t, wire.Request2("GET", "http", host, target, fields...)...)
}

// frames sends the fields of a request over HTTP/2 as they are.
func frames(t *testing.T, fields ...wire.Field) reply {
	t.Helper()
	attempt(t)
	conn := wire.Dial(t, httpPort, nil)
	if conn == nil {
		return reply{}
	}
	defer func() { _ = conn.Close() }()
	return read(wire.HTTP2(conn, fields...))
}

// both sends a request over HTTP/1 and over HTTP/2 and gives the replies to a check.
func both(t *testing.T, host, target string, check func(version string, r *reply), fields ...wire.Field) {
	t.Helper()
	one := get(t, host, target, fields...)
	check("HTTP/1", &one)
	low := make([]wire.Field, 0, len(fields))
	for _, f := range fields {
		low = append(low, wire.Field{Name: strings.ToLower(f.Name), Value: f.Value})
	}
	two := get2(t, host, target, low...)
	check("HTTP/2", &two)
}

// together runs a function for each of a list, several at once: Envoy takes a second to close connections that it
// refuses.
func together[T any](list []T, f func(T)) {
	var all sync.WaitGroup
	slots := make(chan struct{}, 32)
	for _, item := range list {
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			f(item)
		})
	}
	all.Wait()
}

// serves checks that the gateway is well: what follows an attack is answered.
func (g *gate) serves(t *testing.T) {
	t.Helper()
	if r := get(t, "a.example", "/"); r.Status != 200 || r.by() != "site" {
		t.Errorf("after the attack: %d by %q", r.Status, r.by())
	}
}

// names lists what backends were reached, for messages.
func names(received []echo.Answer) []string {
	seen := map[string]bool{}
	for _, a := range received {
		seen[a.Name+" "+a.Path] = true
	}
	return slices.Sorted(maps.Keys(seen))
}
