package manifest

import (
	"encoding/json"
	"errors"
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	runtimeschema "k8s.io/apimachinery/pkg/runtime/schema"
	apivalidation "k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/cloverleaf-mesh/cloverleaf/api/v1alpha1"
	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// kind is a kind that is read.
type kind struct {
	kind       ir.Kind
	groups     []string // apiVersions, the newest first; all are read into the newest type, whose fields are the same
	namespaced bool
	core       bool // built in: no CRD
	make       func() metav1.Object
	check      func(metav1.Object) field.ErrorList // core kinds alone
}

// kinds lists the kinds that are read. It is the only place that does.
func kinds() []kind {
	gateway := func(versions ...string) []string {
		for i, v := range versions {
			versions[i] = gwv1.GroupName + "/" + v
		}
		return versions
	}
	return []kind{
		{kind: ir.KindGatewayClass, groups: gateway("v1", "v1beta1"), make: func() metav1.Object { return &gwv1.GatewayClass{} }},
		{kind: ir.KindGateway, groups: gateway("v1", "v1beta1"), namespaced: true, make: func() metav1.Object { return &gwv1.Gateway{} }},
		{kind: ir.KindHTTPRoute, groups: gateway("v1", "v1beta1"), namespaced: true, make: func() metav1.Object { return &gwv1.HTTPRoute{} }},
		{kind: ir.KindGRPCRoute, groups: gateway("v1"), namespaced: true, make: func() metav1.Object { return &gwv1.GRPCRoute{} }},
		{kind: ir.KindReferenceGrant, groups: gateway("v1", "v1beta1"), namespaced: true, make: func() metav1.Object { return &gwv1.ReferenceGrant{} }},
		{kind: ir.KindBackend, groups: []string{v1alpha1.GroupVersion().String()}, namespaced: true, make: func() metav1.Object { return &v1alpha1.Backend{} }},
		{kind: ir.KindService, groups: []string{"v1"}, namespaced: true, core: true, make: func() metav1.Object { return &corev1.Service{} }, check: checkService},
		{kind: ir.KindEndpointSlice, groups: []string{"discovery.k8s.io/v1"}, namespaced: true, core: true, make: func() metav1.Object { return &discoveryv1.EndpointSlice{} }, check: checkSlice},
		{kind: ir.KindSecret, groups: []string{"v1"}, namespaced: true, core: true, make: func() metav1.Object { return &corev1.Secret{} }, check: checkSecret},
		{kind: ir.KindConfigMap, groups: []string{"v1"}, namespaced: true, core: true, make: func() metav1.Object { return &corev1.ConfigMap{} }, check: checkNothing},
		{kind: ir.KindNamespace, groups: []string{"v1"}, core: true, make: func() metav1.Object { return &corev1.Namespace{} }, check: checkNothing},
	}
}

func kindOf(gvk runtimeschema.GroupVersionKind) (kind, bool) {
	for _, k := range kinds() {
		if string(k.kind) == gvk.Kind && slices.Contains(k.groups, gvk.GroupVersion().String()) {
			return k, true
		}
	}
	return kind{}, false
}

// isOurGroup tells whether a group's kinds are meant for us, so that an unknown one is a mistake.
func isOurGroup(group string) bool {
	return group == gwv1.GroupName || group == v1alpha1.GroupName
}

func kindNames(group string) []string {
	var names []string
	for _, k := range kinds() {
		for _, g := range k.groups {
			if strings.HasPrefix(g, group+"/") {
				names = append(names, g+" "+string(k.kind))
			}
		}
	}
	return names
}

func marshal(fields map[string]any) ([]byte, error) { return json.Marshal(fields) }

var (
	unknownField = regexp.MustCompile(`(?:unknown|duplicate) field "([^"]+)"`)
	typeField    = regexp.MustCompile(`Go struct field ([\w.\[\]]+) of type`)
)

func unknownPath(err error) string {
	if m := unknownField.FindStringSubmatch(err.Error()); m != nil {
		return m[1]
	}
	return err.Error()
}

// typeError finds the field of a value of the wrong type, and says it without Go's words.
func typeError(err error) (path, message string) {
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) {
		return wrong.Field, "the value must be of type " + wrong.Type.String() + ", not " + wrong.Value
	}
	message = err.Error()
	if m := typeField.FindStringSubmatch(message); m != nil {
		_, path, _ = strings.Cut(m[1], ".")
	}
	return path, strings.TrimPrefix(message, "json: ")
}

