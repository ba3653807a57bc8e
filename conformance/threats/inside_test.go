package threats

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/cloverleaf-mesh/cloverleaf/conformance/updriver"
	"github.com/cloverleaf-mesh/cloverleaf/conformance/wire"
)

// line is a line of the access log.
type line = map[string]any

// logged waits until the access log has a line that fits, and returns all lines, each of which is one JSON object.
func logged(t *testing.T, file string, fits func(line) bool) []line {
	t.Helper()
	var lines []line
	updriver.Eventually(t, "the line of the access log", func() bool {
		body, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		whole := body[:strings.LastIndexByte(string(body), '\n')+1] // the last line may be on its way
		lines = nil
		for row := range strings.Lines(string(whole)) {
			var l line
			if err := json.Unmarshal([]byte(row), &l); err != nil {
				t.Fatalf("%v: %q", err, row)
			}
			if len(row) > 8000 {
				t.Fatalf("a line of %d bytes: %q", len(row), row)
			}
			lines = append(lines, l)
		}
		return slices.ContainsFunc(lines, fits)
	})
	return lines
}

func agent(name string) (wire.Field, func(line) bool) {
	return wire.Field{Name: "user-agent", Value: name}, func(l line) bool { return l["user_agent"] == name }
}

func TestThreat62_HostileTextInTheAccessLog(t *testing.T) {
	file := filepath.Join(t.TempDir(), "access.log")
	start(t, "--access-log", file)
	hostile := []string{
		`"`, `\`, `\"`, `","status":200,"x":"`, "\t", "\x7f", "\x80", "\xff\xfe", "\xc3\x28", "\xe2\x82", "\xf0\x9f\x98\x80", "\u2028", "</script>", "%0a%0d", "%START_TIME%", "{}", "]",
		strings.Repeat("long", 3000), strings.Repeat(`"`, 5000), strings.Repeat("ä", 3000), "a\x01b", "a\x1bb[31m", `\u0000`, "${jndi:ldap://x}", "-", "null",
	}
	for b := 1; b < 256; b++ {
		hostile = append(hostile, "b"+string([]byte{byte(b)})+"e")
	}
	together(hostile, func(h string) {
		both(t, "a.example", "/"+h+"?secret=canary", func(string, *reply) {}, wire.Field{Name: "user-agent", Value: h}, wire.Field{Name: "x-request-id", Value: h})
		both(t, "a.example"+h, "/", func(string, *reply) {})
		text(t, h+" / HTTP/1.1\r\nHost: a.example\r\n\r\n")
		conn := wire.Dial(t, httpsPort, &wire.TLS{ServerName: h, Protocol: "h2"})
		if conn != nil {
			_ = conn.Close()
		}
	})
	last, fits := agent("last")
	get(t, "a.example", "/", last)
	lines := logged(t, file, fits)
	keys := slices.Sorted(maps.Keys(lines[0]))
	for _, l := range lines {
		if !slices.Equal(slices.Sorted(maps.Keys(l)), keys) {
			t.Errorf("a line has other keys: %v", l)
		}
		if strings.Contains(fmt.Sprint(l), "canary") {
			t.Errorf("a line has the query: %v", l)
		}
	}
	fmt.Printf("evidence: %d lines of the access log after hostile requests, each one JSON object with %d keys\n", len(lines), len(keys))
	if len(lines) < len(hostile) {
		t.Errorf("%d lines of %d requests", len(lines), 4*len(hostile))
	}
}

