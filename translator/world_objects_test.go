package translator_test

import (
	"strconv"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/cloverleaf-mesh/cloverleaf/api/v1alpha1"
	"github.com/cloverleaf-mesh/cloverleaf/controller/store"
	"github.com/cloverleaf-mesh/cloverleaf/translator/input"
	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// The world is small, so that references often meet, and conflicts and gaps are common.
var (
	namespaces = []string{"infra", "shop", "web"}
	hosts      = []string{"", "a.example.com", "b.example.com", "*.example.com", "*.com", "x.a.example.com", "other.org"}
	pathsOf    = []string{"/", "/a", "/a/b", "/b"}
)

func of[T any](w *world, list []T) T { return list[w.choose.pick(len(list))] }

func (w *world) flip() bool { return w.choose.pick(2) == 0 }

func ptr[T any](v T) *T { return &v }

func (w *world) meta(name, namespace string) metav1.ObjectMeta {
	m := metav1.ObjectMeta{Name: name, Namespace: namespace, Generation: int64(w.choose.pick(3))}
	if w.flip() {
		m.CreationTimestamp = metav1.Unix(int64(1000+w.choose.pick(3)), 0)
	}
	return m
}

// object makes an object of any kind, new or to replace one of the same name.
func (w *world) object() (metav1.Object, ir.Ref) {
	kinds := []func() (metav1.Object, ir.Kind){
		w.class, w.gateway, w.gateway, w.route, w.route, w.route, w.grpcRoute, w.grant, w.service, w.slice, w.secret, w.configMap,
		w.namespace, w.backend,
	}
	o, kind := of(w, kinds)()
	return o, ir.Ref{Kind: kind, Name: ir.Name{Namespace: o.GetNamespace(), Name: o.GetName()}}
}

func (w *world) class() (metav1.Object, ir.Kind) {
	c := &gwv1.GatewayClass{ObjectMeta: w.meta(of(w, []string{"ours", "ours", "theirs"}), "")}
	c.Spec.ControllerName = of(w, []gwv1.GatewayController{"cloverleaf.dev/gateway", "cloverleaf.dev/gateway", "else.example/x"})
	if w.choose.pick(8) == 0 {
		c.Spec.ParametersRef = &gwv1.ParametersReference{Kind: "X", Name: "x"}
	}
	return c, ir.KindGatewayClass
}

func (w *world) gateway() (metav1.Object, ir.Kind) {
	g := &gwv1.Gateway{ObjectMeta: w.meta(of(w, []string{"edge", "other"}), of(w, namespaces[:2]))}
	g.Spec.GatewayClassName = of(w, []gwv1.ObjectName{"ours", "ours", "ours", "theirs"})
	for i := range 1 + w.choose.pick(4) {
		g.Spec.Listeners = append(g.Spec.Listeners, w.listener(i))
	}
	switch w.choose.pick(12) {
	case 0:
		g.Spec.TLS = &gwv1.GatewayTLSConfig{Frontend: &gwv1.FrontendTLSConfig{}}
	case 1:
		g.Spec.Addresses = []gwv1.GatewaySpecAddress{{Value: "203.0.113.1"}}
	}
	return g, ir.KindGateway
}

func (w *world) listener(i int) gwv1.Listener {
	l := gwv1.Listener{
		Name: gwv1.SectionName("l" + strconv.Itoa(i)), Port: of(w, []int32{80, 443, 8080, 10080}),
		Protocol: of(w, []gwv1.ProtocolType{"HTTP", "HTTP", "HTTPS", "TCP"}),
	}
	if h := of(w, hosts); h != "" {
		l.Hostname = ptr(gwv1.Hostname(h))
	}
	if w.flip() {
		l.AllowedRoutes = w.allowed()
	}
	if l.Protocol == gwv1.HTTPSProtocolType {
		l.TLS = &gwv1.ListenerTLSConfig{}
		for range w.choose.pick(3) {
			ref := gwv1.SecretObjectReference{Name: of(w, []gwv1.ObjectName{"cert", "broken", "absent"})}
			if w.flip() {
				ref.Namespace = ptr(gwv1.Namespace(of(w, namespaces)))
			}
			l.TLS.CertificateRefs = append(l.TLS.CertificateRefs, ref)
		}
	}
	return l
}

func (w *world) allowed() *gwv1.AllowedRoutes {
	from := of(w, []gwv1.FromNamespaces{gwv1.NamespacesFromAll, gwv1.NamespacesFromSame, gwv1.NamespacesFromSelector, "None"})
	a := &gwv1.AllowedRoutes{Namespaces: &gwv1.RouteNamespaces{From: &from}}
	if from == gwv1.NamespacesFromSelector {
		a.Namespaces.Selector = &metav1.LabelSelector{MatchLabels: map[string]string{"team": of(w, []string{"a", "b"})}}
	}
	if w.choose.pick(4) == 0 {
		a.Kinds = []gwv1.RouteGroupKind{{Kind: of(w, []gwv1.Kind{"HTTPRoute", "TCPRoute"})}}
	}
	return a
}

func (w *world) route() (metav1.Object, ir.Kind) {
	r := &gwv1.HTTPRoute{ObjectMeta: w.meta("r"+strconv.Itoa(w.choose.pick(5)), of(w, namespaces))}
	r.Spec.CommonRouteSpec, r.Spec.Hostnames = w.head()
	for range w.choose.pick(4) {
		r.Spec.Rules = append(r.Spec.Rules, w.rule())
	}
	return r, ir.KindHTTPRoute
}

func (w *world) grpcRoute() (metav1.Object, ir.Kind) {
	r := &gwv1.GRPCRoute{ObjectMeta: w.meta("r"+strconv.Itoa(w.choose.pick(3)), of(w, namespaces))}
	r.Spec.CommonRouteSpec, r.Spec.Hostnames = w.head()
	for range w.choose.pick(3) {
		var rule gwv1.GRPCRouteRule
		for range w.choose.pick(3) {
			m := gwv1.GRPCRouteMatch{Method: &gwv1.GRPCMethodMatch{
				Type:    of(w, []*gwv1.GRPCMethodMatchType{nil, ptr(gwv1.GRPCMethodMatchRegularExpression)}),
				Service: of(w, []*string{nil, ptr("shop.Cart"), ptr("shop.Pay")}), Method: of(w, []*string{nil, ptr("Add"), ptr("(")}),
			}}
			rule.Matches = append(rule.Matches, m)
		}
		for range w.choose.pick(3) {
			rule.BackendRefs = append(rule.BackendRefs, gwv1.GRPCBackendRef{BackendRef: w.backendRef(1).BackendRef})
		}
		r.Spec.Rules = append(r.Spec.Rules, rule)
	}
	return r, ir.KindGRPCRoute
}

// head says where a route attaches.
func (w *world) head() (common gwv1.CommonRouteSpec, hostnames []gwv1.Hostname) {
	for range 1 + w.choose.pick(2) {
		p := gwv1.ParentReference{Name: of(w, []gwv1.ObjectName{"edge", "edge", "other", "absent"}), Namespace: ptr(gwv1.Namespace(of(w, namespaces[:2])))}
		if w.choose.pick(3) == 0 {
			p.SectionName = ptr(gwv1.SectionName("l" + strconv.Itoa(w.choose.pick(4))))
		}
		if w.choose.pick(5) == 0 {
			p.Port = ptr(of(w, []int32{80, 443}))
		}
		common.ParentRefs = append(common.ParentRefs, p)
	}
	for range w.choose.pick(3) {
		if h := of(w, hosts); h != "" {
			hostnames = append(hostnames, gwv1.Hostname(h))
		}
	}
	return common, hostnames
}

func (w *world) rule() gwv1.HTTPRouteRule {
	var rule gwv1.HTTPRouteRule
	for range w.choose.pick(3) {
		m := gwv1.HTTPRouteMatch{Path: &gwv1.HTTPPathMatch{
			Type: ptr(of(w, []gwv1.PathMatchType{gwv1.PathMatchExact, gwv1.PathMatchPathPrefix, gwv1.PathMatchRegularExpression})), Value: ptr(of(w, pathsOf)),
		}}
		if w.choose.pick(8) == 0 {
			m.Path.Value = ptr("/(") // not a regular expression
		}
		if w.choose.pick(3) == 0 {
			m.Method = ptr(of(w, []gwv1.HTTPMethod{"GET", "POST"}))
		}
		if w.choose.pick(3) == 0 {
			m.Headers = []gwv1.HTTPHeaderMatch{{Name: "X-A", Value: of(w, []string{"1", "2"})}}
		}
		if w.choose.pick(4) == 0 {
			m.QueryParams = []gwv1.HTTPQueryParamMatch{{Name: "q", Value: "1"}}
		}
		rule.Matches = append(rule.Matches, m)
	}
	rule.Filters = w.filters()
	if w.choose.pick(5) == 0 {
		rule.Retry = &gwv1.HTTPRouteRetry{Attempts: of(w, []*int{nil, ptr(0), ptr(2)}), Codes: []gwv1.HTTPRouteRetryStatusCode{503, 500}, Backoff: ptr(gwv1.Duration("10ms"))}
	}
	if w.choose.pick(6) == 0 {
		rule.SessionPersistence = of(w, []*gwv1.SessionPersistence{
			{Cookie: &gwv1.CookieConfig{}}, {Type: ptr(gwv1.HeaderBasedSessionPersistence), Header: &gwv1.HeaderConfig{Name: "x-session"}},
		})
	}
	if len(rule.Filters) == 0 || rule.Filters[0].Type != gwv1.HTTPRouteFilterRequestRedirect {
		for range w.choose.pick(4) {
			rule.BackendRefs = append(rule.BackendRefs, w.backendRef(0))
		}
	}
	return rule
}

func (w *world) filters() []gwv1.HTTPRouteFilter {
	switch w.choose.pick(9) {
	case 0:
		return []gwv1.HTTPRouteFilter{{Type: gwv1.HTTPRouteFilterRequestRedirect, RequestRedirect: &gwv1.HTTPRequestRedirectFilter{
			Scheme: of(w, []*string{nil, ptr("https")}), Port: of(w, []*gwv1.PortNumber{nil, ptr(int32(8443)), ptr(int32(80))}),
		}}}
	case 1:
		return []gwv1.HTTPRouteFilter{{Type: gwv1.HTTPRouteFilterResponseHeaderModifier, ResponseHeaderModifier: &gwv1.HTTPHeaderFilter{
			Set: []gwv1.HTTPHeader{{Name: "x-rev", Value: strconv.Itoa(w.choose.pick(5))}},
		}}}
	case 2:
		return []gwv1.HTTPRouteFilter{{Type: gwv1.HTTPRouteFilterURLRewrite, URLRewrite: &gwv1.HTTPURLRewriteFilter{
			Path: &gwv1.HTTPPathModifier{Type: gwv1.PrefixMatchHTTPPathModifier, ReplacePrefixMatch: ptr(of(w, []string{"/", "/z", "/z/"}))},
		}}}
	case 3:
		return []gwv1.HTTPRouteFilter{{Type: gwv1.HTTPRouteFilterExtensionRef}}
	case 4:
		return []gwv1.HTTPRouteFilter{{Type: gwv1.HTTPRouteFilterCORS, CORS: &gwv1.HTTPCORSFilter{
			AllowOrigins: of(w, [][]gwv1.CORSOrigin{{"*"}, {"https://*.example", "https://b.example:8443"}}), AllowMethods: []gwv1.HTTPMethodWithWildcard{"*"},
			AllowCredentials: ptr(w.flip()),
		}}}
	case 5:
		return []gwv1.HTTPRouteFilter{{Type: gwv1.HTTPRouteFilterRequestMirror, RequestMirror: &gwv1.HTTPRequestMirrorFilter{
			BackendRef: w.backendRef(1).BackendObjectReference, Percent: of(w, []*int32{nil, ptr(int32(0)), ptr(int32(30))}),
		}}}
	default:
		return nil
	}
}

// backendRef makes a reference; depth 0 may have filters of its own.
func (w *world) backendRef(depth int) gwv1.HTTPBackendRef {
	var b gwv1.HTTPBackendRef
	b.Name = of(w, []gwv1.ObjectName{"cart", "cart", "pay", "absent"})
	b.Port = ptr(of(w, []int32{80, 81}))
	if w.flip() {
		b.Namespace = ptr(gwv1.Namespace(of(w, namespaces)))
	}
	if w.choose.pick(4) == 0 {
		b.Group, b.Kind, b.Port = ptr(gwv1.Group(v1alpha1.GroupName)), ptr(gwv1.Kind("Backend")), nil
	}
	if w.choose.pick(3) == 0 {
		b.Weight = ptr(int32(w.choose.pick(3)))
	}
	if w.choose.pick(6) == 0 && depth == 0 {
		b.Filters = w.filters()
	}
	return b
}

func (w *world) grant() (metav1.Object, ir.Kind) {
	g := &gwv1.ReferenceGrant{ObjectMeta: w.meta(of(w, []string{"g0", "g1"}), of(w, namespaces))}
	g.Spec.From = []gwv1.ReferenceGrantFrom{{
		Group: gwv1.GroupName, Kind: of(w, []gwv1.Kind{"HTTPRoute", "GRPCRoute", "Gateway"}), Namespace: gwv1.Namespace(of(w, namespaces)),
	}}
	to := of(w, []gwv1.ReferenceGrantTo{{Kind: "Service"}, {Kind: "Secret"}, {Group: v1alpha1.GroupName, Kind: "Backend"}})
	if w.choose.pick(3) == 0 {
		to.Name = ptr(gwv1.ObjectName("cart"))
	}
	g.Spec.To = []gwv1.ReferenceGrantTo{to}
	return g, ir.KindReferenceGrant
}

func (w *world) service() (metav1.Object, ir.Kind) {
	s := &corev1.Service{ObjectMeta: w.meta(of(w, []string{"cart", "pay"}), of(w, namespaces))}
	s.Spec.Ports = []corev1.ServicePort{{Name: of(w, []string{"http", "web"}), Port: 80, Protocol: corev1.ProtocolTCP}}
	switch w.choose.pick(8) {
	case 0:
		s.Spec.Type = corev1.ServiceTypeExternalName
	case 1:
		s.Spec.Ports[0].AppProtocol = ptr("kubernetes.io/h2c")
	case 2:
		s.Spec.Ports[0].AppProtocol = ptr("example.com/odd")
	}
	if w.flip() {
		s.Spec.Ports = append(s.Spec.Ports, corev1.ServicePort{Name: "more", Port: 81, Protocol: corev1.ProtocolTCP})
	}
	return s, ir.KindService
}

func (w *world) slice() (metav1.Object, ir.Kind) {
	s := &discoveryv1.EndpointSlice{ObjectMeta: w.meta("s"+strconv.Itoa(w.choose.pick(4)), of(w, namespaces)), AddressType: discoveryv1.AddressTypeIPv4}
	if w.choose.pick(6) > 0 {
		s.Labels = map[string]string{discoveryv1.LabelServiceName: of(w, []string{"cart", "pay"})}
	}
	s.Ports = []discoveryv1.EndpointPort{{Name: ptr(of(w, []string{"http", "more"})), Port: ptr(int32(8000 + w.choose.pick(2)))}}
	for range w.choose.pick(3) {
		e := discoveryv1.Endpoint{Addresses: []string{"10.0.0." + strconv.Itoa(1+w.choose.pick(4))}}
		if w.flip() {
			e.Conditions = discoveryv1.EndpointConditions{Ready: ptr(w.flip()), Serving: ptr(w.flip()), Terminating: ptr(w.flip())}
		}
		if w.flip() {
			e.Zone = ptr(of(w, []string{"z1", "z2"}))
		}
		s.Endpoints = append(s.Endpoints, e)
	}
	return s, ir.KindEndpointSlice
}

func (w *world) secret() (metav1.Object, ir.Kind) {
	s := &corev1.Secret{ObjectMeta: w.meta(of(w, []string{"cert", "broken"}), of(w, namespaces)), Type: corev1.SecretTypeTLS}
	pair := of(w, testPairs)
	s.Data = map[string][]byte{"tls.crt": pair.cert, "tls.key": pair.key}
	if s.Name == "broken" {
		s.Data["tls.key"] = []byte("no key")
	}
	return s, ir.KindSecret
}

func (w *world) configMap() (metav1.Object, ir.Kind) {
	c := &corev1.ConfigMap{ObjectMeta: w.meta(of(w, []string{"ca", "bad"}), of(w, namespaces))}
	c.Data = map[string]string{"ca.crt": string(of(w, testPairs).cert)}
	if c.Name == "bad" {
		c.Data["ca.crt"] = "none"
	}
	return c, ir.KindConfigMap
}

func (w *world) namespace() (metav1.Object, ir.Kind) {
	n := &corev1.Namespace{ObjectMeta: w.meta(of(w, namespaces), "")}
	n.Labels = map[string]string{"team": of(w, []string{"a", "b"})}
	return n, ir.KindNamespace
}

func (w *world) backend() (metav1.Object, ir.Kind) {
	b := &v1alpha1.Backend{ObjectMeta: w.meta(of(w, []string{"cart", "pay"}), of(w, namespaces))}
	if w.flip() {
		b.Spec.Type = v1alpha1.BackendTypeExternalHostname
		b.Spec.ExternalHostname = &v1alpha1.HostnamePort{Hostname: "api.example.org", Port: 443}
	} else {
		b.Spec.Type = v1alpha1.BackendTypeEndpoints
		b.Spec.Endpoints = of(w, [][]v1alpha1.BackendEndpoint{
			{{IP: ptr("127.0.0.1"), Port: ptr(int32(3000))}}, {{Unix: ptr("/run/app.sock")}},
			{{Hostname: ptr(gwv1.PreciseHostname("h.example.org")), Port: ptr(int32(80))}},
			{{IP: ptr("127.0.0.1"), Port: ptr(int32(3000))}, {Hostname: ptr(gwv1.PreciseHostname("h.example.org")), Port: ptr(int32(80))}},
		})
	}
	if w.choose.pick(3) == 0 {
		b.Spec.TLS = &v1alpha1.BackendTLS{Mode: v1alpha1.BackendTLSServerOnly, Validation: &gwv1.BackendTLSPolicyValidation{
			Hostname:          "api.example.org",
			CACertificateRefs: []gwv1.LocalObjectReference{{Kind: "ConfigMap", Name: of(w, []gwv1.ObjectName{"ca", "bad", "absent"})}},
		}}
		if w.flip() {
			b.Spec.TLS.Mode = v1alpha1.BackendTLSClientAndServer
			b.Spec.TLS.ClientCertificateRef = &v1alpha1.SecretReference{Name: of(w, []string{"cert", "broken", "absent"})}
		}
	}
	return b, ir.KindBackend
}

// fact makes something that the shell reports: an answer of proxies, or a certificate of a local CA. It returns a key,
// so that a newer fact replaces an older one.
func (w *world) fact() (string, func(*store.Store)) {
	gateway := ir.Name{Namespace: of(w, namespaces[:2]), Name: of(w, []string{"edge", "other"})}
	switch w.choose.pick(3) {
	case 0:
		class := of(w, []ir.ProxyClass{{Role: ir.ClassLocal}, {Role: ir.ClassGateway, Name: gateway}})
		key := input.ClassListener{Class: class, Listener: ir.GatewayListener(gateway, of(w, []int32{80, 443}))}
		report := input.ListenerReport{Version: of(w, []string{"x", "y"}), Proxies: 1 + w.choose.pick(2), Live: w.choose.pick(2)}
		return "report " + key.Class.String() + string(key.Listener), func(s *store.Store) { s.SetListenerReport(key, report) }
	case 1:
		host := ir.VirtualHostName{Table: ir.HTTPTable(gateway, 80), Host: "a.example.com"}
		id := ir.ResourceID{Type: ir.TypeVirtualHost, Name: host.String()}
		rejection := input.Rejection{Version: of(w, []string{"", "v"}), Message: "no"}
		return "rejection " + id.String(), func(s *store.Store) { s.SetRejection(id, rejection) }
	default:
		secret := ir.Name{Namespace: of(w, namespaces), Name: of(w, []string{"cert", "absent"})}
		pair := of(w, testPairs)
		return "certificate " + secret.String(), func(s *store.Store) { s.SetLocalCertificate(secret, pair.cert, pair.key) }
	}
}
