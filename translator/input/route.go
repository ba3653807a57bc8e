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

// ParentGateway returns the Gateway that a parentRef of a route in namespace names, and whether it names one.
func ParentGateway(p gwv1.ParentReference, namespace string) (ir.Name, bool) {
	if p.Group != nil && *p.Group != gwv1.GroupName || p.Kind != nil && *p.Kind != "Gateway" {
		return ir.Name{}, false
	}
	if p.Namespace != nil {
		namespace = string(*p.Namespace)
	}
	return ir.Name{Namespace: namespace, Name: string(p.Name)}, true
}

// ParentGateways returns the Gateways that a route names, sorted and without duplicates.
func ParentGateways(h *RouteHead, namespace string) []ir.Name {
	var names []ir.Name
	for _, p := range h.Parents {
		if g, ok := ParentGateway(p, namespace); ok {
			names = append(names, g)
		}
	}
	slices.SortFunc(names, ir.Name.Compare)
	return slices.Compact(names)
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