func TestTheAccessLogSaysWhatBecameOfARequest(t *testing.T) {
	file := filepath.Join(t.TempDir(), "access.log")
	start(t, "--access-log", file)
	asked := 0
	ask := func(host, target string) line {
		asked++
		field, fits := agent(fmt.Sprintf("agent %d", asked))
		get(t, host, target, field, wire.Field{Name: "referer", Value: "http://x/?canary"}, wire.Field{Name: "cookie", Value: "canary"}, wire.Field{Name: "authorization", Value: "canary"})
		lines := logged(t, file, fits)
		if strings.Contains(fmt.Sprint(lines), "canary") {
			t.Errorf("a secret is logged: %v", lines)
		}
		return lines[slices.IndexFunc(lines, fits)]
	}
	want := func(l line, key string, value any) {
		t.Helper()
		if fmt.Sprint(l[key]) != fmt.Sprint(value) {
			t.Errorf("%s is %v, want %v (%v)", key, l[key], value, l)
		}
	}
	l := ask("Actions.example:80", "/rewrite/./x?token=canary")
	wanted := line{
		"method": "GET", "authority": "Actions.example:80", "path": "/rewrite/x", "protocol": "HTTP/1.1", "status": 200, "flags": "-", "details": "via_upstream",
		"backend": "default/site/80", "attempts": 1, "bytes_received": 0, "client": "127.0.0.1", "server_name": nil, "backend_failure": nil,
		"objects": []any{map[string]any{"kind": "HTTPRoute", "namespace": "default", "name": "actions", "section": "2"}},
	}
	for key, value := range wanted {
		want(l, key, value)
	}
	for _, key := range []string{"start_time", "duration_ms", "bytes_sent", "request_id", "backend_address", "route", "listener_address"} {
		if l[key] == nil {
			t.Errorf("%s is missing: %v", key, l)
		}
	}
	for target, status := range map[string]int{"/none": 404, "/redirect": 302, "/..%3b?canary": 400, "/%2f?canary": 400, "/nowhere": 500} {
		want(ask("actions.example", target), "status", status)
	}
	want(ask("actions.example", "/x//..%3b/y"), "details", "rbac_access_denied_matched_policy[malformed-path]")
	if conn := wire.Dial(t, httpsPort, &wire.TLS{ServerName: "stranger.example", Protocol: "h2"}); conn != nil {
		t.Error("a stranger was let in")
	}
	lines := logged(t, file, func(l line) bool { return l["server_name"] == "stranger.example" })
	want(lines[len(lines)-1], "flags", "NR")
	if documented := accessLogKeys(t); !slices.Equal(slices.Sorted(maps.Keys(l)), documented) {
		t.Errorf("a line has the keys %v, and the reference page %v", slices.Sorted(maps.Keys(l)), documented)
	}
}

// accessLogKeys lists the keys that the reference page has.
func accessLogKeys(t *testing.T) []string {
	t.Helper()
	page, err := os.ReadFile("../../docs/reference/access-log.md")
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	for row := range strings.Lines(string(page)) {
		if strings.HasPrefix(row, "| `") {
			cell, _, _ := strings.Cut(row[1:], "|")
			for _, m := range regexp.MustCompile("`(\\w+)`").FindAllStringSubmatch(cell, -1) {
				keys = append(keys, m[1])
			}
		}
	}
	slices.Sort(keys)
	return keys
}

// TestThreat63_NumberOfStatistics: whatever clients send, and however many routes there are.
func TestThreat63_NumberOfStatistics(t *testing.T) {
	g := start(t)
	noise := func(round int) {
		var list []int
		for i := range 150 {
			list = append(list, i)
		}
		together(list, func(i int) {
			name := fmt.Sprintf("n%d-%d", round, i)
			both(t, name+".w.example", "/"+name, func(string, *reply) {}, wire.Field{Name: "x-" + name, Value: name}, wire.Field{Name: "user-agent", Value: name})
			both(t, name+".example", "/"+name, func(string, *reply) {})
			grpcCall(t, "/shop."+name+"/"+name, "application/grpc")
			text(t, name+" / HTTP/1.1\r\nHost: a.example\r\n\r\n")
		})
	}
	count := func() int { return strings.Count(g.admin(t, "/stats?usedonly=false"), "\n") }
	noise(0)
	before := count()
	noise(1)
	noise(2)
	after := count()
	route := "---\napiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {name: r%d, namespace: default}\nspec:\n  parentRefs: [{name: edge, sectionName: http}]\n" +
		"  hostnames: [r%d.example]\n  rules: [{backendRefs: [{name: site, port: 80}]}]\n"
	var many strings.Builder
	for i := range 200 {
		fmt.Fprintf(&many, route, i, i)
	}
	g.up.Write(t, "many.yaml", many.String())
	routes := count()
	fmt.Printf("evidence: %d statistics before 900 requests with new names, %d after, %d with 200 routes more\n", before, after, routes)
	const few = 20 // each kind of answer has one, once there was such an answer
	if after > before+few || routes > after+few {
		t.Errorf("statistics grew from %d to %d, and to %d with 200 routes more", before, after, routes)
	}
}

