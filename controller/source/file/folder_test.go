package file_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"

	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/cloverleaf-mesh/cloverleaf/controller/source/file"
	"github.com/cloverleaf-mesh/cloverleaf/translator/finding"
)

// TestABrokenFileKeepsItsLastGoodVersion, its own and nobody else's, and only of what is broken in it.
func TestABrokenFileKeepsItsLastGoodVersion(t *testing.T) {
	f := newFolder(t)
	f.write("a.yaml", documents(object("a", "1"), object("b", "1"), object("gone", "1")))
	f.write("other.yaml", object("other", "1"))
	v := watch(t, f.dir, notified)
	bad := strings.Replace(object("b", "2"), "\ndata", "\ndta", 1)
	f.write("a.yaml", documents(object("a", "2"), bad)) // gone is gone: what is broken has a name
	v.until(values{"a": "2", "b": "1", "other": "1"})
	if at := v.found(finding.FieldUnknown); !slices.Equal(at, []string{"a.yaml:9 b"}) {
		t.Errorf("found at %v", at)
	}
	if at := v.found(finding.LastGood); !slices.Equal(at, []string{"a.yaml:1"}) {
		t.Errorf("the version that is kept is told of at %v", at)
	}
	f.write("other.yaml", object("other", "2"))
	v.until(values{"a": "2", "b": "1", "other": "2"})
	f.write("a.yaml", documents(object("a", "3"), "kind: [\n")) // b may be in what cannot be named
	v.until(values{"a": "3", "b": "1", "other": "2"})
	f.write("a.yaml", documents(object("a", "4"), strings.Replace(object("b", "4"), "ConfigMap", "ConfgMap", 1)))
	v.until(values{"a": "4", "b": "1", "other": "2"})
	f.write("a.yaml", documents(object("a", "5"), object("b", "5")))
	v.until(values{"a": "5", "b": "5", "other": "2"})
	if len(v.last.Problems) > 0 || !slices.Equal(v.removed, []string{"gone"}) {
		t.Errorf("problems %v, removed %v", v.last.Problems, v.removed)
	}
	f.write("a.yaml", "kind: [\n")
	v.untilFound(finding.NotYAML, "a.yaml:1")
	f.remove("a.yaml") // a file that is no more keeps nothing
	v.until(values{"other": "2"})
}

// TestTheFirstOfTwoDefinitionsCounts, by file name and place; when it goes, the second counts.
func TestTheFirstOfTwoDefinitionsCounts(t *testing.T) {
	f := newFolder(t)
	f.write("b.yaml", object("x", "b"))
	f.write("c.yaml", documents(object("x", "c"), object("x", "c again")))
	v := watch(t, f.dir, notified)
	v.until(values{"x": "b"})
	v.untilFound(finding.ObjectDuplicate, "c.yaml:1 x", "c.yaml:6 x")
	if !strings.Contains(v.last.Problems[0].Finding.Message, "b.yaml:1") {
		t.Errorf("it does not say where the first is: %s", v.last.Problems[0])
	}
	f.write("a.yaml", object("x", "a"))
	v.until(values{"x": "a"})
	v.untilFound(finding.ObjectDuplicate, "b.yaml:1 x", "c.yaml:1 x", "c.yaml:6 x")
	f.remove("a.yaml")
	f.remove("b.yaml")
	v.until(values{"x": "c"})
	v.untilFound(finding.ObjectDuplicate, "c.yaml:6 x")
	f.write("c.yaml", object("x", "c"))
	v.untilFound(finding.ObjectDuplicate)
	if len(v.removed) > 0 {
		t.Errorf("removed meanwhile: %v", v.removed)
	}
}

