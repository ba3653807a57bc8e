package store

import (
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/cloverleaf-mesh/cloverleaf/translator/input"
	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// putTLSPolicy stores a BackendTLSPolicy and keeps the index by Service.
func (s *Store) putTLSPolicy(name ir.Name, o *gwv1.BackendTLSPolicy) {
	s.moveTargets(name, &o.Spec)
	s.list(ir.Ref{Kind: ir.KindBackendTLSPolicy, Name: name}, o.Generation)
	input.BackendTLSPolicies.Set(s.table, name, &input.BackendTLSPolicy{Created: created(o), Spec: o.Spec})
}

func (s *Store) deleteTLSPolicy(ref ir.Ref) {
	s.moveTargets(ref.Name, &gwv1.BackendTLSPolicySpec{})
	input.BackendTLSPolicies.Delete(s.table, ref.Name)
	s.unlist(ref)
}

// moveTargets takes a policy out of the buckets of the Services that it no longer names and puts it into the others.
func (s *Store) moveTargets(name ir.Name, next *gwv1.BackendTLSPolicySpec) {
	after := targets(name, next)
	if before, ok := input.BackendTLSPolicies.Lookup(s.table, name); ok {
		for service := range targets(name, &before.Spec) {
			if !after[service] {
				remove(s.table, input.TLSPoliciesOfService, service, name, ir.Name.Compare)
			}
		}
	}
	for service := range after {
		add(s.table, input.TLSPoliciesOfService, service, name, ir.Name.Compare)
	}
}

func targets(policy ir.Name, spec *gwv1.BackendTLSPolicySpec) map[ir.Name]bool {
	set := map[ir.Name]bool{}
	for _, ref := range spec.TargetRefs {
		if service, ok := input.TargetService(ref, policy.Namespace); ok {
			set[service] = true
		}
	}
	return set
}

// moveUses keeps the index of the Services that the rules of a route name; the old rules are still stored.
func (s *Store) moveUses(kind input.RouteKind, ref ir.Ref, rules any) {
	before, _ := input.Rules.Lookup(s.table, ref)
	after := uses(kind, ref, rules)
	for use := range uses(kind, ref, before) {
		if !after[use] {
			remove(s.table, input.UsesOfService, use.shard, use.use, input.CompareUses)
		}
	}
	for use := range after {
		add(s.table, input.UsesOfService, use.shard, use.use, input.CompareUses)
	}
}

// placedUse is an entry of [input.UsesOfService] and its bucket.
type placedUse struct {
	shard input.ServiceShard
	use   input.ServiceUse
}

func uses(kind input.RouteKind, route ir.Ref, rules any) map[placedUse]bool {
	set := map[placedUse]bool{}
	for _, ref := range kind.Backends(rules) {
		service, ok := input.ReferredService(ref, route.Namespace)
		if !ok {
			continue
		}
		use := placedUse{
			shard: input.ServiceShard{Service: service, Shard: input.ShardOf(route.Name.String())}, use: input.ServiceUse{Route: route},
		}
		if ref.Port != nil {
			use.use.Port = *ref.Port
		}
		set[use] = true
	}
	return set
}
