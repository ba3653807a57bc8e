package simulation

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cloverleaf-mesh/cloverleaf/internal/envoysim"
	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

var spellings = []func(w *world, path string) string{
	func(_ *world, p string) string { return p + "/" },
	func(_ *world, p string) string { return p + "x" },
	func(_ *world, p string) string { return p + "/x" },
	func(_ *world, p string) string { return "/" + p },
	func(_ *world, p string) string { return strings.ReplaceAll(p, "/", "//") },
	func(_ *world, p string) string { return "/x/.." + p },
	func(_ *world, p string) string { return "/./." + p },
	func(_ *world, p string) string { return p + "/y/%2e%2E/" },
	func(_ *world, p string) string { return p + "/.." },
	func(_ *world, p string) string { return strings.ReplaceAll(p, "a", "%61") },
	func(_ *world, p string) string { return strings.Replace(p, "/", `\`, 1) },
	func(_ *world, p string) string { return "/" + strings.Replace(p, "/", `\`, 1) },
	func(_ *world, p string) string { return p + "%2Fb" },
	func(_ *world, p string) string { return p + "%5cb" },
	func(_ *world, p string) string { return strings.ToUpper(p) },
	func(_ *world, p string) string { return p + "%20%7E%7b" },
	func(_ *world, p string) string { return p + ";v=1" },
	func(w *world, p string) string { return "/x" + of(w, dotParameters) + p },
	func(w *world, p string) string { return p + of(w, dotParameters) },
	func(_ *world, p string) string { return p + "#f" },
	func(_ *world, p string) string { return p + "%00" },
	func(_ *world, p string) string { return p + "/%%32%65" },
	func(_ *world, p string) string { return p[1:] },
	func(w *world, p string) string { return p + fmt.Sprintf("%%%02x", 1+w.IntN(255)) },
	func(w *world, p string) string { return p + "/" + string(rune('!'+w.IntN(94))) },
	func(w *world, p string) string { return p + string(rune('!'+w.IntN(94))) + "b" },
}

// dotParameters are dot segments with parameters, plain and escaped.
var dotParameters = []string{
	"/..;", "/..;/y", "/.;v=1/", "/%2e%2e;", "/.%2E;x/y", "/..%3b/y", "/.%3By", `\..;/y`, `/..;\y`, "/...;/y", "/;..;/y", "//..;",
}

// near makes a request that a rule of a host takes, or almost.
func (w *world) near(host ir.Hostname, r ir.Rule) envoysim.Request {
	q := envoysim.Request{Method: of(w, methods), Authority: w.authority(host)}
	if r.Match.Method != "" && !w.one(4) {
		q.Method = r.Match.Method
	}
	q.Target = w.pathFor(r.Match.Path)
	q.Target += w.queryFor(r.Match.Query)
	for _, h := range r.Match.Headers {
		w.addHeader(&q, h)
	}
	for range w.IntN(3) {
		q.Headers = append(q.Headers, envoysim.Header{Name: of(w, headerNames), Value: of(w, headerValues)})
	}
	if r.Features.CORS != nil && w.one(2) || w.one(10) {
		w.preflight(&q)
	}
	if r.Match.GRPC && w.one(2) || w.one(40) {
		q.Headers = append(q.Headers, envoysim.Header{Name: "content-type", Value: of(w, []string{"application/grpc", "application/grpc+proto", "application/grpc-web"})})
	}
	w.oddities(&q)
	w.tidy(&q)
	return q
}

// tidy leaves out what the test's client cannot send or the backend cannot read.
func (w *world) tidy(q *envoysim.Request) {
	var kept []envoysim.Header
	for _, h := range q.Headers {
		if h.Name == "host" && !w.one(10) { // most requests have one host
			continue
		}
		h.Value = strings.TrimSpace(h.Value)
		kept = append(kept, h)
	}
	q.Headers = kept
	q.Target = strings.NewReplacer(" ", "+", "é", "%c3%a9").Replace(q.Target)
}

func (w *world) authority(host ir.Hostname) string {
	a := string(host)
	if a == "*" {
		a = of(w, []string{"else.net", "example", ".example", "[::1]", "a"})
	}
	a = strings.Replace(a, "*", of(w, []string{"w", "v.w", "a", "x.b"}), 1)
	switch w.IntN(24) {
	case 20:
		return of(w, []string{"user@", "x,", "a:b@", "x y", "%61", "x:80,", "*"}) + a
	case 21:
		return a + of(w, []string{":80,x", ":x", ":80:80", "@x", "%2e", "%00", ";x", ":80.", ":-1", "[::1]"})
	case 0:
		return strings.ToUpper(a)
	case 1:
		return a + ":8080"
	case 2:
		return a + ":80"
	case 3:
		return a + "."
	case 4:
		return "z." + a
	case 5:
		return a + ":"
	default:
		return a
	}
}

func (w *world) pathFor(m ir.PathMatch) string {
	path := m.Value
	if m.Type == ir.PathRegex {
		path = of(w, paths)
	}
	if m.Type == ir.PathPrefix && w.one(2) {
		path = strings.TrimSuffix(path, "/") + of(w, paths)
	}
	if w.one(4) {
		path = of(w, spellings)(w, path)
	}
	return path
}

func (w *world) queryFor(list []ir.ValueMatch) string {
	var pairs []string
	for _, m := range list {
		value := m.Value
		if m.Regex || w.one(3) {
			value = of(w, queryValues)
		}
		name := m.Name
		if w.one(6) {
			name = strings.ToUpper(name)
		}
		pairs = append(pairs, name+"="+value)
	}
	if w.one(4) {
		pairs = append(pairs, of(w, []string{"z=1", "q", "=", "a=1", "q=2", "/../a=b"}))
	}
	if w.one(6) {
		pairs = append([]string{of(w, []string{"a=2", "q=", ""})}, pairs...)
	}
	if len(pairs) == 0 {
		return of(w, []string{"", "", "", "?"})
	}
	return "?" + strings.Join(pairs, "&")
}

func (w *world) addHeader(q *envoysim.Request, m ir.ValueMatch) {
	value := m.Value
	if m.Regex || w.one(4) {
		value = of(w, headerValues)
	}
	if m.Name == "host" {
		if w.one(2) {
			q.Authority = strings.ReplaceAll(value, " ", "")
		}
		return
	}
	if w.one(6) {
		return
	}
	if w.one(6) {
		q.Headers = append(q.Headers, envoysim.Header{Name: m.Name, Value: "other"})
	}
	q.Headers = append(q.Headers, envoysim.Header{Name: m.Name, Value: value})
}

func (w *world) preflight(q *envoysim.Request) {
	q.Method = of(w, []string{"OPTIONS", q.Method})
	q.Headers = append(q.Headers, envoysim.Header{Name: "origin", Value: of(w, []string{"https://a.example", "https://A.example", "http://b.example:8080", "https://evil", "*", "null"})})
	if w.one(2) {
		q.Headers = append(q.Headers, envoysim.Header{Name: "access-control-request-method", Value: of(w, []string{"PUT", "PUT", ""})})
	}
	if w.one(2) {
		q.Headers = append(q.Headers, envoysim.Header{Name: "access-control-request-headers", Value: "x-a, x-c"})
	}
}

// oddities are what a client may say that the proxy must not believe, pass on, or take at all.
func (w *world) oddities(q *envoysim.Request) {
	add := func(name, value string) { q.Headers = append(q.Headers, envoysim.Header{Name: name, Value: value}) }
	switch w.IntN(50) {
	case 0:
		add("x_under", "1")
	case 1:
		add("x-forwarded-for", "203.0.113.9")
		add("x-forwarded-for", "203.0.113.10")
	case 2:
		add("x-envoy-original-path", "/admin")
		add("x-envoy-upstream-rq-timeout-ms", "1")
	case 3:
		add("x-request-id", "mine")
		add("x-forwarded-host", "evil")
	case 4:
		add("te", of(w, []string{"trailers", "gzip", "trailers, gzip"}))
	case 5:
		q.Method = of(w, []string{"TRACE", "PROPFIND", "BREW", "get"})
	case 6:
		q.Authority = of(w, []string{"a/b", "a b", "a_b.example", "a%zz"})
	case 7:
		for i := range 95 + w.IntN(10) {
			add(fmt.Sprintf("x-many-%d", i), "1")
		}
	case 8:
		if !slices.ContainsFunc(q.Headers, func(h envoysim.Header) bool { return h.Name == "content-type" }) { // the echo answers gRPC in a header
			add("x-large", strings.Repeat("a", 61_000+w.IntN(1000)))
		}
	case 9:
		if !q.HTTP2 {
			add("connection", of(w, []string{"x-b", "close, X-A", "x-forwarded-for", "te", "keep-alive"}))
		}
	}
}
