package threats

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/cloverleaf-mesh/cloverleaf/conformance/wire"
)

// believed are the headers by which proxies tell backends of clients.
var believed = strings.Fields(`x-forwarded-for x-forwarded-proto x-forwarded-host x-forwarded-port x-forwarded-prefix x-forwarded-server
	x-forwarded-scheme x-forwarded-ssl x-forwarded-by x-forwarded-uri x-forwarded-path x-forwarded-user x-forwarded-email x-forwarded-groups
	x-forwarded-access-token x-forwarded-preferred-username x-forwarded-client-cert x-forwarded-anything forwarded x-real-ip x-original-url
	x-rewrite-url x-envoy-external-address x-request-id`)

// ours are those of them that the proxy sets itself.
var ours = map[string]bool{"x-forwarded-for": true, "x-forwarded-proto": true, "x-envoy-external-address": true, "x-request-id": true}

const lie = "lie.example"

func TestThreat11_AliasesOfHeaders(t *testing.T) {
	start(t)
	var names []string
	for _, name := range append(believed, "x-role", "authorization", "content-length", "transfer-encoding") {
		under := strings.ReplaceAll(name, "-", "_")
		names = append(names, under, strings.ToUpper(under), strings.Replace(name, "-", "_", 1), "_"+name, name+"_")
	}
	together(names, func(name string) {
		if !strings.Contains(name, "_") {
			return
		}
		both(t, "roles.example", "/", func(version string, r *reply) {
			if !r.refused() {
				t.Errorf("%s %s: %d by %q", version, name, r.Status, r.by())
			}
		}, wire.Field{Name: name, Value: "admin"})
	})
	for _, name := range believed {
		for _, spelling := range []string{name, strings.ToUpper(name), strings.ToUpper(name[:1]) + name[1:]} {
			r := get(t, "a.example", "/", wire.Field{Name: spelling, Value: lie})
			if r.by() != "site" || strings.Contains(fmt.Sprint(r.echo.Headers), lie) {
				t.Errorf("%s: %d, the backend received %v", spelling, r.Status, r.echo.Headers)
			}
		}
		for _, line := range []string{name + " : " + lie, name + "\t: " + lie, " " + name + ": " + lie, name + "\x00: " + lie} {
			r := text(t, "GET / HTTP/1.1\r\nHost: a.example\r\nx-first: 1\r\n"+line+"\r\n\r\n")
			if strings.Contains(r.header(name), lie) {
				t.Errorf("%q: the backend received %v", line, r.echo.Headers)
			}
		}
	}
}

// TestThreat12_RepeatedHeaders: every value reaches the backend, and their order changes no route.
func TestThreat12_RepeatedHeaders(t *testing.T) {
	start(t)
	for _, n := range []int{2, 3, 10, 90} {
		for _, at := range []int{0, n / 2, n - 1} {
			var fields []wire.Field
			for i := range n {
				value := "user"
				if i == at {
					value = "admin"
				}
				fields = append(fields, wire.Field{Name: "x-role", Value: value})
			}
			both(t, "roles.example", "/", func(version string, r *reply) {
				if r.by() != "admin" || len(r.echo.Headers["x-role"]) != n {
					t.Errorf("%s: admin is value %d of %d: %q received %d", version, at, n, r.by(), len(r.echo.Headers["x-role"]))
				}
			}, fields...)
		}
	}
	for _, value := range []string{"admin,user", "user,admin", "user, admin", "admin,", ",admin", "ADMIN", "admin;q=1", `"admin"`} {
		both(t, "roles.example", "/", func(version string, r *reply) {
			if r.by() != "site" || r.header("x-role") != value {
				t.Errorf("%s x-role: %s: %q received %q", version, value, r.by(), r.header("x-role"))
			}
		}, wire.Field{Name: "x-role", Value: value})
	}
}

// TestThreat13_HeadersThatAreNoUTF8: a value with such a byte fits neither a text nor an expression that lacks it.
func TestThreat13_HeadersThatAreNoUTF8(t *testing.T) {
	g := start(t)
	g.denied(t, wire.Field{Name: "x-role", Value: "\xff\xfe"}) // though the authorization server is asked about it
	var high []byte
	for b := 0x80; b < 0x100; b++ {
		high = append(high, byte(b))
	}
	together(high, func(b byte) {
		for _, value := range []string{"admin" + string([]byte{b}), string([]byte{b}) + "admin", "ad" + string([]byte{b}) + "min"} {
			for _, name := range []string{"x-role", "x-token"} {
				both(t, "roles.example", "/", func(version string, r *reply) {
					if r.by() != "site" && !r.refused() {
						t.Errorf("%s %s: %q went to %q", version, name, value, r.by())
					}
				}, wire.Field{Name: name, Value: value})
			}
		}
	})
}

