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

// linesToTry writes a curl command for each of the first routes: one request that its first match takes.
func (r *reporter) linesToTry(e *translator.Evaluator) []string {
	refs := make([]ir.Ref, 0, len(r.objects))
	for ref := range r.objects {
		if input.IsRoute(ref.Kind) {
			refs = append(refs, ref)
		}
	}
	slices.SortFunc(refs, ir.Ref.Compare)
	var lines []string
	for _, ref := range refs {
		if len(lines) == mostTries {
			break
		}
		for _, key := range e.AttachedTo(ref) {
			door := r.door(key)
			if door == nil {
				continue
			}
			switch route := r.objects[ref].Value.(type) {
			case *gwv1.HTTPRoute:
				lines = append(lines, r.curl(door, route))
			case *gwv1.GRPCRoute:
				lines = append(lines, grpcurl(door, route))
			}
			break
		}
	}
	return lines
}

func (r *reporter) door(key attach.ListenerKey) *translator.Entrance {
	for i := range r.doors {
		if r.doors[i].Listener == key {
			return &r.doors[i]
		}
	}
	return nil
}

// curl writes a request that a route takes through a listener.
func (r *reporter) curl(d *translator.Entrance, route *gwv1.HTTPRoute) string {
	host := hostFor(d, route.Spec.Hostnames)
	words := []string{"curl"}
	match := firstMatch(route)
	if match.Method != nil && *match.Method != gwv1.HTTPMethodGet {
		words = append(words, "-X", string(*match.Method))
	}
	for _, h := range match.Headers {
		if h.Type == nil || *h.Type == gwv1.HeaderMatchExact {
			words = append(words, "-H", quote(string(h.Name)+": "+h.Value))
		}
	}
	port := strconv.Itoa(int(d.Port))
	path := pathFor(match)
	local := host == "" || host == "localhost" || strings.HasSuffix(host, ".localhost")
	switch {
	case d.TLS:
		if r.caFile != "" {
			words = append(words, "--cacert", quote(r.caFile))
		} else {
			words = append(words, "-k")
		}
		if host == "" {
			host = d.Address
		} else if host != "localhost" {
			words = append(words, "--resolve", host+":"+port+":"+d.Address)
		}
		words = append(words, quote("https://"+net.JoinHostPort(host, port)+path))
	case local && host != "":
		words = append(words, quote("http://"+net.JoinHostPort(host, port)+path))
	default:
		if host != "" {
			words = append(words, "-H", quote("Host: "+host))
		}
		words = append(words, quote("http://"+net.JoinHostPort(d.Address, port)+path))
	}
	return strings.Join(words, " ")
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

func firstMatch(route *gwv1.HTTPRoute) gwv1.HTTPRouteMatch {
	for _, rule := range route.Spec.Rules {
		for _, m := range rule.Matches {
			return m
		}
	}
	return gwv1.HTTPRouteMatch{}
}

func pathFor(m gwv1.HTTPRouteMatch) string {
	path := "/"
	if m.Path != nil && m.Path.Value != nil && (m.Path.Type == nil || *m.Path.Type != gwv1.PathMatchRegularExpression) {
		path = *m.Path.Value
	}
	separator := "?"
	for _, q := range m.QueryParams {
		if q.Type == nil || *q.Type == gwv1.QueryParamMatchExact {
			path += separator + string(q.Name) + "=" + q.Value
			separator = "&"
		}
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
