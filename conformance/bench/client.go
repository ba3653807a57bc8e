package main

import (
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"

	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
	translate "github.com/cloverleaf-mesh/cloverleaf/translator/xds"
)

type (
	request  = discoveryv3.DeltaDiscoveryRequest
	response = discoveryv3.DeltaDiscoveryResponse
)

// client is a delta client that asks and answers as Envoy does, and takes everything: clusters and listeners first, the
// endpoints and route tables that these name, and all virtual hosts as soon as there is a route table.
type client struct {
	send    func(*request) error
	first   []ir.Type // asked for at once
	started bool
	tables  map[string]bool // subscribed
}

func newClient(send func(*request) error) *client {
	return &client{send: send, first: []ir.Type{ir.TypeCluster, ir.TypeListener}, tables: map[string]bool{}}
}

// start opens the conversation.
func (c *client) start() error {
	for _, t := range c.first {
		if err := c.send(&request{Node: &corev3.Node{Id: "bench"}, TypeUrl: translate.TypeURL(t)}); err != nil {
			return err
		}
	}
	return nil
}

// run opens the conversation and takes messages until there is an error.
func (c *client) run(recv func() (*response, error)) error {
	if err := c.start(); err != nil {
		return err
	}
	for {
		m, err := recv()
		if err != nil {
			return err
		}
		if err := c.take(m); err != nil {
			return err
		}
	}
}

// take answers a message, and asks for what it names.
func (c *client) take(m *response) error {
	if err := c.send(&request{TypeUrl: m.GetTypeUrl(), ResponseNonce: m.GetNonce()}); err != nil {
		return err
	}
	switch m.GetTypeUrl() {
	case translate.TypeURL(ir.TypeCluster):
		return c.clusters(m)
	case translate.TypeURL(ir.TypeListener):
		return c.listeners(m)
	default:
		return nil
	}
}

func (c *client) clusters(m *response) error {
	if len(m.GetResources())+len(m.GetRemovedResources()) == 0 {
		return nil
	}
	q := &request{TypeUrl: translate.TypeURL(ir.TypeEndpoints), ResourceNamesUnsubscribe: m.GetRemovedResources()}
	for _, r := range m.GetResources() {
		q.ResourceNamesSubscribe = append(q.ResourceNamesSubscribe, r.GetName())
	}
	return c.send(q)
}

func (c *client) listeners(m *response) error {
	for _, r := range m.GetResources() {
		names, err := tablesOf(r)
		if err != nil {
			return err
		}
		for _, name := range names {
			if c.tables[name] {
				continue
			}
			c.tables[name] = true
			if err := c.send(&request{TypeUrl: translate.TypeURL(ir.TypeRouteTable), ResourceNamesSubscribe: []string{name}}); err != nil {
				return err
			}
		}
	}
	if c.started || len(c.tables) == 0 {
		return nil
	}
	c.started = true
	return c.send(&request{TypeUrl: translate.TypeURL(ir.TypeVirtualHost)})
}

// tablesOf finds the route tables that a listener's connection managers name.
func tablesOf(r *discoveryv3.Resource) ([]string, error) {
	var l listenerv3.Listener
	if err := r.GetResource().UnmarshalTo(&l); err != nil {
		return nil, err
	}
	var names []string
	for _, chain := range l.GetFilterChains() {
		for _, f := range chain.GetFilters() {
			var m hcmv3.HttpConnectionManager
			if f.GetTypedConfig().MessageIs(&m) {
				if err := f.GetTypedConfig().UnmarshalTo(&m); err != nil {
					return nil, err
				}
				names = append(names, m.GetRds().GetRouteConfigName())
			}
		}
	}
	return names, nil
}