func TestThreat14_WhitespaceAroundHeaders(t *testing.T) {
	start(t)
	send := func(line string) reply {
		return text(t, "GET / HTTP/1.1\r\nHost: roles.example\r\nx-first: 1\r\n"+line+"\r\n\r\n")
	}
	for _, line := range []string{"x-role:admin", "x-role: admin", "x-role:\tadmin\t", "x-role:  admin  ", "x-role: \t admin \t "} {
		if r := send(line); r.by() != "admin" || r.header("x-role") != "admin" {
			t.Errorf("%q: %d by %q, which saw %q", line, r.Status, r.by(), r.header("x-role"))
		}
	}
	for _, line := range []string{"x-role : admin", "x-role\t: admin", "x-role\x0b: admin", "x-role\r: admin", "x-role", ": admin", "x role: admin", "x-role\x00: admin"} {
		if r := send(line); !r.refused() {
			t.Errorf("%q: %d by %q", line, r.Status, r.by())
		}
	}
	for _, line := range []string{" x-role: admin", "\tx-role: admin", "x-role:\r\n admin", "x-role: x\r\n\tadmin"} { // continued lines
		if r := send(line); r.by() != "" && (r.by() == "admin") != (r.header("x-role") == "admin") {
			t.Errorf("%q: %d by %q, which saw %q", line, r.Status, r.by(), r.header("x-role"))
		}
	}
	for _, value := range []string{"\x0badmin", "admin\x0c", "admin\u00a0", "\u2003admin"} {
		if r := send("x-role: " + value); !r.refused() && r.by() != "site" {
			t.Errorf("x-role: %q: %d by %q", value, r.Status, r.by())
		}
	}
}

// envoyHeaders are the headers that Envoy reads or sets, and some that nobody knows.
var envoyHeaders = strings.Fields(`x-envoy-attempt-count x-envoy-auth-partial-body x-envoy-config-cluster x-envoy-decorator-operation x-envoy-degraded
	x-envoy-downstream-service-cluster x-envoy-downstream-service-node x-envoy-expected-rq-timeout-ms x-envoy-external-address x-envoy-fault-abort-request
	x-envoy-fault-abort-grpc-request x-envoy-fault-abort-request-percentage x-envoy-fault-delay-request x-envoy-fault-delay-request-percentage
	x-envoy-fault-throughput-response x-envoy-force-trace x-envoy-hedge-on-per-try-timeout x-envoy-immediate-health-check-fail x-envoy-internal
	x-envoy-ip-tags x-envoy-is-timeout-retry x-envoy-local-overloaded x-envoy-max-retries x-envoy-not-forwarded x-envoy-original-dst-host
	x-envoy-original-host x-envoy-original-method x-envoy-original-path x-envoy-original-status x-envoy-original-url x-envoy-overloaded
	x-envoy-peer-metadata x-envoy-peer-metadata-id x-envoy-ratelimited x-envoy-retriable-header-names x-envoy-retriable-status-codes
	x-envoy-retry-grpc-on x-envoy-retry-on x-envoy-upstream-alt-stat-name x-envoy-upstream-canary x-envoy-upstream-healthchecked-cluster
	x-envoy-upstream-rq-per-try-timeout-ms x-envoy-upstream-rq-timeout-alt-response x-envoy-upstream-rq-timeout-ms x-envoy-upstream-service-time
	x-envoy-upstream-stream-duration-ms x-envoy-anything x-envoy- X-Envoy-Original-Path X-ENVOY-INTERNAL`)

func TestThreat15_EnvoysOwnHeaders(t *testing.T) {
	g := start(t)
	for _, host := range []string{"a.example", "actions.example"} {
		for _, path := range []string{"/", "/rewrite/x", "/retry"} {
			for _, name := range envoyHeaders {
				both(t, host, path, func(version string, r *reply) {
					if r.by() == "" && r.Status != 404 || strings.Contains(fmt.Sprint(r.echo.Headers, r.Headers), lie) {
						t.Errorf("%s %s%s %s: %d, %v", version, host, path, name, r.Status, r.echo.Headers)
					}
					for seen := range r.echo.Headers {
						if strings.HasPrefix(seen, "x-envoy-") && !ours[seen] {
							t.Errorf("%s %s: the backend received %s", version, name, seen)
						}
					}
				}, wire.Field{Name: name, Value: lie})
			}
		}
	}
	// None of them has its effect.
	slow := get(t, "a.example", "/", wire.Field{Name: "x-envoy-upstream-rq-timeout-ms", Value: "1"}, wire.Field{Name: "x-echo-delay", Value: "300ms"})
	if slow.Status != 200 {
		t.Errorf("a client set the timeout: %d", slow.Status)
	}
	before := len(g.requests())
	get(t, "a.example", "/", wire.Field{Name: "x-envoy-retry-on", Value: "5xx"}, wire.Field{Name: "x-envoy-max-retries", Value: "5"}, wire.Field{Name: "x-echo-status", Value: "503"})
	if n := len(g.requests()) - before; n != 1 {
		t.Errorf("a client made the proxy try %d times", n)
	}
}

