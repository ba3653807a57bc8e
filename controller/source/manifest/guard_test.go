package manifest_test

import (
	"testing"

	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/cloverleaf-mesh/cloverleaf/controller/source/manifest"
)

// TestABrokenPolicyClosesWhateverItNames, with a target that is broken itself, too: a port that cannot be told is every
// port.
func TestABrokenPolicyClosesWhateverItNames(t *testing.T) {
	for target, section := range map[string]string{
		`[{group: "", kind: Service, name: cart}]`:                          "",
		`[{group: "", kind: Service, name: cart, sectionName: https}]`:      "https",
		`[{group: "", kind: Service, name: cart, sectionName: "BAD NAME"}]`: "",
		`[{group: 5, kind: Service, name: cart}]`:                           "",
	} {
		f := manifest.NewDecoder().Decode("a.yaml", []byte(`apiVersion: gateway.networking.k8s.io/v1
kind: BackendTLSPolicy
metadata: {name: p, namespace: shop}
spec: {targetRefs: `+target+`, validation: {hostname: a.example, typo: 1}}
`))
		if len(f.Objects) > 0 || len(f.Closed) != 1 {
			t.Errorf("%s: %d objects, %d stand in for broken ones", target, len(f.Objects), len(f.Closed))
			continue
		}
		refs := f.Closed[0].Value.(*gwv1.BackendTLSPolicy).Spec.TargetRefs
		if len(refs) != 1 || refs[0].Kind != "Service" || refs[0].Name != "cart" || refs[0].Group != "" {
			t.Errorf("%s: %+v", target, refs)
			continue
		}
		got := ""
		if refs[0].SectionName != nil {
			got = string(*refs[0].SectionName)
		}
		if got != section {
			t.Errorf("%s: section %q, want %q", target, got, section)
		}
	}
}
