// Package input holds the cells through which the core sees the world: projections of objects, small index buckets,
// and facts that the shell reports. It decides what of an object the core may read, and in which portions: parts
// that change for different reasons are different cells. It reads no object itself; controller/store fills the cells.
package input

import (
	"reflect"

	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"

	"github.com/cloverleaf-mesh/cloverleaf/api/v1alpha1"
	"github.com/cloverleaf-mesh/cloverleaf/internal/memo"
	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// Object cells.
var (
	// GatewayClasses by name.
	GatewayClasses = memo.NewInput[string]("GatewayClass", equal[*GatewayClass])
	// Gateways without their status.
	Gateways = memo.NewInput[ir.Name]("Gateway", equal[*Gateway])
	// Routes are what decides where a route attaches, for every kind of route.
	Routes = memo.NewInput[ir.Ref]("RouteHead", equal[*RouteHead])
	// Rules are the rules of a route, a slice of its kind's, which change for other reasons than its attachment.
	Rules = memo.NewInput[ir.Ref]("RouteRules", equal[any])
	// Generations are metadata.generation: only statuses read them.
	Generations = memo.NewInput[ir.Ref]("Generation", same[int64])
	// Grants are the ReferenceGrants.
	Grants = memo.NewInput[ir.Name]("ReferenceGrant", equal[*gwv1.ReferenceGrantSpec])
	// Services without what only Kubernetes needs.
	Services = memo.NewInput[ir.Name]("Service", equal[*Service])
	// EndpointSlices are the addresses behind Services.
	EndpointSlices = memo.NewInput[ir.Name]("EndpointSlice", equal[*EndpointSlice])
	// Secrets by name. Their key material never enters the IR.
	Secrets = memo.NewInput[ir.Name]("Secret", equal[*Secret])
	// ConfigMaps by name.
	ConfigMaps = memo.NewInput[ir.Name]("ConfigMap", equal[map[string]string])
	// NamespaceLabels are the labels of the namespaces.
	NamespaceLabels = memo.NewInput[string]("Namespace", equal[map[string]string])
	// Backends are our own destinations.
	Backends = memo.NewInput[ir.Name]("Backend", equal[*v1alpha1.BackendSpec])
)

// Index buckets: sorted, small, and of names alone, so that a change of a member does not touch its bucket.
var (
	// ObjectsOf lists the objects of a kind that has a status, in [Shards] buckets by hash of the name.
	ObjectsOf = memo.NewInput[KindShard]("ObjectsOf", equal[[]ir.Name])
	// GatewaysOfClass lists the Gateways that name a class.
	GatewaysOfClass = memo.NewInput[string]("GatewaysOfClass", equal[[]ir.Name])
	// RoutesOfGateway lists the routes that name a Gateway as a parent.
	RoutesOfGateway = memo.NewInput[GatewayShard]("RoutesOfGateway", equal[[]ir.Ref])
	// HostsOfGateway lists the host names, as routes write them, of the routes that name a Gateway as a parent.
	// A route without host names counts as [ir.AnyHost].
	HostsOfGateway = memo.NewInput[GatewayShard]("HostsOfGateway", equal[[]ir.Hostname])
	// RoutesOfHost lists the routes that name a Gateway as a parent and this host name.
	RoutesOfHost = memo.NewInput[GatewayHost]("RoutesOfHost", equal[[]ir.Ref])
	// SlicesOfService lists the EndpointSlices of a Service.
	SlicesOfService = memo.NewInput[ir.Name]("SlicesOfService", equal[[]ir.Name])
	// GrantsOfNamespace lists the ReferenceGrants of a namespace.
	GrantsOfNamespace = memo.NewInput[string]("GrantsOfNamespace", equal[[]ir.Name])
)

// Facts: what the shell knows and the core must not find out by itself.
var (
	// SettingsOf is the process's own configuration, under the empty key.
	SettingsOf = memo.NewInput[struct{}]("Settings", same[Settings])
	// ListenerReports say how far the proxies of a class are with a listener.
	ListenerReports = memo.NewInput[ClassListener]("ListenerReport", same[ListenerReport])
	// Rejections are the resources that an Envoy refused.
	Rejections = memo.NewInput[ir.ResourceID]("Rejection", same[Rejection])
	// LocalCertificates are made by the local CA of `cloverleaf up` for Secrets that are missing.
	LocalCertificates = memo.NewInput[ir.Name]("LocalCertificate", equal[*Secret])
)

// Shards is the number of buckets that an index of many names is cut into, so that one new name copies a
// sixty-fourth of the list.
const Shards = 64

// ShardOf returns the bucket of a name, from 0 to Shards-1. It is the same on every machine (FNV-1a).
func ShardOf(name string) uint8 {
	h := uint32(2166136261)
	for i := range len(name) {
		h = (h ^ uint32(name[i])) * 16777619
	}
	return uint8(h % Shards) //nolint:gosec // below 64
}

// KindShard is the key of [ObjectsOf].
type KindShard struct {
	Kind  ir.Kind
	Shard uint8
}

// GatewayShard is the key of an index of a Gateway.
type GatewayShard struct {
	Gateway ir.Name
	Shard   uint8
}

// GatewayHost is the key of [RoutesOfHost].
type GatewayHost struct {
	Gateway ir.Name
	Host    ir.Hostname
}

// ClassListener is the key of [ListenerReports].
type ClassListener struct {
	Class    ir.ProxyClass
	Listener ir.ListenerName
}

// equal is deep and generic, so that no field can be forgotten.
func equal[T any](a, b T) bool { return reflect.DeepEqual(a, b) }

func same[T comparable](a, b T) bool { return a == b }

// GatewayClass is what the core reads of a GatewayClass.
type GatewayClass struct {
	Controller    string
	HasParameters bool
}

// Gateway is what the core reads of a Gateway.
type Gateway struct {
	Created int64 // seconds since 1970; 0 when the object does not say
	Spec    gwv1.GatewaySpec
}

// RouteHead is what the core reads of a route apart from its rules.
type RouteHead struct {
	Created   int64 // seconds since 1970; 0 when the object does not say
	Parents   []gwv1.ParentReference
	Hostnames []ir.Hostname // as written, in lower case
	// DefaultGateways is spec.useDefaultGateways, which is not supported.
	DefaultGateways string
}

// Service is what the core reads of a Service.
type Service struct {
	Type  corev1.ServiceType
	Ports []ServicePort
}

// ServicePort is one port of a Service.
type ServicePort struct {
	Name        string
	Port        int32
	AppProtocol string
	Protocol    corev1.Protocol
}

// EndpointSlice is what the core reads of an EndpointSlice.
type EndpointSlice struct {
	AddressType discoveryv1.AddressType
	Ports       []SlicePort
	Endpoints   []SliceEndpoint
}

// SlicePort is one port of an EndpointSlice.
type SlicePort struct {
	Name string
	Port int32 // 0 when the slice gives none
}

// SliceEndpoint is one endpoint of an EndpointSlice.
type SliceEndpoint struct {
	Addresses []string
	Ready     bool
	Serving   bool
	Dying     bool // terminating
	Zone      string
}

// Secret is what the core reads of a Secret of type kubernetes.io/tls, and of the values that are named ca.crt.
type Secret struct {
	Type corev1.SecretType
	Cert string
	Key  string
	CA   string
}

// Settings are the parts of the process's configuration that change what is translated.
type Settings struct {
	// Controller is the controllerName of GatewayClasses that are ours.
	Controller string
	// Standalone is `cloverleaf up`: one proxy for every Gateway, on this machine.
	Standalone Mode
	// Bind is the IP address that listeners bind.
	Bind string
	// PortOffset is added to ports below 1024. Standalone only.
	PortOffset int32
	// LocalCA serves HTTPS listeners whose Secret is missing from a local CA. Standalone only.
	LocalCA Mode
}

// Mode is on or off.
type Mode uint8

// The modes.
const (
	Off Mode = iota
	On
)

// ListenerReport says how far the proxies of a class are with one listener.
type ListenerReport struct {
	Version string // of the listener resource that the counts are about
	Proxies int    // connected proxies of the class
	Live    int    // those that accepted this version, its route tables and their first virtual hosts
	Refused int    // those whose newest answer refuses one of these
}

// Rejection is a resource that an Envoy refused.
type Rejection struct {
	Version string
	Message string
}
