package route

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
	"time"

	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/cloverleaf-mesh/cloverleaf/internal/memo"
	"github.com/cloverleaf-mesh/cloverleaf/translator/attach"
	"github.com/cloverleaf-mesh/cloverleaf/translator/finding"
	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// lowering collects the rules of one route. What kinds of routes have in common is read in the shape of an HTTPRoute;
// only matches differ.
type lowering struct {
	c       *memo.Ctx
	route   ir.Ref
	failure uint32 // status of the answer where there is nowhere to send a request
	out     Lowered

	index   int    // of the rule at hand
	at      string // its path
	dropped bool   // whether it is not served as asked
}

// numbered is a match with its place in the rule.
type numbered struct {
	index int
	match ir.Match
}

// matchesOf reads the matches of a rule; a rule without any takes everything. Those that cannot be read are left out.
func matchesOf[M any](matches []M, read func(int, *M) (ir.Match, bool)) []numbered {
	if len(matches) == 0 {
		matches = make([]M, 1)
	}
	var out []numbered
	for i := range matches {
		if m, ok := read(i, &matches[i]); ok {
			out = append(out, numbered{i, m})
		}
	}
	return out
}

// begin turns to the next rule.
func (l *lowering) begin(index int) {
	l.index, l.at, l.dropped = index, finding.Element("spec.rules", index), false
}

// drop reports that the rule at hand is not served as asked.
func (l *lowering) drop(code finding.Code, sub string, args ...any) {
	l.dropped = true
	l.leaveOut(code, sub, args...)
}

// leaveOut reports that a part of the rule at hand is left out: the rest is served as asked.
func (l *lowering) leaveOut(code finding.Code, sub string, args ...any) {
	l.out.Problems = append(l.out.Problems, finding.Under(
		finding.PartiallyInvalid, gwv1.RouteReasonUnsupportedValue, finding.New(code, l.route, l.at+sub, args...)))
}

// fail is the action of a rule that cannot send requests anywhere.
func (l *lowering) fail() ir.Action { return ir.Respond{Status: l.failure} }

// rule lowers the rule at hand: one rule of the IR for each match.
func (l *lowering) rule(rule *gwv1.HTTPRouteRule, matches []numbered) {
	section := strconv.Itoa(l.index)
	if rule.Name != nil {
		section = string(*rule.Name)
	}
	action, features := l.action(rule)
	l.dropped = l.dropped || len(matches) == 0 // each of its matches was left out
	for _, m := range matches {
		r := ir.Rule{
			Name: l.route.String() + "/" + section + "/" + strconv.Itoa(m.index), Origin: ir.Origin{Ref: l.route, Section: section},
			Match: m.match, Features: features, Action: l.withPrefix(action, m.match),
		}
		if l.dropped {
			r.Action, r.Features = l.fail(), ir.Features{}
		}
		l.out.Rules = append(l.out.Rules, r)
	}
	l.out.Total++
	if l.dropped {
		l.out.Dropped++
	}
}

// action decides what a rule does, before it is known which prefix a match gives to a path edit.
func (l *lowering) action(rule *gwv1.HTTPRouteRule) (ir.Action, ir.Features) {
	f := l.filters(".filters", rule.Filters)
	timeouts := l.timeouts(rule.Timeouts)
	retry := l.retry(rule.Retry)
	if f.redirect == nil {
		f.features.Session = l.session(rule)
	}
	switch {
	case l.dropped:
		return l.fail(), ir.Features{}
	case f.redirect != nil:
		return *f.redirect, f.features
	}
	forward := ir.Forward{
		Split: l.split(rule.BackendRefs), Failure: l.failure, Rewrite: f.rewrite, Mirrors: f.mirrors, Timeout: timeouts, Retry: retry,
	}
	if f.features.Auth != nil && slices.ContainsFunc(forward.Split, func(w ir.Weighted) bool { return w.Filters().Features.Auth != nil }) {
		l.drop(finding.RuleFilters, ".backendRefs", "a rule and its backendRefs cannot both ask an authorization server")
		return l.fail(), ir.Features{}
	}
	if !sendsAnything(forward.Split) {
		l.explainNothing(rule)
		return l.fail(), f.features
	}
	return forward, f.features
}

func sendsAnything(split []ir.Weighted) bool {
	for _, w := range split {
		if w.Weight > 0 && !w.Invalid {
			return true
		}
	}
	return false
}

func (l *lowering) explainNothing(rule *gwv1.HTTPRouteRule) {
	switch {
	case len(rule.BackendRefs) == 0:
		l.note(finding.RuleNoBackend, "")
	case allZero(rule.BackendRefs):
		l.note(finding.BackendWeights, ".backendRefs")
	}
}

func allZero(refs []gwv1.HTTPBackendRef) bool {
	for i := range refs {
		if refs[i].Weight == nil || *refs[i].Weight != 0 {
			return false
		}
	}
	return true
}

// note reports something that no condition carries.
func (l *lowering) note(code finding.Code, sub string, args ...any) {
	l.out.Problems = append(l.out.Problems, finding.Problem{Finding: finding.New(code, l.route, l.at+sub, args...)})
}

// retry reads when requests are sent again.
func (l *lowering) retry(r *gwv1.HTTPRouteRetry) ir.Retry {
	if r == nil {
		return ir.Retry{}
	}
	out := ir.Retry{Attempts: 1, Backoff: l.duration(".retry.backoff", r.Backoff)}
	if r.Attempts != nil {
		out.Attempts = uint32(max(*r.Attempts, 0)) //nolint:gosec // not negative
	}
	if out.Attempts == 0 {
		return ir.Retry{}
	}
	for _, code := range r.Codes {
		out.Codes = append(out.Codes, uint32(code)) //nolint:gosec // the schema bounds codes
	}
	slices.Sort(out.Codes)
	out.Codes = slices.Compact(out.Codes)
	return out
}

