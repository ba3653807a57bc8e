package envoysim

import (
	"slices"
	"strings"
)

// Header is one header line. Names are in lower case.
type Header struct{ Name, Value string }

// headerMap holds headers in the order in which they came, as Envoy does: names that Envoy keeps in one place have one
// line, whose values are joined by commas when another comes (Envoy, envoy/http/header_map.h, "inline headers"); others
// have a line for each value.
type headerMap struct {
	lines  []Header
	single map[string]bool // names that have one line
}

// requestSingle and responseSingle are the names that have one line in Envoy's builds with every extension, as
// conformance/simulation finds them.
var (
	requestSingle = set(`accept accept-encoding access-control-request-headers access-control-request-method
		access-control-request-private-network authorization cache-control cdn-loop connection content-encoding
		content-length content-type grpc-accept-encoding grpc-timeout host if-match if-modified-since if-none-match
		if-range if-unmodified-since keep-alive origin pragma proxy-connection referer te transfer-encoding upgrade
		user-agent via x-client-trace-id x-envoy-attempt-count x-envoy-external-address x-envoy-is-timeout-retry
		x-forwarded-for x-forwarded-host x-forwarded-port x-forwarded-proto x-request-id`)
	responseSingle = set(`access-control-allow-credentials access-control-allow-headers access-control-allow-methods
		access-control-allow-origin access-control-allow-private-network access-control-expose-headers
		access-control-max-age age cache-control connection content-encoding content-length content-type date etag
		expires grpc-message grpc-status keep-alive last-modified location proxy-connection proxy-status server
		transfer-encoding upgrade vary via x-envoy-attempt-count x-envoy-decorator-operation x-envoy-degraded
		x-envoy-immediate-health-check-fail x-envoy-ratelimited x-envoy-upstream-canary
		x-envoy-upstream-healthchecked-cluster x-envoy-upstream-service-time x-request-id`)
)

func set(names string) map[string]bool {
	out := map[string]bool{}
	for name := range strings.FieldsSeq(names) {
		out[name] = true
	}
	return out
}

func newHeaders(lines []Header, single map[string]bool) *headerMap {
	h := &headerMap{single: single}
	for _, l := range lines {
		h.add(l.Name, l.Value)
	}
	return h
}

// received takes over the headers of a request. HTTP/2 cuts cookies into lines of their own (RFC 9113, 8.2.3).
func received(q *Request) *headerMap {
	h := newHeaders(q.Headers, requestSingle)
	if !q.HTTP2 {
		for i := range h.lines {
			h.lines[i].Value = strings.Trim(h.lines[i].Value, " \t") // which is no part of a value (RFC 9110, 5.5)
		}
		return h
	}
	cookies := ""
	for _, c := range h.values("cookie") {
		if cookies != "" {
			cookies += "; "
		}
		cookies += c
	}
	if h.remove("cookie"); cookies != "" {
		h.add("cookie", cookies)
	}
	return h
}

// takeHosts makes Host headers beside that of the request part of the authority: HTTP/1 joins them as it joins any header,
// HTTP/2 drops what stands beside :authority.
func (s *stream) takeHosts(http2 bool) {
	if host := s.headers.first("host"); s.headers.has("host") && !http2 {
		s.authority = join(s.authority, host)
	}
	s.headers.remove("host")
}

// add appends a value.
func (h *headerMap) add(name, value string) {
	name = strings.ToLower(name)
	if h.single[name] {
		if i := h.index(name); i >= 0 {
			h.lines[i].Value = join(h.lines[i].Value, value)
			return
		}
	}
	h.lines = append(h.lines, Header{name, value})
}

// join appends a value to another; an empty one adds nothing.
func join(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + "," + b
}

// set replaces all values.
func (h *headerMap) set(name, value string) {
	h.remove(name)
	h.lines = append(h.lines, Header{strings.ToLower(name), value})
}

func (h *headerMap) remove(name string) {
	name = strings.ToLower(name)
	h.lines = slices.DeleteFunc(h.lines, func(l Header) bool { return l.Name == name })
}

func (h *headerMap) index(name string) int {
	return slices.IndexFunc(h.lines, func(l Header) bool { return l.Name == name })
}

// values returns the value of each line with a name.
func (h *headerMap) values(name string) []string {
	var out []string
	for _, l := range h.lines {
		if l.Name == name {
			out = append(out, l.Value)
		}
	}
	return out
}

// first returns the value of the first line, empty without one.
func (h *headerMap) first(name string) string {
	if i := h.index(name); i >= 0 {
		return h.lines[i].Value
	}
	return ""
}

func (h *headerMap) has(name string) bool { return h.index(name) >= 0 }

// tokens cuts a value at its commas.
func tokens(value string) []string {
	var out []string
	for part := range strings.SplitSeq(value, ",") {
		if part = strings.TrimSpace(part); part != "" {
			out = append(out, part)
		}
	}
	return out
}
