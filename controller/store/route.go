package store

import (
	"cmp"
	"reflect"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cloverleaf-mesh/cloverleaf/translator/input"
	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// putAnyRoute stores a route of any kind; false when the object is no route.
func (s *Store) putAnyRoute(name ir.Name, o metav1.Object) bool {
	for _, k := range input.RouteKinds() {
		parts, ok := k.Parts(o)
		if !ok {
			continue
		}
		head := &input.RouteHead{
			Created: created(o), Parents: parts.Common.ParentRefs, DefaultGateways: string(parts.Common.UseDefaultGateways),
		}
		for _, h := range parts.Hostnames {
			head.Hostnames = append(head.Hostnames, input.LowerHost(h))
		}
		ref := ir.Ref{Kind: k.Kind, Name: name}
		s.putRoute(ref, head, o.GetGeneration())
		s.moveUses(k, ref, parts.Rules)
		input.Rules.Set(s.table, ref, parts.Rules)
		return true
	}
	return false
}

// putRoute stores a route's head and keeps the indexes by parent and host name.
func (s *Store) putRoute(ref ir.Ref, head *input.RouteHead, generation int64) {
	before, existed := input.Routes.Lookup(s.table, ref)
	s.list(ref, generation)
	if existed && reflect.DeepEqual(before, head) {
		return
	}
	after := places(ref, head)
	if existed {
		for place := range places(ref, before) {
			if !after[place] {
				s.leave(ref, place)
			}
		}
	}
	for place := range after {
		s.enter(ref, place)
	}
	input.Routes.Set(s.table, ref, head)
}

func (s *Store) deleteRoute(ref ir.Ref) {
	if before, ok := input.Routes.Lookup(s.table, ref); ok {
		for place := range places(ref, before) {
			s.leave(ref, place)
		}
	}
	input.Routes.Delete(s.table, ref)
	if k, ok := input.RouteKindOf(ref.Kind); ok {
		s.moveUses(k, ref, nil)
	}
	input.Rules.Delete(s.table, ref)
	s.unlist(ref)
}

// places are the buckets that a route stands in: a parent and a host name each.
func places(ref ir.Ref, head *input.RouteHead) map[input.ParentHost]bool {
	set := map[input.ParentHost]bool{}
	for _, parent := range input.ParentsOf(head, ref.Namespace) {
		for _, host := range head.Hosts() {
			set[input.ParentHost{Parent: parent, Host: host}] = true
		}
	}
	return set
}

func (s *Store) enter(ref ir.Ref, place input.ParentHost) {
	add(s.table, input.RoutesOfHost, place, ref, ir.Ref.Compare)
	enter(s.table, input.HostsOfParent, input.HostShards, input.InParent(place.Parent, string(place.Host)), place.Host, cmp.Compare)
	enter(s.table, input.RoutesOfParent, input.RouteShards, input.InParent(place.Parent, ref.Name.String()), ref, ir.Ref.Compare)
}

// leave takes a route out of a place, and what only it held up: the host name, and the parent's list of routes when
// the route is in no other place of the parent (the caller enters the remaining ones again).
func (s *Store) leave(ref ir.Ref, place input.ParentHost) {
	remove(s.table, input.RoutesOfHost, place, ref, ir.Ref.Compare)
	if _, others := input.RoutesOfHost.Lookup(s.table, place); !others {
		leave(s.table, input.HostsOfParent, input.HostShards, input.InParent(place.Parent, string(place.Host)), place.Host, cmp.Compare)
	}
	leave(s.table, input.RoutesOfParent, input.RouteShards, input.InParent(place.Parent, ref.Name.String()), ref, ir.Ref.Compare)
}
