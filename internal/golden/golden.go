// Package golden runs test cases that are text: one txtar file holds what goes in and what must come out. Run the tests
// with -update to write what comes out into the files, and read the difference before committing it.
package golden

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"
)

// update is a flag of every test binary that has golden cases.
var update = flag.Bool("update", false, "write what comes out into the golden files")

// MaxLines is how long a case may be: a longer one is approved but not read.
const MaxLines = 120

// Case is one file: sections that go in and, after them, sections that must come out.
type Case struct {
	Comment string
	In      map[string]string
}

// Run runs every *.txtar file of a folder as a subtest. The function returns the sections that come out, by name; a
// section of the file that it returns is compared, and all others go in. A file must name at least one section that
// comes out, if only an empty one.
func Run(t *testing.T, dir string, f func(t *testing.T, c Case) map[string]string) {
	t.Helper()
	here, err := filepath.Abs(dir) // a case may change the working folder
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(here, "*.txtar"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases in %s (%v)", dir, err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) { runFile(t, file, f) })
	}
}

// File compares a text with a file that is generated from what a test found, or writes it. The function prepares both for
// the comparison; nil compares them as they are.
func File(t *testing.T, path, text string, prepare func(string) string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if prepare == nil {
		prepare = func(s string) string { return s }
	}
	if d := cmp.Diff(prepare(string(want)), prepare(text)); d != "" {
		t.Errorf("%s is stale; run the test with -update (-file +found):\n%s", path, d)
	}
}

func runFile(t *testing.T, file string, f func(t *testing.T, c Case) map[string]string) {
	t.Helper()
	archive, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	c := Case{Comment: string(archive.Comment), In: map[string]string{}}
	for _, section := range archive.Files {
		c.In[section.Name] = string(section.Data)
	}
	out := f(t, c)
	compared := 0
	for i, section := range archive.Files {
		got, ok := out[section.Name]
		if !ok {
			continue
		}
		compared++
		if got != "" && !strings.HasSuffix(got, "\n") {
			got += "\n"
		}
		if *update {
			archive.Files[i].Data = []byte(got)
		} else if d := cmp.Diff(string(section.Data), got); d != "" {
			t.Errorf("section %s (-want +got):\n%s", section.Name, d)
		}
	}
	if compared == 0 {
		t.Error("the case compares nothing")
	}
	text := txtar.Format(archive)
	if lines := bytes.Count(text, []byte("\n")); lines > MaxLines {
		t.Errorf("the case has %d lines, more than %d: nobody reads that", lines, MaxLines)
	}
	if *update {
		if err := os.WriteFile(file, text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
