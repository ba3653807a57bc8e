package store

import (
	"cmp"

	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/cloverleaf-mesh/cloverleaf/translator/input"
	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

func (s *Store) putGateway(name ir.Name, o *gwv1.Gateway) {
	ref := ir.Ref{Kind: ir.KindGateway, Name: name}
	if before, ok := input.Gateways.Lookup(s.table, name); ok && before.Spec.GatewayClassName != o.Spec.GatewayClassName {
		remove(s.table, input.GatewaysOfClass, string(before.Spec.GatewayClassName), name, ir.Name.Compare)
	}
	add(s.table, input.GatewaysOfClass, string(o.Spec.GatewayClassName), name, ir.Name.Compare)
	s.moveListeners(ref, s.standsAt(ref), seats{name, o.Spec.Listeners})
	s.list(ref, o.Generation)
	input.Gateways.Set(s.table, name, &input.Gateway{Created: created(o), Spec: o.Spec})
}

func (s *Store) deleteGateway(ref ir.Ref) {
	if before, ok := input.Gateways.Lookup(s.table, ref.Name); ok {
		remove(s.table, input.GatewaysOfClass, string(before.Spec.GatewayClassName), ref.Name, ir.Name.Compare)
	}
	s.moveListeners(ref, s.standsAt(ref), seats{})
	input.Gateways.Delete(s.table, ref.Name)
	s.unlist(ref)
}

func (s *Store) putListenerSet(name ir.Name, o *gwv1.ListenerSet) {
	ref := ir.Ref{Kind: ir.KindListenerSet, Name: name}
	set := &input.ListenerSet{Created: created(o), Parent: o.Spec.ParentRef, Listeners: make([]gwv1.Listener, len(o.Spec.Listeners))}
	for i, entry := range o.Spec.Listeners {
		set.Listeners[i] = gwv1.Listener(entry)
	}
	s.moveSet(name, set)
	s.list(ref, o.Generation)
	input.ListenerSets.Set(s.table, name, set)
}

func (s *Store) deleteListenerSet(ref ir.Ref) {
	s.moveSet(ref.Name, nil)
	input.ListenerSets.Delete(s.table, ref.Name)
	s.unlist(ref)
}

// moveSet keeps the indexes of the Gateway that a ListenerSet names; the old one is still stored, and nil stands for none.
func (s *Store) moveSet(name ir.Name, next *input.ListenerSet) {
	ref := ir.Ref{Kind: ir.KindListenerSet, Name: name}
	before, after := s.standsAt(ref), seatsOf(name, next)
	bucket := func(gateway ir.Name) input.GatewayShard {
		return input.GatewayShard{Gateway: gateway, Shard: input.ShardOf(name.String())}
	}
	if before.gateway != after.gateway {
		remove(s.table, input.SetsOfGateway, bucket(before.gateway), name, ir.Name.Compare)
	}
	if after.gateway != (ir.Name{}) {
		add(s.table, input.SetsOfGateway, bucket(after.gateway), name, ir.Name.Compare)
	}
	s.moveListeners(ref, before, after)
}

// seats are the listeners of an object at the Gateway that they are for; the zero value for none.
type seats struct {
	gateway   ir.Name
	listeners []gwv1.Listener
}

func seatsOf(name ir.Name, set *input.ListenerSet) seats {
	if set == nil {
		return seats{}
	}
	gateway, ok := input.SetParent(set.Parent, name.Namespace)
	if !ok {
		return seats{}
	}
	return seats{gateway, set.Listeners}
}

// standsAt returns the listeners of a stored object.
func (s *Store) standsAt(ref ir.Ref) seats {
	if ref.Kind == ir.KindListenerSet {
		set, _ := input.ListenerSets.Lookup(s.table, ref.Name)
		return seatsOf(ref.Name, set)
	}
	gw, ok := input.Gateways.Lookup(s.table, ref.Name)
	if !ok {
		return seats{}
	}
	return seats{ref.Name, gw.Spec.Listeners}
}

// moveListeners takes the listeners of an object out of the indexes of ports and host names that they no longer ask for,
// and puts them into the others.
func (s *Store) moveListeners(ref ir.Ref, before, next seats) {
	leaving, ports := seated(ref, before)
	entering, kept := seated(ref, next)
	for at := range leaving {
		if !entering[at] {
			remove(s.table, input.ListenersAt, at.place, at.listener, input.CompareOrigins)
		}
	}
	for port := range ports {
		if kept[port] {
			continue
		}
		remove(s.table, input.ParentsOfPort, port, ref, ir.Ref.Compare)
		if _, others := input.ParentsOfPort.Lookup(s.table, port); !others {
			remove(s.table, input.PortsOfGateway, port.Gateway, port.Port, cmp.Compare)
		}
	}
	for at := range entering {
		add(s.table, input.ListenersAt, at.place, at.listener, input.CompareOrigins)
	}
	for port := range kept {
		add(s.table, input.ParentsOfPort, port, ref, ir.Ref.Compare)
		add(s.table, input.PortsOfGateway, port.Gateway, port.Port, cmp.Compare)
	}
}

// seat is an entry of [input.ListenersAt] and its bucket.
type seat struct {
	place    input.ListenerPlace
	listener ir.Origin
}

// seated lists the places that listeners ask for, and their ports.
func seated(ref ir.Ref, s seats) (at map[seat]bool, ports map[input.GatewayPort]bool) {
	at, ports = map[seat]bool{}, map[input.GatewayPort]bool{}
	for i := range s.listeners {
		l := &s.listeners[i]
		port := input.GatewayPort{Gateway: s.gateway, Port: l.Port}
		ports[port] = true
		at[seat{input.ListenerPlace{GatewayPort: port, Host: input.ListenerHost(l)}, ir.Origin{Ref: ref, Section: string(l.Name)}}] = true
	}
	return at, ports
}
