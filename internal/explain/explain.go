package explain

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/cloverleaf-mesh/cloverleaf/internal/envoysim"
	"github.com/cloverleaf-mesh/cloverleaf/translator/attach"
	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// Explain says what becomes of a request. Its address tells Gateways apart where a listener is bound to it.
func (w *World) Explain(q envoysim.Request, apiVersion string) *Explanation {
	if !w.Config.Binds(q.Address) {
		q.Address = "" // that of a machine that is not known here
	}
	outcomes := w.Config.Outcomes(q)
	r := outcomes[0].Result
	e := &Explanation{
		APIVersion: apiVersion, Kind: "Explanation", Request: asked(&q), Verdict: r.Verdict.String(), Unknown: w.Config.Unknown(),
	}
	e.Listener = w.listener(r, &q)
	for _, s := range r.Path {
		e.Path = append(e.Path, Step{s.What, s.Path})
	}
	if claimed(r) {
		e.Route = w.route(r)
		e.Host = w.host(r)
		for _, o := range outcomes {
			e.Outcomes = append(e.Outcomes, w.outcome(&o))
		}
	} else if r.Answer != nil {
		e.Outcomes = []Outcome{{Share: 1, Answer: message(r.Answer)}}
	}
	e.Lost = w.lost(r)
	w.judge(e, r, &q)
	return e
}

// claimed tells whether a rule of a route object takes the request, and not the 404 that ends every host.
func claimed(r *envoysim.Result) bool { return len(r.Route.Origins) > 0 }

func asked(q *envoysim.Request) Request {
	out := Request{
		Method: q.Method, Protocol: "HTTP/1.1", Port: q.Port, TLS: q.TLS, ServerName: q.SNI, Host: q.Authority, Path: q.Target,
		Headers: headers(q.Headers),
	}
	if q.HTTP2 {
		out.Protocol = "HTTP/2"
	}
	return out
}

func headers(list []envoysim.Header) []Header {
	var out []Header
	for _, h := range list {
		out = append(out, Header(h))
	}
	return out
}

func (w *World) listener(r *envoysim.Result, q *envoysim.Request) *Listener {
	if r.Listener.Name == "" || r.Chain.Name == "" {
		return nil
	}
	l := &Listener{Name: r.Listener.Name, Port: q.Port, Words: "plaintext"}
	if r.TLS {
		l.Words = "TLS, any server name"
		if len(r.ServerNames) > 0 {
			l.Words = "TLS, server name " + strings.Join(r.ServerNames, ", ")
		}
	}
	l.Source = w.listenerSource(r)
	return l
}

// listenerSource finds the Gateway's listener: with TLS that of the chain, which the server name decided, else that of the
// virtual host or, for a host that nobody has, all of them.
func (w *World) listenerSource(r *envoysim.Result) Source {
	if len(r.Host.Origins) > 0 && !r.TLS {
		return w.at(r.Host.Origins[0])
	}
	var out Source
	for i, o := range r.Chain.Origins {
		if i == 0 {
			out = w.at(o)
		} else {
			out.Section += ", " + o.Section
		}
	}
	return out
}

// host says which host name of the route led here; the listener's for a route that names none.
func (w *World) host(r *envoysim.Result) *Host {
	domain := ir.Hostname(r.Domains[0])
	h := &Host{Domain: r.Domains[0], Beat: r.Domains[1:], Source: w.at(r.Host.Origins[0])}
	if i, _ := w.narrowest(r.Route.Origins[0].Ref, domain); i >= 0 {
		h.Source = w.source(ir.Origin{Ref: r.Route.Origins[0].Ref}, element("spec.hostnames", i))
	}
	return h
}

func (w *World) route(r *envoysim.Result) *Route {
	return &Route{Source: w.ruleAt(r.Route), Name: r.Route.Name, Match: r.Match}
}

