package translator

import (
	"slices"
	"strings"

	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/cloverleaf-mesh/cloverleaf/internal/memo"
	"github.com/cloverleaf-mesh/cloverleaf/translator/attach"
	"github.com/cloverleaf-mesh/cloverleaf/translator/input"
	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// door is what a route table needs to know of a listener.
type door struct {
	Section  string
	Hostname ir.Hostname
	Open     bool // connections come in: it has a certificate, or needs none
}

// doors lists the usable listeners of a port, most specific host name first. A host belongs to the most specific of them
// all, whether or not it is open (Gateway API, GatewaySpec.listeners, "Listeners that are distinct only by Hostname").
var doors = memo.NewQuery("doors", func(c *memo.Ctx, port PortKey) []door {
	var out []door
	listeners := attach.Listeners.Get(c, port.Gateway)
	for i := range listeners {
		l := &listeners[i]
		if l.Port != port.Port || !l.Usable() {
			continue
		}
		open := l.Protocol != gwv1.HTTPSProtocolType || len(attach.CertificatesOf.Get(c, l.Key).Secrets) > 0
		out = append(out, door{Section: l.Key.Section, Hostname: l.Hostname, Open: open})
	}
	slices.SortFunc(out, func(a, b door) int {
		if d := attach.Specificity(b.Hostname) - attach.Specificity(a.Hostname); d != 0 {
			return d
		}
		return strings.Compare(a.Section, b.Section)
	})
	return out
}, memo.Equal)

// ownerOf finds the listener that a host belongs to, among the doors of its port: the most specific whose host name
// covers it, if that one is open.
func ownerOf(all []door, host ir.Hostname) (door, bool) {
	for _, d := range all {
		if attach.Covers(d.Hostname, host) {
			return d, d.Open
		}
	}
	return door{}, false
}

// fixedShard is the bucket of the hosts that a table always has: its listeners' own and [ir.AnyHost]. The others have the
// numbers of the buckets of [input.HostsOfGateway].
const fixedShard uint16 = 256

// shardKey names a bucket of the hosts of a table.
type shardKey struct {
	Table TableKey
	Shard uint16
}

// shardsOf lists the buckets of a table that may have hosts.
var shardsOf = memo.NewQuery("shardsOf", func(c *memo.Ctx, table TableKey) []uint16 {
	raws, _ := input.HostShards.Read(c, table.Gateway)
	shards := make([]uint16, 0, len(raws)+1)
	for _, shard := range raws {
		shards = append(shards, uint16(shard))
	}
	return append(shards, fixedShard)
}, memo.Equal)

// hostsOf lists the hosts in a bucket of a table. It lists names alone, so a change of a host's rules ends here.
var hostsOf = memo.NewQuery("hostsOf", func(c *memo.Ctx, key shardKey) []ir.Hostname {
	if key.Shard == fixedShard {
		return fixedHosts(c, key.Table)
	}
	var hosts []ir.Hostname
	all := doors.Get(c, key.Table.PortKey)
	raws, _ := input.HostsOfGateway.Read(c, input.GatewayShard{Gateway: key.Table.Gateway, Shard: uint8(key.Shard)})
	for _, raw := range raws {
		owner, ok := ownerOf(all, raw)
		if !ok || owner.Hostname == raw { // the listener's own host is a fixed one
			continue
		}
		if attachesAny(c, attach.ListenerKey{Gateway: key.Table.Gateway, Section: owner.Section}, raw) {
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
	routes, _ := input.RoutesOfHost.Read(c, input.GatewayHost{Gateway: listener.Gateway, Host: raw})
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
