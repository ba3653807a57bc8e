package schema_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	runtimeschema "k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"

	"github.com/cloverleaf-mesh/cloverleaf/config/schema"
)

// eachVersion calls a function for every served version of every CRD of config/crd.
func eachVersion(t *testing.T, call func(gvk runtimeschema.GroupVersionKind, crd apiextensionsv1.CustomResourceDefinition)) {
	t.Helper()
	files, err := filepath.Glob("../crd/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no CRDs (%v)", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var crd apiextensionsv1.CustomResourceDefinition
		if err := yaml.UnmarshalStrict(text, &crd); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		for _, v := range crd.Spec.Versions {
			if v.Served {
				call(runtimeschema.GroupVersionKind{Group: crd.Spec.Group, Version: v.Name, Kind: crd.Spec.Names.Kind}, crd)
			}
		}
	}
}

// TestEveryVersionOfEveryCRDIsCompiledOnce, and only when somebody asks for it.
func TestEveryVersionOfEveryCRDIsCompiledOnce(t *testing.T) {
	set, versions := schema.NewSet(), 0
	for range 3 {
		versions = 0
		eachVersion(t, func(gvk runtimeschema.GroupVersionKind, _ apiextensionsv1.CustomResourceDefinition) {
			versions++
			if v := set.For(gvk); v == nil || v != set.For(gvk) {
				t.Errorf("%s has no schema, or two", gvk)
			}
		})
	}
	if set.Compilations() != versions {
		t.Errorf("%d compilations for %d versions", set.Compilations(), versions)
	}
	for _, unknown := range []runtimeschema.GroupVersionKind{
		{Group: "gateway.networking.k8s.io", Version: "v9", Kind: "Gateway"},
		{Group: "gateway.networking.k8s.io", Version: "v1", Kind: "TCPRoute"},
		{Group: "apps", Version: "v1", Kind: "Deployment"},
	} {
		if set.For(unknown) != nil {
			t.Errorf("%s has a schema", unknown)
		}
	}
}

// TestTheEmbeddedSchemasAreThoseOfTheCRDs: what is checked here is what is installed in a cluster.
func TestTheEmbeddedSchemasAreThoseOfTheCRDs(t *testing.T) {
	eachVersion(t, func(gvk runtimeschema.GroupVersionKind, crd apiextensionsv1.CustomResourceDefinition) {
		text, err := os.ReadFile(filepath.Join("embedded", crd.Spec.Group+"_"+crd.Spec.Names.Plural+".json"))
		if err != nil {
			t.Fatal(err)
		}
		var embedded apiextensionsv1.CustomResourceDefinition
		if err := json.Unmarshal(text, &embedded); err != nil {
			t.Fatal(err)
		}
		for i, v := range crd.Spec.Versions {
			if d := cmp.Diff(rules(t, v.Schema), rules(t, embedded.Spec.Versions[i].Schema)); d != "" {
				t.Errorf("%s (-CRD +embedded):\n%s", gvk, d)
			}
		}
	})
}

// rules returns a schema without its descriptions, which are not embedded.
func rules(t *testing.T, v any) any {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var fields map[string]any
	if err := json.Unmarshal(text, &fields); err != nil {
		t.Fatal(err)
	}
	strip(fields)
	return fields
}

// strip is not the generator's: what that one takes away too much, the comparison must show.
func strip(v any) {
	switch v := v.(type) {
	case map[string]any:
		if _, isText := v["description"].(string); isText {
			delete(v, "description")
		}
		for _, child := range v {
			strip(child)
		}
	case []any:
		for _, child := range v {
			strip(child)
		}
	}
}

// TestPropertiesLeadThroughLists, for suggestions.
func TestPropertiesLeadThroughLists(t *testing.T) {
	v := schema.NewSet().For(runtimeschema.GroupVersionKind{Group: "gateway.networking.k8s.io", Version: "v1", Kind: "HTTPRoute"})
	names := strings.Join(v.Properties([]string{"spec", "rules", "matches", "path"}), " ")
	if names != "type value" {
		t.Errorf("properties of a path match: %s", names)
	}
	if v.Properties([]string{"spec", "nothing", "deeper"}) != nil {
		t.Error("a path that does not exist has properties")
	}
}