// TestAnObjectMayMoveToAnotherFile: it is in force all the while, and its place is the new one.
func TestAnObjectMayMoveToAnotherFile(t *testing.T) {
	f := newFolder(t)
	f.write("a.yaml", documents(object("stays", "1"), object("moves", "1")))
	v := watch(t, f.dir, notified)
	f.write("b.yaml", documents(object("new", "1"), object("moves", "1")))
	f.write("a.yaml", object("stays", "1"))
	v.until(values{"stays": "1", "moves": "1", "new": "1"})
	for v.places["moves"] != "b.yaml:6" || len(v.last.Problems) > 0 {
		v.next()
	}
	// What a broken file keeps gives way to whoever defines the object now.
	f.write("b.yaml", "kind: [\n")
	v.untilFound(finding.NotYAML, "b.yaml:1")
	f.write("c.yaml", object("moves", "2"))
	v.until(values{"stays": "1", "moves": "2", "new": "1"})
	if at := v.found(finding.ObjectDuplicate); len(at) > 0 || len(v.removed) > 0 {
		t.Errorf("duplicates %v, removed %v", at, v.removed)
	}
}

// TestAnObjectThatMovesWithinItsFileIsNotChanged: lines were put before it. Its place is told, since problems have one.
func TestAnObjectThatMovesWithinItsFileIsNotChanged(t *testing.T) {
	f := newFolder(t)
	f.write("a.yaml", documents(object("a", "1"), object("b", "1")))
	v := watch(t, f.dir, notified)
	f.write("a.yaml", documents("# one\n# two\n"+object("a", "2"), object("b", "1")))
	v.until(values{"a": "2", "b": "1"})
	u := v.last
	if len(u.Changed) != 1 || len(u.Moved) != 1 || v.places["b"] != "a.yaml:8" {
		t.Errorf("changed %v, moved %v, at %s", u.Changed, u.Moved, v.places["b"])
	}
}

// unprivileged runs a function as a user that permissions matter for.
func unprivileged(t *testing.T, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		if os.Geteuid() == 0 {
			runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
			if err := syscall.Setfsuid(65534); err != nil {
				t.Error(err)
				return
			}
		}
		f()
	}()
	<-done
}

// TestWhatMayNotBeReadIsReportedAndHarmsNobody: a file, a folder below, and the folder itself.
func TestWhatMayNotBeReadIsReportedAndHarmsNobody(t *testing.T) {
	f := newFolder(t)
	for dir := f.dir; dir != os.TempDir() && dir != "/"; dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	f.write("a.yaml", object("a", "1"))
	f.write("secret.yaml", object("secret", "1"))
	f.write("closed/b.yaml", object("b", "1"))
	closed := func(name string, mode os.FileMode) {
		if err := os.Chmod(f.path(name), mode); err != nil {
			t.Fatal(err)
		}
	}
	closed("secret.yaml", 0)
	closed("closed", 0)
	unprivileged(t, func() {
		u, err := file.Load(f.dir)
		if err != nil || u.Objects != 1 || u.Changed[0].Ref.Name.Name != "a" {
			t.Errorf("%v, %d objects", err, u.Objects)
		}
		if at := places(u.Problems, finding.FileUnreadable); !slices.Equal(at, []string{"secret.yaml:1"}) {
			t.Errorf("unreadable files: %v", at)
		}
		if at := places(u.Problems, finding.FolderGone); !slices.Equal(at, []string{"closed"}) {
			t.Errorf("unreadable folders: %v", at)
		}
		if text := fmt.Sprint(u.Problems); strings.Count(text, "permission denied") != 2 {
			t.Errorf("the reason is missing: %s", text)
		}
	})
	closed(".", 0)
	unprivileged(t, func() {
		if _, err := file.Load(f.dir); err == nil || !strings.Contains(err.Error(), "permission denied") {
			t.Errorf("error: %v", err)
		}
	})
	closed(".", 0o755)
	closed("closed", 0o755)
}

// TestAFileThatCannotBeReadKeepsItsLastGoodVersion, until it can.
func TestAFileThatCannotBeReadKeepsItsLastGoodVersion(t *testing.T) {
	f := newFolder(t)
	f.write("a.yaml", object("a", "1"))
	v := watch(t, f.dir, notified)
	if err := os.Truncate(f.path("a.yaml"), 65<<20); err != nil {
		t.Fatal(err)
	}
	v.untilFound(finding.FileUnreadable, "a.yaml:1")
	v.untilFound(finding.LastGood, "a.yaml:1")
	v.until(values{"a": "1"})
	f.write("a.yaml", object("a", "2"))
	v.until(values{"a": "2"})
}

