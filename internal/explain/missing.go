package explain

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/cloverleaf-mesh/cloverleaf/controller/source/manifest"
	"github.com/cloverleaf-mesh/cloverleaf/internal/envoysim"
	"github.com/cloverleaf-mesh/cloverleaf/translator/attach"
	"github.com/cloverleaf-mesh/cloverleaf/translator/finding"
	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// judge says whether the request is served and, if not, what is missing and what may help.
func (w *World) judge(e *Explanation, r *envoysim.Result, q *envoysim.Request) {
	switch {
	case r.Verdict == envoysim.NoListener:
		e.Missing = r.Why
		w.hintListeners(e, r, q)
	case r.Verdict == envoysim.NoChain:
		e.Missing = r.Why
		w.hintChains(e, r, q)
	case r.Verdict == envoysim.Refused:
		e.Missing = "the proxy refuses the request: " + r.Why
	case !claimed(r):
		w.judgeUnclaimed(e, r, q)
	default:
		w.judgeClaimed(e, r)
	}
	e.Served = e.Missing == ""
}

// hintListeners lists the other addresses of the port, the ports that there are, and what is wrong with Gateways.
func (w *World) hintListeners(e *Explanation, r *envoysim.Result, q *envoysim.Request) {
	for _, t := range r.Listeners {
		if t.Lost == envoysim.LostAddress {
			e.hint(w.at(t.Origins[0]), strings.TrimPrefix(t.Detail, "it "))
		}
	}
	w.eachListener(func(ref ir.Ref, l *gwv1.Listener) {
		source := w.at(ir.Origin{Ref: ref, Section: string(l.Name)})
		if uint32(l.Port) == q.Port { //nolint:gosec // a port
			own := w.within(ir.Origin{Ref: ref, Section: string(l.Name)})
			w.hintProblems(e, ref, func(field string) bool { return own(field) || !strings.HasPrefix(field, "spec.listeners") })
			return
		}
		e.hint(source, fmt.Sprintf("listens on port %d", l.Port))
	})
}

func (w *World) eachListener(f func(ir.Ref, *gwv1.Listener)) {
	for _, ref := range w.refs(ir.KindGateway, ir.KindListenerSet) {
		listeners := w.listeners(ref)
		for i := range listeners {
			f(ref, &listeners[i])
		}
	}
}

// refs lists the objects of some kinds, sorted.
func (w *World) refs(kinds ...ir.Kind) []ir.Ref {
	var out []ir.Ref
	for ref := range w.Objects {
		if slices.Contains(kinds, ref.Kind) {
			out = append(out, ref)
		}
	}
	slices.SortFunc(out, ir.Ref.Compare)
	return out
}

// hintChains says who each chain of the port takes, and which listeners of the port have none.
func (w *World) hintChains(e *Explanation, r *envoysim.Result, q *envoysim.Request) {
	served := map[string]bool{}
	for _, t := range r.Chains {
		for _, o := range t.Origins {
			served[o.String()+"#"+o.Section] = true
			e.hint(w.at(o), t.Detail)
		}
	}
	w.eachListener(func(ref ir.Ref, l *gwv1.Listener) {
		takes := q.TLS && (l.Hostname == nil || attach.Covers(ir.Hostname(*l.Hostname), ir.Hostname(q.SNI)))
		if uint32(l.Port) != q.Port || !takes || served[ref.String()+"#"+string(l.Name)] { //nolint:gosec // a port
			return
		}
		w.hintProblems(e, ref, w.within(ir.Origin{Ref: ref, Section: string(l.Name)}))
	})
}

func (e *Explanation) hint(s Source, text string) {
	e.Hints = append(e.Hints, Hint{Source: s, Text: text})
}

// within tells whether a field is in the part of an object that an origin names.
func (w *World) within(o ir.Origin) func(field string) bool {
	part := w.field(o)
	return func(field string) bool { return part != "" && strings.HasPrefix(field, part) }
}

// hintProblems adds the findings of an object that are about some of its fields.
func (w *World) hintProblems(e *Explanation, ref ir.Ref, about func(field string) bool) {
	for _, p := range w.Problems {
		if p.Finding.Object == ref && p.Finding.Level() != finding.Info && about(p.Finding.Field) {
			e.Hints = append(e.Hints, hintOf(p))
		}
	}
}

