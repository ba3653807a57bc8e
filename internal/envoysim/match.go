package envoysim

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	typev3 "github.com/envoyproxy/go-control-plane/envoy/type/v3"
)

// pathKind is how a path is compared, the more exact the higher.
type pathKind uint8

const (
	byPrefix pathKind = iota
	byRegex
	byPath
)

func (k pathKind) words() string {
	return [...]string{"a prefix", "a regular expression", "an exact path"}[k]
}

// matcher is a compiled RouteMatch.
type matcher struct {
	kind     pathKind
	path     string // an expression for byRegex
	segments bool   // byPrefix, by whole segments
	regex    *regexp.Regexp
	method   string // of an exact :method header, which ranks by itself
	grpc     bool
	headers  []headerTest
	query    []queryTest
	state    []stateTest // of what the connection carries
	upTo     *share      // nil takes every request
}

// share is a part of all requests: those whose random number is below.
type share struct{ below, of uint64 }

func newShare(p *corev3.RuntimeFractionalPercent) *share {
	if p == nil {
		return nil
	}
	return &share{uint64(p.GetDefaultValue().GetNumerator()), denominator(p.GetDefaultValue().GetDenominator())}
}

func denominator(d typev3.FractionalPercent_DenominatorType) uint64 {
	return [...]uint64{100, 10_000, 1_000_000}[d]
}

func (s *share) takes(random uint64) bool { return s == nil || random%s.of < s.below }

func (s *share) fraction() float64 {
	if s == nil {
		return 1
	}
	return min(float64(s.below)/float64(s.of), 1)
}

const methodHeader = ":method"

func newMatcher(m *routev3.RouteMatch) (*matcher, error) {
	out := &matcher{grpc: m.GetGrpc() != nil, upTo: newShare(m.GetRuntimeFraction())}
	switch p := m.GetPathSpecifier().(type) {
	case *routev3.RouteMatch_Path:
		out.kind, out.path = byPath, p.Path
	case *routev3.RouteMatch_Prefix:
		out.path = p.Prefix
	case *routev3.RouteMatch_PathSeparatedPrefix:
		out.path, out.segments = p.PathSeparatedPrefix, true
	case *routev3.RouteMatch_SafeRegex:
		re, err := fullRegex(p.SafeRegex)
		if err != nil {
			return nil, err
		}
		out.kind, out.path, out.regex = byRegex, p.SafeRegex.GetRegex(), re
	default:
		return nil, fmt.Errorf("path specifier %T is not understood", p)
	}
	for _, h := range m.GetHeaders() {
		t, err := newHeaderTest(h)
		if err != nil {
			return nil, err
		}
		if exact := h.GetStringMatch().GetExact(); t.name == methodHeader && exact != "" && !h.GetStringMatch().GetIgnoreCase() {
			out.method = exact
			continue
		}
		out.headers = append(out.headers, t)
	}
	for _, q := range m.GetQueryParameters() {
		t, err := newQueryTest(q)
		if err != nil {
			return nil, err
		}
		out.query = append(out.query, t)
	}
	for _, f := range m.GetFilterState() {
		t, err := newTest(f.GetStringMatch())
		if err != nil {
			return nil, err
		}
		out.state = append(out.state, stateTest{f.GetKey(), t})
	}
	return out, nil
}

// stateTest compares what the connection carries under a key.
type stateTest struct {
	key  string
	test test
}

// takes tells whether a connection of a chain carries a value that fits; without a value nothing does.
func (t *stateTest) takes(c *chain) bool {
	v, ok := c.state[t.key]
	return ok && t.test.ok(v)
}

// takesPath compares a path without its query.
func (m *matcher) takesPath(path string) bool {
	switch {
	case m.kind == byPath:
		return path == m.path
	case m.kind == byRegex:
		return m.regex.MatchString(path)
	case !strings.HasPrefix(path, m.path):
		return false
	default:
		return !m.segments || len(path) == len(m.path) || path[len(m.path)] == '/'
	}
}

func (m *matcher) takesChain(c *chain) bool {
	return !slices.ContainsFunc(m.state, func(t stateTest) bool { return !t.takes(c) })
}

// try tells whether a request matches, and else the first criterion on which it does not: chain, path, method, gRPC,
// headers, query, share. (Envoy looks in another order; whether all hold does not depend on it.)
func (m *matcher) try(s *stream) (lost Criterion, detail string) {
	switch {
	case !m.takesChain(s.chain):
		return LostChain, "it is for connections that another chain than " + s.chain.part.Name + " took"
	case !m.takesPath(s.path()):
		return LostPath, fmt.Sprintf("path %s is not %s", s.path(), m.pathWords())
	case m.method != "" && m.method != s.method:
		return LostMethod, fmt.Sprintf("method %s is not %s", s.method, m.method)
	case m.grpc && !isGRPC(s.headers):
		return LostGRPC, "the request is not gRPC: its content-type does not say application/grpc"
	}
	for i := range m.headers {
		if ok, why := m.headers[i].try(s); !ok {
			return LostHeader, why
		}
	}
	for i := range m.query {
		if ok, why := m.query[i].try(s); !ok {
			return LostQuery, why
		}
	}
	if !m.upTo.takes(s.random) {
		return LostShare, fmt.Sprintf("only %s of requests", Percent(m.upTo.fraction()))
	}
	return "", ""
}

func isGRPC(h *headerMap) bool {
	rest, ok := strings.CutPrefix(h.first("content-type"), "application/grpc")
	return ok && (rest == "" || rest[0] == '+')
}

func (m *matcher) pathWords() string {
	switch m.kind {
	case byPath:
		return "exactly " + m.path
	case byRegex:
		return "path ~ " + m.path
	default:
		return "below " + m.path
	}
}

// String says what a matcher takes.
func (m *matcher) String() string {
	words := [...]string{"path prefix ", "path regex ", "path exact "}[m.kind] + m.path
	if m.method != "" {
		words = m.method + " " + words
	}
	if m.grpc {
		words += " + gRPC"
	}
	for _, h := range m.headers {
		words += " + header " + h.name + h.test.words
	}
	for _, q := range m.query {
		words += " + query " + q.name + q.test.words
	}
	return words
}

// Percent writes a share without needless zeros.
func Percent(f float64) string {
	text := strings.TrimRight(fmt.Sprintf("%.2f", 100*f), "0")
	return strings.TrimSuffix(text, ".") + "%"
}

// outranks says on which criterion a matcher that also takes a request comes after another (Gateway API,
// HTTPRouteRule.matches). Where none of them decides it is the age or the name of the routes, or the order of rules.
func outranks(winner, loser *matcher) (Criterion, string) {
	switch {
	case winner.kind > loser.kind:
		return LostPathType, loser.kind.words() + " counts less than " + winner.kind.words()
	case winner.kind == loser.kind && len(winner.path) > len(loser.path):
		return LostPathLength, fmt.Sprintf("%s is shorter than %s", loser.path, winner.path)
	case winner.kind < loser.kind || len(winner.path) < len(loser.path):
		return LostOrder, "it stands behind, in spite of its path"
	case winner.method != "" && loser.method == "":
		return LostMethodRank, "it names no method"
	case len(winner.headers) > len(loser.headers):
		return LostHeaderCount, fmt.Sprintf("it matches %d headers, not %d", len(loser.headers), len(winner.headers))
	case len(winner.query) > len(loser.query):
		return LostQueryCount, fmt.Sprintf("it matches %d query parameters, not %d", len(loser.query), len(winner.query))
	default:
		return LostOrder, "it stands behind: its route is younger, its name comes later, or its rule does"
	}
}