// TestOnlyManifestsAreRead: by their names, wherever they stand, but neither hidden ones nor what is no file.
func TestOnlyManifestsAreRead(t *testing.T) {
	f := newFolder(t)
	for i, name := range []string{
		"a.yaml", "b.yml", "c.json", "deep/er/than/this/d.yaml", "folder.yaml/e.yaml", // read
		".hidden.yaml", "#emacs.yaml", "notes.txt", "a.yaml~", "a.yaml.bak", ".git/a.yaml", "deep/..data/a.yaml", "yaml", // not
	} {
		text := object(fmt.Sprintf("o%d", i), "1")
		if strings.HasSuffix(name, ".json") {
			text = fmt.Sprintf(`{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "o%d"}}`, i)
		}
		f.write(name, text)
	}
	f.link("nowhere", "nothing.yaml")
	f.must(syscall.Mkfifo(f.path("pipe.yaml"), 0o600)) // reading it would wait for ever
	u, err := file.Load(f.dir)
	unread := places(u.Problems, finding.FileUnreadable) // what is called like a manifest and is no file is said
	if err != nil || len(u.Problems) != 2 || !slices.Equal(unread, []string{"nothing.yaml:1", "pipe.yaml:1"}) {
		t.Fatalf("%v %v", err, u.Problems)
	}
	var names []string
	for _, o := range u.Changed {
		names = append(names, o.Ref.Name.Name)
	}
	if !slices.Equal(names, []string{"o0", "o1", "o2", "o3", "o4"}) {
		t.Errorf("read: %v", names)
	}
}

// TestAFileThatIsNamedTwiceIsReadOnce: by itself and by its folder. A file that is named counts whatever it is called.
func TestAFileThatIsNamedTwiceIsReadOnce(t *testing.T) {
	f := newFolder(t)
	f.write("a.yaml", object("a", "1"))
	f.write("b.txt", object("b", "1"))
	t.Chdir(f.dir)
	u, err := file.Load("./a.yaml", ".", "b.txt", "a.yaml")
	if err != nil || u.Objects != 2 {
		t.Fatalf("%v, %d objects", err, u.Objects)
	}
	if len(u.Problems) > 0 {
		t.Error(u.Problems)
	}
	if _, err := file.Load("a.yaml", "none.yaml"); err == nil {
		t.Error("a file that is not there was loaded")
	}
}

// TestABrokenGuardGuardsAllTheSame: a BackendTLSPolicy that cannot be read has what stands in for it, with its targets and
// nobody to trust, unless an older version of it is in force.
func TestABrokenGuardGuardsAllTheSame(t *testing.T) {
	policy := func(validation string) string {
		return `apiVersion: gateway.networking.k8s.io/v1
kind: BackendTLSPolicy
metadata: {name: p, namespace: shop}
spec: {targetRefs: [{group: "", kind: Service, name: cart}], validation: ` + validation + `}
`
	}
	const fine, broken = `{hostname: a.example, wellKnownCACertificates: System}`, `{hostname: a.example, subjectAltName: []}`
	f := newFolder(t)
	f.write("a.yaml", policy(broken))
	v := watch(t, f.dir, notified)
	trusts := func(want bool, hosts string) {
		t.Helper()
		for {
			for _, o := range v.last.Changed {
				p, ok := o.Value.(*gwv1.BackendTLSPolicy)
				if !ok || o.Closed == want || len(p.Spec.TargetRefs) != 1 || p.Spec.TargetRefs[0].Name != "cart" || string(p.Spec.Validation.Hostname) != hosts {
					t.Fatalf("in force: %+v", o.Value)
				}
				return
			}
			v.next()
		}
	}
	trusts(false, "")
	f.write("a.yaml", policy(fine))
	v.next()
	trusts(true, "a.example")
	f.write("a.yaml", policy(broken))
	v.untilFound(finding.LastGood, "a.yaml:1")
	if len(v.last.Changed)+len(v.last.Removed) > 0 {
		t.Errorf("the last good version is not kept: %v %v", v.last.Changed, v.last.Removed)
	}
}
