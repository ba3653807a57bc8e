package manifest

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
)

func route(i, port int) string {
	return fmt.Sprintf(`apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: r%d}
spec:
  parentRefs: [{name: edge}]
  hostnames: [r%d.example]
  rules:
  - matches: [{path: {type: PathPrefix, value: /%d}}]
    backendRefs: [{name: a, port: %d}]
`, i, i, i, port)
}

func routes(n int, port func(i int) int) []byte {
	var b strings.Builder
	for i := range n {
		b.WriteString("---\n" + route(i, port(i)))
	}
	return []byte(b.String())
}

func plain(int) int { return 80 }

// allocated returns how many bytes a function allocates.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// TestOfAChangedFileOnlyTheChangedDocumentsAreRead: one of 1,000 documents in a file changes, and 999 keep their very
// pointers. Schemas and CEL rules are compiled once, whatever comes.
func TestOfAChangedFileOnlyTheChangedDocumentsAreRead(t *testing.T) {
	const n = 1000
	d := NewDecoder()
	var first, second File
	all := allocated(func() { first = d.Decode("a.yaml", routes(n, plain)) })
	d.Keep(first, first.Objects)
	edited := routes(n, func(i int) int { return 80 + i/500*(i%500/499) }) // of the last
	one := allocated(func() { second = d.Decode("a.yaml", edited) })
	if len(first.Problems)+len(second.Problems) > 0 || len(first.Objects) != n || len(second.Objects) != n {
		t.Fatalf("%v %v", first.Problems, second.Problems)
	}
	if d.Decoded() != n+1 {
		t.Errorf("%d documents read instead of %d", d.Decoded(), n+1)
	}
	same := 0
	for i, o := range second.Objects {
		if o.Value == first.Objects[i].Value {
			same++
		}
	}
	if same != n-1 {
		t.Errorf("%d of %d objects are the same", same, n)
	}
	if c := d.schemas.Compilations(); c != 1 {
		t.Errorf("schemas were compiled %d times for one kind", c)
	}
	if one > all/20 {
		t.Errorf("one document of %d allocated %d bytes, all of them %d", n, one, all)
	}
	fmt.Printf("evidence: 1 changed document of %d in one file: 1 read, %d of %d kB allocated, 1 schema compiled\n", n, one>>10, all>>10)
}

// TestADocumentThatMovesIsNotReadAgain: neither when lines are put before it, nor when it stands in another file.
func TestADocumentThatMovesIsNotReadAgain(t *testing.T) {
	d := NewDecoder()
	d.Decode("a.yaml", []byte(route(1, 80)))
	moved := d.Decode("a.yaml", []byte("# a comment\n---\n"+route(2, 80)+"---\n"+route(2, 80)+"---"+"\n"+route(1, 80)))
	other := d.Decode("b.yaml", []byte("---\n"+route(1, 80)))
	if d.Decoded() != 2 {
		t.Errorf("%d documents read instead of 2", d.Decoded())
	}
	if at := moved.Objects[2].Position("metadata.name").String(); at != "a.yaml:25:12" {
		t.Errorf("moved to %s", at)
	}
	if other.Objects[0].Value != moved.Objects[2].Value {
		t.Error("the same bytes in another file are another object")
	}
}

// TestDocumentsAreForgottenWithTheLastFileThatHasThem, and not before.
func TestDocumentsAreForgottenWithTheLastFileThatHasThem(t *testing.T) {
	d := NewDecoder()
	read := func(path, text string) File {
		f := d.Decode(path, []byte(text))
		d.Keep(f, f.Objects)
		return f
	}
	read("a.yaml", route(1, 80))
	read("b.yaml", route(1, 80))
	read("a.yaml", "")
	read("c.yaml", route(1, 80))
	if d.Decoded() != 1 {
		t.Errorf("read %d times", d.Decoded())
	}
	d.Forget("b.yaml")
	d.Forget("c.yaml")
	d.Forget("never.yaml")
	if len(d.documents) != 0 {
		t.Errorf("%d documents are left", len(d.documents))
	}
	// Until a version is settled on, the one before is remembered; and what is in force of it, ever after.
	first := read("a.yaml", route(1, 80)+"---\n"+route(2, 80)+"---\n"+route(3, 80))
	d.Decode("a.yaml", []byte(route(1, 80)[:60]))
	d.Decode("a.yaml", nil)
	before := d.Decoded()
	if read("a.yaml", route(1, 80)+"---\n"+route(2, 80)+"---\n"+route(3, 80)).Objects[0].Value != first.Objects[0].Value || d.Decoded() != before {
		t.Error("the whole file was read anew after half of it was seen")
	}
	half := d.Decode("a.yaml", []byte("kind: ["))
	d.Keep(half, first.Objects[1:2])
	if len(d.documents) != 2 {
		t.Errorf("%d documents are remembered instead of the broken one and that of the object in force", len(d.documents))
	}
}

// TestManyProblemsInOneDocumentParseItOnceInAWhile: each problem wants its place, and the document is not parsed for each.
func TestManyProblemsInOneDocumentParseItOnceInAWhile(t *testing.T) {
	const n = 2000
	text := "apiVersion: v1\nkind: List\nitems:\n"
	for i := range n {
		text += fmt.Sprintf("- {apiVersion: v1, kind: ConfigMap, metadata: {name: c%d, nam: x}}\n", i)
	}
	parse := allocated(func() { _, _ = parseNodes(text) })
	var f File
	all := allocated(func() { f = NewDecoder().Decode("a.yaml", []byte(text)) })
	if len(f.Problems) != n || f.Problems[n-1].At.Line != n+3 {
		t.Fatalf("%d problems", len(f.Problems))
	}
	if all > 100*parse {
		t.Errorf("%d problems of one document allocated %d times what parsing it does", n, all/parse)
	}
	fmt.Printf("evidence: %d problems of one document allocated %d times what parsing it once does\n", n, all/parse)
}
