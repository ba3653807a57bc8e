package filter

import (
	"regexp"
	"strconv"
	"strings"

	corsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/cors/v3"
	matcherv3 "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// CORS answers preflight requests, and lets browsers of allowed origins read answers.
var CORS = Filter{
	Name:   "envoy.filters.http.cors",
	Config: func() proto.Message { return &corsv3.Cors{} },
	PerRoute: func(f ir.Features) proto.Message {
		if f.CORS == nil {
			return nil
		}
		return corsPolicy(f.CORS)
	},
}

func wildcard(list []string) bool { return len(list) == 1 && list[0] == "*" }

// corsPolicy says a policy as Envoy does. Envoy answers a wildcard with what the request asks for, which is right with
// credentials and without (Gateway API, HTTPCORSFilter.allowMethods); only exposeHeaders it passes on. A preflight of another origin is answered without the headers that would
// allow it, and never reaches the backend.
func corsPolicy(c *ir.CORS) *corsv3.CorsPolicy {
	p := &corsv3.CorsPolicy{
		AllowMethods: strings.Join(c.Methods, ", "), AllowHeaders: strings.Join(c.Headers, ", "),
		MaxAge: strconv.Itoa(int(c.MaxAge)), ForwardNotMatchingPreflights: wrapperspb.Bool(false),
	}
	if c.Credentials {
		p.AllowCredentials = wrapperspb.Bool(true)
	}
	if expose := c.Expose; !c.Credentials || !wildcard(expose) {
		p.ExposeHeaders = strings.Join(expose, ", ")
	}
	for _, o := range c.Origins {
		p.AllowOriginStringMatch = append(p.AllowOriginStringMatch, originMatcher(o))
	}
	return p
}

// originMatcher compares an Origin header. Browsers leave out the default port of a scheme.
func originMatcher(origin string) *matcherv3.StringMatcher {
	scheme, host, _ := strings.Cut(origin, "://")
	switch {
	case origin == "*":
		return regexMatcher(".*")
	case scheme == "http":
		host = strings.TrimSuffix(host, ":80")
	case scheme == "https":
		host = strings.TrimSuffix(host, ":443")
	}
	if !strings.Contains(host, "*") {
		return &matcherv3.StringMatcher{MatchPattern: &matcherv3.StringMatcher_Exact{Exact: scheme + "://" + host}, IgnoreCase: true}
	}
	// A wildcard stands for labels, never for a port or a user; alone it stands for any host and port.
	pattern := strings.ReplaceAll(regexp.QuoteMeta(host), `\*`, `[^/:@]+`)
	if host == "*" {
		pattern += `(:[0-9]+)?`
	}
	return regexMatcher("(?i)" + regexp.QuoteMeta(scheme+"://") + pattern)
}

func regexMatcher(expr string) *matcherv3.StringMatcher {
	return &matcherv3.StringMatcher{MatchPattern: &matcherv3.StringMatcher_SafeRegex{SafeRegex: &matcherv3.RegexMatcher{Regex: expr}}}
}
