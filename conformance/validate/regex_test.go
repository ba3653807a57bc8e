package validate

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode"

	bootstrapv3 "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	matcherv3 "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"

	"github.com/cloverleaf-mesh/cloverleaf/internal/re2"
	"github.com/cloverleaf-mesh/cloverleaf/internal/worldgen"
	"github.com/cloverleaf-mesh/cloverleaf/translator/input"
)

// expressions puts regular expressions into the routes of one listener.
func expressions(t *testing.T) func([]string) *bootstrapv3.Bootstrap {
	t.Helper()
	base := translate(t, "base", settings(input.On), worldgen.Base(pairs(t)[0]))[0]
	base.listeners = []*listenerv3.Listener{base.listeners[0]}
	return func(list []string) *bootstrapv3.Bootstrap {
		host := &routev3.VirtualHost{Name: "all", Domains: []string{"*"}}
		for _, expr := range list {
			host.Routes = append(host.Routes, &routev3.Route{
				Match: &routev3.RouteMatch{PathSpecifier: &routev3.RouteMatch_SafeRegex{
					SafeRegex: &matcherv3.RegexMatcher{Regex: expr},
				}},
				Action: &routev3.Route_DirectResponse{DirectResponse: &routev3.DirectResponseAction{Status: 200}},
			})
		}
		w := base
		w.hosts = map[string][]*routev3.VirtualHost{}
		for table := range base.tables {
			w.hosts[table] = []*routev3.VirtualHost{host}
		}
		return static([]world{w})
	}
}

// TestEnvoyTakesWhatTheCheckLetsThrough tries random expressions, and some that come close to the limit of size.
func TestEnvoyTakesWhatTheCheckLetsThrough(t *testing.T) {
	maker := &worldgen.Maker{Choose: worldgen.Seeded{Rand: rand.New(rand.NewPCG(9, 27))}}
	var list []string
	refusals := 0
	for len(list) < 3000 {
		if expr := maker.Regex(); re2.Check(expr) == nil {
			list = append(list, expr)
		} else {
			refusals++
		}
	}
	for _, piece := range []string{"a", ".", "[a-z]?", "(?i)k*", `(a|[^\pL])`, `\w+`, "(?:a{3,9})", `\bx*`} {
		n := 1
		for re2.Check(strings.Repeat(piece, n+1)) == nil {
			n++
		}
		list = append(list, strings.Repeat(piece, n))
	}
	for _, r := range refused(t, list, expressions(t)) {
		t.Errorf("%.100q passes the check: %v", r.thing, r.err)
	}
	fmt.Printf("evidence: Envoy takes %d regular expressions that pass the check (%d others did not pass)\n", len(list), refusals)
}

// TestTheCheckKnowsEnvoysClassesOfCharacters tries every class that Go knows.
func TestTheCheckKnowsEnvoysClassesOfCharacters(t *testing.T) {
	names := []string{"Any", "ASCII", "Assigned", "Letter", "greek"}
	for name := range unicode.Categories {
		names = append(names, name)
	}
	for name := range unicode.Scripts {
		names = append(names, name)
	}
	put := expressions(t)
	var taken []string
	for _, name := range names {
		expr := `/[\p{` + name + `}]`
		if re2.Check(expr) == nil {
			taken = append(taken, expr)
		} else if envoyTakes(t, put([]string{expr})) == nil {
			t.Errorf("Envoy takes %s and the check does not", expr)
		}
	}
	for _, r := range refused(t, taken, put) {
		t.Errorf("%s passes the check: %v", r.thing, r.err)
	}
}
