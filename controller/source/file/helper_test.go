package file_test

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/cloverleaf-mesh/cloverleaf/controller/source/file"
	"github.com/cloverleaf-mesh/cloverleaf/controller/source/manifest"
	"github.com/cloverleaf-mesh/cloverleaf/translator/finding"
	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// patience is how long a condition may take: far longer than it ever does.
const patience = 60 * time.Second

// notified are options under which only notifications tell of changes.
var notified = file.Options{Poll: time.Hour}

// object is the manifest of a ConfigMap with a value.
func object(name, value string) string {
	return fmt.Sprintf("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s}\ndata: {value: %q}\n", name, value)
}

// documents joins manifests.
func documents(texts ...string) string { return strings.Join(texts, "---\n") }

// folder is a temporary folder of manifests.
type folder struct {
	t   *testing.T
	dir string
}

func newFolder(t *testing.T) folder {
	t.Helper()
	return folder{t, filepath.Join(t.TempDir(), "gateway")}.mkdir(".")
}

func (f folder) must(err error) {
	f.t.Helper()
	if err != nil {
		f.t.Fatal(err)
	}
}

func (f folder) path(name string) string { return filepath.Join(f.dir, name) }

func (f folder) mkdir(name string) folder {
	f.t.Helper()
	f.must(os.MkdirAll(f.path(name), 0o755))
	return f
}

// write writes a file in place, and the folders that it needs.
func (f folder) write(name, text string) {
	f.t.Helper()
	f.mkdir(filepath.Dir(name))
	f.must(os.WriteFile(f.path(name), []byte(text), 0o644))
}

// replace writes a file beside another and renames it, as most editors do.
func (f folder) replace(name, text string) {
	f.t.Helper()
	f.write("."+name+".new", text)
	f.must(os.Rename(f.path("."+name+".new"), f.path(name)))
}

func (f folder) remove(name string) {
	f.t.Helper()
	f.must(os.RemoveAll(f.path(name)))
}

func (f folder) rename(from, to string) {
	f.t.Helper()
	f.must(os.Rename(f.path(from), f.path(to)))
}

func (f folder) link(to, name string) {
	f.t.Helper()
	f.must(os.Symlink(to, f.path(name)))
}

// view is what a reader of updates knows.
type view struct {
	t       *testing.T
	updates <-chan file.Update
	values  map[string]string // of ConfigMaps, by name
	places  map[string]string
	removed []string // ever
	last    file.Update
	count   int
}

// watch starts to watch a folder and takes in the first update.
func watch(t *testing.T, dir string, o file.Options) *view {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	updates, err := file.Watch(ctx, dir, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		for range updates {
		}
	})
	v := &view{t: t, updates: updates, values: map[string]string{}, places: map[string]string{}}
	v.next()
	return v
}

// next takes in an update.
func (v *view) next() file.Update {
	v.t.Helper()
	select {
	case u, ok := <-v.updates:
		if !ok {
			v.t.Fatal("the watcher ended")
		}
		v.take(u)
	case <-time.After(patience):
		v.t.Fatalf("nothing came; known are %v and %v", v.values, v.last.Problems)
	}
	return v.last
}

func (v *view) take(u file.Update) {
	v.t.Helper()
	v.last = u
	v.count++
	for _, o := range u.Changed {
		if c, ok := o.Value.(*corev1.ConfigMap); ok {
			v.values[c.Name] = c.Data["value"]
		} else {
			v.values[o.Ref.Name.Name] = ""
		}
	}
	for _, o := range slices.Concat(u.Changed, u.Moved) {
		v.places[o.Ref.Name.Name] = fmt.Sprintf("%s:%d", filepath.Base(o.Start.File), o.Start.Line)
	}
	for _, ref := range u.Removed {
		delete(v.values, ref.Name.Name)
		v.removed = append(v.removed, ref.Name.Name)
	}
	if len(v.values) != u.Objects {
		v.t.Errorf("%d objects are known and %d in force", len(v.values), u.Objects)
	}
}

// until takes in updates until these values are in force, and nothing else.
func (v *view) until(values map[string]string) {
	v.t.Helper()
	for deadline := time.Now().Add(patience); !maps.Equal(v.values, values); {
		if time.Now().After(deadline) {
			v.t.Fatalf("in force are %v instead of %v", v.values, values)
		}
		v.next()
	}
}

// found returns the problems of a code as "file:line object", with the file's name alone.
func (v *view) found(code finding.Code) []string { return places(v.last.Problems, code) }

func places(problems []manifest.Problem, code finding.Code) []string {
	var all []string
	for _, p := range problems {
		if p.Finding.Code != code {
			continue
		}
		line := filepath.Base(p.At.File)
		if p.At.Line > 0 {
			line += fmt.Sprintf(":%d", p.At.Line)
		}
		if p.Finding.Object != (ir.Ref{}) {
			line += " " + p.Finding.Object.Name.Name
		}
		all = append(all, line)
	}
	return all
}

// untilFound takes in updates until a code has these problems.
func (v *view) untilFound(code finding.Code, want ...string) {
	v.t.Helper()
	for deadline := time.Now().Add(patience); !slices.Equal(v.found(code), want); {
		if time.Now().After(deadline) {
			v.t.Fatalf("%s is found at %v instead of %v", code, v.found(code), want)
		}
		v.next()
	}
}

type values = map[string]string
