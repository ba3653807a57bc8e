// Package simulation holds internal/envoysim against a real Envoy: random configurations and requests, of which both
// must say the same.
package simulation

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cloverleaf-mesh/cloverleaf/conformance/wire"
	"github.com/cloverleaf-mesh/cloverleaf/internal/echo"
	"github.com/cloverleaf-mesh/cloverleaf/internal/envoysim"
	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

const (
	plainPort = 28100 // HTTP
	tlsPort   = 28101 // TLS with an exact, a wildcard and any server name
	strictTLS = 28102 // TLS with a wildcard server name alone

	rounds   = 6   // configurations
	requests = 700 // for each
)

// tally counts what was compared.
type tally struct {
	pairs, wrong, copies int
	verdicts             map[string]int
	routes               map[string]bool
}

// TestTheSimulatorAgreesWithEnvoy compares the answer, the route, what backends and mirrors received and what the client
// got. SIMULATION_SEED repeats a run.
func TestTheSimulatorAgreesWithEnvoy(t *testing.T) {
	b := newBench(t)
	seed := uint64(time.Now().UnixNano())
	if s := os.Getenv("SIMULATION_SEED"); s != "" {
		seed, _ = strconv.ParseUint(s, 10, 64)
	}
	fmt.Printf("evidence: seed %d\n", seed)
	n := tally{verdicts: map[string]int{}, routes: map[string]bool{}}
	for round := range uint64(rounds) {
		w := &world{Rand: rand.New(rand.NewPCG(seed, round))}
		hosts := b.load(t, w)
		for range requests {
			q := w.request(hosts)
			b.try(t, &q, &n)
		}
		n.copies += b.copies.check(t, b)
	}
	fmt.Printf("evidence: %d pairs of configuration and request compared with Envoy, %d disagreements, %d routes taken, %d copies, verdicts %v\n",
		n.pairs, n.wrong, len(n.routes), n.copies, n.verdicts)
}

// try sends one request and compares.
func (b *bench) try(t *testing.T, q *envoysim.Request, n *tally) {
	t.Helper()
	key := strconv.Itoa(n.pairs)
	q.Headers = append(q.Headers, envoysim.Header{Name: caseHeader, Value: key})
	got := send(t, q)
	n.pairs++
	like, diff := b.compare(q, got)
	if diff != "" {
		if n.wrong++; n.wrong <= 10 {
			t.Errorf("%s %s (host %s, port %d, h2 %t, sni %q, headers %v):\n%s", q.Method, q.Target, q.Authority, q.Port, q.HTTP2, q.SNI, short(q.Headers), diff)
		}
		return
	}
	n.verdicts[kind(like[0].Result)]++
	n.routes[like[0].Result.Route.Name] = true
	if len(got.Headers["x-echo-answer"]) == 0 { // the echo does not report gRPC
		b.copies.expect(key, like)
	}
}

// short leaves out most of what is long.
func short(headers []envoysim.Header) (out []envoysim.Header) {
	const most = 12
	for _, h := range headers[:min(len(headers), most)] {
		h.Value = h.Value[:min(len(h.Value), 100)]
		out = append(out, h)
	}
	return out
}

// request makes a request near a random rule of a random host.
func (w *world) request(hosts []ir.VirtualHost) envoysim.Request {
	h := of(w, hosts)
	rule := ir.Rule{Match: ir.Match{Path: ir.PathMatch{Value: "/"}}}
	if len(h.Rules) > 0 {
		rule = of(w, h.Rules)
	}
	q := w.near(h.Name.Host, rule)
	q.Port, q.Peer, q.HTTP2 = plainPort, "127.0.0.1", w.one(5)
	if strings.HasPrefix(string(h.Name.Table), "tls-") || w.one(12) {
		q.Port, q.TLS = of(w, []uint32{tlsPort, tlsPort, tlsPort, strictTLS}), true
		q.SNI = of(w, []string{"", "exact.tls.example", "EXACT.tls.example", "other.tls.example", "a.b.tls.example", "tls.example", "a.example"})
	}
	if odd := strings.ContainsAny(q.Authority, " /") || !strings.HasPrefix(q.Target, "/"); odd && !w.one(10) {
		q.HTTP2 = false // of which Envoy takes a second to close the connection
	}
	if q.HTTP2 {
		q.Headers = slices.DeleteFunc(q.Headers, func(h envoysim.Header) bool { return h.Name == "te" || h.Name == "connection" })
	}
	return q
}

// compare finds the outcomes of the simulator that Envoy's answer is like, or says how it differs from the nearest.
func (b *bench) compare(q *envoysim.Request, got wire.Answer) (like []envoysim.Outcome, diff string) {
	for _, o := range b.config.Outcomes(*q) {
		d := b.difference(o.Result, q, got)
		if d == "" {
			like = append(like, o)
		} else if diff == "" || len(d) < len(diff) {
			diff = d
		}
	}
	if len(like) > 0 {
		return like, ""
	}
	return nil, diff
}

// kind tells results apart for the count of them.
func kind(r *envoysim.Result) string {
	switch {
	case r.Verdict == envoysim.Answered && len(r.Route.Origins) == 0:
		return "Unclaimed"
	case r.Verdict == envoysim.Answered && r.Upstream != nil:
		return "NoEndpoint"
	default:
		return r.Verdict.String()
	}
}