func checkNothing(metav1.Object) field.ErrorList { return nil }

// checkService makes the checks of an API server that matter here, and fills in its defaults: protocol TCP, type
// ClusterIP.
func checkService(o metav1.Object) field.ErrorList {
	svc := o.(*corev1.Service) //nolint:forcetypeassert // its own kind
	var errs field.ErrorList
	if svc.Spec.Type == "" {
		svc.Spec.Type = corev1.ServiceTypeClusterIP
	}
	seen := map[string]bool{}
	for i := range svc.Spec.Ports {
		p, at := &svc.Spec.Ports[i], field.NewPath("spec", "ports").Index(i)
		if p.Protocol == "" {
			p.Protocol = corev1.ProtocolTCP
		}
		for _, m := range apivalidation.IsValidPortNum(int(p.Port)) {
			errs = append(errs, field.Invalid(at.Child("port"), p.Port, m))
		}
		if p.Name == "" && len(svc.Spec.Ports) > 1 {
			errs = append(errs, field.Required(at.Child("name"), "a Service with several ports must name them"))
		}
		key := string(p.Protocol) + "/" + strconv.Itoa(int(p.Port))
		if seen[key] || p.Name != "" && seen[p.Name] {
			errs = append(errs, field.Duplicate(at, key))
		}
		seen[key], seen[p.Name] = true, true
	}
	if len(svc.Spec.Ports) == 0 && svc.Spec.Type != corev1.ServiceTypeExternalName && svc.Spec.ClusterIP != corev1.ClusterIPNone {
		errs = append(errs, field.Required(field.NewPath("spec", "ports"), "a Service needs a port"))
	}
	return errs
}

// checkSlice checks that addresses are of the slice's type.
func checkSlice(o metav1.Object) field.ErrorList {
	slice := o.(*discoveryv1.EndpointSlice) //nolint:forcetypeassert // its own kind
	var errs field.ErrorList
	types := []discoveryv1.AddressType{discoveryv1.AddressTypeIPv4, discoveryv1.AddressTypeIPv6, discoveryv1.AddressTypeFQDN}
	if !slices.Contains(types, slice.AddressType) {
		errs = append(errs, field.NotSupported(field.NewPath("addressType"), slice.AddressType, types))
	}
	for i := range slice.Endpoints {
		at := field.NewPath("endpoints").Index(i).Child("addresses")
		if len(slice.Endpoints[i].Addresses) == 0 {
			errs = append(errs, field.Required(at, "an endpoint needs an address"))
		}
		for j, a := range slice.Endpoints[i].Addresses {
			if !ofType(a, slice.AddressType) {
				errs = append(errs, field.Invalid(at.Index(j), a, "must be of type "+string(slice.AddressType)))
			}
		}
	}
	for i, p := range slice.Ports {
		if p.Port != nil {
			for _, m := range apivalidation.IsValidPortNum(int(*p.Port)) {
				errs = append(errs, field.Invalid(field.NewPath("ports").Index(i).Child("port"), *p.Port, m))
			}
		}
	}
	return errs
}

func ofType(address string, t discoveryv1.AddressType) bool {
	ip := net.ParseIP(address)
	switch t {
	case discoveryv1.AddressTypeIPv4:
		return ip != nil && ip.To4() != nil
	case discoveryv1.AddressTypeIPv6:
		return ip != nil && ip.To4() == nil
	default:
		return len(apivalidation.IsDNS1123Subdomain(address)) == 0
	}
}

// checkSecret moves stringData into data, as an API server does, and checks what its type needs.
func checkSecret(o metav1.Object) field.ErrorList {
	s := o.(*corev1.Secret) //nolint:forcetypeassert // its own kind
	for k, v := range s.StringData {
		if s.Data == nil {
			s.Data = map[string][]byte{}
		}
		s.Data[k] = []byte(v)
	}
	s.StringData = nil
	var errs field.ErrorList
	if s.Type == corev1.SecretTypeTLS {
		for _, key := range []string{corev1.TLSCertKey, corev1.TLSPrivateKeyKey} {
			if _, ok := s.Data[key]; !ok {
				errs = append(errs, field.Required(field.NewPath("data").Key(key), "a Secret of type kubernetes.io/tls needs it"))
			}
		}
	}
	return errs
}
