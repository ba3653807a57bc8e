package standalone

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/cloverleaf-mesh/cloverleaf/conformance/updriver"
	"github.com/cloverleaf-mesh/cloverleaf/internal/golden"
)

// offset of the ports below 1024 in the cases of bad input.
const offset = 24000

// TestBadInput: each file of testdata/badinput holds a good version of a file (good.yaml; it may be left out), a bad one
// (bad.yaml) that takes its place while `up` runs, the problems that must be reported then, and the answers to requests
// before ("before") and after ("after"). $big stands for 4 MB of text.
func TestBadInput(t *testing.T) {
	ports := map[string]string{
		"$good": strconv.Itoa(backend(t, "good")), "$other": strconv.Itoa(backend(t, "other")), "$big": strings.Repeat("0123456789abcdef", 4<<16),
	}
	base, err := os.ReadFile("testdata/base.yaml")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	updriver.Put(t, dir, "base.yaml", fill(string(base), ports))
	updriver.Put(t, dir, "case.yaml", "# the case at hand\n")
	u := updriver.Start(t, binary, dir, "--port-offset", strconv.Itoa(offset), "--admin", "")
	golden.Run(t, "testdata/badinput", func(t *testing.T, c golden.Case) map[string]string {
		want(t, get(t, offset+80, "good.example", "/"), "200 good")
		u.Write(t, "case.yaml", fill(c.In["good.yaml"], ports)+"# "+t.Name()+", good\n")
		out := map[string]string{"before": answers(t, c.In["before"])}
		from := u.Seen()
		u.Write(t, "case.yaml", fill(c.In["bad.yaml"], ports)+"# "+t.Name()+", bad\n")
		out["problems"], out["after"] = words(dir, u.Problems(from)), answers(t, c.In["after"])
		want(t, get(t, offset+80, "good.example", "/"), "200 good")
		u.Write(t, "case.yaml", "# "+t.Name()+", done\n")
		return out
	})
}

func fill(text string, names map[string]string) string {
	for name, value := range names {
		text = strings.ReplaceAll(text, name, value)
	}
	return text
}

// answers sends the requests of lines "HOST[:PORT]/PATH -> ANSWER", and returns the lines as they should be. A port below
// 1024 stands for the one that is bound.
func answers(t *testing.T, lines string) string {
	t.Helper()
	var out strings.Builder
	for line := range strings.Lines(lines) {
		request, _, ok := strings.Cut(line, " -> ")
		if !ok {
			t.Fatalf("cannot read the case: %q", line)
		}
		authority, path, _ := strings.Cut(request, "/")
		host, port, _ := strings.Cut(authority, ":")
		number, err := strconv.Atoi(port)
		if err != nil {
			number = 80
		}
		if number < 1024 {
			number += offset
		}
		fmt.Fprintf(&out, "%s -> %s\n", request, get(t, number, host, "/"+path))
	}
	return out.String()
}

var clock = regexp.MustCompile(`\b\d\d:\d\d:\d\d\b`)

// words prints problems, a line each, in the order of their places.
func words(dir string, events []updriver.Event) string {
	var lines []string
	for _, e := range events {
		p := e.Problem
		file, err := filepath.Rel(dir, p.File)
		if err != nil {
			file = p.File
		}
		text := strings.Join(strings.Fields(fmt.Sprintf("%s:%d:%d %s %s %s %s", file, p.Line, p.Column, p.Code, p.Level, p.Object, p.Field)), " ")
		lines = append(lines, clock.ReplaceAllString(strings.ReplaceAll(text+": "+p.Message, dir+"/", ""), "TIME")+"\n")
	}
	slices.Sort(lines)
	return strings.Join(lines, "")
}
