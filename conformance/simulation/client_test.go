package simulation

import (
	"strings"
	"testing"

	"github.com/cloverleaf-mesh/cloverleaf/conformance/wire"
	"github.com/cloverleaf-mesh/cloverleaf/internal/envoysim"
)

// send sends a request as it stands, byte for byte.
func send(t *testing.T, q *envoysim.Request) wire.Answer {
	t.Helper()
	var secured *wire.TLS
	scheme := "http"
	if q.TLS {
		secured, scheme = &wire.TLS{ServerName: q.SNI, Protocol: "http/1.1"}, "https"
		if q.HTTP2 {
			secured.Protocol = "h2"
		}
	}
	conn := wire.Dial(t, int(q.Port), secured)
	if conn == nil {
		return wire.Answer{}
	}
	defer func() { _ = conn.Close() }()
	fields := make([]wire.Field, 0, len(q.Headers))
	for _, h := range q.Headers {
		f := wire.Field{Name: h.Name, Value: h.Value}
		if q.HTTP2 { // which has no others
			f.Name = strings.ToLower(f.Name)
		}
		fields = append(fields, f)
	}
	if q.HTTP2 {
		return wire.HTTP2(conn, wire.Request2(q.Method, scheme, q.Authority, q.Target, fields...)...)
	}
	return wire.HTTP1(conn, q.Method, wire.Request1(q.Method, q.Target, q.Authority, fields...))
}
