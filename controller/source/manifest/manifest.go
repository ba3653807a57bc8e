// Package manifest reads manifests: bytes to typed, validated objects that know where their fields stand. It decides
// what is a valid object, as strictly as a cluster does, and keeps what is good of a file with something bad in it. It
// does no I/O.
package manifest

import (
	"fmt"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cloverleaf-mesh/cloverleaf/translator/finding"
	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// MaxDocument is the size of the largest document that is read, in bytes: what a cluster stores at the most (etcd's
// request limit).
const MaxDocument = 3 << 19 // 1.5 MiB

// Position is a place in a file. Line and Column begin at 1; 0 means that it is not known.
type Position struct {
	File         string
	Line, Column int
}

// String returns file:line:column, as far as known.
func (p Position) String() string {
	switch {
	case p.Line == 0:
		return p.File
	case p.Column == 0:
		return fmt.Sprintf("%s:%d", p.File, p.Line)
	default:
		return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
	}
}

// Object is one valid object of a file.
type Object struct {
	Ref ir.Ref
	// Value is a typed object with its defaults: *gwv1.Gateway, *corev1.Service and so on. It is shared between the
	// results of a Decoder, so nobody may change it; the same bytes give the same pointer.
	Value metav1.Object
	// Closed tells that it stands in for an object that cannot be read: it guards what that would, and lets nothing pass.
	Closed bool
	// Start is where the object's document begins.
	Start Position

	doc    *document
	prefix string // path of the object in its document, for items of a List
}

// Position finds a field, as in "spec.rules[0].matches[1].path.value": its own place or, where the manifest does not
// have it, that of the nearest field around it. It parses the document anew: call it for what is printed only.
func (o *Object) Position(field string) Position {
	path := strings.Trim(o.prefix+"."+field, ".")
	line, column := o.doc.find(path)
	return Position{File: o.Start.File, Line: o.Start.Line + line - 1, Column: column}
}

// Problem is a finding with its place.
type Problem struct {
	Finding finding.Finding
	At      Position
}

// Object names the object that it is about, as far as that has a name; empty for none.
func (p Problem) Object() string {
	if p.Finding.Object.Name == (ir.Name{}) {
		return string(p.Finding.Object.Kind)
	}
	return p.Finding.Object.String()
}

// String returns "file:line:column: CL0101 level object field: message", without what is not known.
func (p Problem) String() string {
	text := fmt.Sprintf("%s %s %s %s", p.Finding.Code, p.Finding.Level(), p.Object(), p.Finding.Field)
	text = strings.Join(strings.Fields(text), " ") + ": " + p.Finding.Message
	if p.At.File != "" {
		text = p.At.String() + ": " + text
	}
	return text
}

// File is what a file holds.
type File struct {
	Path     string
	Objects  []*Object // in the order of the file; of duplicates all are here
	Problems []Problem
	// Broken lists objects that could be named but not read, and Unnamed tells whether there is something that could not
	// even be named: then what else the file held is not known.
	Broken  []ir.Ref
	Unnamed bool
	// Closed stand in for those of the broken objects that guard others, where nothing better is known.
	Closed []*Object

	documents []*document
}
