// Package finding holds everything that Cloverleaf may have to say about its users' objects: a stable code, a level
// and the words, made in one place. The same finding appears in `check`, in status messages and in logs.
//
// It decides words and levels. It does not decide when something is found, nor which condition reports it.
package finding

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"

	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// Code is the stable number of a finding: "CL" and four digits. A code is never used again for something else.
type Code string

// Level says how bad a finding is.
type Level uint8

// The levels, from bad to good.
const (
	Error   Level = iota // something that the object asks for does not happen
	Warning              // it happens, but probably not as meant
	Info                 // nothing is wrong
)

// String returns the level in lower case.
func (l Level) String() string { return [...]string{"error", "warning", "info"}[min(l, Info)] }

// Finding is one thing found about one object.
type Finding struct {
	Code   Code
	Object ir.Ref
	// Field is the path of the field that it is about, as in "spec.rules[0].matches[1].path.value"; empty for the
	// whole object.
	Field string
	// Message is the catalogue's template, filled in: one sentence of what is wrong and what to do.
	Message string
}

// New makes a finding from the catalogue. It panics when the code does not exist: that is a bug of the caller.
func New(code Code, object ir.Ref, field string, args ...any) Finding {
	return Finding{Code: code, Object: object, Field: field, Message: fmt.Sprintf(Lookup(code).Template, args...)}
}

// Level returns the level of the finding's code.
func (f Finding) Level() Level { return Lookup(f.Code).Level }

// String returns "CL0101 Kind/ns/name field: message".
func (f Finding) String() string {
	s := string(f.Code) + " " + f.Object.String()
	if f.Field != "" {
		s += " " + f.Field
	}
	return s + ": " + f.Message
}

// Element returns the path of an element of a list, as in "spec.rules[0]".
func Element(list string, index int) string { return list + "[" + strconv.Itoa(index) + "]" }

// Compare orders findings by object, field, code and message.
func Compare(a, b Finding) int {
	return cmp.Or(a.Object.Compare(b.Object), cmp.Compare(a.Field, b.Field), cmp.Compare(a.Code, b.Code), cmp.Compare(a.Message, b.Message))
}

// Sort returns the findings in order and without duplicates. It may reorder its argument.
func Sort(fs []Finding) []Finding {
	slices.SortFunc(fs, Compare)
	return slices.Compact(fs)
}

// Entry describes one code: what its finding says, and the reference page for it.
type Entry struct {
	Code     Code
	Level    Level
	Title    string // a few words
	Template string // fmt template of Finding.Message, e.g. "Service %s has no port %d"
	Meaning  string // what it means and what Cloverleaf does meanwhile
	Example  string // a fragment of YAML that triggers it
	Fix      string // what to do
}

// Lookup returns the entry of a code and panics when there is none.
func Lookup(code Code) Entry {
	for _, part := range catalogue {
		for _, e := range part {
			if e.Code == code {
				return e
			}
		}
	}
	panic("finding: no such code: " + string(code))
}

// Catalogue returns all entries, sorted by code.
func Catalogue() []Entry {
	all := slices.Concat(catalogue...)
	slices.SortFunc(all, func(a, b Entry) int { return cmp.Compare(a.Code, b.Code) })
	return all
}

// catalogue is a table of tables, in a file catalogue_*.go each.
var catalogue = [][]Entry{documents, gateways, routes, policies, dataplane, runs}
