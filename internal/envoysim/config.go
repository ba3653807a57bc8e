// Package envoysim is Envoy's answer to "what would you do with this request, and why", from the resources that we send
// and nothing else: which listener, filter chain, virtual host and route, what each filter does, and what a backend
// receives. It evaluates what Envoy is told and not the manifests, so that a mistake of the translator shows.
//
// It decides nothing about what should be: that is what its answers are compared with. It knows the part of Envoy that
// we use, lists in [Config.Unknown] whatever else a configuration says, and is held against a real Envoy on random cases
// (conformance/simulation). It is pure: no I/O, no clock, no state.
package envoysim

import (
	"fmt"
	"slices"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	endpointv3 "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"

	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
	"github.com/cloverleaf-mesh/cloverleaf/translator/xds"
)

// Config is what a proxy was told, ready to be asked. It is safe for concurrent use.
type Config struct {
	listeners []*listener
	tables    map[string]*table
	clusters  map[string]*cluster
	unknown   []string
}

// New takes over resources. An error says that Envoy would refuse a resource, or that it says something that is not
// understood and decides what happens.
func New(resources []*ir.Resource) (*Config, error) {
	b := &builder{config: &Config{tables: map[string]*table{}, clusters: map[string]*cluster{}}}
	resources = slices.SortedFunc(slices.Values(resources), func(a, b *ir.Resource) int { return a.ID.Compare(b.ID) })
	for _, r := range resources { // route tables come before their virtual hosts, clusters before endpoints
		if err := b.add(r); err != nil {
			return nil, fmt.Errorf("%s: %w", r.ID, err)
		}
	}
	b.nameChains()
	b.config.unknown = slices.Compact(slices.Sorted(slices.Values(b.config.unknown)))
	return b.config, nil
}

// Unknown lists the fields that are set and that this package does not know, as "type name: field". Their effect is not
// part of any answer.
func (c *Config) Unknown() []string { return c.unknown }

// Binds tells whether a listener is bound to an IP address.
func (c *Config) Binds(address string) bool {
	return slices.ContainsFunc(c.listeners, func(l *listener) bool { return l.address == address })
}

// builder makes a Config.
type builder struct{ config *Config }

// nameChains gives every filter chain, which has no metadata of its own, its objects: of a chain with TLS they are in its
// name; one without has those of its route table.
func (b *builder) nameChains() {
	for _, l := range b.config.listeners {
		for _, c := range l.chains {
			if o := ir.TLSListener(c.table, c.part.Name); c.tls && o != (ir.Origin{}) {
				c.part.Origins = []ir.Origin{o}
			} else if t, ok := b.config.tables[c.table]; ok && !c.tls {
				c.part.Origins = t.origins
			}
		}
	}
}

func (b *builder) add(r *ir.Resource) error {
	message, err := xds.Decode(r)
	if err != nil {
		return err
	}
	for _, field := range unknownFields(message) {
		b.config.unknown = append(b.config.unknown, r.ID.String()+": "+field)
	}
	switch m := message.(type) {
	case *listenerv3.Listener:
		l, err := newListener(m)
		b.config.listeners = append(b.config.listeners, l)
		return err
	case *routev3.RouteConfiguration:
		return b.addTable(m)
	case *routev3.VirtualHost:
		return b.addHost(m)
	case *clusterv3.Cluster:
		c, err := newCluster(m)
		b.config.clusters[m.GetName()] = c
		return err
	case *endpointv3.ClusterLoadAssignment:
		c, ok := b.config.clusters[m.GetClusterName()]
		if !ok {
			return fmt.Errorf("there is no cluster %q", m.GetClusterName())
		}
		c.load(m)
	}
	return nil
}