// lost lists the rules that do not take the request. Routes of Envoy that came from the same match are one.
func (w *World) lost(r *envoysim.Result) []Route {
	var out []Route
	seen := map[string]bool{}
	if claimed(r) {
		seen[matchOf(r.Route)] = true
	}
	for _, t := range r.Routes {
		if t.Taken || len(t.Origins) == 0 || seen[matchOf(t.Part)] {
			continue
		}
		seen[matchOf(t.Part)] = true
		route := Route{Source: w.ruleAt(t.Part), Name: t.Name, Match: t.Match, Lost: string(t.Lost), Detail: t.Detail}
		if claimed(r) && ranked(t.Lost) {
			w.byHost(&route, r, t.Origins[0].Ref)
		}
		out = append(out, route)
	}
	return out
}

// matchOf names the match of a rule that a route of Envoy came from.
func matchOf(p envoysim.Part) string {
	prefix := p.Origins[0].String() + "/" + p.Origins[0].Section + "/"
	number, _, _ := strings.Cut(strings.TrimPrefix(p.Name, prefix), "/")
	return prefix + number
}

// ranked tells whether a candidate lost by rank alone.
func ranked(c envoysim.Criterion) bool {
	return slices.Contains([]envoysim.Criterion{
		envoysim.LostPathType, envoysim.LostPathLength, envoysim.LostMethodRank, envoysim.LostHeaderCount, envoysim.LostQueryCount, envoysim.LostOrder,
	}, c)
}

// byHost corrects the criterion of a rule whose route has a wider host name: that decides before all else (Gateway API,
// HTTPRouteSpec.hostnames), and Envoy only sees the order.
func (w *World) byHost(loser *Route, r *envoysim.Result, ref ir.Ref) {
	domain := ir.Hostname(r.Domains[0])
	_, theirs := w.narrowest(ref, domain)
	_, ours := w.narrowest(r.Route.Origins[0].Ref, domain)
	if attach.Specificity(ours) > attach.Specificity(theirs) {
		loser.Lost = "Hostname"
		loser.Detail = fmt.Sprintf("its host name %s is wider than %s", theirs, ours)
	}
}

func (w *World) outcome(o *envoysim.Outcome) Outcome {
	out := Outcome{Share: o.Share}
	for _, e := range o.Result.Effects {
		out.Effects = append(out.Effects, Effect(e))
	}
	if o.Result.Answer != nil {
		out.Answer = message(o.Result.Answer)
	}
	up := o.Result.Upstream
	if up == nil {
		return out
	}
	out.Backend = &Backend{
		Source: w.backendSource(up.Cluster), Cluster: up.Cluster.Name, Weight: up.Weight, Protocol: up.Speaks.Protocol,
		TLS: up.Speaks.TLS, Ready: up.Endpoints.Ready, Draining: up.Endpoints.Draining, Resolved: up.Endpoints.Resolved,
	}
	for i, m := range up.Mirrors {
		out.Backend.Mirrors = append(out.Backend.Mirrors, Mirror{Source: w.backendSource(m.Cluster), Cluster: m.Cluster.Name, Share: o.Copied[i]})
	}
	if o.Result.Verdict == envoysim.Forwarded {
		out.Receives = &Message{Method: up.Method, Host: up.Authority, Path: up.Target, Headers: headers(up.Headers)}
	}
	return out
}

func (w *World) backendSource(p envoysim.Part) Source {
	if len(p.Origins) == 0 {
		return Source{}
	}
	return w.at(p.Origins[0])
}

func message(a *envoysim.Answer) *Message {
	return &Message{Status: a.Status, Headers: headers(a.Headers), Body: a.Body}
}

// failed tells whether an outcome is an answer of the proxy that reports a failure.
func failed(o *Outcome) bool {
	if o.Answer == nil {
		return false
	}
	for _, h := range o.Answer.Headers {
		if h.Name == "grpc-status" && h.Value != "0" {
			return true
		}
	}
	return o.Answer.Status >= http.StatusInternalServerError
}
