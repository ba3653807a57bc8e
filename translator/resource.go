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

// ResourceKey names a resource by the objects that it is made of, as queries need it. Table is set for listeners (its
// PortKey), route tables and virtual hosts, and for the CAs that the clients of a port are checked against (its PortKey).
type ResourceKey struct {
	Table TableKey
	Name  string // of virtual hosts the host, of clusters and endpoints the backend, of certificates the secret
	Type  ir.Type
}

func (k ResourceKey) host() HostKey           { return HostKey{k.Table, ir.Hostname(k.Name)} }
func (k ResourceKey) backend() ir.BackendName { return ir.BackendName(k.Name) }

// ID returns the name that Envoy knows the resource by.
func (k ResourceKey) ID() ir.ResourceID {
	name := k.Name
	switch k.Type {
	case ir.TypeListener:
		name = string(k.Table.PortKey.Name())
	case ir.TypeRouteTable:
		name = string(k.Table.Name())
	case ir.TypeVirtualHost:
		name = k.host().Name().String()
	case ir.TypeSecret:
		if k.Name == "" {
			name = string(ir.ClientAuthority(k.Table.Gateway, k.Table.Port))
		}
	case ir.TypeCluster, ir.TypeEndpoints, ir.TypeCount:
	}
	return ir.ResourceID{Type: k.Type, Name: name}
}

// keyOf is ID backwards, for clusters, endpoints and certificates.
func keyOf(id ir.ResourceID) ResourceKey { return ResourceKey{Type: id.Type, Name: id.Name} }

func listenerResource(port PortKey) ResourceKey {
	return ResourceKey{Type: ir.TypeListener, Table: TableKey{PortKey: port}}
}

func hostResource(table TableKey, host ir.Hostname) ResourceKey {
	return ResourceKey{Type: ir.TypeVirtualHost, Table: table, Name: string(host)}
}

func backendResource(t ir.Type, backend ir.BackendName) ResourceKey {
	return ResourceKey{Type: t, Name: string(backend)}
}

func certificateResource(secret ir.Name) ResourceKey {
	return ResourceKey{Type: ir.TypeSecret, Name: string(ir.SecretOf(secret))}
}

// compareKeys orders resources by type and then by what they are made of. Making their names would cost more.
func compareKeys(a, b ResourceKey) int {
	return cmp.Or(
		cmp.Compare(a.Type, b.Type), a.Table.Gateway.Compare(b.Table.Gateway), cmp.Compare(a.Table.Port, b.Table.Port),
		compareBools(a.Table.TLS, b.Table.TLS), cmp.Compare(a.Name, b.Name),
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
		e.Resource, _ = xds.VirtualHost(failingHost(key.host()))
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
		return xds.VirtualHost(virtualHostOf(c, key.host()))
	case ir.TypeCluster:
		if b := attach.Backend(c, key.backend()); b != nil {
			return xds.Cluster(*b)
		}
	case ir.TypeEndpoints:
		return xds.Endpoints(attach.Endpoints(c, key.backend()))
	case ir.TypeSecret:
		if key.Name == "" {
			port := input.GatewayPort(key.Table.PortKey)
			return xds.Authority(ir.ClientAuthority(port.Gateway, port.Port),
				[]byte(attach.ClientAuthorities.Get(c, port)), attach.ClientValidationOf.Get(c, port).Fallback)
		}
		name := ir.SecretName(key.Name)
		if p := attach.KeyPairOf.Get(c, name.Object()); p.Chain != "" {
			return xds.Certificate(name, []byte(p.Chain), []byte(p.Key))
		}
	case ir.TypeCount:
	}
	return nil, nil //nolint:nilnil // what a resource is made of is gone: it is no longer wanted either
}
