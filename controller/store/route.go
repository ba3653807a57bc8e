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

// putRoute stores a route's head and keeps the indexes by Gateway and host name.
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

// places are the buckets that a route stands in: a Gateway and a host name each.
func places(ref ir.Ref, head *input.RouteHead) map[input.GatewayHost]bool {
	set := map[input.GatewayHost]bool{}
	for _, gw := range input.ParentGateways(head, ref.Namespace) {
		for _, host := range head.Hosts() {
			set[input.GatewayHost{Gateway: gw, Host: host}] = true
		}
	}
	return set
}

func (s *Store) enter(ref ir.Ref, place input.GatewayHost) {
	add(s.table, input.RoutesOfHost, place, ref, ir.Ref.Compare)
	enter(s.table, input.HostsOfGateway, input.HostShards, input.InGateway(place.Gateway, string(place.Host)), place.Host, cmp.Compare)
	enter(s.table, input.RoutesOfGateway, input.RouteShards, input.InGateway(place.Gateway, ref.Name.String()), ref, ir.Ref.Compare)
}

// leave takes a route out of a place, and what only it held up: the host name, and the Gateway's list of routes when
// the route is in no other place of the Gateway (the caller enters the remaining ones again).
func (s *Store) leave(ref ir.Ref, place input.GatewayHost) {
	remove(s.table, input.RoutesOfHost, place, ref, ir.Ref.Compare)
	if _, others := input.RoutesOfHost.Lookup(s.table, place); !others {
		leave(s.table, input.HostsOfGateway, input.HostShards, input.InGateway(place.Gateway, string(place.Host)), place.Host, cmp.Compare)
	}
	leave(s.table, input.RoutesOfGateway, input.RouteShards, input.InGateway(place.Gateway, ref.Name.String()), ref, ir.Ref.Compare)
}
