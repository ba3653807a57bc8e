package worldgen

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

func (m *Maker) meta(name, namespace string) metav1.ObjectMeta {
	o := metav1.ObjectMeta{Name: name, Namespace: namespace, Generation: int64(m.Choose.Pick(3))}
	if m.flip() {
		o.CreationTimestamp = metav1.Unix(int64(1000+m.Choose.Pick(3)), 0)
	}
	return o
}

// Object makes an object of any kind, new or to replace one of the same name.
func (m *Maker) Object() (metav1.Object, ir.Ref) {
	kinds := []func() (metav1.Object, ir.Kind){
		m.class, m.gateway, m.gateway, m.listenerSet, m.listenerSet, m.route, m.route, m.route, m.grpcRoute, m.grant, m.service, m.slice, m.secret, m.configMap,
		m.namespace, m.backend, m.tlsPolicy, m.tlsPolicy,
	}
	o, kind := of(m, kinds)()
	return o, ir.Ref{Kind: kind, Name: ir.Name{Namespace: o.GetNamespace(), Name: o.GetName()}}
}

func (m *Maker) class() (metav1.Object, ir.Kind) {
	c := &gwv1.GatewayClass{ObjectMeta: m.meta(of(m, []string{"ours", "ours", "theirs"}), "")}
	c.Spec.ControllerName = of(m, []gwv1.GatewayController{"cloverleaf.dev/gateway", "cloverleaf.dev/gateway", "else.example/x"})
	if m.Choose.Pick(8) == 0 {
		c.Spec.ParametersRef = &gwv1.ParametersReference{Kind: "X", Name: "x"}
	}
	return c, ir.KindGatewayClass
}

func (m *Maker) gateway() (metav1.Object, ir.Kind) {
	g := &gwv1.Gateway{ObjectMeta: m.meta(of(m, []string{"edge", "other"}), of(m, namespaces[:2]))}
	g.Spec.GatewayClassName = of(m, []gwv1.ObjectName{"ours", "ours", "ours", "theirs"})
	for i := range 1 + m.Choose.Pick(4) {
		g.Spec.Listeners = append(g.Spec.Listeners, m.listener(i))
	}
	switch m.Choose.Pick(12) {
	case 0, 5, 6:
		g.Spec.TLS = &gwv1.GatewayTLSConfig{Frontend: m.frontend()}
	case 1, 2, 3:
		g.Spec.TLS = &gwv1.GatewayTLSConfig{Backend: &gwv1.GatewayBackendTLS{ClientCertificateRef: m.secretRef()}}
	case 4:
		g.Spec.Addresses = []gwv1.GatewaySpecAddress{{Value: of(m, []string{"203.0.113.1", "127.0.0.2", "127.0.0.3"})}}
	case 7:
		g.Spec.Addresses = []gwv1.GatewaySpecAddress{{Type: ptr(gwv1.HostnameAddressType), Value: "a.example.com"}, {Value: "127.0.0.2"}}
	}
	if m.Choose.Pick(3) > 0 {
		g.Spec.AllowedListeners = &gwv1.AllowedListeners{Namespaces: of(m, []*gwv1.ListenerNamespaces{
			nil, {}, {From: ptr(gwv1.NamespacesFromNone)}, {From: ptr(gwv1.NamespacesFromSame)}, {From: ptr(gwv1.NamespacesFromAll)},
			{From: ptr(gwv1.NamespacesFromAll)}, {From: ptr(gwv1.NamespacesFromSelector)},
			{From: ptr(gwv1.NamespacesFromSelector), Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"team": "a"}}},
		})}
	}
	return g, ir.KindGateway
}

func (m *Maker) listenerSet() (metav1.Object, ir.Kind) {
	s := &gwv1.ListenerSet{ObjectMeta: m.meta("set"+strconv.Itoa(m.Choose.Pick(3)), of(m, namespaces[:2]))}
	s.Spec.ParentRef = gwv1.ParentGatewayReference{
		Name: of(m, []gwv1.ObjectName{"edge", "edge", "edge", "other", "absent"}), Namespace: ptr(gwv1.Namespace(of(m, namespaces[:2]))),
	}
	if m.Choose.Pick(8) == 0 {
		s.Spec.ParentRef.Kind = ptr(gwv1.Kind("Service"))
	}
	for i := range 1 + m.Choose.Pick(3) {
		s.Spec.Listeners = append(s.Spec.Listeners, gwv1.ListenerEntry(m.listener(i)))
	}
	return s, ir.KindListenerSet
}

