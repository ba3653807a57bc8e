package attach

import (
	"slices"

	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/cloverleaf-mesh/cloverleaf/internal/memo"
	"github.com/cloverleaf-mesh/cloverleaf/translator/input"
	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// PolicyGateways lists the Gateways of ours whose routes use what a BackendTLSPolicy targets, sorted: the ancestors that
// its status is about (PolicyAncestorStatus).
var PolicyGateways = memo.NewQuery("PolicyGateways", func(c *memo.Ctx, name ir.Name) []ir.Name {
	policy, ok := input.BackendTLSPolicies.Read(c, name)
	if !ok {
		return nil
	}
	var gateways []ir.Name
	for _, t := range serviceTargets(name, policy) {
		gateways = append(gateways, gatewaysUsing.Get(c, ServicePort{t.Service, portNumber.Get(c, t)})...)
	}
	return sortedNames(gateways)
}, memo.Equal).Recovering(func(ir.Name, any) []ir.Name { return nil })

// portNumber is the number of the port that a policy targets; 0 when it targets all ports, or one that does not exist.
var portNumber = memo.NewQuery("portNumber", func(c *memo.Ctx, t policyTarget) int32 {
	svc, ok := input.Services.Read(c, t.Service)
	if !ok || t.Section == "" {
		return 0
	}
	for _, port := range svc.Ports {
		if port.Name == t.Section {
			return port.Port
		}
	}
	return 0
}, memo.Same)

// gatewaysUsing lists the Gateways of ours with routes that send requests to a port of a Service, or to any with port 0.
var gatewaysUsing = memo.NewQuery("gatewaysUsing", func(c *memo.Ctx, p ServicePort) []ir.Name {
	var gateways []ir.Name
	for shard := range uint8(input.Shards) {
		gateways = append(gateways, gatewaysInShard.Get(c, portShard{p, shard})...)
	}
	return sortedNames(gateways)
}, memo.Equal)

type portShard struct {
	ServicePort
	Shard uint8
}

var gatewaysInShard = memo.NewQuery("gatewaysInShard", func(c *memo.Ctx, key portShard) []ir.Name {
	uses, _ := input.UsesOfService.Read(c, input.ServiceShard{Service: key.Service, Shard: key.Shard})
	var gateways []ir.Name
	for _, use := range uses {
		if key.Port == 0 || use.Port == key.Port {
			gateways = append(gateways, gatewaysThrough.Get(c, serviceRoute{key.Service, use.Route})...)
		}
	}
	return sortedNames(gateways)
}, memo.Equal)

// serviceRoute is a route that names a Service.
type serviceRoute struct {
	Service ir.Name
	Route   ir.Ref
}

// gatewaysThrough lists the Gateways of ours that a route is attached to; none when the route may not use the Service.
var gatewaysThrough = memo.NewQuery("gatewaysThrough", func(c *memo.Ctx, r serviceRoute) []ir.Name {
	granted := Granted(c, Reference{
		FromGroup: gwv1.GroupName, FromKind: string(r.Route.Kind), FromNamespace: r.Route.Namespace, ToKind: "Service", To: r.Service,
	})
	head, ok := input.Routes.Read(c, r.Route)
	if !granted || !ok {
		return nil
	}
	var gateways []ir.Name
	for i := range head.Parents {
		for _, l := range Attach.Get(c, ParentKey{Route: r.Route, Index: i}).Listeners {
			gateways = append(gateways, l.Gateway)
		}
	}
	return sortedNames(gateways)
}, memo.Equal)

func sortedNames(names []ir.Name) []ir.Name {
	slices.SortFunc(names, ir.Name.Compare)
	return slices.Compact(names)
}