func hintOf(p manifest.Problem) Hint {
	return Hint{
		Source: Source{Object: p.Finding.Object.String(), Section: p.Finding.Field, File: p.At.File, Line: p.At.Line},
		Code:   string(p.Finding.Code), Text: p.Finding.Message,
	}
}

// judgeUnclaimed says that no route has the host, or that none of the host's rules takes the request.
func (w *World) judgeUnclaimed(e *Explanation, r *envoysim.Result, q *envoysim.Request) {
	if r.Answer != nil && r.Answer.Status == http.StatusMisdirectedRequest && len(r.Host.Origins) > 0 {
		e.Missing = fmt.Sprintf("the connection for %s belongs to another listener than the host %s", q.SNI, q.Authority)
		e.hint(w.at(r.Host.Origins[0]), "has the host "+q.Authority)
		e.Lost = nil // they were not asked
		return
	}
	if len(e.Lost) > 0 {
		e.Missing = fmt.Sprintf("no rule of %s takes %s %s", domainWords(r.Domains[0]), q.Method, r.Target)
		e.Lost = nearest(e.Lost, r.Target)
		return
	}
	e.Missing = "no route serves the host " + q.Authority + " here"
	host := ir.Hostname(strings.ToLower(q.Authority))
	for _, ref := range w.refs(ir.KindHTTPRoute, ir.KindGRPCRoute) {
		if i, name := w.narrowest(ref, host); i >= 0 {
			e.hint(w.source(ir.Origin{Ref: ref}, element("spec.hostnames", i)), "names "+string(name)+" and is not served by this listener")
			w.hintProblems(e, ref, func(string) bool { return true })
		}
	}
	for _, domain := range near(w.Config.Domains(r.Table), string(host)) {
		e.hint(Source{}, "there is a host "+domain)
	}
}

func domainWords(domain string) string {
	if domain == string(ir.AnyHost) {
		return "any host"
	}
	return domain
}

// judgeClaimed says what keeps a rule from doing what its manifest asks for.
func (w *World) judgeClaimed(e *Explanation, r *envoysim.Result) {
	bad := 0.0
	for i := range e.Outcomes {
		o := &e.Outcomes[i]
		if !failed(o) {
			continue
		}
		bad += o.Share
		if o.Backend != nil {
			e.hint(o.Backend.Source, fmt.Sprintf("has no endpoint that is ready (%d draining)", o.Backend.Draining))
		}
	}
	origin := r.Route.Origins[0]
	w.hintProblems(e, origin.Ref, w.within(origin))
	if bad == 0 {
		return
	}
	e.Missing = "the rule cannot send the request to a backend"
	if bad < 1 {
		e.Missing = fmt.Sprintf("the rule cannot send %s of the requests to a backend", envoysim.Percent(bad))
	}
}

// nearest orders rules that do not take a request by how near they come: those that take the path first, then those
// with the most of it.
func nearest(list []Route, target string) []Route {
	path, _, _ := strings.Cut(target, "?")
	score := func(r *Route) int {
		if r.Lost != string(envoysim.LostPath) {
			return 1 << 16
		}
		n := 0
		for word := range strings.FieldsSeq(r.Match) {
			if strings.HasPrefix(word, "/") {
				n = max(n, common(word, path))
			}
		}
		return n
	}
	out := slices.Clone(list)
	slices.SortStableFunc(out, func(a, b Route) int { return score(&b) - score(&a) })
	return out
}

// common counts the characters that two texts begin with.
func common(a, b string) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

// mostNear is how many similar names are worth telling.
const mostNear = 3

// near finds the host names that are most like one.
func near(domains []string, host string) []string {
	type candidate struct {
		name  string
		score int
	}
	var list []candidate
	for _, d := range domains {
		if d == string(ir.AnyHost) || attach.Covers(ir.Hostname(d), ir.Hostname(host)) {
			continue
		}
		list = append(list, candidate{d, common(d, host) + common(reverse(d), reverse(host))})
	}
	slices.SortStableFunc(list, func(a, b candidate) int { return b.score - a.score })
	var out []string
	for _, c := range list[:min(len(list), mostNear)] {
		out = append(out, c.name)
	}
	return out
}

func reverse(s string) string {
	b := []byte(s)
	slices.Reverse(b)
	return string(b)
}
