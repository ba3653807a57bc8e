package simulation

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cloverleaf-mesh/cloverleaf/internal/envoysim"
	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// pathSpellings are ways to write paths, P being one that begins with a slash.
var pathSpellings = strings.Fields(`P P/ PP P/. P/./ P/.. P/../ P/x/.. P/x/../ /.P /./.P /..P /../..P /x/..P /x/../..P //P ///P P// P///
	/x//..P P/%2e P/%2e%2e P/%2E%2E/ P/.%2e/x P/%2e./x /%2eP /%2e%2eP /x/%2e%2eP /x/.%2EP /%252e%252eP /x/%252e%252eP P/%252e%252e/x
	/x/..;P /x/..;/P /x/..;aP /x/..;v=1P /.;P P/.; P/..; P/..;/x /x/%2e%2e;P /x/.%2e;P /x/..%3bP /x/..%3BP P/.%3b P;x P;/x P;v=1/x P;a=b;c=d
	P%3bx P\ P\x \P \\P /\P /x\..P /x\..\P P\..\x P%5c P%5Cx P%2f P%2Fx P%2f..%2fx /%2fP %2fP P%252f P%252fx P%255c
	P?x P? P?/../x P?x=/../admin P??x P?#x P#x P#/../admin P%23x P%3Fx P%3f P%3fx=1 P%20 P%09 P%0a P%0d%0a P%00 P%00x P%01 P%1f P%7f P%80 P%ff
	P%c0%af P%e0%80%af P%c0%ae%c0%ae/x P%u002f P%zz P% P%2 P%% P%%2e P%%32%65 P%%35c P%%32f P~ P%7e P%7E P* P%2a P: P@ P& P= P+ P, P! P$ P'
	P( P) P[ P] P{ P} P| P^ P" P<x> x .P ..P ;P ?P *`)

// hostSpellings are ways to write hosts, H being one.
var hostSpellings = strings.Split(`H|H.|H..|.H|H:80|H:28100|H:|H:x|H:80:80|H:-1|H:99999|H.:80|H:80.|H;x|H;|H%00|H%2e|H%20|H/|H/x|H?x|H#x|H\|
H\x|u@H|u:p@H|@H|H@u|H,x|x,H|H,H|H, x|H x|x H|*H|*.H|H*|-H|_H|x_.H|x.H|x.y.H|xH|H.x|[H]|[::1]|[::1]:80|::1|127.0.0.1|H:80,x|x:80,H|H!x|H$x|H'x|H(x)|
H+x|H=x|H~x|"H"|<H>|H|H^x|H{x}|http://H|//H|%61.example|H%|*`, "|")

