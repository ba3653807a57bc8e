package threats

import (
	"strings"
	"testing"

	"github.com/cloverleaf-mesh/cloverleaf/conformance/wire"
)

// TestThreat09_SpellingsOfHosts: each is the host that it is for backends, too, or is refused. None is served by the route
// for any host.
func TestThreat09_SpellingsOfHosts(t *testing.T) {
	start(t)
	spellings := func(host string) (same, refused []string) {
		same = []string{
			host, strings.ToUpper(host), "aDmIn" + host[5:], host + ":80", host + ":29080", host + ":", host + ".", host + ".:80",
			strings.ToUpper(host) + ".", host + ":0", host + ":65536",
		}
		for f := range strings.FieldsSeq(`H:x H:-1 H:80:80 H:80. H;x H; H%00 H%2e H%20 %61dmin.example admin%2eexample H/ H/x H?x H#x H\ H\x u@H u:p@H @H
			H@x x@H:80 H,x x,H H,H H:80,x x:80,H *H H* [H] "H" <H> H|x H^x H{x} H!x H$x H'x H(x) H+x H=x http://H //H H..%00 ,H H, x;H &H`) {
			refused = append(refused, strings.ReplaceAll(f, "H", host))
		}
		return same, append(refused, host+" x", "x "+host, host+"\tx", host+"\x00", host+"\x80", host+"\xc3\xa9")
	}
	same, refused := spellings("admin.example")
	for _, host := range same {
		both(t, host, "/any", func(version string, r *reply) {
			if r.by() != "admin" || r.echo.Host != host {
				t.Errorf("%s host %q: %d by %q, which saw %q", version, host, r.Status, r.by(), r.echo.Host)
			}
		})
	}
	together(refused, func(host string) {
		both(t, host, "/any", func(version string, r *reply) {
			if !r.refused() || r.Status == 404 {
				t.Errorf("%s host %q: %d by %q", version, host, r.Status, r.by())
			}
		})
	})
	// Others are other hosts, which the route for any host serves.
	for _, host := range []string{"xadmin.example", "admin.example.x", "admin.examplex", "admin_.example", "admin", "127.0.0.1", "[::1]:80"} {
		both(t, host, "/any", func(version string, r *reply) {
			if r.by() != "public" || r.echo.Host != host {
				t.Errorf("%s host %q: %d by %q", version, host, r.Status, r.by())
			}
		})
	}
	twoHosts(t)
}

// twoHosts sends the host in two places.
func twoHosts(t *testing.T) {
	t.Helper()
	const end = "\r\n\r\n"
	for _, first := range []string{"admin.example", "a.example", "a.example:80", "x"} {
		for _, second := range []string{"admin.example", "a.example", "x.w.example", "x"} {
			for _, name := range []string{"Host", "host", "HOST"} {
				r := text(t, "GET /any HTTP/1.1\r\nHost: "+first+"\r\n"+name+": "+second+end)
				if r.Status != 400 || r.by() != "" {
					t.Errorf("hosts %s and %s: %d by %q", first, second, r.Status, r.by())
				}
			}
		}
	}
	// The host of an absolute target counts, and is what the backend sees (RFC 9112, 3.2.2).
	r := text(t, "GET http://admin.example/any HTTP/1.1\r\nHost: a.example"+end)
	if r.by() != "admin" || r.echo.Host != "admin.example" {
		t.Errorf("absolute target: %q saw %q", r.by(), r.echo.Host)
	}
	r = text(t, "GET http://u@admin.example/any HTTP/1.1\r\nHost: a.example"+end)
	if !r.refused() && r.echo.Host != "admin.example" {
		t.Errorf("absolute target with a user: %q saw %q", r.by(), r.echo.Host)
	}
	// In HTTP/2 :authority counts, and a Host header beside it is dropped.
	r = get2(t, "a.example", "/any", wire.Field{Name: "host", Value: "admin.example"})
	if r.by() != "site" || r.echo.Host != "a.example" {
		t.Errorf(":authority and host: %q saw %q", r.by(), r.echo.Host)
	}
	r = frames(t, append(wire.Request2("GET", "http", "a.example", "/any"), wire.Field{Name: ":authority", Value: "admin.example"})...)
	if !r.refused() {
		t.Errorf("two :authority: %d by %q", r.Status, r.by())
	}
	for _, text1 := range []string{"GET /any HTTP/1.1" + end, "GET /any HTTP/1.0" + end, "GET /any" + end} {
		if r := text(t, text1); r.by() != "" {
			t.Errorf("%q: %d by %q", text1, r.Status, r.by())
		}
	}
}

// TestThreat10_OtherHostsThanTheServerName: a connection serves the hosts of its own listener alone.
func TestThreat10_OtherHostsThanTheServerName(t *testing.T) {
	start(t)
	ask := func(sni, host, protocol string) reply {
		attempt(t)
		conn := wire.Dial(t, httpsPort, &wire.TLS{ServerName: sni, Protocol: protocol})
		if conn == nil {
			return reply{}
		}
		defer func() { _ = conn.Close() }()
		if protocol == "h2" {
			return read(wire.HTTP2(conn, wire.Request2("GET", "https", host, "/")...))
		}
		return read(wire.HTTP1(conn, "GET", wire.Request1("GET", "/", host)))
	}
	want := map[[2]string]int{
		{"one.tls.example", "one.tls.example"}: 200, {"two.tls.example", "two.tls.example"}: 200, {"ONE.tls.example", "one.TLS.example."}: 200,
		{"one.tls.example", "two.tls.example"}: 421, {"two.tls.example", "one.tls.example"}: 421, {"one.tls.example", "two.tls.example:443"}: 421,
		{"one.tls.example", "TWO.tls.example."}: 421, {"two.tls.example", "one.tls.example."}: 421,
		{"one.tls.example", "a.example"}: 404, {"one.tls.example", "admin.example"}: 404, {"one.tls.example", "other.tls.example"}: 404,
		{"one.tls.example", "two.tls.example,one.tls.example"}: 400, {"one.tls.example", "u@one.tls.example"}: 400,
		{"a.example", "one.tls.example"}: 0, {"", "one.tls.example"}: 0, {"x.one.tls.example", "one.tls.example"}: 0,
	}
	for names, status := range want {
		for _, protocol := range []string{"http/1.1", "h2"} {
			r := ask(names[0], names[1], protocol)
			if r.Status != status && (protocol != "h2" || status != 400 || r.Status != 0) || status != 200 && r.by() != "" {
				t.Errorf("%s: server name %q, host %q: %d by %q, want %d", protocol, names[0], names[1], r.Status, r.by(), status)
			}
		}
	}
}
