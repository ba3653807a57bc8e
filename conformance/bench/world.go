package main

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// The world of the benchmarks: a class, a Gateway with one HTTP listener, and routes that have a host name, two rules, a
// Service and an EndpointSlice of their own each. Route names carry five digits, so that bytes do not depend on the
// number of routes.

const (
	controller = "cloverleaf.dev/gateway"
	namespace  = "default"
	backPort   = 3000
	// listenerPort is never bound: no Envoy takes part.
	listenerPort = 8080
)

func routeName(i int) string { return fmt.Sprintf("r-%05d", i) }
func backName(i int) string  { return fmt.Sprintf("b-%05d", i) }
func hostOf(i int) string    { return routeName(i) + ".bench.example" }

// meta is what an API server says of every object.
func meta(name string, generation int64) metav1.ObjectMeta {
	return metav1.ObjectMeta{
		Name: name, Namespace: namespace, Generation: generation, ResourceVersion: strconv.FormatInt(100_000+generation, 10),
		UID:               types.UID("5c1d7a52-9d5f-4e0b-8a7e-0123456789ab"),
		CreationTimestamp: metav1.NewTime(time.Date(2026, time.November, 1, 12, 0, 0, 0, time.UTC)),
	}
}

func ptr[T any](v T) *T { return &v }

func gatewayClass() *gwv1.GatewayClass {
	return &gwv1.GatewayClass{
		ObjectMeta: metav1.ObjectMeta{Name: "bench"}, Spec: gwv1.GatewayClassSpec{ControllerName: controller},
	}
}

// gateway has a listener for each port; the first is called http.
func gateway(from gwv1.FromNamespaces, ports ...int32) *gwv1.Gateway {
	gw := &gwv1.Gateway{ObjectMeta: meta("bench", 1), Spec: gwv1.GatewaySpec{GatewayClassName: "bench"}}
	for i, port := range ports {
		name := "http"
		if i > 0 {
			name += "-" + strconv.Itoa(i)
		}
		gw.Spec.Listeners = append(gw.Spec.Listeners, gwv1.Listener{
			Name: gwv1.SectionName(name), Port: port, Protocol: gwv1.HTTPProtocolType,
			AllowedRoutes: &gwv1.AllowedRoutes{Namespaces: &gwv1.RouteNamespaces{From: &from}},
		})
	}
	return gw
}

// httpRoute is route i in a revision, which shows in a response header.
func httpRoute(i, revision int) *gwv1.HTTPRoute {
	text := revisionText(revision)
	backend := []gwv1.HTTPBackendRef{{BackendRef: gwv1.BackendRef{
		BackendObjectReference: gwv1.BackendObjectReference{
			Group: ptr(gwv1.Group("")), Kind: ptr(gwv1.Kind("Service")), Name: gwv1.ObjectName(backName(i)), Port: ptr(int32(backPort)),
		},
		Weight: ptr(int32(1)),
	}}}
	prefix := func(value string) []gwv1.HTTPRouteMatch {
		return []gwv1.HTTPRouteMatch{{Path: &gwv1.HTTPPathMatch{Type: ptr(gwv1.PathMatchPathPrefix), Value: &value}}}
	}
	return &gwv1.HTTPRoute{
		ObjectMeta: meta(routeName(i), int64(revision)+1),
		Spec: gwv1.HTTPRouteSpec{
			CommonRouteSpec: gwv1.CommonRouteSpec{ParentRefs: []gwv1.ParentReference{{
				Group: ptr(gwv1.Group(gwv1.GroupName)), Kind: ptr(gwv1.Kind("Gateway")), Name: "bench",
			}}},
			Hostnames: []gwv1.Hostname{gwv1.Hostname(hostOf(i))},
			Rules: []gwv1.HTTPRouteRule{
				{
					Matches: prefix("/api"),
					Filters: []gwv1.HTTPRouteFilter{{
						Type: gwv1.HTTPRouteFilterResponseHeaderModifier,
						ResponseHeaderModifier: &gwv1.HTTPHeaderFilter{
							Set: []gwv1.HTTPHeader{{Name: "x-rev", Value: text}},
						},
					}},
					BackendRefs: backend,
				},
				{Matches: prefix("/"), BackendRefs: backend},
			},
		},
	}
}

