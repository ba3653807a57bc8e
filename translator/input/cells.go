// Package input holds the cells through which the core sees the world: projections of objects, small index buckets,
// and facts that the shell reports. It decides what of an object the core may read, and in which portions: parts
// that change for different reasons are different cells. It reads no object itself; controller/store fills the cells.
package input

import (
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/cloverleaf-mesh/cloverleaf/api/v1alpha1"
	"github.com/cloverleaf-mesh/cloverleaf/internal/memo"
	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// Object cells.
var (
	// GatewayClasses by name.
	GatewayClasses = memo.NewInput[string]("GatewayClass", memo.Equal[*GatewayClass])
	// Gateways without their status.
	Gateways = memo.NewInput[ir.Name]("Gateway", memo.Equal[*Gateway])
	// Routes are what decides where a route attaches, for every kind of route.
	Routes = memo.NewInput[ir.Ref]("RouteHead", memo.Equal[*RouteHead])
	// Rules are the rules of a route, a slice of its kind's, which change for other reasons than its attachment.
	Rules = memo.NewInput[ir.Ref]("RouteRules", memo.Equal[any])
	// Generations are metadata.generation: only statuses read them.
	Generations = memo.NewInput[ir.Ref]("Generation", memo.Same[int64])
	// Grants are the ReferenceGrants.
	Grants = memo.NewInput[ir.Name]("ReferenceGrant", memo.Equal[*gwv1.ReferenceGrantSpec])
	// Services without what only Kubernetes needs.
	Services = memo.NewInput[ir.Name]("Service", memo.Equal[*Service])
	// EndpointSlices are the addresses behind Services.
	EndpointSlices = memo.NewInput[ir.Name]("EndpointSlice", memo.Equal[*EndpointSlice])
	// Secrets by name. Their key material never enters the IR.
	Secrets = memo.NewInput[ir.Name]("Secret", memo.Equal[*Secret])
	// ConfigMaps by name.
	ConfigMaps = memo.NewInput[ir.Name]("ConfigMap", memo.Equal[map[string]string])
	// NamespaceLabels are the labels of the namespaces.
	NamespaceLabels = memo.NewInput[string]("Namespace", memo.Equal[map[string]string])
	// Backends are our own destinations.
	Backends = memo.NewInput[ir.Name]("Backend", memo.Equal[*v1alpha1.BackendSpec])
)
