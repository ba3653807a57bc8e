package simulation

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// world makes configurations and requests. Words are few, so that rules are near each other and near what is asked for.
type world struct {
	*rand.Rand
}

func of[T any](w *world, list []T) T { return list[w.IntN(len(list))] }

// one tells, once in n times, yes.
func (w *world) one(n int) bool { return w.IntN(n) == 0 }

var (
	paths        = []string{"/", "/a", "/a/b", "/ab", "/a/b/c", "/b", "/b/a", "/a.b", "/A", "/c/d/e", "/x-y_z", "/a/b c"}
	expressions  = []string{"/[ab](/.*)?", "/a+", "/(a|b)/[^/]*", ".*b.*", "/a/b", "/.", "/\\w+/?", "(?i)/a/B"}
	methods      = []string{"GET", "PUT", "POST", "DELETE", "OPTIONS", "HEAD", "PATCH"}
	headerNames  = []string{"x-a", "x-b", "accept", "cookie", "origin", "host", "user-agent", "x-forwarded-proto", "content-type", "via"}
	headerValues = []string{"", "1", "2", "1,2", "1, 2", "a b", "Value", "value", "a=1; b=2", "http"}
	valueRegexes = []string{"[12]", ".*", "1.*", "v.*e", "(?i)VALUE", ".*,.*", "a b?"}
	queryNames   = []string{"q", "Q", "a", "a b", "x[0]", "é"}
	queryValues  = []string{"", "1", "2", "a+b", "a%20b", "a b", "x=y"}
	clusters     = []ir.BackendName{"n/one/80", "n/two/80", "n/three/80", "n/pair/80", "n/one-h2c/80"}
	hostNames    = []ir.Hostname{
		"a.example", "b.example", "*.example", "*.a.example", "x.a.example", "*.b.a.example", "a.example.org", "*.org",
		"127.0.0.1", "localhost", "xn--bcher-kva.example", "a-b.example",
	}
)

// nowhere is a cluster without endpoints.
const nowhere ir.BackendName = "n/none/80"

func (w *world) rules(table ir.RouteTableName, host ir.Hostname, n int) []ir.Rule {
	rules := make([]ir.Rule, 0, n)
	for i := range n {
		rules = append(rules, w.rule(fmt.Sprintf("%s/%s/%d", table, host, i)))
	}
	if w.one(2) { // takes whatever no other does
		rules = append(rules, ir.Rule{
			Name: fmt.Sprintf("%s/%s/rest", table, host), Match: ir.Match{Path: ir.PathMatch{Value: "/"}},
			Action: ir.Forward{Failure: 500, Split: []ir.Weighted{w.share()}}, Origin: origin("rest"),
		})
	}
	return rules
}

func origin(name string) ir.Origin {
	return ir.Origin{Ref: ir.Ref{Kind: ir.KindHTTPRoute, Name: ir.Name{Namespace: "default", Name: name}}}
}

// share is a backend without filters.
func (w *world) share() ir.Weighted { return ir.Weighted{Weight: 1, Backend: of(w, clusters)} }

func (w *world) rule(name string) ir.Rule {
	r := ir.Rule{Name: name, Match: w.match(), Origin: origin(name)}
	r.Action = w.action(r.Match)
	if w.one(3) {
		r.Features.Headers = w.edits()
	}
	if w.one(6) {
		r.Features.CORS = w.cors()
	}
	if _, forwards := r.Action.(ir.Forward); forwards && w.one(12) {
		r.Features.Session = &ir.Session{Name: "sid", Path: of(w, []string{"/", "/a", "/a/"}), Life: of(w, []time.Duration{0, time.Hour})}
		if w.one(3) {
			r.Features.Session = &ir.Session{Type: ir.SessionHeader, Name: "X-Sid"}
		}
	}
	return r
}

func (w *world) match() ir.Match {
	var m ir.Match
	switch w.IntN(8) {
	case 0, 1:
		m.Path = ir.PathMatch{Type: ir.PathExact, Value: of(w, paths)}
	case 2:
		m.Path = ir.PathMatch{Type: ir.PathRegex, Value: of(w, expressions)}
	default:
		m.Path = ir.PathMatch{Value: of(w, paths)}
	}
	if w.one(6) {
		m.Method = of(w, methods)
	}
	for range w.IntN(3) {
		if w.one(4) {
			m.Headers = append(m.Headers, w.valueMatch(of(w, headerNames), headerValues))
		}
	}
	if w.one(8) {
		m.Query = append(m.Query, w.valueMatch(of(w, queryNames), queryValues))
	}
	m.GRPC = w.one(20)
	return m
}

func (w *world) valueMatch(name string, values []string) ir.ValueMatch {
	if w.one(3) {
		return ir.ValueMatch{Name: name, Value: of(w, valueRegexes), Regex: true}
	}
	return ir.ValueMatch{Name: name, Value: of(w, values)}
}

