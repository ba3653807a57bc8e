package xds

import (
	"crypto/sha256"
	"encoding/base32"
	"strings"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	statev3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/common/set_filter_state/v3"
	setstatev3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/set_filter_state/v3"
	matcherv3 "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"

	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// In HTTP/2 a client may send requests for other host names over a connection that it has, as long as the certificate
// carries them (RFC 9113, 9.1.1). The HTTPS listeners of a port share a route table; each connection carries the mark of
// the chain that took it, and a virtual host that belongs to one chain answers those that come by another with 421
// (GEP-3567). So what this costs grows with the hosts, and not with the square of the listeners.

// chainKey is where a connection carries its mark.
const chainKey = "cloverleaf.chain"

// markChain gives the connections of a filter chain its mark. Every chain with TLS has it, so that a further listener on
// the port changes no chain and drains nobody.
func markChain(chain string) *listenerv3.Filter {
	return &listenerv3.Filter{
		Name: "envoy.filters.network.set_filter_state",
		ConfigType: &listenerv3.Filter_TypedConfig{TypedConfig: pack(&setstatev3.Config{
			OnNewConnection: []*statev3.FilterStateValue{{
				Key: &statev3.FilterStateValue_ObjectKey{ObjectKey: chainKey}, FactoryKey: "envoy.string",
				Value: &statev3.FilterStateValue_FormatString{FormatString: &corev3.SubstitutionFormatString{
					Format: &corev3.SubstitutionFormatString_TextFormatSource{TextFormatSource: &corev3.DataSource{
						Specifier: &corev3.DataSource_InlineString{InlineString: markOf(chain)},
					}},
				}},
			}},
		})},
	}
}

// misdirected answers requests that come by another chain. It is the first route of its host.
func misdirected(chain string) *routev3.Route {
	return &routev3.Route{
		Name: "421",
		Match: &routev3.RouteMatch{
			PathSpecifier: &routev3.RouteMatch_Prefix{Prefix: "/"},
			FilterState: []*matcherv3.FilterStateMatcher{{
				Key: chainKey, Matcher: &matcherv3.FilterStateMatcher_StringMatch{
					StringMatch: regexMatcher(&matcherv3.RegexMatcher{Regex: anythingBut(markOf(chain))}),
				},
			}},
		},
		Action: respond(ir.Respond{Status: 421}),
	}
}

// markOf is short: the program of anythingBut grows with it.
func markOf(chain string) string {
	sum := sha256.Sum256([]byte(chain))
	return strings.ToLower(base32.StdEncoding.EncodeToString(sum[:])[:10])
}

// anythingBut is an expression that takes every text but this one of letters and digits: Envoy's matcher of what a
// connection carries has no negation for text, nor has RE2.
func anythingBut(text string) string {
	expr := ".+"
	for i := len(text) - 1; i >= 0; i-- {
		letter := text[i : i+1]
		expr = "(?:[^" + letter + "].*|" + letter + expr + ")?"
	}
	return expr
}
