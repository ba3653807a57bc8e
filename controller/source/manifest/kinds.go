package manifest

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	runtimeschema "k8s.io/apimachinery/pkg/runtime/schema"
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
	name       func(name string, prefix bool) []string // what a name must be like
	core       bool                                    // built in: no CRD
	make       func() metav1.Object
	check      func(metav1.Object) field.ErrorList // core kinds alone
}

// kinds lists the kinds that are read. It is the only place that does.
func kinds() []kind {
	all := []kind{
		{kind: ir.KindGatewayClass, make: func() metav1.Object { return &gwv1.GatewayClass{} }},
		{kind: ir.KindGateway, namespaced: true, make: func() metav1.Object { return &gwv1.Gateway{} }},
		{kind: ir.KindListenerSet, groups: []string{gwv1.GroupName + "/v1"}, namespaced: true, make: func() metav1.Object { return &gwv1.ListenerSet{} }},
		{kind: ir.KindHTTPRoute, namespaced: true, make: func() metav1.Object { return &gwv1.HTTPRoute{} }},
		{kind: ir.KindGRPCRoute, groups: []string{gwv1.GroupName + "/v1"}, namespaced: true, make: func() metav1.Object { return &gwv1.GRPCRoute{} }},
		{kind: ir.KindReferenceGrant, namespaced: true, make: func() metav1.Object { return &gwv1.ReferenceGrant{} }},
		{kind: ir.KindBackendTLSPolicy, groups: []string{gwv1.GroupName + "/v1", gwv1.GroupName + "/v1alpha3"}, namespaced: true, make: func() metav1.Object { return &gwv1.BackendTLSPolicy{} }},
		{kind: ir.KindBackend, groups: []string{v1alpha1.GroupVersion().String()}, namespaced: true, make: func() metav1.Object { return &v1alpha1.Backend{} }},
		{kind: ir.KindService, groups: []string{"v1"}, namespaced: true, name: apivalidation.NameIsDNS1035Label, core: true, make: func() metav1.Object { return &corev1.Service{} }, check: checkService},
		{kind: ir.KindEndpointSlice, groups: []string{"discovery.k8s.io/v1"}, namespaced: true, core: true, make: func() metav1.Object { return &discoveryv1.EndpointSlice{} }, check: checkSlice},
		{kind: ir.KindSecret, groups: []string{"v1"}, namespaced: true, core: true, make: func() metav1.Object { return &corev1.Secret{} }, check: checkSecret},
		{kind: ir.KindConfigMap, groups: []string{"v1"}, namespaced: true, core: true, make: func() metav1.Object { return &corev1.ConfigMap{} }, check: checkConfigMap},
		{kind: ir.KindNamespace, groups: []string{"v1"}, name: apivalidation.ValidateNamespaceName, core: true, make: func() metav1.Object { return &corev1.Namespace{} }, check: checkNothing},
	}
	for i := range all {
		if all[i].groups == nil {
			all[i].groups = []string{gwv1.GroupName + "/v1", gwv1.GroupName + "/v1beta1"}
		}
		if all[i].name == nil {
			all[i].name = apivalidation.NameIsDNSSubdomain
		}
	}
	return all
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

// notYet tells whether a kind of the Gateway API is a real one that nothing is done with so far.
func notYet(kind runtimeschema.GroupKind) bool {
	return kind.Group == gwv1.GroupName && slices.Contains([]string{"TCPRoute", "TLSRoute", "UDPRoute"}, kind.Kind)
}

// closest finds the kind that was meant by one that does not exist: of another version, or a few letters away.
func closest(gvk runtimeschema.GroupVersionKind) (best kind, found bool) {
	least := farthest + 1
	for _, k := range kinds() {
		group, _, versioned := strings.Cut(k.groups[0], "/")
		if !versioned {
			group = ""
		}
		d := distance(strings.ToLower(string(k.kind)), strings.ToLower(gvk.Kind))
		if d > 0 || gvk.Group != "" { // "apiVersion: v1" is easily written too often
			d += distance(group, gvk.Group)
		}
		if d < least {
			best, found, least = k, true, d
		}
	}
	return best, found
}

// knownIn says which kinds of a group are read.
func knownIn(group string) string {
	var names []string
	version := ""
	for _, k := range kinds() {
		if strings.HasPrefix(k.groups[0], group+"/") {
			version = k.groups[0]
			names = append(names, string(k.kind))
		}
	}
	return "known in " + version + ": " + strings.Join(names, ", ")
}

func checkNothing(metav1.Object) field.ErrorList { return nil }
