package input

import (
	"github.com/cloverleaf-mesh/cloverleaf/internal/memo"
	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// Index buckets: sorted, small, and of names alone, so that a change of a member does not touch its bucket.
var (
	// ObjectsOf lists the objects of a kind that has a status, in [Shards] buckets by hash of the name.
	ObjectsOf = memo.NewInput[KindShard]("ObjectsOf", memo.Equal[[]ir.Name])
	// GatewaysOfClass lists the Gateways that name a class.
	GatewaysOfClass = memo.NewInput[string]("GatewaysOfClass", memo.Equal[[]ir.Name])
	// RoutesOfParent lists the routes that name a Gateway or a ListenerSet as a parent, in 256 buckets by hash of the name.
	RoutesOfParent = memo.NewInput[ParentShard]("RoutesOfParent", memo.Equal[[]ir.Ref])
	// RouteShards lists those buckets of RoutesOfParent that have members.
	RouteShards = memo.NewInput[ir.Ref]("RouteShards", memo.Equal[[]uint8])
	// HostsOfParent lists the host names, as routes write them, of the routes that name a Gateway or a ListenerSet as a
	// parent, in 256 buckets by hash. A route without host names counts as [ir.AnyHost].
	HostsOfParent = memo.NewInput[ParentShard]("HostsOfParent", memo.Equal[[]ir.Hostname])
	// HostShards lists those buckets of HostsOfParent that have members.
	HostShards = memo.NewInput[ir.Ref]("HostShards", memo.Equal[[]uint8])
	// RoutesOfHost lists the routes that name a parent and this host name.
	RoutesOfHost = memo.NewInput[ParentHost]("RoutesOfHost", memo.Equal[[]ir.Ref])
	// SlicesOfService lists the EndpointSlices of a Service.
	SlicesOfService = memo.NewInput[ir.Name]("SlicesOfService", memo.Equal[[]ir.Name])
	// RejectedIn lists the resources that an Envoy refused, in [Shards] buckets by hash of the name: few, so that nearly
	// all who ask whether theirs is among them share an empty bucket.
	RejectedIn = memo.NewInput[uint8]("RejectedIn", memo.Equal[[]ir.ResourceID])
	// GrantsOfNamespace lists the ReferenceGrants of a namespace.
	GrantsOfNamespace = memo.NewInput[string]("GrantsOfNamespace", memo.Equal[[]ir.Name])
)

// Shards is the number of buckets that an index of many names is cut into, so that one new name copies a
// sixty-fourth of the list.
const Shards = 64

// ShardOf returns the bucket of a name, from 0 to Shards-1. It is the same on every machine (FNV-1a).
func ShardOf(name string) uint8 { return uint8(hash(name) % Shards) }

// InParent returns the bucket of a name in the indexes of a parent, which are finer: at 5,000 routes, what comes or goes
// costs a look at twenty others.
func InParent(parent ir.Ref, name string) ParentShard {
	h := hash(name)
	return ParentShard{Parent: parent, Shard: uint8(h ^ h>>8)} //nolint:gosec // its lowest eight bits
}

func hash(name string) uint32 {
	h := uint32(2166136261)
	for i := range len(name) {
		h = (h ^ uint32(name[i])) * 16777619
	}
	return h
}

// KindShard is the key of [ObjectsOf].
type KindShard struct {
	Kind  ir.Kind
	Shard uint8
}

// ParentShard is the key of an index of a parent of routes: a Gateway or a ListenerSet.
type ParentShard struct {
	Parent ir.Ref
	Shard  uint8
}

// ParentHost is the key of [RoutesOfHost].
type ParentHost struct {
	Parent ir.Ref
	Host   ir.Hostname
}
