package ir

import "strings"

// Type is a type of xDS resource that a proxy is told.
type Type uint8

// The types, in the order in which something new must reach a proxy (make before break: Envoy's
// xds_protocol.rst, "Eventual consistency considerations"). Removals go in the opposite order.
const (
	TypeSecret Type = iota
	TypeCluster
	TypeEndpoints
	TypeListener
	TypeRouteTable
	TypeVirtualHost
	TypeCount // how many types there are; not a type
)

// String returns the short name that tables and metrics use.
func (t Type) String() string {
	return [...]string{"secret", "cluster", "endpoints", "listener", "routes", "virtualhost", "?"}[min(t, TypeCount)]
}

// ResourceID names one xDS resource.
type ResourceID struct {
	Type Type
	Name string
}

// String returns type and name.
func (id ResourceID) String() string { return id.Type.String() + " " + id.Name }

// Compare orders identifiers by type and name.
func (id ResourceID) Compare(o ResourceID) int {
	if id.Type != o.Type {
		return int(id.Type) - int(o.Type)
	}
	return strings.Compare(id.Name, o.Name)
}

// Resource is an xDS resource, encoded once and shared by every proxy that gets it.
type Resource struct {
	ID ResourceID
	// Version is the hash of Body, in hexadecimal: the same objects give the same version on every replica.
	Version string
	// Body is the deterministic encoding of the Envoy message (the value of the Any, without its type URL).
	Body []byte
	// Needs are the resources that a proxy must hold before it may be told this one, sorted: the clusters of a
	// virtual host, the endpoints and the secrets of a cluster, the route tables and secrets of a listener.
	Needs []ResourceID
}

// ProxyClass is the set of proxies that are told the same, and what is translated: never the single pod.
type ProxyClass struct {
	Role ClassRole
	Name
}

// ClassRole says what the proxies of a class are for.
type ClassRole uint8

// The roles of proxy classes.
const (
	// ClassGateway are the proxies of one Gateway.
	ClassGateway ClassRole = iota
	// ClassLocal is the single proxy of `cloverleaf up`, which serves every Gateway; its Name is empty.
	ClassLocal
	// ClassSidecar are the sidecars of one workload (not filled yet).
	ClassSidecar
)

// String returns a name for logs and metrics.
func (c ProxyClass) String() string {
	switch c.Role {
	case ClassLocal:
		return "local"
	case ClassSidecar:
		return "sidecar/" + c.Name.String()
	default:
		return "gateway/" + c.Name.String()
	}
}

// Change is one difference in what a class of proxies is told. A nil Resource means that it is gone.
type Change struct {
	Class    ProxyClass
	ID       ResourceID
	Resource *Resource
}
