package xds

import (
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
	"github.com/cloverleaf-mesh/cloverleaf/translator/xds/filter"
)

// httpFilters is the chain of a connection manager.
func httpFilters(logged bool) []*hcmv3.HttpFilter {
	filters := filter.All()
	if logged {
		filters = append([]filter.Filter{filter.Requested}, filters...)
	}
	var chain []*hcmv3.HttpFilter
	for _, f := range filters {
		chain = append(chain, &hcmv3.HttpFilter{
			Name: f.Name, Disabled: f.Disabled, ConfigType: &hcmv3.HttpFilter_TypedConfig{TypedConfig: pack(f.Config())},
		})
	}
	return chain
}

// perRoute is what a rule says to the filters, by their names; nil when it says nothing.
func perRoute(features ir.Features) map[string]*anypb.Any {
	var configs map[string]*anypb.Any
	for _, f := range filter.All() {
		if f.PerRoute == nil {
			continue
		}
		if config := f.PerRoute(features); config != nil {
			if configs == nil {
				configs = map[string]*anypb.Any{}
			}
			configs[f.Name] = pack(config)
		}
	}
	return configs
}
