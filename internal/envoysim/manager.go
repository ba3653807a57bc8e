package envoysim

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// internalOnly are the headers that a client from outside cannot set: Envoy removes them from requests at its edge.
var internalOnly = strings.Fields(`x-envoy-decorator-operation x-envoy-downstream-service-cluster
	x-envoy-downstream-service-node x-envoy-expected-rq-timeout-ms x-envoy-force-trace x-envoy-hedge-on-per-try-timeout
	x-envoy-internal x-envoy-ip-tags x-envoy-max-retries x-envoy-original-host x-envoy-original-path
	x-envoy-retriable-header-names x-envoy-retriable-status-codes x-envoy-retry-grpc-on x-envoy-retry-on
	x-envoy-upstream-alt-stat-name x-envoy-upstream-rq-per-try-timeout-ms x-envoy-upstream-rq-timeout-alt-response
	x-envoy-upstream-rq-timeout-ms x-envoy-upstream-stream-duration-ms x-forwarded-client-cert`)

// hopByHop are the headers that end at the proxy (RFC 9110, 7.6.1).
var hopByHop = strings.Fields("connection keep-alive proxy-connection transfer-encoding upgrade http2-settings")

// manage does to the request what a connection manager does before it looks for a route, and tells with which status it
// refuses it and why; the reason is empty when it does not.
func (s *stream) manage(q *Request) (status uint32, why string) {
	switch {
	case q.Method == http.MethodConnect:
		return 404, "CONNECT is not served"
	case q.Target == "*":
		return 404, "OPTIONS * is not served"
	}
	steps, why := normalise(q.Target, s.chain.manager)
	if why != "" {
		return 400, why
	}
	if len(steps) > 0 {
		s.target, s.result.Path = steps[len(steps)-1].Path, steps
	}
	s.clean(q)
	return 0, ""
}

// clean removes headers that end here or that a client may not set, and adds what is known of it. The client is not
// believed: use_remote_address is on, and no proxy before this one is trusted.
func (s *stream) clean(q *Request) {
	for _, m := range s.chain.early {
		m.apply(s.headers)
	}
	kept := s.upgrade(q)
	for _, name := range hopByHop {
		if !kept || name != "connection" && name != "upgrade" {
			s.headers.remove(name)
		}
	}
	for _, name := range internalOnly {
		s.headers.remove(name)
	}
	if s.headers.has("te") {
		switch te := s.headers.first("te"); {
		case slices.Contains(tokens(te), "trailers"):
			s.headers.set("te", "trailers")
		case te != "":
			s.headers.remove("te")
		}
	}
	s.headers.remove("expect")
	s.scheme = "http"
	if q.TLS {
		s.scheme = "https"
	}
	forwarded, external := q.Peer, q.Peer
	if external == "" {
		external = Generated
	}
	if peer, err := netip.ParseAddr(q.Peer); err != nil || peer.IsLoopback() {
		forwarded = Generated // Envoy writes its own address for clients of its machine
	}
	s.headers.add("x-forwarded-for", forwarded)
	s.headers.set("x-forwarded-proto", s.scheme)
	s.headers.set("x-envoy-external-address", external)
	s.headers.set("x-request-id", Generated)
}

// upgrade tells whether the request asks for an upgrade that reaches the backend. h2c is passed over by the codec.
func (s *stream) upgrade(q *Request) bool {
	asks := slices.ContainsFunc(tokens(s.headers.first("connection")), func(t string) bool { return strings.EqualFold(t, "upgrade") })
	to := s.headers.first("upgrade")
	if q.HTTP2 || !asks || to == "" || strings.EqualFold(to, "h2c") {
		return false
	}
	s.upgrades = to
	return true
}

// allowsUpgrade tells whether the connection manager lets an upgrade pass.
func (c *chain) allowsUpgrade(to string) bool {
	for _, u := range c.manager.GetUpgradeConfigs() {
		if strings.EqualFold(u.GetUpgradeType(), to) && (u.GetEnabled() == nil || u.GetEnabled().GetValue()) {
			return true
		}
	}
	return false
}