func service(i int) *corev1.Service {
	return &corev1.Service{ObjectMeta: meta(backName(i), 1), Spec: corev1.ServiceSpec{
		Type: corev1.ServiceTypeClusterIP,
		Ports: []corev1.ServicePort{{
			Name: "http", Port: backPort, TargetPort: intstr.FromInt32(backPort), Protocol: corev1.ProtocolTCP,
		}},
	}}
}

// endpoints are the addresses of Service i.
func endpoints(i int, addresses ...string) *discoveryv1.EndpointSlice {
	m := meta(backName(i)+"-1", 1)
	m.Labels = map[string]string{discoveryv1.LabelServiceName: backName(i)}
	s := &discoveryv1.EndpointSlice{
		ObjectMeta: m, AddressType: discoveryv1.AddressTypeIPv4,
		Ports: []discoveryv1.EndpointPort{{Name: ptr("http"), Port: ptr(int32(backPort)), Protocol: ptr(corev1.ProtocolTCP)}},
	}
	for _, a := range addresses {
		s.Endpoints = append(s.Endpoints, discoveryv1.Endpoint{
			Addresses: []string{a}, Conditions: discoveryv1.EndpointConditions{Ready: ptr(true)},
		})
	}
	return s
}

// address is the usual endpoint of Service i.
func address(i int) string { return fmt.Sprintf("10.%d.%d.%d", 1+i/65536, i/256%256, i%256) }

// worldOf is everything for n routes.
func worldOf(n int) []metav1.Object {
	objects := make([]metav1.Object, 0, 2+3*n)
	objects = append(objects, gatewayClass(), gateway(gwv1.NamespacesFromSame, listenerPort))
	for i := range n {
		objects = append(objects, routeWithBackend(i)...)
	}
	return objects
}

// revisionText is of the same length for every revision, so that bytes can be compared.
func revisionText(revision int) string { return strconv.Itoa(100_000 + revision) }

func routeWithBackend(i int) []metav1.Object {
	return []metav1.Object{service(i), endpoints(i, address(i)), httpRoute(i, 0)}
}

// refsOf names what routeWithBackend makes.
func refsOf(i int) []ir.Ref {
	name := func(kind ir.Kind, name string) ir.Ref {
		return ir.Ref{Kind: kind, Name: ir.Name{Namespace: namespace, Name: name}}
	}
	return []ir.Ref{
		name(ir.KindHTTPRoute, routeName(i)), name(ir.KindEndpointSlice, backName(i)+"-1"), name(ir.KindService, backName(i)),
	}
}

// decodedWorld is worldOf as it comes from an API server: every object is decoded from JSON and shares nothing.
func decodedWorld(n int) ([]metav1.Object, error) {
	objects := make([]metav1.Object, 0, 2+3*n)
	for _, o := range []metav1.Object{gatewayClass(), gateway(gwv1.NamespacesFromSame, listenerPort)} {
		decoded, err := decoded(o)
		if err != nil {
			return nil, err
		}
		objects = append(objects, decoded)
	}
	for i := range n {
		for _, o := range routeWithBackend(i) {
			decoded, err := decoded(o)
			if err != nil {
				return nil, err
			}
			objects = append(objects, decoded)
		}
	}
	return objects, nil
}

func decoded(object metav1.Object) (metav1.Object, error) {
	text, err := json.Marshal(object)
	if err != nil {
		return nil, err
	}
	var into metav1.Object
	switch object.(type) {
	case *gwv1.GatewayClass:
		into = &gwv1.GatewayClass{}
	case *gwv1.Gateway:
		into = &gwv1.Gateway{}
	case *gwv1.HTTPRoute:
		into = &gwv1.HTTPRoute{}
	case *corev1.Service:
		into = &corev1.Service{}
	case *discoveryv1.EndpointSlice:
		into = &discoveryv1.EndpointSlice{}
	default:
		return nil, fmt.Errorf("no world has a %T", object)
	}
	return into, json.Unmarshal(text, into)
}
