package envoysim

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
)

// defaults of Envoy for what a connection manager does not say.
const (
	defaultHeadersKiB  = 60
	defaultHeaderCount = 100
)

// knownMethods are those that Envoy's HTTP/1 parser takes; HTTP/2 takes any.
var knownMethods = set(`ACL BIND CHECKOUT CONNECT COPY DELETE GET HEAD LINK LOCK M-SEARCH MERGE MKACTIVITY MKCALENDAR MKCOL
	MOVE NOTIFY OPTIONS PATCH POST PROPFIND PROPPATCH PURGE PUT REBIND REPORT SEARCH SOURCE SUBSCRIBE TRACE UNBIND UNLINK
	UNLOCK UNSUBSCRIBE`)

// refuse is what the codec refuses before anything is looked for: the status of the answer (0 closes the stream) and
// why. The reason is empty for what it lets pass.
func (s *stream) refuse(q *Request) (status uint32, why string) {
	if why := s.refuseLine(q); why != "" {
		if q.HTTP2 {
			return 0, why
		}
		return 400, why
	}
	return s.refuseHeaders(q)
}

func (s *stream) refuseLine(q *Request) string {
	control := func(c rune) bool { return c <= ' ' || c == 0x7f || c > 0x7f && !q.HTTP2 }
	switch {
	case !q.HTTP2 && !knownMethods[q.Method]:
		return "the method " + q.Method + " is not known"
	case q.HTTP2 && !validHTTP2(q):
		return fmt.Sprintf("the host %q has a character that no host has", q.Authority)
	case q.Method == http.MethodConnect, q.Target == "*" && q.Method == http.MethodOptions:
		return ""
	case !strings.HasPrefix(q.Target, "/"):
		return "the path does not begin with a slash"
	case strings.ContainsFunc(q.Target, control):
		return "the path has a space, or a character that is not ASCII"
	case slices.ContainsFunc(q.Headers, func(h Header) bool { return !validName(h.Name) }):
		return "the name of a header has a character that no name has"
	default:
		return ""
	}
}

// validName tells whether the name of a header is a token (RFC 9110, 5.6.2).
func validName(name string) bool {
	return name != "" && !strings.ContainsFunc(name, func(c rune) bool {
		return !strings.ContainsRune("!#$%&'*+-.^_`|~", c) && (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z')
	})
}

func (s *stream) refuseHeaders(q *Request) (status uint32, why string) {
	options := s.chain.manager.GetCommonHttpProtocolOptions()
	kib := s.chain.manager.GetMaxRequestHeadersKb().GetValue()
	if kib == 0 {
		kib = defaultHeadersKiB
	}
	most := options.GetMaxHeadersCount().GetValue()
	if most == 0 {
		most = defaultHeaderCount
	}
	tooLarge := uint32(431)
	if q.HTTP2 {
		tooLarge = 0
	}
	count, size := measure(q)
	switch {
	case count > int(most):
		return tooLarge, fmt.Sprintf("%d headers are more than %d", count, most)
	case size > int(kib)<<10:
		return tooLarge, fmt.Sprintf("%d bytes of headers are more than %d KiB", size, kib)
	}
	for _, h := range q.Headers {
		if strings.Contains(h.Name, "_") && options.GetHeadersWithUnderscoresAction() == corev3.HttpProtocolOptions_REJECT_REQUEST {
			if q.HTTP2 {
				return 0, "the name of header " + h.Name + " has an underscore"
			}
			return 400, "the name of header " + h.Name + " has an underscore"
		}
	}
	if !validAuthority(s.authority) {
		return 400, fmt.Sprintf("the host %q has a character that no host has", s.authority)
	}
	if ok, name := s.dropNominated(); !ok {
		return 400, "the Connection header names " + name
	}
	return 0, ""
}

// measure returns what limits are about: the number of headers, of which those with one line count once, and their
// bytes. HTTP/2 says the request line in headers, too; in HTTP/1 the bytes are those of the wire.
func measure(q *Request) (count, size int) {
	count = len(newHeaders(q.Headers, requestSingle).lines)
	const http1, http2 = "  HTTP/1.1\r\nHost: \r\n\r\n", ":method:scheme:authority:pathhttp"
	overhead, perLine := len(http1), len(": \r\n")
	if count++; !q.HTTP2 && slices.ContainsFunc(q.Headers, func(h Header) bool { return strings.EqualFold(h.Name, "host") }) {
		count-- // the host, counted once
	}
	if q.HTTP2 {
		count, overhead, perLine = count+3, len(http2), 0
		if q.TLS {
			overhead += len("s")
		}
	}
	size = overhead + len(q.Method) + len(q.Target) + len(q.Authority)
	for _, h := range q.Headers {
		size += len(h.Name) + len(h.Value) + perLine
	}
	return count, size
}

// validHTTP2 tells whether :authority, and a Host header beside it, are such as HTTP/2 takes: without a user (RFC 9113,
// 8.3.1).
func validHTTP2(q *Request) bool {
	hosts := []string{q.Authority}
	for _, h := range q.Headers {
		if strings.EqualFold(h.Name, "host") {
			hosts = append(hosts, h.Value)
		}
	}
	return !slices.ContainsFunc(hosts, func(h string) bool { return h == "" || !validAuthority(h) || strings.Contains(h, "@") })
}

// validAuthority tells whether an authority has only characters that one may have (RFC 3986, 3.2).
func validAuthority(host string) bool {
	return !strings.ContainsFunc(host, func(c rune) bool { return !authorityCharacter(c) })
}

func authorityCharacter(c rune) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.ContainsRune("!$%&'()*+,-.:;=@[]_~", c)
}

const mostNominated = 10 // headers that a Connection header may name

// dropNominated removes the headers that an HTTP/1 request's Connection header names: they are about this connection
// (RFC 9110, 7.6.1). It fails with the name of one that must not be hidden so.
func (s *stream) dropNominated() (ok bool, name string) {
	named := tokens(s.headers.first("connection"))
	if len(named) >= mostNominated {
		return false, fmt.Sprintf("%d headers", len(named))
	}
	for _, name := range named {
		switch name = strings.ToLower(name); {
		case name == "close", name == "keep-alive", name == "upgrade", name == "http2-settings", name == "connection":
		case name == "x-forwarded-for", name == "x-forwarded-host", name == "x-forwarded-proto", strings.HasPrefix(name, ":"):
			return false, name
		case name == "te":
		default:
			s.headers.remove(name)
		}
	}
	return true, ""
}