func (b *bench) difference(r *envoysim.Result, q *envoysim.Request, got wire.Answer) string {
	if r.Verdict == envoysim.Forwarded {
		return b.forwarded(r, q, got)
	}
	want := wire.Answer{}
	if r.Answer != nil {
		want.Status = int(r.Answer.Status)
		want.Headers, want.Body = group(r.Answer.Headers), []byte(r.Answer.Body)
	}
	if r.Verdict <= envoysim.Refused { // the words of the codec are its own
		if want.Status != got.Status {
			return fmt.Sprintf("%s (%s): status %d, Envoy says %d", r.Verdict, r.Why, want.Status, got.Status)
		}
		return ""
	}
	return cmp.Diff(describe(r, want.Status, want.Headers, string(want.Body)), describe(r, got.Status, got.Headers, string(got.Body)))
}

// describe writes what a client got without what no one can foresee.
func describe(r *envoysim.Result, status int, headers map[string][]string, body string) map[string]any {
	kept := map[string][]string{}
	for name, values := range headers {
		if name != "date" && name != "content-length" && name != "connection" && name != "trailer" {
			kept[name] = values
		}
	}
	out := map[string]any{"status": status, "headers": kept, "body": body}
	if r != nil {
		out["verdict"], out["route"] = r.Verdict.String(), r.Route.Name
	}
	return out
}

func group(list []envoysim.Header) map[string][]string {
	out := map[string][]string{}
	for _, h := range list {
		out[h.Name] = append(out[h.Name], strings.TrimSpace(h.Value)) // as servers read it
	}
	return out
}

// forwarded compares what the backend received, and what became of its answer.
func (b *bench) forwarded(r *envoysim.Result, q *envoysim.Request, got wire.Answer) string {
	route := strings.Join(got.Headers[routeHeader], ",")
	if !readable(r.Upstream.Target) { // the backend's server refuses it before it can tell
		return cmp.Diff(r.Route.Name, route)
	}
	var received echo.Answer
	body := string(got.Body)
	grpc := len(got.Headers["x-echo-answer"]) > 0
	if grpc {
		body = got.Headers["x-echo-answer"][0]
	}
	if q.Method == http.MethodHead && !grpc {
		name := strings.Join(got.Headers["x-echo-name"], ",")
		if !slices.Contains(b.backends[r.Upstream.Cluster.Name], name) {
			return fmt.Sprintf("%s answers for %s", name, r.Upstream.Cluster.Name)
		}
		return cmp.Diff([]string{"200", r.Route.Name}, []string{strconv.Itoa(got.Status), route})
	}
	if err := json.Unmarshal([]byte(body), &received); err != nil {
		return fmt.Sprintf("%s, route %s: no echo: %d %s %v", r.Verdict, r.Route.Name, got.Status, got.Body, got.Headers)
	}
	if diff := cmp.Diff(b.wanted(r, received.Protocol), b.actual(r, &received)); diff != "" {
		return "route " + r.Route.Name + ": the backend received (-simulated +real)\n" + diff
	}
	if grpc {
		return cmp.Diff(r.Route.Name, route)
	}
	answered := []envoysim.Header{{Name: "x-echo-name", Value: received.Name}, {Name: "content-type", Value: "application/json"}}
	want := group(r.Response(answered))
	if header, _ := r.SessionHeader(); header != "" {
		delete(want, header)
		delete(got.Headers, header)
	}
	diff := cmp.Diff(describe(r, 200, want, ""), describe(r, got.Status, got.Headers, ""))
	if diff != "" {
		return "the client received (-simulated +real)\n" + diff
	}
	return ""
}

// readable tells whether Go's server takes a request target.
func readable(target string) bool {
	_, err := url.ParseRequestURI(target)
	return err == nil
}

func (b *bench) wanted(r *envoysim.Result, protocol string) map[string]any {
	up := r.Upstream
	target, query, _ := strings.Cut(up.Target, "?")
	if query != "" { // of a ? alone the echo says nothing
		target = up.Target
	}
	headers := group(up.Headers)
	delete(headers, "content-length")
	if cookies := headers["cookie"]; protocol == "HTTP/2.0" && len(cookies) > 0 {
		headers["cookie"] = []string{strings.TrimSpace(strings.Join(cookies, "; "))}
	}
	return map[string]any{
		"backend": b.backends[up.Cluster.Name], "method": up.Method, "target": target, "host": up.Authority,
		"headers": headers,
	}
}

func (b *bench) actual(r *envoysim.Result, a *echo.Answer) map[string]any {
	headers := map[string][]string{}
	for name, values := range a.Headers {
		for _, v := range values {
			headers[name] = append(headers[name], strings.TrimSpace(v))
		}
	}
	delete(headers, "content-length")
	if len(headers["x-request-id"]) == 1 {
		headers["x-request-id"] = []string{envoysim.Generated}
	}
	if forwarded := headers["x-forwarded-for"]; len(forwarded) == 1 { // ends with Envoy's own address
		own := strings.LastIndexByte(forwarded[0], ',') + 1
		headers["x-forwarded-for"] = []string{forwarded[0][:own] + envoysim.Generated}
	}
	if cookies := headers["cookie"]; a.Protocol == "HTTP/2.0" && len(cookies) > 0 { // cut into lines, and joined by the server
		headers["cookie"] = []string{strings.TrimSpace(strings.Join(cookies, "; "))}
	}
	target := a.Path
	if a.Query != "" {
		target += "?" + a.Query
	}
	names := b.backends[r.Upstream.Cluster.Name]
	if !slices.Contains(names, a.Name) {
		names = []string{a.Name}
	}
	return map[string]any{"backend": names, "method": a.Method, "target": target, "host": a.Host, "headers": headers}
}
