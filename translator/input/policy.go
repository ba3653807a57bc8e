package input

import (
	"cmp"

	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/cloverleaf-mesh/cloverleaf/internal/memo"
	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// Policies, and the indexes that they need.
var (
	// BackendTLSPolicies by name.
	BackendTLSPolicies = memo.NewInput[ir.Name]("BackendTLSPolicy", memo.Equal[*BackendTLSPolicy])
	// TLSPoliciesOfService lists the BackendTLSPolicies that name a Service as a target, whatever the port.
	TLSPoliciesOfService = memo.NewInput[ir.Name]("TLSPoliciesOfService", memo.Equal[[]ir.Name])
	// UsesOfService lists the routes that send requests or copies of them to a Service, and the ports.
	UsesOfService = memo.NewInput[ServiceShard]("UsesOfService", memo.Equal[[]ServiceUse])
)

// BackendTLSPolicy is what the core reads of a BackendTLSPolicy.
type BackendTLSPolicy struct {
	Created int64 // seconds since 1970; 0 when the object does not say
	Spec    gwv1.BackendTLSPolicySpec
}

// ServiceShard is the key of [UsesOfService]: the routes are cut by hash of their name.
type ServiceShard struct {
	Service ir.Name
	Shard   uint8
}

// ServiceUse is a route that names a port of a Service.
type ServiceUse struct {
	Route ir.Ref
	Port  int32 // 0 when the reference gives none
}

// CompareUses orders uses by route, then by port.
func CompareUses(a, b ServiceUse) int {
	return cmp.Or(a.Route.Compare(b.Route), cmp.Compare(a.Port, b.Port))
}

// TargetService returns the Service that a targetRef of a policy in namespace names, and whether it names one.
func TargetService(ref gwv1.LocalPolicyTargetReferenceWithSectionName, namespace string) (ir.Name, bool) {
	return ir.Name{Namespace: namespace, Name: string(ref.Name)}, ref.Group == "" && ref.Kind == "Service"
}

// ReferredService returns the Service that a backendRef of a route in namespace names, and whether it names one.
func ReferredService(ref gwv1.BackendObjectReference, namespace string) (ir.Name, bool) {
	if ref.Group != nil && *ref.Group != "" || ref.Kind != nil && *ref.Kind != "Service" {
		return ir.Name{}, false
	}
	if ref.Namespace != nil {
		namespace = string(*ref.Namespace)
	}
	return ir.Name{Namespace: namespace, Name: string(ref.Name)}, true
}
