package envoysim

import (
	corsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/cors/v3"
)

const (
	corsFilter    = "envoy.filters.http.cors"
	sessionFilter = "envoy.filters.http.stateful_session"
	routerFilter  = "envoy.filters.http.router"
)

// corsPolicy is what a route says to the CORS filter.
type corsPolicy struct {
	config  *corsv3.CorsPolicy
	origins []test
}

func newCORS(m *corsv3.CorsPolicy) (*corsPolicy, error) {
	p := &corsPolicy{config: m}
	for _, o := range m.GetAllowOriginStringMatch() {
		t, err := newTest(o)
		if err != nil {
			return nil, err
		}
		p.origins = append(p.origins, t)
	}
	return p, nil
}

// allows tells whether an origin may read answers. One that takes "*" takes every origin.
func (p *corsPolicy) allows(origin string) bool {
	for _, o := range p.origins {
		if o.ok("*") || o.ok(origin) {
			return true
		}
	}
	return false
}

// corsAnswer is what the filter adds to an answer.
type corsAnswer struct {
	policy *corsPolicy
	origin string // empty when it is not allowed: then nothing is added
}

func (a *corsAnswer) apply(h *headerMap) {
	if a == nil || a.origin == "" {
		return
	}
	c := a.policy.config
	h.set("access-control-allow-origin", a.origin)
	if c.GetAllowCredentials().GetValue() {
		h.set("access-control-allow-credentials", "true")
	}
	if c.GetExposeHeaders() != "" {
		h.set("access-control-expose-headers", c.GetExposeHeaders())
	}
}

// filterCORS handles a request as the CORS filter does: it answers preflights, and remembers what to add to answers to
// others. It does nothing for routes that do not forward.
func (s *stream) filterCORS() (answered bool) {
	r := s.route
	origin := s.headers.first("origin")
	if r.cors == nil || r.shares == nil || origin == "" {
		return false
	}
	answer := &corsAnswer{policy: r.cors}
	if r.cors.allows(origin) {
		answer.origin = origin
		s.effect(corsFilter, "origin "+origin+" may read the answer")
	} else {
		s.effect(corsFilter, "origin "+origin+" is not allowed")
	}
	s.result.cors = answer
	asked := s.headers.first("access-control-request-method")
	if s.method != "OPTIONS" || asked == "" {
		return false
	}
	c := r.cors.config
	if answer.origin == "" && (c.GetForwardNotMatchingPreflights() == nil || c.GetForwardNotMatchingPreflights().GetValue()) {
		return false
	}
	h := &headerMap{single: responseSingle}
	if c.GetAllowCredentials().GetValue() {
		h.set("access-control-allow-credentials", "true")
	}
	allow := func(name, value, wanted string) {
		switch value {
		case "":
		case "*": // whatever the request asks for, nothing included
			h.set(name, wanted)
		default:
			h.set(name, value)
		}
	}
	allow("access-control-allow-methods", c.GetAllowMethods(), asked)
	allow("access-control-allow-headers", c.GetAllowHeaders(), s.headers.first("access-control-request-headers"))
	allow("access-control-max-age", c.GetMaxAge(), c.GetMaxAge())
	answer.apply(h)
	s.effect(corsFilter, "answer the preflight request")
	s.answer(&Answer{Status: 200, Headers: h.lines})
	return true
}