// headerSpellings are header lines, of which the routes look at x-role.
var headerSpellings = strings.Split(`x-role: admin|X-Role: admin|X-ROLE: admin|x-role:admin|x-role:  admin|x-role: admin |x-role: ADMIN|x-role: Admin|x-role: admin,|
x-role: ,admin|x-role: admin,user|x-role: user,admin|x-role: admin, user|x-role: user, admin|x-role: admin;x|x-role: "admin"|x-role: admin admin|x-role: adminx|
x-role: xadmin|x-role:|x-role: %61dmin|x-role: admin%00|x_role: admin|x-role_: admin|x-rol: admin|x-roles: admin|xrole: admin|x--role: admin|x-role: user|
x-role: administrator|x-role: admin-2|x-role: admin.x|x-role: äadmin|x-role: admin;q=1|x-role: *|x-role: a*|x-role: .*|x-role: null|x-role: true|
x-envoy-original-path: /admin|x-envoy-internal: true|x-envoy-decorator-operation: admin|x-envoy-upstream-rq-timeout-ms: 1|x-envoy-max-retries: 9|
x-envoy-retry-on: 5xx|x-envoy-attempt-count: 9|x-envoy-anything: 1|X-Envoy-Expected-Rq-Timeout-Ms: 1|x-envoy-external-address: 203.0.113.9|x-envoy-peer-metadata: x|
x-forwarded-for: 203.0.113.9|x-forwarded-for: 127.0.0.1, 203.0.113.9|x-forwarded-for: garbage|x-forwarded-host: b.example|x-forwarded-proto: https|
x-forwarded-port: 443|x-forwarded-prefix: /admin|x-forwarded-server: x|x-forwarded-client-cert: Hash=1|X-Forwarded-Scheme: https|x-forwarded: for=1|
forwarded: for=203.0.113.9|forwarded: host=b.example|x-real-ip: 203.0.113.9|x-original-url: /admin|x-rewrite-url: /admin|x-original-host: b.example|
x-http-method-override: POST|x-host: b.example|x-request-id: mine|x-client-trace-id: mine|via: 1.1 x|te: trailers|te: gzip|te: trailers, gzip|
connection: x-role|connection: close, x-role|connection: x-forwarded-for|connection: keep-alive|keep-alive: timeout=5|proxy-connection: close|expect: 100-continue|
host: a.example|host: b.example|host: |Host: A.EXAMPLE|cookie: a=1|cookie: a=1; b=2|content-type: application/grpc|content-type: application/grpc-web|
upgrade: h2c|accept: */*|accept:|user-agent:|origin: https://a.example|authorization: Bearer x|x-a: 1|x-a: 2|x-a:|content-type: text/plain|
range: bytes=0-1|if-match: x|date: x|pragma: x|x-scheme: https|x-url-scheme: https|front-end-https: on|client-ip: 203.0.113.9|
true-client-ip: 203.0.113.9|cf-connecting-ip: 203.0.113.9|x-cluster-client-ip: 203.0.113.9|x-original-forwarded-for: 203.0.113.9|:path: /admin|x-role : admin`, "|")

// routeSets are rules that are told apart by what the spellings change.
func routeSets() map[string][]ir.Rule {
	to := func(cluster ir.BackendName) ir.Forward {
		return ir.Forward{Failure: 500, Split: []ir.Weighted{{Weight: 1, Backend: cluster}}}
	}
	rule := func(name string, m ir.Match, a ir.Action) ir.Rule {
		return ir.Rule{Name: name, Match: m, Action: a, Origin: origin(name)}
	}
	path := func(kind ir.PathType, value string) ir.Match {
		return ir.Match{Path: ir.PathMatch{Type: kind, Value: value}}
	}
	role := func(kind ir.PathType, value, role string, regex bool) ir.Match {
		m := path(kind, value)
		m.Headers = []ir.ValueMatch{{Name: "x-role", Value: role, Regex: regex}}
		return m
	}
	sets := map[string][]ir.Rule{
		"prefixes": {
			rule("admin", path(ir.PathPrefix, "/admin"), to("n/one/80")), rule("public", path(ir.PathPrefix, "/public"), to("n/two/80")),
			rule("rest", path(ir.PathPrefix, "/"), to("n/three/80")),
		},
		"exact": {
			rule("exact", path(ir.PathExact, "/admin"), to("n/one/80")), rule("slash", path(ir.PathExact, "/admin/"), to("n/two/80")),
			rule("root", path(ir.PathExact, "/"), to("n/three/80")), rule("regex", path(ir.PathRegex, "/(adm|pub)[^/]*/?.*"), to("n/one-h2c/80")),
		},
		"roles": {
			rule("admin", role(ir.PathPrefix, "/admin", "admin", false), to("n/one/80")), rule("any", role(ir.PathPrefix, "/", "adm.*", true), to("n/two/80")),
			rule("denied", path(ir.PathPrefix, "/admin"), ir.Respond{Status: 429}), rule("rest", path(ir.PathPrefix, "/"), to("n/three/80")),
		},
	}
	moved := to("n/one-h2c/80")
	moved.Rewrite = ir.Rewrite{Path: &ir.PathEdit{Value: "/moved", Prefix: "/public"}}
	long := []ir.Rule{
		rule("admin", path(ir.PathPrefix, "/admin"), ir.Redirect{Status: 302, Path: &ir.PathEdit{Value: "/login", Prefix: "/admin"}}),
		rule("public", path(ir.PathPrefix, "/public"), moved),
	}
	for i := range 60 { // enough for a tree
		long = append(long, rule(fmt.Sprintf("x%d", i), path(ir.PathPrefix, fmt.Sprintf("/x%d", i)), to("n/two/80")))
	}
	sets["tree"] = append(long, rule("rest", path(ir.PathPrefix, "/"), to("n/three/80")))
	return sets
}

