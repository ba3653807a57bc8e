// Package attach decides what belongs together: which classes and Gateways are ours, what their listeners may serve,
// which routes attach to which listeners, which references are granted, and what a backendRef stands for.
// It does not look into the rules of routes and knows nothing of Envoy.
package attach

import (
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/cloverleaf-mesh/cloverleaf/internal/memo"
	"github.com/cloverleaf-mesh/cloverleaf/translator/finding"
	"github.com/cloverleaf-mesh/cloverleaf/translator/input"
	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// Ownership says whether a GatewayClass or Gateway is ours to serve.
type Ownership uint8

// The kinds of ownership.
const (
	Unknown Ownership = iota // the class does not exist
	Foreign                  // of another controller: we write nothing about it
	Ours
)

// OwnerOf tells whose a GatewayClass is.
var OwnerOf = memo.NewQuery("OwnerOf", func(c *memo.Ctx, class string) Ownership {
	gc, ok := input.GatewayClasses.Read(c, class)
	if !ok {
		return Unknown
	}
	settings, _ := input.SettingsOf.Read(c, struct{}{})
	if gc.Controller != settings.Controller {
		return Foreign
	}
	return Ours
}, memo.Same)

// ClassProblems lists what keeps a class of ours from being accepted.
var ClassProblems = memo.NewQuery("ClassProblems", func(c *memo.Ctx, class string) []finding.Problem {
	gc, ok := input.GatewayClasses.Read(c, class)
	if !ok || !gc.HasParameters {
		return nil
	}
	ref := ir.Ref{Kind: ir.KindGatewayClass, Name: ir.Name{Name: class}}
	return []finding.Problem{finding.Under(finding.Accepted, gwv1.GatewayClassReasonInvalidParameters,
		finding.New(finding.ClassParameters, ref, "spec.parametersRef"))}
}, memo.Equal)

// GatewayOwner tells whose a Gateway is: its class's.
var GatewayOwner = memo.NewQuery("GatewayOwner", func(c *memo.Ctx, gateway ir.Name) Ownership {
	class := gatewayClass.Get(c, gateway)
	if !class.ok {
		return Unknown
	}
	return OwnerOf.Get(c, class.value)
}, memo.Same)

// optional is a string that may be missing, which is something else than an empty one.
type optional struct {
	value string
	ok    bool
}

// gatewayClass is a cell's worth of a Gateway: most questions need no more of it.
var gatewayClass = memo.NewQuery("gatewayClass", func(c *memo.Ctx, gateway ir.Name) optional {
	gw, ok := input.Gateways.Read(c, gateway)
	if !ok {
		return optional{}
	}
	return optional{string(gw.Spec.GatewayClassName), true}
}, memo.Same)
