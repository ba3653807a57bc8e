package translator

import (
	"slices"
	"strings"

	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/cloverleaf-mesh/cloverleaf/internal/memo"
	"github.com/cloverleaf-mesh/cloverleaf/translator/attach"
	"github.com/cloverleaf-mesh/cloverleaf/translator/finding"
	"github.com/cloverleaf-mesh/cloverleaf/translator/input"
	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
	"github.com/cloverleaf-mesh/cloverleaf/translator/xds"
)

// What an Envoy refused is said by the objects that it was made of, for as long as the refused bytes are what they make.

// rejection tells whether the newest version of a resource was refused by an Envoy, and its words.
func rejection(c *memo.Ctx, key ResourceKey) (bool, string) {
	id := key.ID()
	refused, _ := input.RejectedIn.Read(c, input.ShardOf(id.Name))
	if !slices.Contains(refused, id) {
		return false, ""
	}
	r, _ := input.Rejections.Read(c, id)
	wanted := ResourceOf.Get(c, key).Resource
	return wanted != nil && wanted.Version == r.Version, r.Message
}

// refusedListener lists what an Envoy refused of a listener: itself, or a certificate without which it serves nobody.
func refusedListener(c *memo.Ctx, l *attach.Listener) []finding.Problem {
	var problems []finding.Problem
	key := listenerResource(PortKey{l.Key.Gateway, l.Port})
	if rejected, why := rejection(c, key); rejected {
		f := finding.New(finding.RefusedListener, l.Ref(), l.Field()+".port", l.Bound, why)
		if settings, _ := input.SettingsOf.Read(c, struct{}{}); settings.Standalone == input.On && strings.Contains(why, xds.PortInUse) {
			f = finding.New(finding.PortTaken, l.Ref(), f.Field, l.Bound, attach.AddressOf.Get(c, l.Key.Gateway).IP)
		}
		problems = append(problems, finding.Under(finding.Programmed, gwv1.ListenerReasonInvalid, f))
	}
	for _, secret := range attach.CertificatesOf.Get(c, l.Key).Secrets {
		if rejected, why := rejection(c, certificateResource(secret)); rejected {
			f := finding.New(finding.CertificateInvalid, l.Ref(), l.Field()+".tls.certificateRefs", secret, "Envoy refused it: "+why)
			problems = append(problems, finding.Under(finding.ResolvedRefs, gwv1.ListenerReasonInvalidCertificateRef, f),
				finding.Under(finding.Programmed, gwv1.ListenerReasonInvalid, f))
		}
	}
	return problems
}

// refusedHosts lists the hosts of a route that an Envoy refused, through one parentRef.
func refusedHosts(c *memo.Ctx, ref ir.Ref, head *input.RouteHead, a attach.Attachment) []finding.Problem {
	var problems []finding.Problem
	for _, key := range a.Listeners {
		l := attach.ListenerOf(c, key)
		table := TableKey{PortKey{key.Gateway, l.Port}, l.Protocol == gwv1.HTTPSProtocolType}
		for _, raw := range head.Hosts() {
			host, ok := attach.Intersect(raw, l.Hostname)
			if !ok {
				continue
			}
			if rejected, why := rejection(c, hostResource(table, host)); rejected {
				problems = append(problems, fallback(finding.New(finding.RefusedHost, ref, "spec.hostnames", host, why)))
			}
		}
	}
	slices.SortFunc(problems, func(a, b finding.Problem) int { return finding.Compare(a.Finding, b.Finding) })
	return slices.Compact(problems)
}

// refusedBackends lists the backends of a route that an Envoy refused, as a Gateway reaches them.
func refusedBackends(c *memo.Ctx, ref ir.Ref, gateway ir.Name, rules []ir.Rule) []finding.Problem {
	var problems []finding.Problem
	shown := shower{c, attach.ClientCertificateOf.Get(c, gateway)}
	for _, named := range backendsIn(rules) {
		backend, reached := shown.backend(named)
		if !reached {
			continue
		}
		for _, t := range []ir.Type{ir.TypeCluster, ir.TypeEndpoints} {
			if rejected, why := rejection(c, backendResource(t, backend)); rejected {
				problems = append(problems, fallback(finding.New(finding.RefusedBackend, ref, "spec.rules", backend, why)))
			}
		}
	}
	return problems
}

// fallback makes a problem of a refusal that leaves in force what the proxy had before.
func fallback(f finding.Finding) finding.Problem {
	return finding.Under(finding.PartiallyInvalid, gwv1.RouteReasonUnsupportedValue, f)
}
