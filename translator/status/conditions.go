// Package status words the statuses of objects: from the problems that other packages found to conditions. It decides
// conditions, reasons and messages, and nothing about what is right or wrong. Statuses carry no times: whoever writes
// them to an API server sets lastTransitionTime when a condition changes.
package status

import (
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cloverleaf-mesh/cloverleaf/translator/finding"
	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// Report is all that there is to say about one object.
type Report struct {
	Object ir.Ref
	// Gone is set when the object is no more; everything else is empty then.
	Gone bool
	// Status is a *gwv1.GatewayClassStatus, *gwv1.GatewayStatus, *gwv1.ListenerSetStatus, *gwv1.PolicyStatus, or the status of a kind of route; nil
	// when the object is not ours to write.
	Status any
	// Findings are sorted, those of no condition included.
	Findings []finding.Finding
}

// conditions collects the conditions of one status.
type conditions struct {
	generation int64
	list       []metav1.Condition
}

func (c *conditions) set(kind finding.Condition, s metav1.ConditionStatus, reason, message string) {
	c.list = append(c.list, metav1.Condition{
		Type: string(kind), Status: s, Reason: reason, Message: limit(message), ObservedGeneration: c.generation,
	})
}

// problems sets a condition that problems decide: the first gives the reason, all of them the message.
func (c *conditions) problems(kind finding.Condition, s metav1.ConditionStatus, problems []finding.Problem) {
	c.set(kind, s, problems[0].Reason, text(problems))
}

// limit cuts a message to what the API allows (32,768 bytes), with room to spare.
func limit(message string) string {
	const most = 4096
	if len(message) <= most {
		return message
	}
	return strings.ToValidUTF8(message[:most], "") + " ..."
}

// of selects the problems that a condition reports.
func of(problems []finding.Problem, condition finding.Condition) []finding.Problem {
	var out []finding.Problem
	for _, p := range problems {
		if p.Condition == condition {
			out = append(out, p)
		}
	}
	return out
}

// text joins what problems say.
func text(problems []finding.Problem) string {
	parts := make([]string, len(problems))
	for i, p := range problems {
		parts[i] = p.Text()
		if p.Field != "" {
			parts[i] = string(p.Code) + ": " + p.Field + ": " + p.Message
		}
	}
	return strings.Join(parts, "; ")
}

// Findings are the findings of problems, sorted.
func Findings(problems []finding.Problem) []finding.Finding {
	fs := make([]finding.Finding, len(problems))
	for i, p := range problems {
		fs[i] = p.Finding
	}
	return finding.Sort(fs)
}