// TestThreat16_ForwardedAddresses: the backend gets one address, which no client can choose.
func TestThreat16_ForwardedAddresses(t *testing.T) {
	start(t)
	for _, value := range []string{
		"203.0.113.9", "203.0.113.9, 198.51.100.1", "127.0.0.1", "::1", "[2001:db8::1]:80", "unknown", "_hidden", ",", "", "10.0.0.1,,", "203.0.113.9:80",
		"0x7f000001", "2130706433", strings.Repeat("203.0.113.9, ", 400) + "203.0.113.9", "203.0.113.9\t", "garbage\xff",
	} {
		for _, more := range []int{0, 1, 5} {
			fields := []wire.Field{{Name: "x-forwarded-for", Value: value}, {Name: "x-forwarded-proto", Value: "https"}, {Name: "x-forwarded-port", Value: "443"}}
			for range more {
				fields = append(fields, wire.Field{Name: "x-forwarded-for", Value: value})
			}
			both(t, "a.example", "/", func(version string, r *reply) {
				_, err := netip.ParseAddr(r.header("x-forwarded-for"))
				if r.by() != "site" || err != nil || value != "127.0.0.1" && value != "" && strings.Contains(value, r.header("x-forwarded-for")) {
					t.Errorf("%s %.60q: the backend received %q", version, value, r.header("x-forwarded-for"))
				}
				if r.header("x-forwarded-proto") != "http" || r.header("x-forwarded-port") != "" || r.header("x-envoy-external-address") != "127.0.0.1" {
					t.Errorf("%s: the backend received %v", version, r.echo.Headers)
				}
			}, fields...)
		}
	}
}

// TestThreat17_HeadersThatSayWhoAClientIs: whatever becomes of the request.
func TestThreat17_HeadersThatSayWhoAClientIs(t *testing.T) {
	g := start(t)
	var fields []wire.Field
	for _, name := range believed {
		fields = append(fields, wire.Field{Name: name, Value: lie})
	}
	places := [][2]string{
		{"a.example", "/"},
		{"admin.example", "/"},
		{"unknown.example", "/"},
		{"unknown.example", "/any"},
		{"actions.example", "/redirect"},
		{"actions.example", "/mirror"},
		{"actions.example", "/rewrite"},
		{"actions.example", "/retry"},
		{"actions.example", "/nowhere"},
		{"actions.example", "/"},
		{"a.example", "//"},
		{"a.example", "/%2f"},
	}
	for _, p := range places {
		both(t, p[0], p[1], func(version string, r *reply) {
			if strings.Contains(fmt.Sprint(r.Headers, string(r.Body)), lie) {
				t.Errorf("%s %s: the answer repeats the lie: %v %s", version, p, r.Headers, r.Body)
			}
		}, fields...)
	}
	for _, a := range g.requests() {
		if strings.Contains(fmt.Sprint(a), lie) {
			t.Errorf("%s received it: %v", a.Name, a.Headers)
		}
	}
	if len(g.requests()) == 0 {
		t.Error("no backend was reached")
	}
}

// TestThreat18_HeadersThatSwitchFilters: filters that read them get none from clients.
func TestThreat18_HeadersThatSwitchFilters(t *testing.T) {
	g := start(t)
	for _, name := range []string{"x-envoy-auth-partial-body", "X-Envoy-Auth-Partial-Body", "x-envoy-fault-abort-request", "x-envoy-fault-delay-request", "x-envoy-decorator-operation"} {
		for _, value := range []string{"true", "false", "503", "1000"} {
			r := text(t, fmt.Sprintf("POST / HTTP/1.1\r\nHost: a.example\r\n%s: %s\r\nContent-Length: 4\r\n\r\nbody", name, value))
			if r.Status != 200 || r.echo.Bytes != 4 || r.header(strings.ToLower(name)) != "" {
				t.Errorf("%s: %d, the backend received %v and %d bytes", name, r.Status, r.echo.Headers, r.echo.Bytes)
			}
		}
	}
	g.denied(t, wire.Field{Name: "x-envoy-auth-partial-body", Value: "true"})
	for _, a := range g.requests() {
		if len(a.Headers["x-envoy-auth-partial-body"]) > 0 {
			t.Errorf("%s was told of a partial body", a.Name)
		}
	}
	g.serves(t)
}
