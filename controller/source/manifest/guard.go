package manifest

import (
	"encoding/json"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// closedPolicy is a BackendTLSPolicy with the targets of a broken one, as far as they can be read, and nobody to trust:
// without it, its Services would be spoken to in plaintext.
func closedPolicy(name ir.Name, fields map[string]any) metav1.Object {
	p := &gwv1.BackendTLSPolicy{ObjectMeta: metav1.ObjectMeta{Namespace: name.Namespace, Name: name.Name}}
	spec, _ := fields["spec"].(map[string]any)
	targets, _ := spec["targetRefs"].([]any)
	for _, target := range targets {
		var ref gwv1.LocalPolicyTargetReferenceWithSectionName
		if text, err := json.Marshal(target); err == nil && json.Unmarshal(text, &ref) == nil && ref.Name != "" {
			p.Spec.TargetRefs = append(p.Spec.TargetRefs, ref)
		}
	}
	if len(p.Spec.TargetRefs) == 0 {
		return nil
	}
	return p
}