func (m *Maker) listener(i int) gwv1.Listener {
	l := gwv1.Listener{
		Name: gwv1.SectionName("l" + strconv.Itoa(i)), Port: of(m, []int32{80, 443, 8080, 10080}),
		Protocol: of(m, []gwv1.ProtocolType{"HTTP", "HTTP", "HTTPS", "TCP"}),
	}
	if h := of(m, hosts); h != "" {
		l.Hostname = ptr(gwv1.Hostname(h))
	}
	if m.flip() {
		l.AllowedRoutes = m.allowed()
	}
	if l.Protocol == gwv1.HTTPSProtocolType {
		l.TLS = &gwv1.ListenerTLSConfig{}
		for range m.Choose.Pick(3) {
			l.TLS.CertificateRefs = append(l.TLS.CertificateRefs, *m.secretRef())
		}
	}
	return l
}

func (m *Maker) allowed() *gwv1.AllowedRoutes {
	from := of(m, []gwv1.FromNamespaces{gwv1.NamespacesFromAll, gwv1.NamespacesFromSame, gwv1.NamespacesFromSelector, "None"})
	a := &gwv1.AllowedRoutes{Namespaces: &gwv1.RouteNamespaces{From: &from}}
	if from == gwv1.NamespacesFromSelector {
		a.Namespaces.Selector = &metav1.LabelSelector{MatchLabels: map[string]string{"team": of(m, []string{"a", "b"})}}
	}
	if m.Choose.Pick(4) == 0 {
		a.Kinds = []gwv1.RouteGroupKind{{Kind: of(m, []gwv1.Kind{"HTTPRoute", "TCPRoute"})}}
	}
	return a
}

func (m *Maker) route() (metav1.Object, ir.Kind) {
	r := &gwv1.HTTPRoute{ObjectMeta: m.meta("r"+strconv.Itoa(m.Choose.Pick(5)), of(m, namespaces))}
	r.Spec.CommonRouteSpec, r.Spec.Hostnames = m.head()
	for range m.Choose.Pick(4) {
		r.Spec.Rules = append(r.Spec.Rules, m.rule())
	}
	return r, ir.KindHTTPRoute
}

func (m *Maker) grpcRoute() (metav1.Object, ir.Kind) {
	r := &gwv1.GRPCRoute{ObjectMeta: m.meta("r"+strconv.Itoa(m.Choose.Pick(3)), of(m, namespaces))}
	r.Spec.CommonRouteSpec, r.Spec.Hostnames = m.head()
	for range m.Choose.Pick(3) {
		var rule gwv1.GRPCRouteRule
		for range m.Choose.Pick(3) {
			rule.Matches = append(rule.Matches, gwv1.GRPCRouteMatch{Method: &gwv1.GRPCMethodMatch{
				Type:    of(m, []*gwv1.GRPCMethodMatchType{nil, ptr(gwv1.GRPCMethodMatchRegularExpression)}),
				Service: of(m, []*string{nil, ptr("shop.Cart"), ptr("shop.Pay")}), Method: of(m, []*string{nil, ptr("Add"), ptr("(")}),
			}})
		}
		for range m.Choose.Pick(3) {
			rule.BackendRefs = append(rule.BackendRefs, gwv1.GRPCBackendRef{BackendRef: m.backendRef().BackendRef})
		}
		r.Spec.Rules = append(r.Spec.Rules, rule)
	}
	return r, ir.KindGRPCRoute
}

// head says where a route attaches.
func (m *Maker) head() (common gwv1.CommonRouteSpec, hostnames []gwv1.Hostname) {
	for range 1 + m.Choose.Pick(2) {
		p := gwv1.ParentReference{Name: of(m, []gwv1.ObjectName{"edge", "edge", "other", "absent"}), Namespace: ptr(gwv1.Namespace(of(m, namespaces[:2])))}
		if m.Choose.Pick(3) == 0 {
			p.Kind, p.Name = ptr(gwv1.Kind("ListenerSet")), of(m, []gwv1.ObjectName{"set0", "set1", "set2", "absent"})
		}
		if m.Choose.Pick(3) == 0 {
			p.SectionName = ptr(gwv1.SectionName("l" + strconv.Itoa(m.Choose.Pick(4))))
		}
		if m.Choose.Pick(5) == 0 {
			p.Port = ptr(of(m, []int32{80, 443}))
		}
		common.ParentRefs = append(common.ParentRefs, p)
	}
	for range m.Choose.Pick(3) {
		if h := of(m, hosts); h != "" {
			hostnames = append(hostnames, gwv1.Hostname(h))
		}
	}
	return common, hostnames
}

