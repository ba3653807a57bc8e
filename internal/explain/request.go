package explain

import (
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"

	"github.com/cloverleaf-mesh/cloverleaf/internal/envoysim"
)

// schemes are those of a request's URL, with their ports.
var schemes = map[string]uint32{"http": 80, "https": 443, "h2c": 80}

// methodGRPC stands for a call of gRPC in place of a method.
const methodGRPC = "GRPC"

// Parse reads a request as people write it: "GET https://shop.example.com/cart/7", with headers as "name: value". The
// method may be left out; GRPC stands for a call of the method that the path names. h2c is HTTP/2 without TLS.
func Parse(text string, headers []string) (envoysim.Request, error) {
	q := envoysim.Request{Method: http.MethodGet}
	words := strings.Fields(text)
	if len(words) == 2 {
		q.Method, words = words[0], words[1:]
	}
	if len(words) != 1 {
		return q, fmt.Errorf("cannot read the request %q: write it as 'GET https://shop.example.com/cart/7'", text)
	}
	if err := readURL(&q, words[0]); err != nil {
		return q, err
	}
	if q.Method == methodGRPC {
		q.Method, q.HTTP2 = http.MethodPost, true
		headers = append([]string{"content-type: application/grpc", "te: trailers"}, headers...)
	}
	for _, h := range headers {
		name, value, ok := strings.Cut(h, ":")
		name, value = strings.ToLower(strings.TrimSpace(name)), strings.TrimSpace(value)
		switch {
		case !ok || name == "":
			return q, fmt.Errorf("cannot read the header %q: write it as 'name: value'", h)
		case name == "host":
			q.Authority = value
		case name == "upgrade": // which only HTTP/1.1 has
			q.HTTP2 = false
			fallthrough
		default:
			q.Headers = append(q.Headers, envoysim.Header{Name: name, Value: value})
		}
	}
	return q, nil
}

func readURL(q *envoysim.Request, url string) error {
	scheme, rest, ok := strings.Cut(url, "://")
	port, known := schemes[scheme]
	if !ok || !known {
		return fmt.Errorf("cannot read the URL %q: it begins with http://, https:// or h2c://", url)
	}
	end := strings.IndexAny(rest, "/?#")
	if end < 0 {
		end = len(rest)
	}
	q.Authority, q.Target, q.Port = rest[:end], rest[end:], port
	if !strings.HasPrefix(q.Target, "/") {
		q.Target = "/" + q.Target
	}
	host := q.Authority
	if name, digits, err := net.SplitHostPort(q.Authority); err == nil {
		n, err := strconv.ParseUint(digits, 10, 16)
		if err != nil || n == 0 {
			return fmt.Errorf("%q is no port", digits)
		}
		host, q.Port = name, uint32(n)
		if q.Port == port {
			q.Authority = strings.TrimSuffix(q.Authority, ":"+digits) // as clients write it
		}
	}
	if host == "" {
		return fmt.Errorf("the URL %q has no host", url)
	}
	q.TLS, q.HTTP2 = scheme == "https", scheme != "http"
	if ip := net.ParseIP(strings.Trim(host, "[]")); ip != nil {
		q.Address = ip.String()
	} else if q.TLS {
		q.SNI = host
	}
	return nil
}
