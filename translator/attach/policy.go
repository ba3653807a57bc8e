package attach

import (
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/cloverleaf-mesh/cloverleaf/internal/memo"
	"github.com/cloverleaf-mesh/cloverleaf/translator/finding"
	"github.com/cloverleaf-mesh/cloverleaf/translator/input"
	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// ServicePort names a port of a Service by its number.
type ServicePort struct {
	Service ir.Name
	Port    int32
}

// BackendTLSOf says how a port of a Service is reached: by the policy of its port's name or, without one, by that of
// the whole Service (GEP-1897). A policy that cannot be used is a fault, never plaintext.
var BackendTLSOf = memo.NewQuery("BackendTLSOf", func(c *memo.Ctx, p ServicePort) ClientTLS {
	if policies, _ := input.TLSPoliciesOfService.Read(c, p.Service); len(policies) == 0 {
		return ClientTLS{}
	}
	var policy ir.Name
	if svc, ok := input.Services.Read(c, p.Service); ok {
		if port := findPort(svc, p.Port); port != nil && port.Name != "" {
			policy = policyOf.Get(c, policyTarget{p.Service, port.Name})
		}
	}
	if policy == (ir.Name{}) {
		policy = policyOf.Get(c, policyTarget{p.Service, ""})
	}
	if policy == (ir.Name{}) {
		return ClientTLS{}
	}
	if tls := policyTLSOf.Get(c, policy).TLS; tls != nil {
		return ClientTLS{TLS: tls}
	}
	return ClientTLS{Fault: "BackendTLSPolicy " + policy.String() + " names no CA that can be used"}
}, memo.Equal)

// policyTarget is what a BackendTLSPolicy names: a Service, or one of its ports.
type policyTarget struct {
	Service ir.Name
	Section string // name of a port; empty for the whole Service
}

func (t policyTarget) String() string {
	if t.Section == "" {
		return "Service " + t.Service.String()
	}
	return "port " + t.Section + " of Service " + t.Service.String()
}

// policyOf finds the BackendTLSPolicy that counts for a target: the oldest, then the first by name, whether or not it can
// be used (BackendTLSPolicySpec.targetRefs).
var policyOf = memo.NewQuery("policyOf", func(c *memo.Ctx, t policyTarget) ir.Name {
	var first ir.Name
	var since int64
	names, _ := input.TLSPoliciesOfService.Read(c, t.Service)
	for _, name := range names {
		policy, ok := input.BackendTLSPolicies.Read(c, name)
		if !ok || !slices.Contains(serviceTargets(name, policy), t) {
			continue
		}
		if first == (ir.Name{}) || CompareAge(policy.Created, name, since, first) < 0 {
			first, since = name, policy.Created
		}
	}
	return first
}, memo.Same)

// serviceTargets lists the Services and ports that a policy names.
func serviceTargets(name ir.Name, policy *input.BackendTLSPolicy) []policyTarget {
	var targets []policyTarget
	for _, ref := range policy.Spec.TargetRefs {
		if service, ok := input.TargetService(ref, name.Namespace); ok {
			targets = append(targets, policyTarget{service, sectionOf(ref)})
		}
	}
	return targets
}

func sectionOf(ref gwv1.LocalPolicyTargetReferenceWithSectionName) string {
	if ref.SectionName == nil {
		return ""
	}
	return string(*ref.SectionName)
}

// policyTLS is what a BackendTLSPolicy asks for, apart from its targets.
type policyTLS struct {
	TLS      *ir.ClientTLS // nil when nothing is left that a certificate could be checked against
	Problems []finding.Problem
}

var policyTLSOf = memo.NewQuery("policyTLSOf", func(c *memo.Ctx, name ir.Name) policyTLS {
	policy, ok := input.BackendTLSPolicies.Read(c, name)
	if !ok {
		return policyTLS{}
	}
	p := policyChecker{c: c, ref: ir.Ref{Kind: ir.KindBackendTLSPolicy, Name: name}}
	v := &policy.Spec.Validation
	trust := trustOf(c, name.Namespace, v)
	for _, f := range trust.faults {
		at := finding.Element("spec.validation.caCertificateRefs", f.index)
		if f.kind != "" {
			p.problem(finding.AuthorityKind, at, finding.ResolvedRefs, gwv1.BackendTLSPolicyReasonInvalidKind, f.kind)
		} else {
			p.problem(finding.AuthorityInvalid, at, finding.ResolvedRefs, gwv1.BackendTLSPolicyReasonInvalidCACertificateRef, f.why)
		}
	}
	switch {
	case trust.usable():
		return policyTLS{TLS: clientTLS(v, trust), Problems: p.problems}
	case wellKnown(v) != "":
		p.problem(finding.AuthorityUnknown, "spec.validation.wellKnownCACertificates", finding.Accepted, gwv1.PolicyReasonInvalid, wellKnown(v))
	default:
		p.problem(finding.AuthorityNone, "spec.validation.caCertificateRefs", finding.Accepted, gwv1.BackendTLSPolicyReasonNoValidCACertificate)
	}
	return policyTLS{Problems: p.problems}
}, memo.Equal)

// PolicyProblems lists what is wrong with a BackendTLSPolicy.
var PolicyProblems = memo.NewQuery("PolicyProblems", func(c *memo.Ctx, name ir.Name) []finding.Problem {
	policy, ok := input.BackendTLSPolicies.Read(c, name)
	if !ok {
		return nil
	}
	p := policyChecker{c: c, ref: ir.Ref{Kind: ir.KindBackendTLSPolicy, Name: name}}
	for i, ref := range policy.Spec.TargetRefs {
		p.target(finding.Element("spec.targetRefs", i), ref)
	}
	p.problems = append(p.problems, policyTLSOf.Get(c, name).Problems...)
	for _, key := range slices.Sorted(maps.Keys(policy.Spec.Options)) {
		p.problem(finding.PolicyOptions, "spec.options", "", "", key)
	}
	return p.problems
}, memo.Equal).Recovering(func(name ir.Name, panicked any) []finding.Problem {
	p := policyChecker{ref: ir.Ref{Kind: ir.KindBackendTLSPolicy, Name: name}}
	p.problem(finding.Internal, "", finding.Accepted, gwv1.PolicyReasonInvalid, panicked)
	return p.problems
})

type policyChecker struct {
	c        *memo.Ctx
	ref      ir.Ref
	problems []finding.Problem
}

func (p *policyChecker) problem(
	code finding.Code, at string, condition finding.Condition, reason gwv1.PolicyConditionReason, args ...any,
) {
	p.problems = append(p.problems, finding.Under(condition, reason, finding.New(code, p.ref, at, args...)))
}

// target checks one targetRef. A port that does not exist is a target that does not exist
// (LocalPolicyTargetReferenceWithSectionName.sectionName: "the Policy must fail to attach").
func (p *policyChecker) target(at string, ref gwv1.LocalPolicyTargetReferenceWithSectionName) {
	service, ok := input.TargetService(ref, p.ref.Namespace)
	if !ok {
		kind := strings.TrimPrefix(string(ref.Group)+"/"+string(ref.Kind), "/")
		p.problem(finding.PolicyTargetKind, at, finding.Accepted, gwv1.PolicyReasonTargetNotFound, kind)
		return
	}
	t := policyTarget{service, sectionOf(ref)}
	svc, ok := input.Services.Read(p.c, service)
	if !ok {
		p.problem(finding.PolicyTargetMissing, at, finding.Accepted, gwv1.PolicyReasonTargetNotFound, service)
		return
	}
	tcp, udp := portsNamed(svc, t.Section)
	switch {
	case tcp+udp == 0 && t.Section != "":
		p.problem(finding.PolicyTargetPort, at+".sectionName", finding.Accepted, gwv1.PolicyReasonTargetNotFound, service, t.Section, portNames(svc))
	case tcp == 0 && udp > 0:
		p.problem(finding.PolicyUDP, at, finding.Accepted, gwv1.PolicyReasonInvalid, service)
	case udp > 0:
		p.problem(finding.PolicyUDPToo, at, finding.Accepted, "", service)
	}
	if winner := policyOf.Get(p.c, t); winner != p.ref.Name {
		p.problem(finding.PolicyConflict, at, finding.Accepted, gwv1.PolicyReasonConflicted, winner, t)
	}
}

// portsNamed counts the ports of a Service with a name, or all of them.
func portsNamed(svc *input.Service, name string) (tcp, udp int) {
	for _, port := range svc.Ports {
		switch {
		case name != "" && port.Name != name:
		case port.Protocol == corev1.ProtocolUDP:
			udp++
		default:
			tcp++
		}
	}
	return tcp, udp
}

func portNames(svc *input.Service) string {
	var names []string
	for _, port := range svc.Ports {
		if port.Name != "" {
			names = append(names, port.Name)
		}
	}
	if len(names) == 0 {
		return "none with a name"
	}
	return strings.Join(names, ", ")
}