// spelled lists requests, one for each spelling, and counts the spellings.
func spelled() (requests []envoysim.Request, spellings int) {
	seen := map[string]bool{}
	add := func(key string, q envoysim.Request) {
		if seen[key] {
			return
		}
		seen[key] = true
		q.Method, q.Port, q.Peer = "GET", plainPort, "127.0.0.1"
		requests = append(requests, q)
		odd := strings.ContainsAny(q.Authority, ` /"<>@#?\^{}`) || !strings.HasPrefix(q.Target, "/") // Envoy takes a second to close these
		for _, h := range q.Headers {
			odd = odd || h.Value == "" || strings.Contains("connection upgrade te expect keep-alive proxy-connection", h.Name) || strings.TrimLeft(h.Name, ":") != strings.TrimSpace(h.Name)
		}
		if !odd {
			q.HTTP2 = true
			requests = append(requests, q)
		}
	}
	for _, base := range []string{"/admin", "/public", "/"} {
		for _, s := range pathSpellings {
			target := strings.ReplaceAll(s, "P", base)
			add("path "+target, envoysim.Request{Target: target, Authority: "a.example"})
		}
	}
	for _, s := range hostSpellings {
		host := strings.ReplaceAll(strings.TrimSpace(s), "H", "a.example")
		add("host "+host, envoysim.Request{Target: "/admin", Authority: host})
	}
	for _, s := range headerSpellings {
		s = strings.TrimLeft(s, "\n")
		colon := 1 + strings.IndexByte(s[1:], ':') // a name may begin with one
		name, value := s[:colon], strings.TrimPrefix(s[colon+1:], " ")
		add("header "+s, envoysim.Request{Target: "/admin", Authority: "a.example", Headers: []envoysim.Header{{Name: name, Value: value}}})
	}
	return requests, len(seen)
}

// TestSpellingsOfPathsHostsAndHeadersAreReadAsTheReferenceReadsThem: the answer and the route that Envoy chose.
func TestSpellingsOfPathsHostsAndHeadersAreReadAsTheReferenceReadsThem(t *testing.T) {
	b := newBench(t)
	requests, spellings := spelled()
	n := tally{verdicts: map[string]int{}, routes: map[string]bool{}}
	for name, rules := range routeSets() {
		hosts := []ir.VirtualHost{
			{Name: ir.VirtualHostName{Table: tableExact, Host: ir.AnyHost}}, {Name: ir.VirtualHostName{Table: tableWild, Host: ir.AnyHost}},
		}
		for _, host := range []ir.Hostname{"a.example", "*.a.example", "*.example", ir.AnyHost} {
			own := make([]ir.Rule, len(rules))
			for i := range rules {
				own[i] = rules[i]
				own[i].Name = name + "/" + string(host) + "/" + rules[i].Name
			}
			hosts = append(hosts, ir.VirtualHost{Name: ir.VirtualHostName{Table: tablePlain, Host: host}, Rules: own})
		}
		b.apply(t, hosts)
		for i := range requests {
			q := requests[i]
			b.try(t, &q, &n)
		}
	}
	fmt.Printf("evidence: %d spellings with %d sets of routes, %d requests over HTTP/1 and HTTP/2, %d disagreements, verdicts %v\n",
		spellings, len(routeSets()), n.pairs, n.wrong, n.verdicts)
	if spellings < 400 {
		t.Errorf("%d spellings are too few", spellings)
	}
}
