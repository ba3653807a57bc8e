package envoysim

import (
	"fmt"
	"strconv"
	"strings"

	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
)

// act runs the filters of the chain, the router last.
func (s *stream) act() {
	if s.upgrades != "" && !s.chain.allowsUpgrade(s.upgrades) {
		s.effect("manager", "refuse the upgrade to "+s.upgrades)
		s.local(403, "")
		return
	}
	for _, name := range s.chain.filters {
		if g := s.chain.guards[name]; g != nil && g.deny(s) {
			return
		}
		switch name {
		case corsFilter:
			if s.filterCORS() {
				return
			}
		case authFilter:
			s.filterAuth()
		case sessionFilter:
			s.filterSession()
		case routerFilter:
			s.router()
		}
	}
}

func (s *stream) router() {
	switch a := s.route.config.GetAction().(type) {
	case *routev3.Route_DirectResponse:
		s.effects("route", s.responseEdits(nil))
		s.local(a.DirectResponse.GetStatus(), a.DirectResponse.GetBody().GetInlineString())
	case *routev3.Route_Redirect:
		s.redirect(a.Redirect)
	case *routev3.Route_Route:
		s.forward(a.Route)
	}
}

func (s *stream) effects(by string, responses []headerEdit) {
	for _, e := range responses {
		for _, w := range e.words("response") {
			s.effect(by, w)
		}
	}
}

var redirectStatus = map[routev3.RedirectAction_RedirectResponseCode]uint32{
	routev3.RedirectAction_MOVED_PERMANENTLY: 301, routev3.RedirectAction_FOUND: 302, routev3.RedirectAction_SEE_OTHER: 303,
	routev3.RedirectAction_TEMPORARY_REDIRECT: 307, routev3.RedirectAction_PERMANENT_REDIRECT: 308,
}

// redirect answers with a Location made of the request's own scheme, host and path and of what replaces them.
func (s *stream) redirect(a *routev3.RedirectAction) {
	scheme := s.scheme
	switch {
	case a.GetSchemeRedirect() != "":
		scheme = a.GetSchemeRedirect()
	case a.GetHttpsRedirect():
		scheme = "https"
	}
	port := ""
	if a.GetPortRedirect() != 0 {
		port = ":" + strconv.Itoa(int(a.GetPortRedirect()))
	}
	host := a.GetHostRedirect()
	if host == "" {
		host = s.hostForRedirect(scheme, port)
	}
	target := s.route.rewrite.apply(s.target, s.route.match)
	if p := a.GetPathRedirect(); p != "" {
		_, query, hasQuery := strings.Cut(target, "?")
		target = p
		if hasQuery && !strings.Contains(p, "?") {
			target += "?" + query
		}
	}
	if a.GetStripQuery() {
		target, _, _ = strings.Cut(target, "?")
	}
	location := scheme + "://" + host + port + target
	status := redirectStatus[a.GetResponseCode()]
	s.effect("route", fmt.Sprintf("redirect with %d to %s", status, location))
	s.effects("route", s.responseEdits(nil))
	s.local(status, "", Header{"location", location})
}

// hostForRedirect is the request's host with its port, unless another port is asked for, or the scheme changes and the
// port is the old one's own.
func (s *stream) hostForRedirect(scheme, port string) string {
	end := strings.LastIndexByte(s.authority, ':')
	if strings.HasPrefix(s.authority, "[") {
		if end = strings.LastIndex(s.authority, "]:"); end >= 0 {
			end++
		}
	}
	if end < 0 {
		return s.authority
	}
	old := s.authority[end:]
	if port != "" || scheme != s.scheme && old == map[string]string{"http": ":80", "https": ":443"}[s.scheme] {
		return s.authority[:end]
	}
	return s.authority
}

// forward sends the request to a cluster.
func (s *stream) forward(a *routev3.RouteAction) {
	r := s.result
	share := s.route.pick(s.random)
	if share == nil {
		s.local(503, "")
		return
	}
	up := &Upstream{Cluster: Part{Name: share.cluster}, Weight: share.weight, Total: s.route.total, Method: s.method}
	r.Upstream, r.share, r.response = up, share, s.responseEdits(share)
	s.words(a, share)
	c, ok := s.config.clusters[share.cluster]
	if !ok {
		s.local(503, "")
		return
	}
	up.Cluster, up.Endpoints, up.Speaks = c.part, c.endpoints, c.speaks
	s.limits(a, up)
	if c.endpoints.Ready == 0 && !c.endpoints.Resolved {
		s.local(503, "no healthy upstream")
		return
	}
	s.send(a, share)
	r.Verdict = Forwarded
}

// send makes what the backend receives.
func (s *stream) send(a *routev3.RouteAction, share *clusterShare) {
	up := s.result.Upstream
	up.Pinned = s.pin(up.Endpoints)
	if share.host != "" {
		s.authority = share.host
	}
	for _, e := range s.levels(share) {
		e.request.apply(s.headers)
	}
	if h := a.GetHostRewriteLiteral(); h != "" {
		s.authority = h
	}
	up.Target = s.route.rewrite.apply(s.target, s.route.match)
	up.Authority, up.Headers = s.authority, s.headers.lines
	for _, m := range s.route.mirrors {
		up.Mirrors = append(up.Mirrors, Mirror{s.config.clusterPart(m.cluster), m.share.fraction(), m.share.takes(s.random)})
	}
}

func (c *Config) clusterPart(name string) Part {
	if cl, ok := c.clusters[name]; ok {
		return cl.part
	}
	return Part{Name: name}
}

func (s *stream) limits(a *routev3.RouteAction, up *Upstream) {
	up.Timeout = a.GetTimeout().AsDuration()
	p := a.GetRetryPolicy()
	up.Try, up.RetryOn = p.GetPerTryTimeout().AsDuration(), p.GetRetryOn()
	if up.RetryOn != "" {
		up.Retries = p.GetNumRetries().GetValue()
	}
}

// words reports what the route and the share do to the request.
func (s *stream) words(a *routev3.RouteAction, share *clusterShare) {
	for i, e := range s.levels(share) {
		by := "route"
		if i == 0 {
			by = "cluster"
		}
		for _, w := range e.request.words("request") {
			s.effect(by, w)
		}
		for _, w := range e.response.words("response") {
			s.effect(by, w)
		}
	}
	if share.host != "" && a.GetHostRewriteLiteral() == "" {
		s.effect("cluster", "rewrite host to "+share.host)
	}
	if h := a.GetHostRewriteLiteral(); h != "" {
		s.effect("route", "rewrite host to "+h)
	}
	if w := s.route.rewrite.words(s.route.match); w != "" {
		s.effect("route", w)
	}
	if d := a.GetTimeout().AsDuration(); d > 0 {
		s.effect("route", "time out after "+d.String())
	}
	p := a.GetRetryPolicy()
	if d := p.GetPerTryTimeout().AsDuration(); d > 0 {
		s.effect("route", "time out an attempt after "+d.String())
	}
	if p.GetRetryOn() != "" {
		s.effect("route", fmt.Sprintf("retry up to %d times on %s", p.GetNumRetries().GetValue(), retryWords(p)))
	}
}

func retryWords(p *routev3.RetryPolicy) string {
	words := p.GetRetryOn()
	for _, code := range p.GetRetriableStatusCodes() {
		words += " " + strconv.Itoa(int(code))
	}
	return words
}
