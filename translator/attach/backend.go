package attach

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/cloverleaf-mesh/cloverleaf/api/v1alpha1"
	"github.com/cloverleaf-mesh/cloverleaf/internal/memo"
	"github.com/cloverleaf-mesh/cloverleaf/translator/finding"
	"github.com/cloverleaf-mesh/cloverleaf/translator/input"
	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// BackendRef is a backendRef together with who makes it.
type BackendRef struct {
	FromKind, FromNamespace string
	Group, Kind             string
	To                      ir.Name
	Port                    int32 // 0 when the reference gives none
	HTTP2                   bool  // what is sent there needs HTTP/2
}

// NewBackendRef reads a backendRef of a route.
func NewBackendRef(route ir.Ref, ref gwv1.BackendObjectReference) BackendRef {
	b := BackendRef{
		FromKind: string(route.Kind), FromNamespace: route.Namespace, Kind: "Service",
		To: ir.Name{Namespace: route.Namespace, Name: string(ref.Name)}, HTTP2: route.Kind == ir.KindGRPCRoute,
	}
	if ref.Group != nil {
		b.Group = string(*ref.Group)
	}
	if ref.Kind != nil {
		b.Kind = string(*ref.Kind)
	}
	if ref.Namespace != nil {
		b.To.Namespace = string(*ref.Namespace)
	}
	if ref.Port != nil {
		b.Port = *ref.Port
	}
	return b
}

// Destination is what a backendRef stands for: a backend, or why there is none.
type Destination struct {
	Backend ir.BackendName
	// Fault is set when requests cannot go there. Its message is complete; object and field are the referrer's.
	Fault *Fault
	// Note is set when requests go there but probably not as meant.
	Note *Fault
}

// Fault is the part of a finding that does not depend on who refers to the backend.
type Fault struct {
	Code   finding.Code
	Reason string // of the route's ResolvedRefs condition
	Args   []any
}

// DestinationOf resolves a backendRef.
var DestinationOf = memo.NewQuery("DestinationOf", func(c *memo.Ctx, r BackendRef) Destination {
	var decide func(*memo.Ctx, BackendRef) Destination
	switch {
	case r.Group == "" && r.Kind == "Service":
		decide = serviceDestination
	case r.Group == v1alpha1.GroupName && r.Kind == "Backend":
		decide = objectDestination
	default:
		return fault(finding.BackendKind, gwv1.RouteReasonInvalidKind, strings.TrimPrefix(r.Group+"/"+r.Kind, "/"))
	}
	granted := Granted(c, Reference{
		FromGroup: gwv1.GroupName, FromKind: r.FromKind, FromNamespace: r.FromNamespace,
		ToGroup: r.Group, ToKind: r.Kind, To: r.To,
	})
	if !granted {
		return fault(finding.BackendGrant, gwv1.RouteReasonRefNotPermitted, r.name(), r.FromKind, r.FromNamespace)
	}
	return decide(c, r)
}, memo.Equal).Recovering(func(_ BackendRef, panicked any) Destination {
	return fault(finding.Internal, gwv1.RouteReasonBackendNotFound, panicked)
})

// variant chooses how a backend is spoken to: gRPC speaks HTTP/2 to backends that do not say what they speak.
func (r BackendRef) variant(name ir.BackendName, app string) ir.BackendName {
	if r.HTTP2 && protocols[app].open {
		return name.H2C()
	}
	return name
}

func (r BackendRef) name() string { return r.Kind + " " + r.To.String() }

func fault(code finding.Code, reason gwv1.RouteConditionReason, args ...any) Destination {
	return Destination{Fault: &Fault{Code: code, Reason: string(reason), Args: args}}
}

func serviceDestination(c *memo.Ctx, r BackendRef) Destination {
	svc, ok := input.Services.Read(c, r.To)
	if !ok {
		return fault(finding.BackendMissing, gwv1.RouteReasonBackendNotFound, r.name())
	}
	if svc.Type == corev1.ServiceTypeExternalName {
		return fault(finding.BackendExternal, gwv1.RouteReasonUnsupportedProtocol, r.name())
	}
	port := findPort(svc, r.Port)
	if port == nil {
		return fault(finding.BackendPort, gwv1.RouteReasonBackendNotFound, r.name(), r.Port, portList(svc))
	}
	app, ok := protocols[port.AppProtocol]
	tls := BackendTLSOf.Get(c, ServicePort{r.To, r.Port})
	switch {
	case !ok:
		return fault(finding.BackendProtocol, gwv1.RouteReasonUnsupportedProtocol, r.Port, r.name(), port.AppProtocol)
	case tls.Fault != "":
		return fault(finding.BackendTLS, reasonBackendTLS, r.name(), tls.Fault)
	case app.tls && tls.TLS == nil:
		return fault(finding.BackendPlaintext, gwv1.RouteReasonUnsupportedProtocol, r.Port, r.name(), port.AppProtocol)
	}
	d := Destination{Backend: r.variant(ir.ServiceBackend(r.To, r.Port), port.AppProtocol)}
	if !HasEndpoints.Get(c, d.Backend) {
		d.Note = &Fault{Code: finding.BackendNoEndpoints, Args: []any{r.name()}}
	}
	return d
}

func findPort(svc *input.Service, port int32) *input.ServicePort {
	for i := range svc.Ports {
		if svc.Ports[i].Port == port && svc.Ports[i].Protocol != corev1.ProtocolUDP {
			return &svc.Ports[i]
		}
	}
	return nil
}

func portList(svc *input.Service) string {
	if len(svc.Ports) == 0 {
		return "none"
	}
	return join(svc.Ports, func(p input.ServicePort) string { return strconv.Itoa(int(p.Port)) })
}

