package translator

import (
	"fmt"
	"slices"

	"github.com/cloverleaf-mesh/cloverleaf/internal/memo"
	"github.com/cloverleaf-mesh/cloverleaf/translator/attach"
	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
	"github.com/cloverleaf-mesh/cloverleaf/translator/xds"
)

// ResourceKey names a resource by the objects that it is made of, as queries need it. Which fields are set depends on
// the type: Table for listeners (its PortKey), route tables and virtual hosts (with Host), Backend for clusters and
// endpoints, Secret for secrets.
type ResourceKey struct {
	Type    ir.Type
	Table   TableKey
	Host    ir.Hostname
	Backend ir.BackendName
	Secret  ir.Name
}

// ID returns the name that Envoy knows the resource by.
func (k ResourceKey) ID() ir.ResourceID {
	var name string
	switch k.Type {
	case ir.TypeListener:
		name = string(k.Table.PortKey.Name())
	case ir.TypeRouteTable:
		name = string(k.Table.Name())
	case ir.TypeVirtualHost:
		name = HostKey{k.Table, k.Host}.Name().String()
	case ir.TypeCluster, ir.TypeEndpoints:
		name = string(k.Backend)
	case ir.TypeSecret:
		name = string(ir.SecretOf(k.Secret))
	case ir.TypeCount:
	}
	return ir.ResourceID{Type: k.Type, Name: name}
}

func compareKeys(a, b ResourceKey) int { return a.ID().Compare(b.ID()) }

// Encoded is a resource, or why there is none.
type Encoded struct {
	Resource *ir.Resource
	// Fault is what Envoy would say. It is a bug of the translator: mistakes of users are found before.
	Fault string
}

func sameEncoded(a, b Encoded) bool {
	if a.Resource == nil || b.Resource == nil || a.Fault != b.Fault {
		return a == b
	}
	return a.Resource.Version == b.Resource.Version && slices.Equal(a.Resource.Needs, b.Resource.Needs)
}

// ResourceOf encodes a resource.
var ResourceOf = memo.NewQuery("ResourceOf", func(c *memo.Ctx, key ResourceKey) Encoded {
	r, err := encode(c, key)
	if err != nil {
		return Encoded{Fault: err.Error()}
	}
	return Encoded{Resource: r}
}, sameEncoded).Recovering(func(_ ResourceKey, panicked any) Encoded {
	return Encoded{Fault: fmt.Sprint(panicked)}
})

func encode(c *memo.Ctx, key ResourceKey) (*ir.Resource, error) {
	switch key.Type {
	case ir.TypeListener:
		return xds.Listener(listenerOf.Get(c, key.Table.PortKey))
	case ir.TypeRouteTable:
		return xds.RouteTable(routeTableOf(c, key.Table))
	case ir.TypeVirtualHost:
		return xds.VirtualHost(VirtualHostOf.Get(c, HostKey{key.Table, key.Host}))
	case ir.TypeCluster:
		if b := attach.BackendOf.Get(c, key.Backend); b != nil {
			return xds.Cluster(*b)
		}
	case ir.TypeEndpoints:
		return xds.Endpoints(attach.EndpointsOf.Get(c, key.Backend))
	case ir.TypeSecret:
		if p := attach.KeyPairOf.Get(c, key.Secret); p.Chain != "" {
			return xds.Certificate(ir.SecretOf(key.Secret), []byte(p.Chain), []byte(p.Key))
		}
	case ir.TypeCount:
	}
	return nil, nil //nolint:nilnil // what a resource is made of is gone: it is no longer wanted either
}
