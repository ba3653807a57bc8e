// Package filter holds the HTTP filters, one file each, and the table that orders them. It decides which filters a
// listener's chain has and in which order; what a rule says to a filter is per-route configuration.
package filter

import (
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// Filter is an HTTP filter: what stands in every chain, and what a rule adds for itself. A filter that needs a rule's
// word does nothing without one, so that nothing in the listener changes with routes or policies.
type Filter struct {
	// Name is the name in the chain and the key of the per-route configuration.
	Name string
	// Config is the filter's configuration in the chain.
	Config func() *anypb.Any
	// PerRoute returns what a rule with these features says to the filter; nil when it says nothing. A nil func is for
	// filters that no rule speaks to.
	PerRoute func(ir.Features) *anypb.Any
}

// All lists the filters in the order of the chain. It is the only place that does.
func All() []Filter { return []Filter{CORS, Session, Router} }

// Chain returns the HTTP filters of a connection manager.
func Chain() []*hcmv3.HttpFilter {
	var chain []*hcmv3.HttpFilter
	for _, f := range All() {
		chain = append(chain, &hcmv3.HttpFilter{Name: f.Name, ConfigType: &hcmv3.HttpFilter_TypedConfig{TypedConfig: f.Config()}})
	}
	return chain
}

// PerRoute returns the per-route configuration of a rule, by filter name; nil when there is none.
func PerRoute(features ir.Features) map[string]*anypb.Any {
	var configs map[string]*anypb.Any
	for _, f := range All() {
		if f.PerRoute == nil {
			continue
		}
		if config := f.PerRoute(features); config != nil {
			if configs == nil {
				configs = map[string]*anypb.Any{}
			}
			configs[f.Name] = config
		}
	}
	return configs
}
