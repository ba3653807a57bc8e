package simulation

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cloverleaf-mesh/cloverleaf/internal/envoysim"
	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// only loads one virtual host for a.example, and 404 for the rest.
func (b *bench) only(t *testing.T, rules ...ir.Rule) {
	t.Helper()
	var hosts []ir.VirtualHost
	for _, table := range []ir.RouteTableName{tablePlain, tableExact, tableWild} {
		hosts = append(hosts, ir.VirtualHost{Name: ir.VirtualHostName{Table: table, Host: ir.AnyHost}})
	}
	b.apply(t, append(hosts, ir.VirtualHost{Name: ir.VirtualHostName{Table: tablePlain, Host: "a.example"}, Rules: rules}))
}

func ask(path string, headers ...envoysim.Header) envoysim.Request {
	return envoysim.Request{Method: "GET", Target: path, Authority: "a.example", Port: plainPort, Peer: "127.0.0.1", Headers: headers}
}

func at(name string, action ir.Action) ir.Rule {
	return ir.Rule{Name: name, Match: ir.Match{Path: ir.PathMatch{Value: "/" + name}}, Action: action, Origin: origin(name)}
}

// TestSharesAreThoseThatEnvoyGives counts what happens to many requests, copies included.
func TestSharesAreThoseThatEnvoyGives(t *testing.T) {
	b := newBench(t)
	to := func(weight uint32, backend ir.BackendName, mirrors ...ir.Mirror) ir.Weighted {
		return ir.Weighted{Weight: weight, Backend: backend, Own: &ir.Filters{Mirrors: mirrors}}
	}
	half := ir.Mirror{Backend: "n/three/80", PerMillion: 500_000}
	b.only(t,
		at("plain", ir.Forward{Failure: 500, Split: []ir.Weighted{to(1, "n/one/80"), to(9, "n/two/80")}}),
		at("invalid", ir.Forward{Failure: 500, Split: []ir.Weighted{to(3, "n/one/80"), {Weight: 2, Invalid: true}, to(5, "n/two/80")}, Mirrors: []ir.Mirror{half}}),
		at("mirrored", ir.Forward{Failure: 500, Split: []ir.Weighted{to(1, "n/one/80", half), to(1, "n/two/80", half)}}),
		at("large", ir.Forward{Failure: 500, Split: []ir.Weighted{to(400_000, "n/one/80"), {Weight: 500_000, Invalid: true}, to(600_000, "n/two/80")}}),
	)
	const times = 600
	compared := 0
	for _, path := range []string{"/plain", "/invalid", "/mirrored", "/large"} {
		want := map[string]float64{}
		for _, o := range b.config.Outcomes(ask(path)) {
			name := "500"
			if o.Result.Verdict == envoysim.Forwarded {
				name = b.backends[o.Result.Upstream.Cluster.Name][0]
			}
			want[name] += o.Share
			for _, c := range o.Copied {
				want["copy of "+name] += o.Share * c
			}
		}
		got := b.count(t, path, times)
		for name := range got {
			want[name] += 0
		}
		for name, share := range want {
			compared++
			tolerance := 6 * math.Sqrt(share*(1-share)*times) // one run in a billion strays so far
			if math.Abs(float64(got[name])-share*times) > tolerance+1 {
				t.Errorf("%s: %s came %d times of %d, want %.0f", path, name, got[name], times, share*times)
			}
		}
	}
	fmt.Printf("evidence: %d shares of routes, clusters and mirrors compared with Envoy over %d requests each\n", compared, times)
}

// count sends a request many times and counts who answered, and of whose requests there were copies.
func (b *bench) count(t *testing.T, path string, times int) map[string]int {
	t.Helper()
	got := map[string]int{}
	answered := map[string]string{}
	for i := range times {
		key := path + strconv.Itoa(i)
		q := ask(path, envoysim.Header{Name: caseHeader, Value: key})
		s := send(t, &q)
		name := strings.Join(s.Headers["x-echo-name"], ",")
		if name == "" {
			name = strconv.Itoa(s.Status)
		}
		got[name]++
		answered[key] = name
	}
	b.settle(t)
	for key, name := range answered {
		if n := len(b.copies.of(key)); n > 1 {
			got["copy of "+name] += n - 1
		}
	}
	return got
}

// settle waits until backends received all that Envoy sent.
func (b *bench) settle(t *testing.T) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); {
		stats, err := b.driver.Envoy.Admin().Get(t.Context(), "/stats?filter=^cluster\\.n/.*upstream_rq_total")
		if err != nil {
			t.Fatal(err)
		}
		sent := 0
		for line := range strings.Lines(stats) {
			_, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
			n, _ := strconv.Atoi(value)
			sent += n
		}
		if sent == b.copies.total() {
			return
		}
	}
	t.Fatal("some of what Envoy sent did not reach its backend")
}

// TestASessionStaysWhereTheSimulatorSays keeps sessions on one of two addresses, by cookie and by header.
func TestASessionStaysWhereTheSimulatorSays(t *testing.T) {
	b := newBench(t)
	kept := func(name string, s ir.Session) ir.Rule {
		r := at(name, ir.Forward{Failure: 500, Split: []ir.Weighted{{Weight: 1, Backend: "n/pair/80"}}})
		r.Features.Session = &s
		return r
	}
	b.only(t,
		kept("cookie", ir.Session{Name: "sid", Path: "/cookie"}), kept("lasting", ir.Session{Name: "sid", Path: "/", Life: time.Hour}),
		kept("header", ir.Session{Type: ir.SessionHeader, Name: "X-Sid"}),
	)
	checked := 0
	for _, path := range []string{"/cookie", "/cookie/x", "/lasting", "/header"} {
		for range 10 {
			q := ask(path)
			begun := send(t, &q)
			header, cookie := b.config.Evaluate(q).SessionHeader()
			value := strings.Join(begun.Headers[header], "")
			if cookie != "" {
				value, _, _ = strings.Cut(value, ";")
				header = "cookie"
			}
			q = ask(path, envoysim.Header{Name: header, Value: value})
			again := send(t, &q)
			pinned := b.config.Evaluate(q).Upstream.Pinned
			if b.servers[pinned] != again.Headers["x-echo-name"][0] || b.servers[pinned] != begun.Headers["x-echo-name"][0] {
				t.Errorf("%s: the simulator says %q, Envoy chose %v and then %v", path, b.servers[pinned], begun.Headers["x-echo-name"], again.Headers["x-echo-name"])
			}
			checked++
		}
	}
	fmt.Printf("evidence: %d sessions stay on the address that the simulator reads from them\n", checked)
}
