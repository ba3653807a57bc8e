package manifest

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"
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
		of, _ := target.(map[string]any)
		called, _ := of["name"].(string)
		if called == "" {
			continue
		}
		ref := gwv1.LocalPolicyTargetReferenceWithSectionName{}
		ref.Kind, ref.Name = "Service", gwv1.ObjectName(called)
		// A port that cannot be told is every port.
		if section, ok := of["sectionName"].(string); ok && len(validation.IsDNS1123Subdomain(section)) == 0 {
			ref.SectionName = (*gwv1.SectionName)(&section)
		}
		p.Spec.TargetRefs = append(p.Spec.TargetRefs, ref)
	}
	if len(p.Spec.TargetRefs) == 0 {
		return nil
	}
	return p
}
