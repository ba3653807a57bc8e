package envoysim

import "strings"

// answer ends the request with an answer of the proxy.
func (s *stream) answer(a *Answer) {
	s.result.Answer = a
	if s.result.Why == "" {
		s.result.Verdict = Answered
	}
}

// grpcStatus is what a gRPC client is told for a status of HTTP (grpc, http-grpc-status-mapping.md).
var grpcStatus = map[uint32]string{400: "13", 401: "16", 403: "7", 404: "12", 429: "14", 502: "14", 503: "14", 504: "14"}

// local answers as Envoy answers by itself: gRPC requests get 200 and a status of gRPC. The edits of the route's answers
// apply, and what CORS adds.
func (s *stream) local(status uint32, body string, headers ...Header) {
	status, body = s.chain.mapReply(s, status, body)
	h := newHeaders(headers, responseSingle)
	if body != "" {
		h.set("content-type", "text/plain")
	}
	s.result.finish(h)
	if isGRPC(s.headers) {
		code, ok := grpcStatus[status]
		if !ok {
			code = "2"
		}
		h.set("content-type", "application/grpc")
		h.set("grpc-status", code)
		if body != "" && s.method != "HEAD" {
			h.set("grpc-message", grpcEscape(body))
		}
		status, body = 200, ""
	}
	if s.method == "HEAD" {
		body = ""
	}
	s.answer(&Answer{Status: status, Headers: h.lines, Body: body})
}

// finish applies to the headers of an answer what the route and the filters do to them.
func (r *Result) finish(h *headerMap) {
	for _, e := range r.response {
		e.apply(h)
	}
	r.cors.apply(h)
}

// Response returns the headers that the client gets for those that the backend answered with. The header of a session
// that the answer begins is not among them: its value depends on the address that was chosen.
func (r *Result) Response(backend []Header) []Header {
	h := newHeaders(backend, responseSingle)
	for _, name := range hopByHop {
		h.remove(name)
	}
	r.finish(h)
	return h.lines
}

// SessionHeader returns the header of answers that keeps the session, and for a cookie its name; both are empty when
// the route keeps no sessions.
func (r *Result) SessionHeader() (header, cookie string) {
	switch {
	case r.session == nil:
		return "", ""
	case r.session.rule.header:
		return r.session.rule.name, ""
	default:
		return "set-cookie", r.session.rule.name
	}
}

// grpcEscape writes a message as the header grpc-message has it (grpc, PROTOCOL-HTTP2.md).
func grpcEscape(s string) string {
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '%' {
			b.WriteString("%" + string(hexDigits[c>>4]) + string(hexDigits[c&15]))
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}