func (m *Maker) rule() gwv1.HTTPRouteRule {
	var rule gwv1.HTTPRouteRule
	for range m.Choose.Pick(3) {
		match := gwv1.HTTPRouteMatch{Path: &gwv1.HTTPPathMatch{
			Type: ptr(of(m, []gwv1.PathMatchType{gwv1.PathMatchExact, gwv1.PathMatchPathPrefix, gwv1.PathMatchRegularExpression})), Value: ptr(of(m, pathsOf)),
		}}
		if m.Choose.Pick(8) == 0 {
			match.Path.Value = ptr("/(") // not a regular expression
		}
		if m.Choose.Pick(3) == 0 {
			match.Method = ptr(of(m, []gwv1.HTTPMethod{"GET", "POST"}))
		}
		if m.Choose.Pick(3) == 0 {
			match.Headers = []gwv1.HTTPHeaderMatch{{Name: "X-A", Value: of(m, []string{"1", "2"})}}
		}
		if m.Choose.Pick(4) == 0 {
			match.QueryParams = []gwv1.HTTPQueryParamMatch{{Name: "q", Value: "1"}}
		}
		rule.Matches = append(rule.Matches, match)
	}
	rule.Filters = m.filters()
	if m.Choose.Pick(5) == 0 {
		rule.Retry = &gwv1.HTTPRouteRetry{Attempts: of(m, []*int{nil, ptr(0), ptr(2)}), Codes: []gwv1.HTTPRouteRetryStatusCode{503, 500}, Backoff: ptr(gwv1.Duration("10ms"))}
	}
	if m.Choose.Pick(6) == 0 {
		rule.SessionPersistence = of(m, []*gwv1.SessionPersistence{
			{Cookie: &gwv1.CookieConfig{}}, {Type: ptr(gwv1.HeaderBasedSessionPersistence), Header: &gwv1.HeaderConfig{Name: "x-session"}},
		})
	}
	if len(rule.Filters) == 0 || rule.Filters[0].Type != gwv1.HTTPRouteFilterRequestRedirect {
		for range m.Choose.Pick(4) {
			ref := m.backendRef()
			if m.Choose.Pick(6) == 0 {
				ref.Filters = m.filters()
			}
			rule.BackendRefs = append(rule.BackendRefs, ref)
		}
	}
	return rule
}

func (m *Maker) filters() []gwv1.HTTPRouteFilter {
	switch m.Choose.Pick(10) {
	case 0:
		return []gwv1.HTTPRouteFilter{{Type: gwv1.HTTPRouteFilterRequestRedirect, RequestRedirect: &gwv1.HTTPRequestRedirectFilter{
			Scheme: of(m, []*string{nil, ptr("https")}), Port: of(m, []*gwv1.PortNumber{nil, ptr(int32(8443)), ptr(int32(80))}),
		}}}
	case 1:
		return []gwv1.HTTPRouteFilter{{Type: gwv1.HTTPRouteFilterResponseHeaderModifier, ResponseHeaderModifier: &gwv1.HTTPHeaderFilter{
			Set: []gwv1.HTTPHeader{{Name: "x-rev", Value: strconv.Itoa(m.Choose.Pick(5))}},
		}}}
	case 2:
		return []gwv1.HTTPRouteFilter{{Type: gwv1.HTTPRouteFilterURLRewrite, URLRewrite: &gwv1.HTTPURLRewriteFilter{
			Path: &gwv1.HTTPPathModifier{Type: gwv1.PrefixMatchHTTPPathModifier, ReplacePrefixMatch: ptr(of(m, []string{"/", "/z", "/z/"}))},
		}}}
	case 3:
		return []gwv1.HTTPRouteFilter{{Type: gwv1.HTTPRouteFilterExtensionRef}}
	case 4:
		return []gwv1.HTTPRouteFilter{{Type: gwv1.HTTPRouteFilterCORS, CORS: &gwv1.HTTPCORSFilter{
			AllowOrigins: of(m, [][]gwv1.CORSOrigin{{"*"}, {"https://*.example", "https://b.example:8443"}}), AllowMethods: []gwv1.HTTPMethodWithWildcard{"*"},
			AllowCredentials: ptr(m.flip()),
		}}}
	case 5:
		return []gwv1.HTTPRouteFilter{{Type: gwv1.HTTPRouteFilterRequestMirror, RequestMirror: &gwv1.HTTPRequestMirrorFilter{
			BackendRef: m.backendRef().BackendObjectReference, Percent: of(m, []*int32{nil, ptr(int32(0)), ptr(int32(30))}),
		}}}
	case 6:
		return []gwv1.HTTPRouteFilter{{Type: gwv1.HTTPRouteFilterExternalAuth, ExternalAuth: &gwv1.HTTPExternalAuthFilter{
			ExternalAuthProtocol: of(m, []gwv1.HTTPRouteExternalAuthProtocol{"HTTP", "GRPC"}), BackendRef: m.backendRef().BackendObjectReference,
			HTTPAuthConfig: &gwv1.HTTPAuthConfig{}, GRPCAuthConfig: &gwv1.GRPCAuthConfig{},
		}}}
	default:
		return nil
	}
}

