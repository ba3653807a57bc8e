package xds

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"slices"
	"strconv"
	"strings"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	"google.golang.org/protobuf/proto"

	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// part is a share of a rule's requests as a rule of its own.
type part struct {
	suffix string // of the route's name
	weight uint32
	rule   ir.Rule
	pin    string // value of the cookie that keeps sessions on this part; empty without one
}

// parts cuts a rule into shares where one Envoy route cannot say what happens to all of them: an invalid share is
// answered by the proxy, and filters of a backendRef may be more than a weighted cluster carries. The parts are nil when
// one route says it all.
func parts(rule *ir.Rule, a ir.Forward) []part {
	valid := validShares(a.Split)
	if len(valid) > 1 && rule.Features.Session != nil || slices.ContainsFunc(valid, needsRoute) {
		return partEach(rule, a, valid)
	}
	failing := failingPart(rule, a)
	if failing == nil {
		return nil
	}
	var weight uint32
	for _, w := range valid {
		weight += w.Weight
	}
	return []part{*failing, {weight: weight, rule: *rule}}
}

// needsRoute tells whether a backendRef asks for more than a weighted cluster carries.
func needsRoute(w ir.Weighted) bool {
	f := w.Filters()
	return f.Features.CORS != nil || f.Features.Auth != nil || f.Rewrite.Path != nil || len(f.Mirrors) > 0 || f.Redirect != nil
}

func failingPart(rule *ir.Rule, a ir.Forward) *part {
	p := part{suffix: "/invalid", rule: *rule}
	for _, w := range a.Split {
		if w.Invalid {
			p.weight += w.Weight
		}
	}
	if p.weight == 0 {
		return nil
	}
	p.rule.Features, p.rule.Action = ir.Features{}, ir.Respond{Status: a.Failure}
	return &p
}

// partEach makes a part of every backend.
func partEach(rule *ir.Rule, a ir.Forward, valid []ir.Weighted) []part {
	var out []part
	if failing := failingPart(rule, a); failing != nil {
		out = append(out, *failing)
	}
	for _, w := range valid {
		p := part{suffix: "/" + string(w.Backend), weight: w.Weight, rule: *rule}
		own := w.Filters().Features
		p.rule.Features.Headers = joinHeaders(own.Headers, rule.Features.Headers)
		p.rule.Features.CORS = cmp.Or(own.CORS, rule.Features.CORS)
		p.rule.Features.Auth = cmp.Or(own.Auth, rule.Features.Auth)
		if rule.Features.Session != nil && len(valid) > 1 {
			p.pin = pinOf(w.Backend)
		}
		p.rule.Action = single(a, w)
		out = append(out, p)
	}
	return out
}

// single is the action of a share alone. What a backendRef says about the path or host counts before what its rule says.
func single(a ir.Forward, w ir.Weighted) ir.Action {
	own := w.Filters()
	if own.Redirect != nil {
		return *own.Redirect
	}
	if own.Rewrite.Path != nil {
		a.Rewrite.Path = own.Rewrite.Path
	}
	if own.Rewrite.Hostname != "" {
		a.Rewrite.Hostname = own.Rewrite.Hostname
	}
	a.Mirrors = slices.Concat(a.Mirrors, own.Mirrors)
	a.Split = []ir.Weighted{{Weight: 1, Backend: w.Backend}}
	return a
}

func joinHeaders(a, b ir.HeaderEdits) ir.HeaderEdits {
	return ir.HeaderEdits{Request: slices.Concat(a.Request, b.Request), Response: slices.Concat(a.Response, b.Response)}
}

const million = 1_000_000

// fraction is a part of a total in millionths.
func fraction(n, total uint64) uint32 {
	return uint32((n*million + total/2) / total) //nolint:gosec // at most a million
}

// share restricts a match to a share of the requests. Envoy draws one number for a request and compares it with each
// route's fraction, so fractions are cumulative: 30 %, 60 % and the rest for shares of 30, 30 and 40.
func share(match *routev3.RouteMatch, upTo, total uint64) *routev3.RouteMatch {
	if upTo >= total {
		return match
	}
	out := proto.Clone(match).(*routev3.RouteMatch)
	out.RuntimeFraction = &corev3.RuntimeFractionalPercent{DefaultValue: perMillion(fraction(upTo, total))}
	return out
}

// mirrorsWithin sets the fractions of an action's mirrors where the action happens to a share of the requests alone, from
// one millionth to another. Envoy compares the number that chose the share with the mirrors' fractions, too: half of the
// requests of the second half are those from 50 % to 75 %.
func mirrorsWithin(action ir.Action, from, to uint32) ir.Action {
	a, ok := action.(ir.Forward)
	if !ok {
		return action
	}
	a.Mirrors = slices.Clone(a.Mirrors)
	for i := range a.Mirrors {
		m := &a.Mirrors[i]
		m.PerMillion = from + uint32(uint64(to-from)*uint64(m.PerMillion)/million) //nolint:gosec // at most a million
	}
	return a
}

// pinOf is the value of the cookie that keeps a session on a backend.
func pinOf(b ir.BackendName) string {
	sum := sha256.Sum256([]byte(b))
	return hex.EncodeToString(sum[:6])
}

// pinCookie is the name of that cookie.
func pinCookie(s *ir.Session) string { return s.Name + "-backend" }

// pinned restricts a match to requests that carry the cookie of a backend.
func pinned(match *routev3.RouteMatch, s *ir.Session, pin string) *routev3.RouteMatch {
	out := proto.Clone(match).(*routev3.RouteMatch)
	re, err := regex(`(.*;)?\s*` + regexp.QuoteMeta(pinCookie(s)+"="+pin) + `\s*(;.*)?`)
	if err != nil {
		panic(err) // made of quoted text
	}
	out.Headers = append(out.Headers, headerMatcher("cookie", regexMatcher(re)))
	return out
}

// setPin makes an answer set the cookie of a backend.
func setPin(s *ir.Session, pin string) *corev3.HeaderValueOption {
	value := pinCookie(s) + "=" + pin + "; Path=" + s.Path + "; HttpOnly"
	if s.Life > 0 {
		value += "; Max-Age=" + strconv.Itoa(int(s.Life.Seconds()))
	}
	return &corev3.HeaderValueOption{
		Header:       &corev3.HeaderValue{Key: "set-cookie", Value: strings.ReplaceAll(value, "%", "%%")},
		AppendAction: corev3.HeaderValueOption_APPEND_IF_EXISTS_OR_ADD,
	}
}