func (w *world) action(m ir.Match) ir.Action {
	switch w.IntN(10) {
	case 0:
		return ir.Respond{Status: of(w, []uint32{200, 404, 500, 503, 429}), Body: of(w, []string{"", "no", "100 %"})}
	case 1, 2:
		return w.redirect(m)
	default:
		f := ir.Forward{Failure: 500, Rewrite: w.rewrite(m)}
		for range 1 + w.IntN(3) {
			f.Split = append(f.Split, w.weighted(m))
		}
		f.Split[0].Weight, f.Split[0].Invalid = 1+f.Split[0].Weight, false
		if f.Split[0].Backend == "" {
			f.Split[0].Backend = of(w, clusters)
		}
		f.Mirrors = w.mirrors()
		if w.one(6) {
			f.Timeout = ir.Timeouts{Request: time.Minute, Backend: 30 * time.Second}
			f.Retry = ir.Retry{Attempts: 2, Codes: []uint32{501}}
		}
		return f
	}
}

func (w *world) redirect(m ir.Match) ir.Redirect {
	r := ir.Redirect{
		Status: of(w, []uint32{301, 302, 303, 307, 308}), Scheme: of(w, []string{"", "http", "https"}),
		Hostname: of(w, []string{"", "", "new.example"}), Path: w.pathEdit(m),
	}
	if w.one(2) {
		r.Port, r.PortMode = of(w, []uint32{80, 443, 8080}), ir.PortSet
	}
	return r
}

func (w *world) weighted(m ir.Match) ir.Weighted {
	s := ir.Weighted{Weight: of(w, []uint32{0, 1, 2, 9, 50, 100}), Backend: of(w, clusters)}
	if w.one(8) {
		s.Backend = nowhere
	}
	var own ir.Filters
	switch w.IntN(12) {
	case 0:
		return ir.Weighted{Weight: s.Weight, Invalid: true}
	case 1, 2:
		own.Features.Headers = w.edits()
	case 3:
		own.Rewrite = w.rewrite(m)
	case 4:
		own.Mirrors = w.mirrors()
	case 5:
		r := w.redirect(m)
		own.Redirect = &r
	case 6:
		own.Features.CORS = w.cors()
	}
	s.Own = &own
	return s
}

func (w *world) mirrors() []ir.Mirror {
	if !w.one(6) {
		return nil
	}
	return []ir.Mirror{{Backend: of(w, clusters), PerMillion: of(w, []uint32{1_000_000, 500_000})}}
}

func (w *world) rewrite(m ir.Match) ir.Rewrite {
	if !w.one(3) {
		return ir.Rewrite{}
	}
	return ir.Rewrite{Hostname: of(w, []string{"", "rewritten.example"}), Path: w.pathEdit(m)}
}

func (w *world) pathEdit(m ir.Match) *ir.PathEdit {
	switch {
	case w.one(3):
		return nil
	case w.one(3) || m.Path.Type != ir.PathPrefix:
		return &ir.PathEdit{Full: true, Value: of(w, []string{"/full", "full", "/", `/b\1ack`, "/p%20q"})}
	default:
		return &ir.PathEdit{Value: of(w, []string{"/", "", "/v1", "/v1/", "v2/x", `/$1`}), Prefix: m.Path.Value}
	}
}

func (w *world) edits() ir.HeaderEdits {
	var e ir.HeaderEdits
	edit := func(names []string) ir.HeaderEdit {
		return ir.HeaderEdit{Op: ir.HeaderOp(w.IntN(3)), Name: of(w, names), Value: of(w, []string{"set", "", "100%", "a, b", "%REQ(:path)%"})}
	}
	for range w.IntN(3) {
		e.Request = append(e.Request, edit([]string{"X-A", "x-new", "accept", "user-agent", "x-forwarded-proto", "cookie"}))
	}
	for range w.IntN(3) {
		e.Response = append(e.Response, edit([]string{"X-R", "cache-control", "x-echo-tries", "vary", "server", "set-cookie"}))
	}
	for _, list := range [][]ir.HeaderEdit{e.Request, e.Response} {
		for i := range list {
			if list[i].Op == ir.HeaderRemove {
				list[i].Value = ""
			}
		}
	}
	return e
}

func (w *world) cors() *ir.CORS {
	return &ir.CORS{
		Origins:     of(w, [][]string{{"*"}, {"https://a.example"}, {"https://*.example", "http://b.example:8080"}}),
		Methods:     of(w, [][]string{nil, {"*"}, {"GET", "PUT"}}),
		Headers:     of(w, [][]string{nil, {"*"}, {"x-a", "x-b"}}),
		Expose:      of(w, [][]string{nil, {"*"}, {"x-r"}}),
		MaxAge:      uint32(w.IntN(3)),
		Credentials: w.one(2),
	}
}
