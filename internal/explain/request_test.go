package explain

import (
	"fmt"
	"strings"
	"testing"
)

func TestRequestsAreReadAsClientsSendThem(t *testing.T) {
	cases := map[string]string{
		"GET https://shop.example.com/cart/7?x=1": "GET shop.example.com /cart/7?x=1 port=443 tls=true sni=shop.example.com h2=true",
		"https://shop.example.com":                "GET shop.example.com / port=443 tls=true sni=shop.example.com h2=true",
		"PUT http://Shop.example.com:8080?q":      "PUT Shop.example.com:8080 /?q port=8080 tls=false sni= h2=false",
		"GET http://shop.example.com:80/":         "GET shop.example.com / port=80 tls=false sni= h2=false",
		"GET https://127.0.0.1:8443/":             "GET 127.0.0.1:8443 / port=8443 tls=true sni= h2=true",
		"GET http://[::1]:8080/":                  "GET [::1]:8080 / port=8080 tls=false sni= h2=false",
		"GRPC h2c://shop/a.B/C":                   "POST shop /a.B/C port=80 tls=false sni= h2=true content-type=application/grpc te=trailers",
		"GET http://a/%2e//x":                     "GET a /%2e//x port=80 tls=false sni= h2=false",
	}
	for text, want := range cases {
		q, err := Parse(text, nil)
		got := fmt.Sprintf("%s %s %s port=%d tls=%t sni=%s h2=%t", q.Method, q.Authority, q.Target, q.Port, q.TLS, q.SNI, q.HTTP2)
		for _, h := range q.Headers {
			got += " " + h.Name + "=" + h.Value
		}
		if err != nil || got != want {
			t.Errorf("%s: %s (%v), want %s", text, got, err, want)
		}
	}
	q, err := Parse("GET https://a/", []string{"Host: b:1", "X-A:  1 ", "Upgrade: websocket"})
	if err != nil || q.Authority != "b:1" || q.HTTP2 || len(q.Headers) != 2 || q.Headers[0].Name != "x-a" || q.Headers[0].Value != "1" {
		t.Errorf("%+v %v", q, err)
	}
}

func FuzzARequestThatIsReadHasAHostAndAPath(f *testing.F) {
	for _, seed := range []string{"GET https://a/b?c", "http://[::1]:80", "GRPC h2c://a:99999/x", "GET  x://", "POST http://:80/"} {
		f.Add(seed, "a: b")
	}
	f.Fuzz(func(t *testing.T, text, header string) {
		q, err := Parse(text, []string{header})
		if err != nil {
			return
		}
		hosted := strings.HasPrefix(strings.ToLower(strings.TrimSpace(header)), "host")
		if !strings.HasPrefix(q.Target, "/") || q.Port == 0 || q.Method == "" || q.Authority == "" && !hosted {
			t.Errorf("%q is read as %+v", text, q)
		}
	})
}
