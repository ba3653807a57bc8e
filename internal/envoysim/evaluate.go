package envoysim

import (
	"fmt"
	"strings"
	"time"
)

// stream is a request on its way.
type stream struct {
	config *Config
	result *Result
	chain  *chain
	table  *table
	host   *virtualHost
	route  *route

	method    string
	scheme    string
	target    string
	authority string
	headers   *headerMap
	upgrades  string // the protocol that the request asks to be upgraded to; empty for none
	random    uint64
	now       time.Time
}

// Evaluate says what Envoy does with a request.
func (c *Config) Evaluate(q Request) *Result { return c.evaluate(q).result }

func (c *Config) evaluate(q Request) *stream {
	s := c.enter(q)
	if s.host != nil {
		s.result.Routes = s.host.trials(s)
	}
	if s.route != nil {
		s.act()
	}
	return s
}

// enter brings a request to its route, if it finds one.
func (c *Config) enter(q Request) *stream {
	s := &stream{
		config: c, result: &Result{}, method: q.Method, target: q.Target, authority: q.Authority, random: q.Random, now: q.Now,
		headers: received(&q),
	}
	s.takeHosts(q.HTTP2)
	if s.accept(&q) && s.check(&q) {
		s.find()
	}
	return s
}

func (s *stream) effect(by, what string) {
	s.result.Effects = append(s.result.Effects, Effect{by, what})
}

// path is the target without its query.
func (s *stream) path() string {
	path, _, _ := strings.Cut(s.target, "?")
	return path
}

// header returns the values of a header or pseudo header, a value for each line.
func (s *stream) header(name string) []string {
	switch name {
	case ":method":
		return []string{s.method}
	case ":path":
		return []string{s.target}
	case ":scheme":
		return []string{s.scheme}
	case ":authority", "host":
		return []string{s.authority}
	default:
		return s.headers.values(name)
	}
}

// accept finds the listener and the filter chain of the connection.
func (s *stream) accept(q *Request) bool {
	r := s.result
	var taken *listener
	for _, l := range s.config.listeners {
		t := Trial{Part: l.part}
		t.Lost, t.Detail = l.serves(q)
		if t.Lost == "" {
			taken, t.Taken = l, true
		}
		r.Listeners = append(r.Listeners, t)
	}
	if taken == nil {
		r.Verdict, r.Why = NoListener, fmt.Sprintf("no listener on port %d", q.Port)
		if q.Address != "" {
			r.Why += " of " + q.Address
		}
		return false
	}
	r.Listener = taken.part
	s.chain, r.Chains = taken.take(q)
	if s.chain == nil {
		r.Verdict, r.Why = NoChain, taken.refusal(q)
		return false
	}
	r.Chain, r.TLS, r.ServerNames, r.Table = s.chain.part, s.chain.tls, s.chain.names, s.chain.table
	return true
}

// check lets the codec and the connection manager look at the request and change it.
func (s *stream) check(q *Request) bool {
	r := s.result
	if status, why := s.refuse(q); why != "" {
		r.Verdict, r.Why, r.Answer = Refused, why, &Answer{Status: status}
		return false
	}
	if status, why := s.manage(q); why != "" {
		r.Verdict, r.Why = Refused, why
		s.local(status, "")
		return false
	}
	r.Target = s.target
	return true
}

// find chooses the virtual host and the route.
func (s *stream) find() {
	r := s.result
	s.table = s.config.tables[s.chain.table]
	if s.table != nil {
		s.host, r.Domains = s.table.find(s.authority)
	}
	if s.host == nil {
		r.Verdict, r.Why = NoHost, "no virtual host for "+s.authority
		s.local(404, "")
		return
	}
	r.Host = s.host.part
	s.route = s.host.take(s)
	if s.route == nil {
		r.Verdict, r.Why = NoRoute, "no route of "+r.Domains[0]+" takes the request"
		s.local(404, "")
		return
	}
	r.Route, r.Match, r.route = s.route.part, s.route.match.String(), s.route
	r.response = s.responseEdits(nil)
}

// levels are the edits that apply to a request of this route, in Envoy's order: the share of a cluster, the route, the
// virtual host, the route table.
func (s *stream) levels(share *clusterShare) []edits {
	list := []edits{s.route.edits, s.host.edits, s.table.edits}
	if share != nil {
		list = append([]edits{share.edits}, list...)
	}
	return list
}

func (s *stream) responseEdits(share *clusterShare) []headerEdit {
	var out []headerEdit
	for _, e := range s.levels(share) {
		out = append(out, e.response)
	}
	return out
}
