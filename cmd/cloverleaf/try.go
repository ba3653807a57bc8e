package main

import (
	"net"
	"slices"
	"strconv"
	"strings"

	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/cloverleaf-mesh/cloverleaf/controller/source/manifest"
	"github.com/cloverleaf-mesh/cloverleaf/translator"
	"github.com/cloverleaf-mesh/cloverleaf/translator/attach"
	"github.com/cloverleaf-mesh/cloverleaf/translator/input"
	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// mostTries is how many routes get a line to try.
const mostTries = 10

func sortPlaces(problems []manifest.Problem) { slices.SortStableFunc(problems, comparePlaces) }

// try is a command that a route answers through one listener.
type try struct {
	listener attach.ListenerKey
	command  string
}

// linesToTry writes curl commands for each of the first routes, one for each listener that it attaches to.
func (r *reporter) linesToTry(e *translator.Evaluator) [][]try {
	refs := make([]ir.Ref, 0, len(r.objects))
	for ref := range r.objects {
		if input.IsRoute(ref.Kind) {
			refs = append(refs, ref)
		}
	}
	slices.SortFunc(refs, ir.Ref.Compare)
	var tries [][]try
	for _, ref := range refs {
		if len(tries) == mostTries {
			break
		}
		if ways := r.waysTo(ref, e.AttachedTo(ref)); len(ways) > 0 {
			tries = append(tries, ways)
		}
	}
	return tries
}

// waysTo writes a command for each listener of a route; none when no simple request can be written for it.
func (r *reporter) waysTo(ref ir.Ref, listeners []attach.ListenerKey) []try {
	var ways []try
	for _, key := range listeners {
		door := r.doors.find(key)
		if door == nil {
			continue
		}
		switch route := r.objects[ref].Value.(type) {
		case *gwv1.HTTPRoute:
			if match, ok := simpleMatch(route); ok {
				ways = append(ways, try{key, r.curl(door, route, match)})
			}
		case *gwv1.GRPCRoute:
			ways = append(ways, try{key, grpcurl(door, route)})
		}
	}
	return ways
}

// announceTries prints a command for each of the first routes, as soon as there is one.
func (r *reporter) announceTries() {
	var commands []string
	for _, ways := range r.tries {
		i := slices.IndexFunc(ways, func(w try) bool {
			door := r.doors.find(w.listener)
			return door != nil && !r.doors.refused[door.Name]
		})
		if i >= 0 {
			commands = append(commands, ways[i].command)
		}
	}
	if r.tried || len(commands) == 0 {
		return
	}
	r.tried = true
	r.say("try", map[string]any{"commands": commands}, "try\n  %s", strings.Join(commands, "\n  "))
}

// curl writes a request that a route takes through a listener.
func (r *reporter) curl(d *translator.Entrance, route *gwv1.HTTPRoute, match gwv1.HTTPRouteMatch) string {
	host, port, path := hostFor(d, route.Spec.Hostnames), strconv.Itoa(int(d.Port)), pathFor(match)
	words := append([]string{"curl"}, requestWords(match, path)...)
	local := host == "localhost" || strings.HasSuffix(host, ".localhost")
	switch {
	case d.TLS:
		if r.caFile != "" {
			words = append(words, "--cacert", quote(r.caFile))
		} else {
			words = append(words, "-k")
		}
		if d.Proof {
			words = append(words, "--cert", "CLIENT.pem", "--key", "CLIENT.key")
		}
		if host == "" {
			host = d.Address
		} else if host != "localhost" {
			words = append(words, "--resolve", host+":"+port+":"+d.Address)
		}
		words = append(words, quote("https://"+net.JoinHostPort(host, port)+path))
	case local:
		words = append(words, quote("http://"+net.JoinHostPort(host, port)+path))
	default:
		if host != "" {
			words = append(words, "-H", quote("Host: "+host))
		}
		words = append(words, quote("http://"+net.JoinHostPort(d.Address, port)+path))
	}
	return strings.Join(words, " ")
}

// requestWords writes what a match asks for besides host and path.
func requestWords(match gwv1.HTTPRouteMatch, path string) []string {
	var words []string
	switch {
	case match.Method == nil || *match.Method == gwv1.HTTPMethodGet:
	case *match.Method == gwv1.HTTPMethodHead:
		words = append(words, "--head") // with -X curl waits for a body
	default:
		words = append(words, "-X", string(*match.Method))
	}
	for _, h := range match.Headers {
		words = append(words, "-H", quote(string(h.Name)+": "+h.Value))
	}
	if strings.ContainsAny(path, "[]{}") {
		words = append(words, "-g") // or curl takes them for a range
	}
	return words
}

// hostFor finds a name that both listener and route take; empty for any.
func hostFor(d *translator.Entrance, hostnames []gwv1.Hostname) string {
	for _, h := range hostnames {
		if common, ok := attach.Intersect(ir.Hostname(strings.ToLower(string(h))), d.Hostname); ok {
			return strings.Replace(string(common), "*", "www", 1)
		}
	}
	if d.Hostname == ir.AnyHost {
		return ""
	}
	return strings.Replace(string(d.Hostname), "*", "www", 1)
}

// grpcurl writes a call that a route takes through a listener. The server must offer reflection, or the caller must have
// its .proto files.
func grpcurl(d *translator.Entrance, route *gwv1.GRPCRoute) string {
	words := []string{"grpcurl"}
	if d.TLS {
		words = append(words, "-insecure")
		if d.Proof {
			words = append(words, "-cert", "CLIENT.pem", "-key", "CLIENT.key")
		}
	} else {
		words = append(words, "-plaintext")
	}
	if host := hostFor(d, route.Spec.Hostnames); host != "" {
		words = append(words, "-authority", host)
	}
	words = append(words, net.JoinHostPort(d.Address, strconv.Itoa(int(d.Port))))
	for _, rule := range route.Spec.Rules {
		for _, m := range rule.Matches {
			exact := m.Method != nil && (m.Method.Type == nil || *m.Method.Type == gwv1.GRPCMethodMatchExact)
			if exact && m.Method.Service != nil && m.Method.Method != nil {
				return strings.Join(append(words, *m.Method.Service+"/"+*m.Method.Method), " ")
			}
		}
	}
	return strings.Join(append(words, "list"), " ")
}

// simpleMatch finds a match of a route that one request can be written for.
func simpleMatch(route *gwv1.HTTPRoute) (gwv1.HTTPRouteMatch, bool) {
	for _, rule := range route.Spec.Rules {
		for _, m := range rule.Matches {
			if simple(m) {
				return m, true
			}
		}
		if len(rule.Matches) == 0 {
			return gwv1.HTTPRouteMatch{}, true
		}
	}
	return gwv1.HTTPRouteMatch{}, false
}

// simple tells whether a match names a request: a regular expression does not, nor does a query that cannot stand in a
// URL as it is (Envoy compares it undecoded).
func simple(m gwv1.HTTPRouteMatch) bool {
	if m.Path != nil && m.Path.Type != nil && *m.Path.Type == gwv1.PathMatchRegularExpression {
		return false
	}
	for _, h := range m.Headers {
		if h.Type != nil && *h.Type == gwv1.HeaderMatchRegularExpression {
			return false
		}
	}
	for _, q := range m.QueryParams {
		outside := func(r rune) bool { return r <= ' ' || r >= 0x7f || r == '#' || r == '&' }
		if q.Type != nil && *q.Type == gwv1.QueryParamMatchRegularExpression || strings.ContainsFunc(string(q.Name)+q.Value, outside) {
			return false
		}
	}
	return true
}

func pathFor(m gwv1.HTTPRouteMatch) string {
	path := "/"
	if m.Path != nil && m.Path.Value != nil {
		path = *m.Path.Value
	}
	separator := "?"
	for _, q := range m.QueryParams {
		path += separator + string(q.Name) + "=" + q.Value
		separator = "&"
	}
	return path
}

// quote writes a word for a shell.
func quote(word string) string {
	if !strings.ContainsAny(word, " \t\"'$&?*;|<>()[]{}\\`!#~") {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
