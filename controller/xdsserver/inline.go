package xdsserver

import (
	"fmt"
	"maps"
	"slices"

	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
	"github.com/cloverleaf-mesh/cloverleaf/translator/xds"
)

// Layout says how virtual hosts travel to the proxy.
type Layout uint8

// The layouts.
const (
	// VHDS sends each virtual host as a resource of its own: what a change costs does not grow with the number of hosts.
	VHDS Layout = iota
	// Inline sends whole route tables with their virtual hosts in them, as most control planes do. A changed host sends
	// its table again, and a host that Envoy refuses holds back its whole table.
	Inline
)

// inlined makes whole route tables of the pieces that the translator encoded. It joins bytes: a field that may stand
// several times is the concatenation of its encodings (Protocol Buffers, "Encoding: Repeated Elements").
type inlined struct {
	tables map[inlineKey]*inlineTable
}

type inlineKey struct {
	class ir.ProxyClass
	table string
}

type inlineTable struct {
	head  *ir.Resource // the table as the translator made it; nil when there is none
	body  []byte       // head without its VHDS source
	hosts map[string]*ir.Resource
}

func newInlined() *inlined { return &inlined{tables: map[inlineKey]*inlineTable{}} }

// compose replaces changes of route tables and virtual hosts by changes of whole route tables.
func (i *inlined) compose(changes []ir.Change) []ir.Change {
	out := make([]ir.Change, 0, len(changes))
	touched := map[inlineKey]bool{}
	for _, ch := range changes {
		switch ch.ID.Type {
		case ir.TypeRouteTable:
			key := inlineKey{ch.Class, ch.ID.Name}
			i.of(key).setHead(ch.Resource)
			touched[key] = true
		case ir.TypeVirtualHost:
			key := inlineKey{ch.Class, ir.TableOf(ch.ID.Name)}
			i.of(key).setHost(ch)
			touched[key] = true
		default:
			out = append(out, ch)
		}
	}
	for key := range touched {
		t := i.tables[key]
		ch := ir.Change{Class: key.class, ID: ir.ResourceID{Type: ir.TypeRouteTable, Name: key.table}}
		ch.Resource = t.whole(ch.ID)
		if t.head == nil && len(t.hosts) == 0 {
			delete(i.tables, key)
		}
		out = append(out, ch)
	}
	return out
}

func (i *inlined) of(key inlineKey) *inlineTable {
	t := i.tables[key]
	if t == nil {
		t = &inlineTable{hosts: map[string]*ir.Resource{}}
		i.tables[key] = t
	}
	return t
}

func (t *inlineTable) setHost(ch ir.Change) {
	if ch.Resource == nil {
		delete(t.hosts, ch.ID.Name)
		return
	}
	t.hosts[ch.ID.Name] = ch.Resource
}

func (t *inlineTable) setHead(head *ir.Resource) {
	t.head, t.body = head, nil
	if head == nil {
		return
	}
	m, err := xds.Decode(head)
	if table, ok := m.(*routev3.RouteConfiguration); ok && err == nil {
		table.Vhds = nil
		t.body, err = proto.MarshalOptions{Deterministic: true}.Marshal(table)
	}
	if err != nil {
		panic(fmt.Sprintf("a route table that was just encoded: %v", err))
	}
}

// virtualHosts is the number of the field RouteConfiguration.virtual_hosts.
const virtualHosts protowire.Number = 2

// whole returns the table with its virtual hosts; nil when there is no table.
func (t *inlineTable) whole(id ir.ResourceID) *ir.Resource {
	if t.head == nil {
		return nil
	}
	size := len(t.body)
	for _, host := range t.hosts {
		size += protowire.SizeTag(virtualHosts) + protowire.SizeBytes(len(host.Body))
	}
	body := append(make([]byte, 0, size), t.body...)
	needs := slices.Clone(t.head.Needs)
	for _, name := range slices.Sorted(maps.Keys(t.hosts)) {
		host := t.hosts[name]
		body = protowire.AppendBytes(protowire.AppendTag(body, virtualHosts, protowire.BytesType), host.Body)
		needs = append(needs, host.Needs...)
	}
	return xds.Resource(id, body, needs)
}
