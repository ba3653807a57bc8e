package manifest

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"slices"
	"sync"
	"weak"

	yamlnode "go.yaml.in/yaml/v3"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cloverleaf-mesh/cloverleaf/config/schema"
	"github.com/cloverleaf-mesh/cloverleaf/translator/finding"
	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// Decoder reads files and remembers documents by their bytes: of a changed file only the changed documents are read
// again. It is not safe for concurrent use.
type Decoder struct {
	schemas   *schema.Set
	documents map[[sha256.Size]byte]*document
	files     map[string]map[*document]bool // which documents a file has or had
	decoded   int
}

// NewDecoder returns a decoder that remembers nothing yet.
func NewDecoder() *Decoder {
	return &Decoder{
		schemas: schema.NewSet(), documents: map[[sha256.Size]byte]*document{}, files: map[string]map[*document]bool{},
	}
}

// Decoded counts the documents that were read, rather than remembered.
func (d *Decoder) Decoded() int { return d.decoded }

// document is what was read of a document, wherever it stands.
type document struct {
	hash     [sha256.Size]byte
	text     string
	objects  []parsed
	problems []located
	broken   []ir.Ref
	closed   []parsed // what stands in for broken ones
	unnamed  bool
	users    int // files that it is remembered for

	mu    sync.Mutex
	nodes weak.Pointer[yamlnode.Node] // places are asked for by whoever prints, at any time
}

type parsed struct {
	ref    ir.Ref
	value  metav1.Object
	prefix string
}

// located is a problem with its place in the document.
type located struct {
	finding      finding.Finding
	line, column int
}

// Decode reads a file. It never fails: what is wrong is among the problems, and what is good among the objects. What was
// read of other versions of the file stays remembered until Keep or Forget.
func (d *Decoder) Decode(path string, data []byte) File {
	f := File{Path: path}
	if d.files[path] == nil {
		d.files[path] = map[*document]bool{}
	}
	for _, p := range split(data) {
		if blank(p.text) {
			continue
		}
		hash := sha256.Sum256(p.text)
		doc := d.documents[hash]
		if doc == nil {
			d.decoded++
			doc = d.read(string(p.text))
			doc.hash = hash
			d.documents[hash] = doc
		}
		if !d.files[path][doc] {
			d.files[path][doc] = true
			doc.users++
		}
		f.add(doc, p.line)
	}
	return f
}

// Keep settles on a version of a file: of other versions only what is needed for the objects stays remembered. A version
// that turns out to be half written is not settled on, so that the whole one is not read anew.
func (d *Decoder) Keep(f File, objects []*Object) {
	wanted := map[*document]bool{}
	for _, doc := range f.documents {
		wanted[doc] = true
	}
	for _, o := range objects {
		wanted[o.doc] = true
	}
	for doc := range d.files[f.Path] {
		if !wanted[doc] {
			d.release(f.Path, doc)
		}
	}
}

// Forget lets go of the documents of a file that is no more.
func (d *Decoder) Forget(path string) {
	for doc := range d.files[path] {
		d.release(path, doc)
	}
	delete(d.files, path)
}

func (d *Decoder) release(path string, doc *document) {
	delete(d.files[path], doc)
	if doc.users--; doc.users == 0 {
		delete(d.documents, doc.hash)
	}
}

func (f *File) add(doc *document, line int) {
	f.documents = append(f.documents, doc)
	at := func(l, c int) Position { return Position{File: f.Path, Line: line + l - 1, Column: c} }
	object := func(p parsed, closed bool) *Object {
		return &Object{
			Ref: p.ref, Value: p.value, Closed: closed, Start: Position{File: f.Path, Line: line, Column: 1}, doc: doc, prefix: p.prefix,
		}
	}
	for _, p := range doc.objects {
		f.Objects = append(f.Objects, object(p, false))
	}
	for _, p := range doc.closed {
		f.Closed = append(f.Closed, object(p, true))
	}
	for _, p := range doc.problems {
		f.Problems = append(f.Problems, Problem{Finding: p.finding, At: at(p.line, p.column)})
	}
	f.Broken = append(f.Broken, doc.broken...)
	f.Unnamed = f.Unnamed || doc.unnamed
}

// read reads one document. A panic of a library is contained to it.
func (d *Decoder) read(text string) (doc *document) {
	doc = &document{text: text}
	r := &reader{doc: doc, schemas: d.schemas}
	defer func() {
		if p := recover(); p != nil {
			doc.objects, doc.unnamed = nil, true
			doc.problems = []located{{finding.New(finding.Internal, ir.Ref{}, "", fmt.Sprint(p)), 1, 1}}
		}
	}()
	if len(text) > MaxDocument {
		r.tooBig(len(text), "")
		doc.text = ""
		return doc
	}
	r.read(text)
	slices.SortStableFunc(doc.problems, func(a, b located) int {
		return cmp.Or(cmp.Compare(a.line, b.line), cmp.Compare(a.column, b.column), finding.Compare(a.finding, b.finding))
	})
	return doc
}