func (m *Maker) backendRef() gwv1.HTTPBackendRef {
	var b gwv1.HTTPBackendRef
	b.Name = of(m, []gwv1.ObjectName{"cart", "cart", "pay", "absent"})
	b.Port = ptr(of(m, []int32{80, 81}))
	if m.flip() {
		b.Namespace = ptr(gwv1.Namespace(of(m, namespaces)))
	}
	if m.Choose.Pick(4) == 0 {
		b.Group, b.Kind, b.Port = ptr(gwv1.Group(v1alpha1.GroupName)), ptr(gwv1.Kind("Backend")), nil
	}
	if m.Choose.Pick(3) == 0 {
		b.Weight = ptr(m.number(3))
	}
	return b
}

func (m *Maker) grant() (metav1.Object, ir.Kind) {
	g := &gwv1.ReferenceGrant{ObjectMeta: m.meta(of(m, []string{"g0", "g1"}), of(m, namespaces))}
	g.Spec.From = []gwv1.ReferenceGrantFrom{{
		Group: gwv1.GroupName, Kind: of(m, []gwv1.Kind{"HTTPRoute", "GRPCRoute", "Gateway", "ListenerSet"}), Namespace: gwv1.Namespace(of(m, namespaces)),
	}}
	to := of(m, []gwv1.ReferenceGrantTo{{Kind: "Service"}, {Kind: "Secret"}, {Kind: "ConfigMap"}, {Group: v1alpha1.GroupName, Kind: "Backend"}})
	if m.Choose.Pick(3) == 0 {
		to.Name = ptr(gwv1.ObjectName("cart"))
	}
	g.Spec.To = []gwv1.ReferenceGrantTo{to}
	return g, ir.KindReferenceGrant
}

func (m *Maker) service() (metav1.Object, ir.Kind) {
	s := &corev1.Service{ObjectMeta: m.meta(of(m, []string{"cart", "pay"}), of(m, namespaces))}
	s.Spec.Ports = []corev1.ServicePort{{Name: of(m, []string{"http", "web"}), Port: 80, Protocol: corev1.ProtocolTCP}}
	switch m.Choose.Pick(9) {
	case 0:
		s.Spec.Type = corev1.ServiceTypeExternalName
	case 1, 2, 3:
		s.Spec.Ports[0].AppProtocol = ptr(of(m, []string{"kubernetes.io/h2c", "https", "kubernetes.io/wss", "example.com/odd"}))
	}
	if m.flip() {
		s.Spec.Ports = append(s.Spec.Ports, corev1.ServicePort{
			Name: "more", Port: 81, Protocol: of(m, []corev1.Protocol{corev1.ProtocolTCP, corev1.ProtocolUDP}),
		})
	}
	return s, ir.KindService
}

func (m *Maker) slice() (metav1.Object, ir.Kind) {
	s := &discoveryv1.EndpointSlice{ObjectMeta: m.meta("s"+strconv.Itoa(m.Choose.Pick(4)), of(m, namespaces)), AddressType: discoveryv1.AddressTypeIPv4}
	if m.Choose.Pick(6) > 0 {
		s.Labels = map[string]string{discoveryv1.LabelServiceName: of(m, []string{"cart", "pay"})}
	}
	s.Ports = []discoveryv1.EndpointPort{{Name: ptr(of(m, []string{"http", "more"})), Port: ptr(8000 + m.number(2))}}
	for range m.Choose.Pick(3) {
		e := discoveryv1.Endpoint{Addresses: []string{"10.0.0." + strconv.Itoa(1+m.Choose.Pick(4))}}
		if m.flip() {
			e.Conditions = discoveryv1.EndpointConditions{Ready: ptr(m.flip()), Serving: ptr(m.flip()), Terminating: ptr(m.flip())}
		}
		if m.flip() {
			e.Zone = ptr(of(m, []string{"z1", "z2"}))
		}
		s.Endpoints = append(s.Endpoints, e)
	}
	return s, ir.KindEndpointSlice
}