// isCookiePath tells whether a text can be a cookie's path (RFC 6265, 4.1.1): a semicolon would begin another attribute.
func isCookiePath(path string) bool {
	odd := func(r rune) bool { return r <= ' ' || r > '~' || r == ';' }
	return strings.HasPrefix(path, "/") && !strings.ContainsFunc(path, odd)
}

// session reads how sessions are kept on a backend. What the proxy cannot keep is refused: a session that is lost now
// and then is worse than none.
func (l *lowering) session(rule *gwv1.HTTPRouteRule) *ir.Session {
	p := rule.SessionPersistence
	if p == nil {
		return nil
	}
	const at = ".sessionPersistence"
	if p.Type != nil && *p.Type == gwv1.HeaderBasedSessionPersistence {
		if p.AbsoluteTimeout != nil {
			l.drop(finding.RuleUnsupported, at+".absoluteTimeout", "absoluteTimeout of a session that is kept by a header")
		}
		if len(rule.BackendRefs) > 1 {
			l.drop(finding.RuleUnsupported, at, "session persistence by a header with several backends")
		}
		if p.Header == nil {
			return nil
		}
		if slices.Contains(untouchable, strings.ToLower(string(p.Header.Name))) {
			l.drop(finding.RuleHeader, at+".header.name", p.Header.Name)
		}
		return &ir.Session{Type: ir.SessionHeader, Name: string(p.Header.Name)}
	}
	s := &ir.Session{Name: l.cookieName(), Path: "/"}
	c := p.Cookie
	if c == nil {
		c = &gwv1.CookieConfig{}
	}
	if c.Name != nil {
		s.Name = string(*c.Name)
	}
	if c.Path != nil {
		s.Path = *c.Path
	}
	if !isCookiePath(s.Path) {
		l.drop(finding.RuleUnsupported, at+".cookie.path", "the cookie path "+strconv.Quote(s.Path))
	}
	switch {
	case c.LifetimeType != nil && *c.LifetimeType == gwv1.PermanentCookieLifetimeType:
		s.Life = l.duration(at+".absoluteTimeout", p.AbsoluteTimeout)
	case p.AbsoluteTimeout != nil:
		l.drop(finding.RuleUnsupported, at+".absoluteTimeout", "absoluteTimeout of a cookie with lifetimeType Session")
	}
	return s
}

// cookieName makes a cookie's name that no other rule has and that stays the same.
func (l *lowering) cookieName() string {
	sum := sha256.Sum256([]byte(l.route.String() + "/" + l.at))
	return "cloverleaf-" + hex.EncodeToString(sum[:6])
}

func (l *lowering) timeouts(t *gwv1.HTTPRouteTimeouts) ir.Timeouts {
	if t == nil {
		return ir.Timeouts{}
	}
	out := ir.Timeouts{Request: l.duration(".timeouts.request", t.Request), Backend: l.duration(".timeouts.backendRequest", t.BackendRequest)}
	if out.Request > 0 && out.Backend > out.Request {
		l.drop(finding.RuleTimeouts, ".timeouts.backendRequest", "backendRequest is longer than request")
	}
	return out
}

// duration reads a Gateway API duration (GEP-2257), which is a subset of Go's.
func (l *lowering) duration(sub string, d *gwv1.Duration) time.Duration {
	if d == nil {
		return 0
	}
	v, err := time.ParseDuration(string(*d))
	if err != nil {
		l.drop(finding.RuleTimeouts, sub, "the duration "+strconv.Quote(string(*d))+" cannot be read")
	}
	return v
}

// split resolves the backends of a rule. One that cannot be reached keeps its share, which is answered with 500.
func (l *lowering) split(refs []gwv1.HTTPBackendRef) []ir.Weighted {
	split := make([]ir.Weighted, 0, len(refs))
	for i := range refs {
		ref := &refs[i]
		w := ir.Weighted{Weight: 1}
		if ref.Weight != nil {
			w.Weight = uint32(*ref.Weight) //nolint:gosec // the schema bounds weights
		}
		sub := finding.Element(".backendRefs", i)
		w.Backend = l.destination(sub, attach.NewBackendRef(l.route, ref.BackendObjectReference))
		f, ok := l.backendFilters(sub, ref.Filters)
		if len(ref.Filters) > 0 {
			w.Own = &ir.Filters{Features: f.features, Rewrite: f.rewrite, Mirrors: f.mirrors, Redirect: f.redirect}
		}
		if w.Backend == "" || !ok {
			w = ir.Weighted{Weight: w.Weight, Invalid: true}
		}
		split = append(split, w)
	}
	return split
}

// destination returns the backend of a reference, or "" after reporting why there is none.
func (l *lowering) destination(sub string, ref attach.BackendRef) ir.BackendName {
	d := attach.DestinationOf.Get(l.c, ref)
	if d.Note != nil {
		l.note(d.Note.Code, sub, d.Note.Args...)
	}
	if d.Fault != nil {
		l.out.Problems = append(l.out.Problems, finding.Under(
			finding.ResolvedRefs, d.Fault.Reason, finding.New(d.Fault.Code, l.route, l.at+sub, d.Fault.Args...)))
	}
	return d.Backend
}
