package manifest_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode/utf16"

	"sigs.k8s.io/yaml"

	"github.com/cloverleaf-mesh/cloverleaf/controller/source/manifest"
	"github.com/cloverleaf-mesh/cloverleaf/internal/golden"
)

// TestCases: given this file, expect these problems, objects and places. Sections that may go in: `as`, how the file is
// encoded (see encoded); `show`, fields of objects whose values are printed; `find`, fields whose places are printed.
func TestCases(t *testing.T) {
	golden.Run(t, "testdata", func(t *testing.T, c golden.Case) map[string]string {
		t.Helper()
		f := manifest.NewDecoder().Decode("in.yaml", encoded(t, c))
		return map[string]string{
			"problems": problemsText(f), "objects": objectsText(f), "kept": keptText(f),
			"places": placesText(t, f, c.In["find"]), "values": valuesText(t, f, c.In["show"]),
		}
	})
}

// encoded returns the bytes of a case's file, as an editor of another taste would have saved them.
func encoded(t *testing.T, c golden.Case) []byte {
	t.Helper()
	text := c.In["in.yaml"]
	switch as := strings.TrimSpace(c.In["as"]); as {
	case "":
		return []byte(text)
	case "crlf":
		return []byte(strings.ReplaceAll(text, "\n", "\r\n"))
	case "cr":
		return []byte(strings.ReplaceAll(text, "\n", "\r"))
	case "tabs":
		return []byte(strings.ReplaceAll(text, "  ", "\t"))
	case "bom":
		return []byte("\ufeff" + text)
	case "escapes":
		return []byte(strings.NewReplacer(`\xff`, "\xff", `\x01`, "\x01", `\u2028`, "\u2028").Replace(text))
	case "utf16":
		var out bytes.Buffer
		for _, unit := range utf16.Encode([]rune("\ufeff" + text)) {
			out.Write([]byte{byte(unit), byte(unit >> 8)})
		}
		return out.Bytes()
	default:
		t.Fatalf("no encoding %q", as)
		return nil
	}
}

func problemsText(f manifest.File) string {
	var lines []string
	for _, p := range f.Problems {
		lines = append(lines, p.String())
	}
	return strings.Join(lines, "\n")
}

func objectsText(f manifest.File) string {
	var lines []string
	for _, o := range f.Objects {
		lines = append(lines, fmt.Sprintf("%s %s", o.Start, o.Ref))
	}
	return strings.Join(lines, "\n")
}

// keptText says what would be kept of the file's version before.
func keptText(f manifest.File) string {
	var lines []string
	for _, ref := range f.Broken {
		lines = append(lines, ref.String())
	}
	if f.Unnamed {
		lines = append(lines, "whatever is not shown")
	}
	return strings.Join(lines, "\n")
}

// fieldsOf calls a function for each line "Kind/namespace/name field" of a section.
func fieldsOf(t *testing.T, f manifest.File, section string, call func(o *manifest.Object, field string)) {
	t.Helper()
	for line := range strings.Lines(section) {
		ref, field, _ := strings.Cut(strings.TrimSpace(line), " ")
		found := false
		for _, o := range f.Objects {
			if o.Ref.String() == ref {
				call(o, field)
				found = true
			}
		}
		if !found {
			t.Errorf("the file has no object %s", ref)
		}
	}
}

// placesText prints the place of each field, and the text that stands there.
func placesText(t *testing.T, f manifest.File, section string) string {
	t.Helper()
	var lines []string
	fieldsOf(t, f, section, func(o *manifest.Object, field string) {
		lines = append(lines, fmt.Sprintf("%s %s %s", o.Position(field), o.Ref, field))
	})
	return strings.Join(lines, "\n")
}

// valuesText prints fields of the typed objects, as JSON.
func valuesText(t *testing.T, f manifest.File, section string) string {
	t.Helper()
	var lines []string
	fieldsOf(t, f, section, func(o *manifest.Object, field string) {
		text, err := yaml.Marshal(o.Value)
		if err != nil {
			t.Fatal(err)
		}
		var value any
		if err := yaml.Unmarshal(text, &value); err != nil {
			t.Fatal(err)
		}
		for step := range strings.SplitSeq(field, ".") {
			fields, _ := value.(map[string]any)
			value = fields[step]
		}
		text, err = json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, fmt.Sprintf("%s %s = %s", o.Ref, field, text))
	})
	return strings.Join(lines, "\n")
}
