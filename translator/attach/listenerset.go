package attach

import (
	"slices"

	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/cloverleaf-mesh/cloverleaf/internal/memo"
	"github.com/cloverleaf-mesh/cloverleaf/translator/finding"
	"github.com/cloverleaf-mesh/cloverleaf/translator/input"
	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// Admission says whether the listeners of a ListenerSet are listeners of the Gateway that it names.
type Admission struct {
	Gateway  ir.Name
	Owner    Ownership // of the Gateway; Ours: we write a status
	Admitted bool
	Problems []finding.Problem
}

// AdmissionOf decides a ListenerSet's parentRef: the Gateway must let ListenerSets of its namespace in, and by default
// lets in none (GEP-1713, "Gateway & ListenerSet Handshake").
var AdmissionOf = memo.NewQuery("AdmissionOf", func(c *memo.Ctx, set ir.Name) Admission {
	s, ok := input.ListenerSets.Read(c, set)
	if !ok {
		return Admission{}
	}
	ref := ir.Ref{Kind: ir.KindListenerSet, Name: set}
	say := func(code finding.Code, args ...any) []finding.Problem {
		return []finding.Problem{{Finding: finding.New(code, ref, "spec.parentRef", args...)}}
	}
	gateway, ok := input.SetParent(s.Parent, set.Namespace)
	if !ok {
		return Admission{Owner: Foreign, Problems: say(finding.SetParentKind, kindName(s.Parent.Kind))}
	}
	a := Admission{Gateway: gateway, Owner: GatewayOwner.Get(c, gateway)}
	switch a.Owner {
	case Foreign:
	case Unknown:
		if _, exists := input.Gateways.Read(c, gateway); !exists { // one without a class says so itself
			a.Problems = say(finding.SetParentMissing, gateway)
		}
	case Ours:
		a.Admitted = admits(c, gateway, set.Namespace)
		if !a.Admitted {
			a.Problems = []finding.Problem{finding.Under(finding.Accepted, gwv1.ListenerSetReasonNotAllowed,
				finding.New(finding.SetNotAllowed, ref, "spec.parentRef", gateway, set.Namespace))}
		}
	}
	return a
}, memo.Equal).Recovering(func(set ir.Name, panicked any) Admission {
	ref := ir.Ref{Kind: ir.KindListenerSet, Name: set}
	return Admission{Problems: []finding.Problem{{Finding: finding.New(finding.Internal, ref, "spec.parentRef", panicked)}}}
})

// admits tells whether a Gateway lets in ListenerSets of a namespace.
func admits(c *memo.Ctx, gateway ir.Name, namespace string) bool {
	allowed := allowedListeners.Get(c, gateway)
	if allowed == nil || allowed.From == nil {
		return false
	}
	switch *allowed.From {
	case gwv1.NamespacesFromAll:
		return true
	case gwv1.NamespacesFromSelector:
		return selects(c, allowed.Selector, namespace)
	case gwv1.NamespacesFromSame:
		return namespace == gateway.Namespace
	default: // None
		return false
	}
}

// allowedListeners is all that ListenerSets read of a Gateway.
var allowedListeners = memo.NewQuery("allowedListeners", func(c *memo.Ctx, gateway ir.Name) *gwv1.ListenerNamespaces {
	gw, ok := input.Gateways.Read(c, gateway)
	if !ok || gw.Spec.AllowedListeners == nil {
		return nil
	}
	return gw.Spec.AllowedListeners.Namespaces
}, memo.Equal)

// AllowsNone tells whether a Gateway lets in no ListenerSet at all, as most do.
func AllowsNone(c *memo.Ctx, gateway ir.Name) bool {
	allowed := allowedListeners.Get(c, gateway)
	return allowed == nil || allowed.From == nil || *allowed.From == gwv1.NamespacesFromNone
}

// AllowedListenersProblems reports a selector that lets in no ListenerSet because it cannot be read.
func AllowedListenersProblems(gateway ir.Name, spec *gwv1.GatewaySpec) []finding.Problem {
	if spec.AllowedListeners == nil || spec.AllowedListeners.Namespaces == nil {
		return nil
	}
	allowed := spec.AllowedListeners.Namespaces
	why := selectorFault(allowed.From, allowed.Selector)
	if why == "" {
		return nil
	}
	ref := ir.Ref{Kind: ir.KindGateway, Name: gateway}
	return []finding.Problem{{Finding: finding.New(finding.SetSelector, ref, "spec.allowedListeners.namespaces.selector", why)}}
}

// parentAdmitted tells whether the listeners of an object are listeners of a Gateway of ours.
func parentAdmitted(c *memo.Ctx, parent ir.Ref) bool {
	if parent.Kind == ir.KindListenerSet {
		return AdmissionOf.Get(c, parent.Name).Admitted
	}
	return GatewayOwner.Get(c, parent.Name) == Ours
}

// setCreated is when a ListenerSet was made, which few edits change.
var setCreated = memo.NewQuery("setCreated", func(c *memo.Ctx, set ir.Name) int64 {
	s, ok := input.ListenerSets.Read(c, set)
	if !ok {
		return 0
	}
	return s.Created
}, memo.Same)

// compareParents orders the objects that give a Gateway its listeners by precedence: the Gateway itself, then
// ListenerSets by age, then by name (ListenerSetSpec.listeners).
func compareParents(c *memo.Ctx, a, b ir.Ref) int {
	switch {
	case a == b:
		return 0
	case a.Kind == ir.KindGateway:
		return -1
	case b.Kind == ir.KindGateway:
		return 1
	default:
		return CompareAge(setCreated.Get(c, a.Name), a.Name, setCreated.Get(c, b.Name), b.Name)
	}
}

// specsOf returns the listeners of a Gateway or ListenerSet as its manifest has them.
func specsOf(c *memo.Ctx, parent ir.Ref) []gwv1.Listener {
	if parent.Kind == ir.KindListenerSet {
		if s, ok := input.ListenerSets.Read(c, parent.Name); ok {
			return s.Listeners
		}
		return nil
	}
	if gw, ok := input.Gateways.Read(c, parent.Name); ok {
		return gw.Spec.Listeners
	}
	return nil
}

// gatewayOf returns the Gateway that an object gives its listeners to.
func gatewayOf(c *memo.Ctx, parent ir.Ref) ir.Name {
	if parent.Kind == ir.KindListenerSet {
		return AdmissionOf.Get(c, parent.Name).Gateway
	}
	return parent.Name
}

// ParentsOn lists the objects that give a Gateway listeners on a port, in the order of precedence.
func ParentsOn(c *memo.Ctx, port input.GatewayPort) []ir.Ref {
	all, _ := input.ParentsOfPort.Read(c, port)
	return admittedInOrder(c, all)
}

// ParentsFor lists the objects that give a Gateway listeners, in the order of precedence. It looks at all of them.
func ParentsFor(c *memo.Ctx, gateway ir.Name) []ir.Ref {
	all := []ir.Ref{{Kind: ir.KindGateway, Name: gateway}}
	if AllowsNone(c, gateway) {
		return all
	}
	for shard := range uint8(input.Shards) {
		sets, _ := input.SetsOfGateway.Read(c, input.GatewayShard{Gateway: gateway, Shard: shard})
		for _, set := range sets {
			all = append(all, ir.Ref{Kind: ir.KindListenerSet, Name: set})
		}
	}
	return admittedInOrder(c, all)
}

func admittedInOrder(c *memo.Ctx, all []ir.Ref) []ir.Ref {
	var parents []ir.Ref
	for _, parent := range all {
		if parentAdmitted(c, parent) {
			parents = append(parents, parent)
		}
	}
	slices.SortFunc(parents, func(a, b ir.Ref) int { return compareParents(c, a, b) })
	return parents
}