func (m *Maker) secret() (metav1.Object, ir.Kind) {
	s := &corev1.Secret{ObjectMeta: m.meta(of(m, []string{"cert", "broken"}), of(m, namespaces)), Type: corev1.SecretTypeTLS}
	pair := of(m, m.Pairs)
	s.Data = map[string][]byte{"tls.crt": pair.Cert, "tls.key": pair.Key}
	if s.Name == "broken" {
		s.Data["tls.key"] = []byte("no key")
	}
	return s, ir.KindSecret
}

func (m *Maker) configMap() (metav1.Object, ir.Kind) {
	c := &corev1.ConfigMap{ObjectMeta: m.meta(of(m, []string{"ca", "bad"}), of(m, namespaces))}
	c.Data = map[string]string{"ca.crt": string(of(m, m.Pairs).Cert)}
	if c.Name == "bad" {
		c.Data["ca.crt"] = "none"
	}
	return c, ir.KindConfigMap
}

func (m *Maker) namespace() (metav1.Object, ir.Kind) {
	n := &corev1.Namespace{ObjectMeta: m.meta(of(m, namespaces), "")}
	n.Labels = map[string]string{"team": of(m, []string{"a", "b"})}
	return n, ir.KindNamespace
}

func (m *Maker) backend() (metav1.Object, ir.Kind) {
	b := &v1alpha1.Backend{ObjectMeta: m.meta(of(m, []string{"cart", "pay"}), of(m, namespaces))}
	if m.flip() {
		b.Spec.Type = v1alpha1.BackendTypeExternalHostname
		b.Spec.ExternalHostname = &v1alpha1.HostnamePort{Hostname: "api.example.org", Port: 443}
	} else {
		b.Spec.Type = v1alpha1.BackendTypeEndpoints
		b.Spec.Endpoints = of(m, [][]v1alpha1.BackendEndpoint{
			{{IP: ptr("127.0.0.1"), Port: ptr(int32(3000))}},
			{{Unix: ptr("/run/app.sock")}},
			{{Hostname: ptr(gwv1.PreciseHostname("h.example.org")), Port: ptr(int32(80))}},
			{{IP: ptr("127.0.0.1"), Port: ptr(int32(3000))}, {Hostname: ptr(gwv1.PreciseHostname("h.example.org")), Port: ptr(int32(80))}},
		})
	}
	if m.Choose.Pick(3) == 0 {
		b.Spec.TLS = &v1alpha1.BackendTLS{Mode: v1alpha1.BackendTLSServerOnly, Validation: &gwv1.BackendTLSPolicyValidation{
			Hostname:          "api.example.org",
			CACertificateRefs: []gwv1.LocalObjectReference{{Kind: "ConfigMap", Name: of(m, []gwv1.ObjectName{"ca", "bad", "absent"})}},
		}}
		if m.flip() {
			b.Spec.TLS.Mode = v1alpha1.BackendTLSClientAndServer
			b.Spec.TLS.ClientCertificateRef = &v1alpha1.SecretReference{Name: of(m, []string{"cert", "broken", "absent"})}
		}
	}
	return b, ir.KindBackend
}

// Fact makes something that the shell reports: an answer of proxies, or a certificate of a local CA. It returns a key,
// so that a newer fact replaces an older one.
func (m *Maker) Fact() (string, func(*store.Store)) {
	gateway := ir.Name{Namespace: of(m, namespaces[:2]), Name: of(m, []string{"edge", "other"})}
	switch m.Choose.Pick(3) {
	case 0:
		class := of(m, []ir.ProxyClass{{Role: ir.ClassLocal}, {Role: ir.ClassGateway, Name: gateway}})
		key := input.ClassListener{Class: class, Listener: ir.GatewayListener(gateway, of(m, []int32{80, 443}))}
		report := input.ListenerReport{Version: of(m, []string{"x", "y"}), Proxies: 1 + m.Choose.Pick(2), Live: m.Choose.Pick(2)}
		return "report " + key.Class.String() + string(key.Listener), func(s *store.Store) { s.SetListenerReport(key, report) }
	case 1:
		host := ir.VirtualHostName{Table: ir.HTTPTable(gateway, 80), Host: "a.example.com"}
		id := ir.ResourceID{Type: ir.TypeVirtualHost, Name: host.String()}
		rejection := input.Rejection{Version: of(m, []string{"", "v"}), Message: "no"}
		return "rejection " + id.String(), func(s *store.Store) { s.SetRejection(id, rejection) }
	default:
		secret := ir.Name{Namespace: of(m, namespaces), Name: of(m, []string{"cert", "absent"})}
		pair := of(m, m.Pairs)
		return "certificate " + secret.String(), func(s *store.Store) { s.SetLocalCertificate(secret, pair.Cert, pair.Key) }
	}
}
