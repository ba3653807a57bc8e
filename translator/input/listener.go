package input

import (
	"cmp"

	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/cloverleaf-mesh/cloverleaf/internal/memo"
	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// ListenerSets, and the indexes of the listeners that Gateways have, by themselves and through ListenerSets. The indexes
// say which listeners ask for a place, and nothing of whether they get it: a ListenerSet stands in those of the Gateway
// that it names, allowed or not.
var (
	// ListenerSets by name.
	ListenerSets = memo.NewInput[ir.Name]("ListenerSet", memo.Equal[*ListenerSet])
	// SetsOfGateway lists the ListenerSets that name a Gateway as their parent, in [Shards] buckets by hash of the name.
	SetsOfGateway = memo.NewInput[GatewayShard]("SetsOfGateway", memo.Equal[[]ir.Name])
	// PortsOfGateway lists the ports that listeners of a Gateway ask for.
	PortsOfGateway = memo.NewInput[ir.Name]("PortsOfGateway", memo.Equal[[]int32])
	// ParentsOfPort lists the Gateway and the ListenerSets that have listeners on a port of the Gateway.
	ParentsOfPort = memo.NewInput[GatewayPort]("ParentsOfPort", memo.Equal[[]ir.Ref])
	// ListenersAt lists the listeners of a port of a Gateway that have this host name.
	ListenersAt = memo.NewInput[ListenerPlace]("ListenersAt", memo.Equal[[]ir.Origin])
)

// ListenerSet is what the core reads of a ListenerSet.
type ListenerSet struct {
	Created   int64 // seconds since 1970; 0 when the object does not say
	Parent    gwv1.ParentGatewayReference
	Listeners []gwv1.Listener
}

// GatewayShard is the key of an index of a Gateway.
type GatewayShard struct {
	Gateway ir.Name
	Shard   uint8
}

// GatewayPort names a port of a Gateway by its number in the manifest.
type GatewayPort struct {
	Gateway ir.Name
	Port    int32
}

// ListenerPlace is what the listeners of a Gateway have to differ in.
type ListenerPlace struct {
	GatewayPort
	Host ir.Hostname
}

// CompareOrigins orders listeners by their object and their name.
func CompareOrigins(a, b ir.Origin) int {
	return cmp.Or(a.Ref.Compare(b.Ref), cmp.Compare(a.Section, b.Section))
}

// SetParent returns the Gateway that a ListenerSet in namespace names, and whether it names one.
func SetParent(p gwv1.ParentGatewayReference, namespace string) (ir.Name, bool) {
	if p.Group != nil && *p.Group != gwv1.GroupName || p.Kind != nil && *p.Kind != "Gateway" {
		return ir.Name{}, false
	}
	if p.Namespace != nil {
		namespace = string(*p.Namespace)
	}
	return ir.Name{Namespace: namespace, Name: string(p.Name)}, true
}

// ListenerHost returns the host name of a listener: its own in lower case, or [ir.AnyHost].
func ListenerHost(l *gwv1.Listener) ir.Hostname {
	if l.Hostname == nil || *l.Hostname == "" {
		return ir.AnyHost
	}
	return LowerHost(*l.Hostname)
}
