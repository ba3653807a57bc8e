// Package schema checks objects of custom kinds as an API server would: structure, unknown fields, defaults, OpenAPI
// validation, list types and CEL rules, with the API server's own libraries. So what `cloverleaf check` accepts, a
// cluster with the same CRDs accepts. It decides nothing about meaning.
package schema

import (
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"slices"
	"sync"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	structuralschema "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/listtype"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/objectmeta"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
)

//go:embed embedded/*.json
var embedded embed.FS

// kinds names the file of each kind.
func kinds() map[schema.GroupKind]string {
	const gateway = "gateway.networking.k8s.io"
	return map[schema.GroupKind]string{
		{Group: gateway, Kind: "GatewayClass"}:     gateway + "_gatewayclasses",
		{Group: gateway, Kind: "Gateway"}:          gateway + "_gateways",
		{Group: gateway, Kind: "ListenerSet"}:      gateway + "_listenersets",
		{Group: gateway, Kind: "HTTPRoute"}:        gateway + "_httproutes",
		{Group: gateway, Kind: "GRPCRoute"}:        gateway + "_grpcroutes",
		{Group: gateway, Kind: "ReferenceGrant"}:   gateway + "_referencegrants",
		{Group: gateway, Kind: "BackendTLSPolicy"}: gateway + "_backendtlspolicies",
		{Group: "cloverleaf.dev", Kind: "Backend"}: "cloverleaf.dev_backends",
	}
}

// Set compiles the schemas of kinds when they are first asked for, each once. It is safe for concurrent use.
type Set struct {
	mu       sync.Mutex
	compiled map[schema.GroupVersionKind]*Validator
	count    int // of compilations
}

// NewSet returns a set that has compiled nothing yet.
func NewSet() *Set { return &Set{compiled: map[schema.GroupVersionKind]*Validator{}} }

// Compilations returns how many schemas were compiled so far.
func (s *Set) Compilations() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.count
}

// For returns the validator of a kind; nil when the kind or its version is not known. A schema that does not compile is
// a bug of the build: it panics.
func (s *Set) For(gvk schema.GroupVersionKind) *Validator {
	s.mu.Lock()
	defer s.mu.Unlock()
	if v, ok := s.compiled[gvk]; ok {
		return v
	}
	file, ok := kinds()[gvk.GroupKind()]
	if !ok {
		return nil
	}
	v, err := compile(file, gvk.Version)
	if err != nil {
		panic(fmt.Sprintf("schema of %s: %v", gvk, err))
	}
	s.compiled[gvk] = v
	if v != nil {
		s.count++
	}
	return v
}

// Validator checks objects of one kind and version.
type Validator struct {
	structural *structuralschema.Structural
	openapi    validation.SchemaValidator
	rules      *cel.Validator
}

func compile(file, version string) (*Validator, error) {
	text, err := embedded.ReadFile("embedded/" + file + ".json")
	if err != nil {
		return nil, err
	}
	var crd apiextensionsv1.CustomResourceDefinition
	if err := json.Unmarshal(text, &crd); err != nil {
		return nil, err
	}
	i := slices.IndexFunc(crd.Spec.Versions, func(v apiextensionsv1.CustomResourceDefinitionVersion) bool {
		return v.Name == version && v.Served
	})
	if i < 0 {
		return nil, nil //nolint:nilnil // a version that is not served is not known
	}
	var props apiextensions.JSONSchemaProps
	err = apiextensionsv1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(
		crd.Spec.Versions[i].Schema.OpenAPIV3Schema, &props, nil)
	if err != nil {
		return nil, err
	}
	v := &Validator{}
	if v.structural, err = structuralschema.NewStructural(&props); err != nil {
		return nil, err
	}
	if v.openapi, _, err = validation.NewSchemaValidator(&props); err != nil {
		return nil, err
	}
	v.rules = cel.NewValidator(v.structural, true, celconfig.PerCallLimit)
	return v, nil
}

// Unknown removes the fields that the schema does not have, and returns their paths, sorted.
func (v *Validator) Unknown(object map[string]any) []string {
	paths := pruning.PruneWithOptions(object, v.structural, true, structuralschema.UnknownFieldPathOptions{TrackUnknownFieldPaths: true})
	slices.Sort(paths)
	return paths
}

// Default fills in the schema's defaults.
func (v *Validator) Default(object map[string]any) {
	defaulting.PruneNonNullableNullsWithoutDefaults(object, v.structural)
	defaulting.Default(object, v.structural)
}

// Check validates an object, in the steps of an API server's create: its structure, and then the CEL rules, which rely on
// it and are evaluated only when it is right. Its metadata is not looked at: that is the same for every kind.
func (v *Validator) Check(object map[string]any) (structure, rules field.ErrorList) {
	ctx := context.Background()
	structure = validation.ValidateCustomResource(nil, object, v.openapi)
	structure = append(structure, objectmeta.Validate(ctx, nil, object, v.structural, false)...)
	structure = append(structure, listtype.ValidateListSetsAndMaps(nil, v.structural, object)...)
	if len(structure) > 0 || v.rules == nil {
		return structure, nil
	}
	rules, _ = v.rules.Validate(ctx, nil, v.structural, object, nil, celconfig.RuntimeCELCostBudget)
	return nil, rules
}

// Properties returns the names of the properties at a path of fields, for suggestions; nil when there is no such path.
func (v *Validator) Properties(path []string) []string {
	s := v.structural
	for _, name := range path {
		for s.Items != nil {
			s = s.Items
		}
		next, ok := s.Properties[name]
		if !ok {
			return nil
		}
		s = &next
	}
	for s.Items != nil {
		s = s.Items
	}
	names := make([]string, 0, len(s.Properties))
	for name := range s.Properties {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
