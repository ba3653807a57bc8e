package worldgen

import (
	"k8s.io/apimachinery/pkg/runtime"
	runtimeschema "k8s.io/apimachinery/pkg/runtime/schema"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/cloverleaf-mesh/cloverleaf/config/schema"
)

// Schemas tells which objects an API server would let through.
type Schemas struct{ httpRoute *schema.Validator }

func gvk() runtimeschema.GroupVersionKind {
	return runtimeschema.GroupVersionKind{Group: gwv1.GroupName, Version: "v1", Kind: "HTTPRoute"}
}

// NewSchemas compiles the schemas.
func NewSchemas() *Schemas {
	return &Schemas{schema.NewSet().For(gvk())}
}

// HTTPRoute returns the route with the schema's defaults, and whether an API server would let it through.
func (s *Schemas) HTTPRoute(r *gwv1.HTTPRoute) (*gwv1.HTTPRoute, bool) {
	r.SetGroupVersionKind(gvk())
	fields, err := runtime.DefaultUnstructuredConverter.ToUnstructured(r)
	if err != nil {
		panic(err) // made of the type itself
	}
	delete(fields, "status")
	if metadata, ok := fields["metadata"].(map[string]any); ok {
		delete(metadata, "creationTimestamp")
	}
	s.httpRoute.Default(fields)
	if structure, rules := s.httpRoute.Check(fields); len(structure)+len(rules) > 0 {
		return nil, false
	}
	out := &gwv1.HTTPRoute{}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(fields, out); err != nil {
		panic(err)
	}
	return out, true
}
