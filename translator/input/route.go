package input

import (
	"slices"
	"strings"

	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// RouteHead is what the core reads of a route apart from its rules.
type RouteHead struct {
	Created   int64 // seconds since 1970; 0 when the object does not say
	Parents   []gwv1.ParentReference
	Hostnames []ir.Hostname // as written, in lower case
	// DefaultGateways is spec.useDefaultGateways, which is not supported.
	DefaultGateways string
}

// ParentOf returns the Gateway or ListenerSet that a parentRef of a route in namespace names, and whether it names one.
func ParentOf(p gwv1.ParentReference, namespace string) (ir.Ref, bool) {
	kind := ir.KindGateway
	if p.Kind != nil {
		kind = ir.Kind(*p.Kind)
	}
	if p.Group != nil && *p.Group != gwv1.GroupName || kind != ir.KindGateway && kind != ir.KindListenerSet {
		return ir.Ref{}, false
	}
	if p.Namespace != nil {
		namespace = string(*p.Namespace)
	}
	return ir.Ref{Kind: kind, Name: ir.Name{Namespace: namespace, Name: string(p.Name)}}, true
}

// ParentsOf returns the Gateways and ListenerSets that a route names, sorted and without duplicates.
func ParentsOf(h *RouteHead, namespace string) []ir.Ref {
	var parents []ir.Ref
	for _, p := range h.Parents {
		if parent, ok := ParentOf(p, namespace); ok {
			parents = append(parents, parent)
		}
	}
	slices.SortFunc(parents, ir.Ref.Compare)
	return slices.Compact(parents)
}

// Hosts returns the host names under which a route is listed: its own, or [ir.AnyHost]. Sorted, without duplicates.
func (h *RouteHead) Hosts() []ir.Hostname {
	if len(h.Hostnames) == 0 {
		return []ir.Hostname{ir.AnyHost}
	}
	hosts := slices.Clone(h.Hostnames)
	slices.Sort(hosts)
	return slices.Compact(hosts)
}

// LowerHost returns a host name in lower case.
func LowerHost(h gwv1.Hostname) ir.Hostname { return ir.Hostname(strings.ToLower(string(h))) }
