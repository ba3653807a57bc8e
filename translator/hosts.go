package translator

import (
	"cmp"
	"slices"

	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/cloverleaf-mesh/cloverleaf/internal/memo"
	"github.com/cloverleaf-mesh/cloverleaf/translator/attach"
	"github.com/cloverleaf-mesh/cloverleaf/translator/input"
	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// door is what a route table needs to know of a usable listener.
type door struct {
	Listener attach.ListenerKey
	Hostname ir.Hostname
	TLS      bool
	Open     bool // connections come in: it has a certificate, or needs none
}

func doorOf(c *memo.Ctx, l *attach.Listener) door {
	return door{Listener: l.Key, Hostname: l.Hostname, TLS: l.Protocol == gwv1.HTTPSProtocolType, Open: isOpen(c, l)}
}

// doors lists the usable listeners of a port, in the order of precedence. A host asks [doorAt] for its own and not this
// list of all.
var doors = memo.NewQuery("doors", func(c *memo.Ctx, port PortKey) []door {
	var out []door
	for _, parent := range attach.ParentsOn(c, input.GatewayPort(port)) {
		listeners := attach.Listeners.Get(c, parent)
		for i := range listeners {
			if l := &listeners[i]; l.Port == port.Port && l.Usable() {
				out = append(out, doorOf(c, l))
			}
		}
	}
	return out
}, memo.Equal)

// doorAt finds the usable listener of a port with a host name; its Hostname is empty when there is none.
var doorAt = memo.NewQuery("doorAt", func(c *memo.Ctx, place input.ListenerPlace) door {
	l := attach.ListenerAt(c, place)
	if l == nil {
		return door{}
	}
	return doorOf(c, l)
}, memo.Same)

// ownerOf finds the listener that a host belongs to: the most specific of the port whose host name covers it, if that one
// is open. It belongs to that one whether or not it is open (Gateway API, GatewaySpec.listeners, "Listeners that are
// distinct only by Hostname").
func ownerOf(c *memo.Ctx, port PortKey, host ir.Hostname) (door, bool) {
	place := input.ListenerPlace{GatewayPort: input.GatewayPort(port), Host: host}
	if _, asked := input.ListenersAt.Read(c, place); asked {
		if d := doorAt.Get(c, place); d.Hostname != "" {
			return d, d.Open
		}
	}
	for _, place.Host = range attach.Wider(host) {
		if d := doorAt.Get(c, place); d.Hostname != "" {
			return d, d.Open
		}
	}
	return door{}, false
}

// crowded tells whether a port has several open listeners with TLS.
var crowded = memo.NewQuery("crowded", func(c *memo.Ctx, port PortKey) bool {
	open := 0
	for _, d := range doors.Get(c, port) {
		if d.TLS && d.Open {
			open++
		}
	}
	return open > 1
}, memo.Same)

// bucketKey names a bucket of the hosts of a table: hosts of routes that name a parent, cut as [input.HostsOfParent] is,
// or those that the table always has, its listeners' own and [ir.AnyHost], in the bucket without a parent.
type bucketKey struct {
	Table TableKey
	input.ParentShard
}

func compareBuckets(a, b input.ParentShard) int {
	return cmp.Or(a.Parent.Compare(b.Parent), cmp.Compare(a.Shard, b.Shard))
}

// bucketsOf lists the buckets of a table that may have hosts, sorted.
var bucketsOf = memo.NewQuery("bucketsOf", func(c *memo.Ctx, table TableKey) []input.ParentShard {
	buckets := []input.ParentShard{{}}
	parents, _ := input.ParentsOfPort.Read(c, input.GatewayPort(table.PortKey))
	for _, parent := range parents {
		shards, _ := input.HostShards.Read(c, parent)
		for _, shard := range shards {
			buckets = append(buckets, input.ParentShard{Parent: parent, Shard: shard})
		}
	}
	return buckets
}, memo.Equal)

// hostsOf lists the hosts in a bucket of a table. It lists names alone, so a change of a host's rules ends here. A host
// belongs to one listener, so it stands in the bucket of one parent.
var hostsOf = memo.NewQuery("hostsOf", func(c *memo.Ctx, key bucketKey) []ir.Hostname {
	if key.Parent == (ir.Ref{}) {
		return fixedHosts(c, key.Table)
	}
	var hosts []ir.Hostname
	raws, _ := input.HostsOfParent.Read(c, key.ParentShard)
	for _, raw := range raws {
		owner, ok := ownerOf(c, key.Table.PortKey, raw)
		if !ok || owner.Hostname == raw || owner.Listener.Parent() != key.Parent { // the listener's own host is a fixed one
			continue
		}
		if attachesAny(c, owner.Listener, raw) {
			hosts = append(hosts, raw)
		}
	}
	return hosts
}, memo.Equal)

func fixedHosts(c *memo.Ctx, table TableKey) []ir.Hostname {
	hosts := []ir.Hostname{ir.AnyHost}
	for _, d := range doors.Get(c, table.PortKey) {
		hosts = append(hosts, d.Hostname)
	}
	slices.Sort(hosts)
	return slices.Compact(hosts)
}

// attachesAny tells whether a route with this host name attaches to a listener.
func attachesAny(c *memo.Ctx, listener attach.ListenerKey, raw ir.Hostname) bool {
	routes, _ := input.RoutesOfHost.Read(c, input.ParentHost{Parent: listener.Parent(), Host: raw})
	return slices.ContainsFunc(routes, func(r ir.Ref) bool { return attaches(c, r, listener) })
}

// attaches tells whether any parentRef of a route leads to a listener.
func attaches(c *memo.Ctx, route ir.Ref, listener attach.ListenerKey) bool {
	return slices.Contains(placeOf.Get(c, route).Listeners, listener)
}

// place is all that hosts need to know of a route apart from its rules.
type place struct {
	Created   int64
	Listeners []attach.ListenerKey // of all parentRefs
}

var placeOf = memo.NewQuery("placeOf", func(c *memo.Ctx, route ir.Ref) place {
	head, ok := input.Routes.Read(c, route)
	if !ok {
		return place{}
	}
	p := place{Created: head.Created}
	for i := range head.Parents {
		p.Listeners = append(p.Listeners, attach.Attach.Get(c, attach.ParentKey{Route: route, Index: i}).Listeners...)
	}
	return p
}, memo.Equal)
