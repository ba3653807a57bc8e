// Package ir is the vocabulary between Gateway API objects and Envoy resources: what a proxy should do, in
// values that know nothing of Kubernetes and nothing of Envoy. It decides names and shapes and no behaviour.
//
// Every value is immutable once it was made: it is shared between the remembered results of a [memo.Table],
// so nobody may change it. Slices are sorted at birth. There is no key material in it, only the names of secrets.
package ir

import "strings"

// Kind is the kind of an object, as in its manifest. Kinds that the project reads are unique without their group.
type Kind string

// String returns the kind.
func (k Kind) String() string { return string(k) }

// The kinds of objects that the project reads.
const (
	KindGatewayClass     Kind = "GatewayClass"
	KindGateway          Kind = "Gateway"
	KindListenerSet      Kind = "ListenerSet"
	KindHTTPRoute        Kind = "HTTPRoute"
	KindGRPCRoute        Kind = "GRPCRoute"
	KindReferenceGrant   Kind = "ReferenceGrant"
	KindBackendTLSPolicy Kind = "BackendTLSPolicy"
	KindService          Kind = "Service"
	KindEndpointSlice    Kind = "EndpointSlice"
	KindSecret           Kind = "Secret"
	KindConfigMap        Kind = "ConfigMap"
	KindNamespace        Kind = "Namespace"
	KindBackend          Kind = "Backend"
)

// Name is the namespace and name of an object. Namespace is empty for cluster-scoped kinds.
type Name struct{ Namespace, Name string }

// String returns namespace/name, or the name alone of a cluster-scoped object.
func (n Name) String() string {
	if n.Namespace == "" {
		return n.Name
	}
	return n.Namespace + "/" + n.Name
}

// Compare orders names by namespace, then by name.
func (n Name) Compare(o Name) int {
	if c := strings.Compare(n.Namespace, o.Namespace); c != 0 {
		return c
	}
	return strings.Compare(n.Name, o.Name)
}

// Ref names one object.
type Ref struct {
	Kind Kind
	Name
}

// String returns Kind/namespace/name.
func (r Ref) String() string { return string(r.Kind) + "/" + r.Name.String() }

// Compare orders references by kind, namespace and name.
func (r Ref) Compare(o Ref) int {
	if c := strings.Compare(string(r.Kind), string(o.Kind)); c != 0 {
		return c
	}
	return r.Name.Compare(o.Name)
}

// Origin is the part of an object that something came from: Section is a listener's or a rule's name or index,
// empty for the whole object.
type Origin struct {
	Ref
	Section string
}
