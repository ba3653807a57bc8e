package translator

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/cloverleaf-mesh/cloverleaf/internal/memo"
	"github.com/cloverleaf-mesh/cloverleaf/translator/attach"
	"github.com/cloverleaf-mesh/cloverleaf/translator/input"
	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
	"github.com/cloverleaf-mesh/cloverleaf/translator/xds"
)

// ResourceKey names a resource by the objects that it is made of, as queries need it. Which fields are set depends on
// the type: Table for listeners (its PortKey), route tables and virtual hosts (with Host), Backend for clusters and
// endpoints, Secret for certificates, and Table (its PortKey) for the CAs that the clients of a port are checked against.
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
		if k.Secret == (ir.Name{}) {
			name = string(ir.ClientAuthority(k.Table.Gateway, k.Table.Port))
		}
	case ir.TypeCount:
	}
	return ir.ResourceID{Type: k.Type, Name: name}
}

// keyOf takes the name of a cluster, of endpoints or of a secret apart.
func keyOf(id ir.ResourceID) ResourceKey {
	if id.Type == ir.TypeSecret {
		return ResourceKey{Type: id.Type, Secret: ir.SecretName(id.Name).Object()}
	}
	return ResourceKey{Type: id.Type, Backend: ir.BackendName(id.Name)}
}

func hostResource(table TableKey, host ir.Hostname) ResourceKey {
	return ResourceKey{Type: ir.TypeVirtualHost, Table: table, Host: host}
}

// compareKeys orders resources by type and then by what they are made of. Making their names would cost more.
func compareKeys(a, b ResourceKey) int {
	return cmp.Or(
		cmp.Compare(a.Type, b.Type), a.Table.Gateway.Compare(b.Table.Gateway), cmp.Compare(a.Table.Port, b.Table.Port),
		compareBools(a.Table.TLS, b.Table.TLS), cmp.Compare(a.Host, b.Host), cmp.Compare(a.Backend, b.Backend),
		a.Secret.Compare(b.Secret),
	)
}

func compareBools(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	default:
		return 1
	}
}

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
}, sameEncoded).Recovering(func(key ResourceKey, panicked any) Encoded {
	e := Encoded{Fault: fmt.Sprint(panicked)}
	if key.Type == ir.TypeVirtualHost {
		e.Resource, _ = xds.VirtualHost(failingHost(HostKey{key.Table, key.Host}))
	}
	return e
})

func encode(c *memo.Ctx, key ResourceKey) (*ir.Resource, error) {
	switch key.Type {
	case ir.TypeListener:
		return xds.Listener(listenerOf.Get(c, key.Table.PortKey))
	case ir.TypeRouteTable:
		return xds.RouteTable(routeTableOf(c, key.Table))
	case ir.TypeVirtualHost:
		return xds.VirtualHost(virtualHostOf(c, HostKey{key.Table, key.Host}))
	case ir.TypeCluster:
		if b := attach.Backend(c, key.Backend); b != nil {
			return xds.Cluster(*b)
		}
	case ir.TypeEndpoints:
		return xds.Endpoints(attach.Endpoints(c, key.Backend))
	case ir.TypeSecret:
		if key.Secret == (ir.Name{}) {
			port := input.GatewayPort(key.Table.PortKey)
			return xds.Authority(ir.ClientAuthority(port.Gateway, port.Port),
				[]byte(attach.ClientAuthorities.Get(c, port)), attach.ClientValidationOf.Get(c, port).Fallback)
		}
		if p := attach.KeyPairOf.Get(c, key.Secret); p.Chain != "" {
			return xds.Certificate(ir.SecretOf(key.Secret), []byte(p.Chain), []byte(p.Key))
		}
	case ir.TypeCount:
	}
	return nil, nil //nolint:nilnil // what a resource is made of is gone: it is no longer wanted either
}
