package worldgen

import (
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/cloverleaf-mesh/cloverleaf/api/v1alpha1"
)

// Base makes what [Maker.WideHTTPRoute] needs around it: a class, the Gateway infra/edge with listeners of several kinds
// that take every namespace, and backends in every namespace.
func Base(pair Pair) []metav1.Object {
	class := &gwv1.GatewayClass{ObjectMeta: metav1.ObjectMeta{Name: "ours"}}
	class.Spec.ControllerName = "cloverleaf.dev/gateway"
	listener := func(name string, port int32, protocol gwv1.ProtocolType, hostname string) gwv1.Listener {
		l := gwv1.Listener{Name: gwv1.SectionName(name), Port: port, Protocol: protocol, AllowedRoutes: &gwv1.AllowedRoutes{
			Namespaces: &gwv1.RouteNamespaces{From: ptr(gwv1.NamespacesFromAll)},
		}}
		if hostname != "" {
			l.Hostname = ptr(gwv1.Hostname(hostname))
		}
		if protocol == gwv1.HTTPSProtocolType {
			l.TLS = &gwv1.ListenerTLSConfig{CertificateRefs: []gwv1.SecretObjectReference{{Name: "cert"}}}
		}
		return l
	}
	gateway := &gwv1.Gateway{ObjectMeta: metav1.ObjectMeta{Name: "edge", Namespace: "infra"}}
	gateway.Spec.GatewayClassName = "ours"
	gateway.Spec.Listeners = []gwv1.Listener{
		listener("any", 80, gwv1.HTTPProtocolType, ""), listener("wild", 80, gwv1.HTTPProtocolType, "*.com"),
		listener("narrow", 80, gwv1.HTTPProtocolType, "*.a.com"), listener("exact", 8080, gwv1.HTTPProtocolType, "a.com"),
		listener("tls", 443, gwv1.HTTPSProtocolType, "*.example"), listener("tls-any", 443, gwv1.HTTPSProtocolType, ""),
	}
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "cert", Namespace: "infra"}, Type: corev1.SecretTypeTLS}
	secret.Data = map[string][]byte{corev1.TLSCertKey: pair.Cert, corev1.TLSPrivateKeyKey: pair.Key}
	objects := []metav1.Object{class, gateway, secret}
	for _, namespace := range namespaces {
		objects = append(objects, backends(namespace)...)
	}
	return objects
}

func backends(namespace string) []metav1.Object {
	service := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: "cart", Namespace: namespace}}
	service.Spec.Ports = []corev1.ServicePort{{Name: "http", Port: 80, Protocol: corev1.ProtocolTCP}}
	slice := &discoveryv1.EndpointSlice{
		ObjectMeta:  metav1.ObjectMeta{Name: "cart-1", Namespace: namespace, Labels: map[string]string{discoveryv1.LabelServiceName: "cart"}},
		AddressType: discoveryv1.AddressTypeIPv4,
		Ports:       []discoveryv1.EndpointPort{{Name: ptr("http"), Port: ptr(int32(8000))}},
		Endpoints:   []discoveryv1.Endpoint{{Addresses: []string{"10.0.0.1"}}},
	}
	backend := &v1alpha1.Backend{ObjectMeta: metav1.ObjectMeta{Name: "cart", Namespace: namespace}}
	backend.Spec.Type = v1alpha1.BackendTypeExternalHostname
	backend.Spec.ExternalHostname = &v1alpha1.HostnamePort{Hostname: "api.example.org", Port: 443}
	grant := &gwv1.ReferenceGrant{ObjectMeta: metav1.ObjectMeta{Name: "all", Namespace: namespace}}
	for _, from := range namespaces {
		grant.Spec.From = append(grant.Spec.From, gwv1.ReferenceGrantFrom{
			Group: gwv1.GroupName, Kind: "HTTPRoute", Namespace: gwv1.Namespace(from),
		})
	}
	grant.Spec.To = []gwv1.ReferenceGrantTo{{Kind: "Service"}, {Group: v1alpha1.GroupName, Kind: "Backend"}}
	return []metav1.Object{service, slice, backend, grant}
}
