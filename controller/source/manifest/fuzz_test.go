package manifest_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/cloverleaf-mesh/cloverleaf/controller/source/manifest"
	"github.com/cloverleaf-mesh/cloverleaf/translator/finding"
)

// FuzzDecode holds the reader to what it promises of any bytes: no panic, places within the file, the same answer twice,
// and good documents before and behind that are read.
func FuzzDecode(f *testing.F) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		f.Fatalf("no seeds (%v)", err)
	}
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			f.Fatal(err)
		}
		for _, section := range archive.Files {
			if section.Name == "in.yaml" {
				f.Add(section.Data)
			}
		}
	}
	for _, file := range []string{"gateway.yaml", "routes.yaml", "backends.yaml"} {
		text, err := os.ReadFile("../../../examples/quickstart/" + file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	for _, text := range []string{
		"\ufeff---\n{}\n", "\xff\xfea\x00", "a: 1\r---\rb: 2\r...\rc: 3", "a: |\n  x\u2028--- b\u2029\u0085", "&a [*a, *a]", "a: &a {<<: *a}",
		`{"a": "\/\ud800", "a": {"": 1, ".": 2, "[0]": 3}}`, "--- [\n--- {\n--- \"\n--- '\n--- |\n--- !!binary x\n--- ? \n---\t",
		"apiVersion: v1\nkind: List\nitems: [{kind: List, apiVersion: v1, items: [[]]}, {}]", "kind: &k List\napiVersion: v1\nitems: *k",
	} {
		f.Add([]byte(text))
	}
	d, other := manifest.NewDecoder(), manifest.NewDecoder() // schemas take longer to compile than all the rest
	f.Fuzz(func(t *testing.T, data []byte) {
		d.Forget("in.yaml")
		other.Forget("in.yaml")
		once := described(d.Decode("in.yaml", data))
		if diff := cmp.Diff(once, described(d.Decode("in.yaml", data))); diff != "" {
			t.Errorf("remembered (-read +remembered):\n%s", diff)
		}
		if diff := cmp.Diff(once, described(other.Decode("in.yaml", data))); diff != "" {
			t.Errorf("read again (-first +second):\n%s", diff)
		}
		within(t, d.Decode("in.yaml", data), data)
		good := func(name string) string { return fmt.Sprintf(configMap, name) }
		around := d.Decode("in.yaml", []byte(good("fuzz-before")+"---\n"+string(data)+"\n---\n"+good("fuzz-behind")))
		found := map[string]bool{}
		for _, o := range around.Objects {
			found[o.Ref.Name.Name] = true
		}
		if !found["fuzz-before"] || !found["fuzz-behind"] {
			t.Errorf("a good document was lost beside this one: %v", found)
		}
	})
}

// described is everything that is said of a file.
func described(f manifest.File) []string {
	lines := []string{problemsText(f), keptText(f)}
	for _, o := range f.Objects {
		lines = append(lines, fmt.Sprintf("%s %s %s %s", o.Start, o.Ref, o.Position("metadata.name"), o.Position("spec.rules[0].matches[0]")))
	}
	return lines
}

// within checks that every place is one of the file, and that nothing went wrong inside.
func within(t *testing.T, f manifest.File, data []byte) {
	t.Helper()
	// Every kind of line break that YAML 1.1 has may count as one.
	lines := strings.Split(strings.NewReplacer("\r\n", "\n", "\r", "\n", "\u0085", "\n", "\u2028", "\n", "\u2029", "\n").Replace(string(data)), "\n")
	check := func(what string, p manifest.Position) {
		if p.File != "in.yaml" || p.Line < 1 || p.Line > len(lines) || p.Column < 1 || p.Column > len(lines[p.Line-1])+1 {
			t.Errorf("%s is at %s, in a file of %d lines", what, p, len(lines))
		}
	}
	for _, p := range f.Problems {
		check(p.String(), p.At)
		if p.Finding.Code == finding.Internal {
			t.Errorf("a panic: %s", p)
		}
	}
	for _, o := range f.Objects {
		check(o.Ref.String(), o.Start)
		check(o.Ref.String()+" name", o.Position("metadata.name"))
	}
}