// TestThreat68_HugeObjects: those are reported, and everything else is served.
func TestThreat68_HugeObjects(t *testing.T) {
	g := start(t)
	head := "apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {name: huge, namespace: default}\nspec:\n  parentRefs: [{name: edge, sectionName: http}]\n  hostnames: [huge.example]\n"
	huge := map[string]string{
		"rules.yaml":    head + "  rules:\n" + strings.Repeat("  - {backendRefs: [{name: site, port: 80}]}\n", 10_000),
		"matches.yaml":  head + "  rules:\n  - matches:\n" + strings.Repeat("    - {path: {type: Exact, value: /x}}\n", 10_000),
		"regex.yaml":    head + "  rules:\n  - matches: [{path: {type: RegularExpression, value: \"(" + strings.Repeat("a{1,9}", 150) + "){1,900}\"}}]\n    backendRefs: [{name: site, port: 80}]\n",
		"value.yaml":    head + "  rules:\n  - matches: [{path: {value: \"/" + strings.Repeat("x", 1<<20) + "\"}}]\n",
		"deep.yaml":     strings.Repeat("{a: ", 20_000) + "1" + strings.Repeat("}", 20_000),
		"list.yaml":     strings.Repeat("[", 100_000),
		"alias.yaml":    "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e]\ng: [*f,*f,*f,*f,*f,*f,*f,*f,*f]\n",
		"line.yaml":     "# " + strings.Repeat("x", 8<<20) + "\nkind: [",
		"metadata.yaml": strings.Replace(head, "name: huge,", "name: huge, annotations: {a: \""+strings.Repeat("x", 1<<20)+"\"},", 1) + "  rules: [{backendRefs: [{name: site, port: 80}]}]\n",
	}
	for name, body := range huge {
		attempt(t)
		from := g.up.Seen()
		updriver.Put(t, g.up.Dir, name, body)
		p := g.up.AwaitFrom(t, from, "a problem of "+name, func(e updriver.Event) bool { return e.Event == "problem" && filepath.Base(e.Problem.File) == name })
		if len(p.Problem.Message) > 4000 {
			t.Errorf("%s: a message of %d bytes", name, len(p.Problem.Message))
		}
		g.serves(t)
		if err := os.Remove(filepath.Join(g.up.Dir, name)); err != nil {
			t.Fatal(err)
		}
	}
}

// TestThreat77_WhatCanBeReached: of Envoy its listeners alone.
func TestThreat77_WhatCanBeReached(t *testing.T) {
	g := start(t)
	var open []int
	for _, file := range []string{"tcp", "tcp6", "udp", "udp6"} {
		attempt(t)
		open = append(open, g.listening(t, file)...)
	}
	slices.Sort(open)
	if open = slices.Compact(open); !slices.Equal(open, []int{httpPort, httpsPort}) {
		t.Errorf("Envoy listens on %v", open)
	}
	info, err := os.Stat(g.folder(t))
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the folder of its sockets: %v %v", info.Mode(), err)
	}
	for _, path := range []string{"/config_dump", "/stats", "/stats/prometheus", "/clusters", "/server_info", "/certs", "/quitquitquit", "/healthcheck/fail", "/runtime", "/logging", "/memory", "/ready"} {
		for _, host := range []string{"localhost", "127.0.0.1", "admin", "unknown.example"} {
			both(t, host, path, func(version string, r *reply) {
				if r.Status != 404 || len(r.Body) > 0 {
					t.Errorf("%s %s%s: %d %s", version, host, path, r.Status, r.Body)
				}
			})
		}
	}
	stats := g.admin(t, "/stats?filter=overload")
	for _, action := range []string{"stop_accepting_requests", "disable_http_keepalive", "shrink_heap", "reduce_timeouts"} {
		attempt(t)
		if !strings.Contains(stats, action+".active: 0") && !strings.Contains(stats, action+".scale_percent: 0") {
			t.Errorf("the overload manager has no %s:\n%s", action, stats)
		}
	}
	if m := regexp.MustCompile(`fixed_heap\.pressure: (\d+)`).FindStringSubmatch(stats); m == nil {
		t.Errorf("memory is not watched:\n%s", stats)
	}
}

// listening lists the ports on which Envoy listens, by a table of /proc.
func (g *gate) listening(t *testing.T, table string) (ports []int) {
	t.Helper()
	proc := fmt.Sprintf("/proc/%d", g.up.Envoy())
	links, err := filepath.Glob(proc + "/fd/*")
	if err != nil {
		t.Fatal(err)
	}
	own := map[string]bool{}
	for _, l := range links {
		to, _ := os.Readlink(l)
		own[strings.TrimSuffix(strings.TrimPrefix(to, "socket:["), "]")] = true
	}
	body, err := os.ReadFile(proc + "/net/" + table)
	if err != nil {
		t.Fatal(err)
	}
	for row := range strings.Lines(string(body)) {
		f := strings.Fields(row)
		const listen, unconnected = "0A", "07"
		if len(f) < 10 || !own[f[9]] || f[3] != listen && f[3] != unconnected {
			continue
		}
		port, err := strconv.ParseInt(f[1][strings.LastIndexByte(f[1], ':')+1:], 16, 32)
		if err != nil {
			t.Fatal(err)
		}
		ports = append(ports, int(port))
	}
	return ports
}