// appProtocol is what an appProtocol says of a backend.
type appProtocol struct {
	speaks ir.Protocol
	tls    bool // TLS is part of it, so something must say how certificates are checked
	open   bool // it leaves the version of HTTP open
}

// protocols lists the values of appProtocol that are understood (Gateway API GEP-1911; Kubernetes, "Application
// protocol").
var protocols = map[string]appProtocol{
	"":     {speaks: ir.ProtocolHTTP1, open: true},
	"http": {speaks: ir.ProtocolHTTP1}, "HTTP": {speaks: ir.ProtocolHTTP1}, "tcp": {speaks: ir.ProtocolHTTP1},
	"https": {speaks: ir.ProtocolHTTP1, tls: true, open: true}, "HTTPS": {speaks: ir.ProtocolHTTP1, tls: true, open: true},
	"kubernetes.io/ws":  {speaks: ir.ProtocolWebSocket},
	"kubernetes.io/wss": {speaks: ir.ProtocolWebSocket, tls: true},
	"kubernetes.io/h2c": {speaks: ir.ProtocolH2C}, "h2c": {speaks: ir.ProtocolH2C},
	"http2": {speaks: ir.ProtocolH2C}, "grpc": {speaks: ir.ProtocolH2C},
}

// reasonBackendTLS is our own reason of ResolvedRefs where a backend must be reached by TLS and cannot be: the
// references of the route itself are right, so none of the API's reasons would be true.
const reasonBackendTLS gwv1.RouteConditionReason = "InvalidBackendTLS"

// speaks returns what is spoken to a backend with this appProtocol.
func speaks(p ir.BackendParts, app string) ir.Protocol {
	if p.H2C {
		return ir.ProtocolH2C
	}
	return protocols[app].speaks
}

// Backend describes the cluster of a backend that [DestinationOf] returned; nil when there is none any more.
func Backend(c *memo.Ctx, name ir.BackendName) *ir.Backend {
	p := name.Parts()
	if p.Port == 0 {
		return objectBackend(c, name, p)
	}
	svc, ok := input.Services.Read(c, p.Object)
	if !ok {
		return nil
	}
	port := findPort(svc, p.Port)
	tls := BackendTLSOf.Get(c, ServicePort{p.Object, p.Port})
	if port == nil || tls.Fault != "" {
		return nil // never without the TLS that was asked for
	}
	return &ir.Backend{
		Name: name, Protocol: speaks(p, port.AppProtocol), TLS: showing(tls.TLS, p.Shown),
		Origin: []ir.Origin{{Ref: ir.Ref{Kind: ir.KindService, Name: p.Object}, Section: strconv.Itoa(int(p.Port))}},
	}
}

// Endpoints lists the addresses of a backend. An address counts when it is ready, or when it is terminating and still
// serving: then it drains (Kubernetes KEP-1672).
func Endpoints(c *memo.Ctx, name ir.BackendName) ir.Endpoints {
	p := name.Parts()
	if p.Port == 0 {
		return objectEndpoints(c, name, p.Object)
	}
	eps := ir.Endpoints{Backend: name}
	svc, ok := input.Services.Read(c, p.Object)
	if !ok {
		return eps
	}
	port := findPort(svc, p.Port)
	if port == nil {
		return eps
	}
	zones := map[string][]ir.Endpoint{}
	names, _ := input.SlicesOfService.Read(c, p.Object)
	for _, s := range names {
		if slice, ok := input.EndpointSlices.Read(c, s); ok {
			collect(zones, slice, port.Name)
		}
	}
	eps.Localities = localities(zones)
	return eps
}

func collect(zones map[string][]ir.Endpoint, slice *input.EndpointSlice, portName string) {
	if slice.AddressType == "FQDN" {
		return // resolving names of a Service's endpoints is nobody's promise
	}
	for _, p := range slice.Ports {
		if p.Name != portName || p.Port == 0 {
			continue
		}
		for _, e := range slice.Endpoints {
			if len(e.Addresses) == 0 || !e.Ready && (!e.Serving || !e.Dying) {
				continue
			}
			// Addresses of one endpoint are interchangeable: the first stands for all (EndpointSlice API).
			zones[e.Zone] = append(zones[e.Zone], ir.Endpoint{
				Address: e.Addresses[0], Port: uint32(p.Port), Draining: !e.Ready, //nolint:gosec // ports are below 65536
			})
		}
	}
}

// localities sorts endpoints into zones without duplicates; an address that is both ready and draining is ready.
func localities(zones map[string][]ir.Endpoint) []ir.Locality {
	var out []ir.Locality
	for zone, eps := range zones {
		slices.SortFunc(eps, compareEndpoint)
		eps = slices.CompactFunc(eps, func(a, b ir.Endpoint) bool { return a.Address == b.Address && a.Port == b.Port })
		out = append(out, ir.Locality{Zone: zone, Endpoints: eps})
	}
	slices.SortFunc(out, func(a, b ir.Locality) int { return strings.Compare(a.Zone, b.Zone) })
	return out
}

func compareEndpoint(a, b ir.Endpoint) int {
	if c := cmp.Or(strings.Compare(a.Address, b.Address), cmp.Compare(a.Port, b.Port)); c != 0 || a.Draining == b.Draining {
		return c
	}
	if b.Draining {
		return -1
	}
	return 1
}

// HasEndpoints tells whether a backend has an address that takes new requests.
var HasEndpoints = memo.NewQuery("HasEndpoints", func(c *memo.Ctx, name ir.BackendName) bool {
	for _, l := range Endpoints(c, name).Localities {
		if slices.ContainsFunc(l.Endpoints, func(e ir.Endpoint) bool { return !e.Draining }) {
			return true
		}
	}
	return false
}, memo.Same)
