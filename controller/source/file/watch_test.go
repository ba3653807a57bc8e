package file_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cloverleaf-mesh/cloverleaf/controller/source/file"
	"github.com/cloverleaf-mesh/cloverleaf/translator/finding"
)

// TestEveryWayOfSavingIsNoticed: in place, by an atomic rename, by a new file, and by a file's end.
func TestEveryWayOfSavingIsNoticed(t *testing.T) {
	f := newFolder(t)
	f.write("a.yaml", object("a", "1"))
	v := watch(t, f.dir, notified)
	v.until(values{"a": "1"})
	f.write("a.yaml", object("a", "2"))
	v.until(values{"a": "2"})
	f.replace("a.yaml", object("a", "3"))
	v.until(values{"a": "3"})
	f.write("b.yml", object("b", "1"))
	v.until(values{"a": "3", "b": "1"})
	f.write("deep/er/c.json", `{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"value": "1"}}`)
	v.until(values{"a": "3", "b": "1", "c": "1"})
	f.write("deep/er/d.yaml", object("d", "1"))
	v.until(values{"a": "3", "b": "1", "c": "1", "d": "1"})
	f.remove("a.yaml")
	v.until(values{"b": "1", "c": "1", "d": "1"})
	f.rename("b.yml", "b.txt") // no manifest any more
	v.until(values{"c": "1", "d": "1"})
	f.remove("deep")
	v.until(values{})
	f.write("deep/er/c.yaml", object("c", "2")) // the folder comes back
	v.until(values{"c": "2"})
	f.write("deep/er/c.yaml", object("c", "3"))
	v.until(values{"c": "3"})
	if v.last.At.IsZero() || time.Since(v.last.At) > patience {
		t.Errorf("noticed at %v", v.last.At)
	}
}

// TestAMountedConfigMapIsFollowed: its files are links through "..data", which is swapped for another folder at once.
func TestAMountedConfigMapIsFollowed(t *testing.T) {
	f := newFolder(t)
	f.write("..v1/a.yaml", object("a", "1"))
	f.write("..v1/b.yaml", object("b", "1"))
	f.link("..v1", "..data")
	f.link("..data/a.yaml", "a.yaml")
	f.link("..data/b.yaml", "b.yaml")
	v := watch(t, f.dir, notified)
	v.until(values{"a": "1", "b": "1"})
	for i := 2; i < 6; i++ {
		version := fmt.Sprintf("..v%d", i)
		f.write(version+"/a.yaml", object("a", fmt.Sprint(i)))
		f.write(version+"/b.yaml", object("b", fmt.Sprint(i)))
		f.link(version, "..new")
		f.rename("..new", "..data")
		f.remove(fmt.Sprintf("..v%d", i-1))
		v.until(values{"a": fmt.Sprint(i), "b": fmt.Sprint(i)})
	}
	if len(v.removed) > 0 {
		t.Errorf("removed meanwhile: %v", v.removed)
	}
}

// TestAHalfWrittenFileIsWaitedFor: between truncation and the last byte, what it held stays in force and nothing is said.
func TestAHalfWrittenFileIsWaitedFor(t *testing.T) {
	f := newFolder(t)
	whole := documents(object("a", "1"), object("b", "1"))
	f.write("a.yaml", whole)
	v := watch(t, f.dir, file.Options{Poll: time.Hour, Settle: time.Hour})
	for i, half := range []string{"", whole[:40], whole[:len(whole)-10]} {
		f.write("a.yaml", half)
		f.write("new.yaml", "kind: [") // a new file can be half written, too
		sentinel := fmt.Sprint(i)
		f.write("z.yaml", object("z", sentinel))
		v.until(values{"a": "1", "b": "1", "z": sentinel})
		if len(v.last.Problems) > 0 {
			t.Errorf("problems of a half written file: %v", v.last.Problems)
		}
	}
	f.write("a.yaml", documents(object("a", "2"), object("b", "2")))
	f.write("new.yaml", object("c", "1"))
	v.until(values{"a": "2", "b": "2", "c": "1", "z": "2"})
	if len(v.removed) > 0 {
		t.Errorf("removed meanwhile: %v", v.removed)
	}
}

// TestAFileThatStaysEmptyIsBelieved, and one that stays broken is reported.
func TestAFileThatStaysEmptyIsBelieved(t *testing.T) {
	f := newFolder(t)
	f.write("a.yaml", object("a", "1"))
	f.write("b.yaml", object("b", "1"))
	v := watch(t, f.dir, notified)
	f.write("a.yaml", "# nothing\n")
	v.until(values{"b": "1"})
	f.write("b.yaml", object("b", "2")+"kind: [\n")
	v.untilFound(finding.NotYAML, "b.yaml:5")
	f.write("c.yaml", "kind: [\n")
	v.untilFound(finding.NotYAML, "b.yaml:5", "c.yaml:1")
	f.remove("c.yaml")
	v.untilFound(finding.NotYAML, "b.yaml:5")
	f.write("b.yaml", object("b", "3"))
	v.until(values{"b": "3"})
	if len(v.last.Problems) > 0 {
		t.Errorf("problems are left: %v", v.last.Problems)
	}
}

// TestAFolderThatIsRenamedIsFollowed: its objects stay in force all the while, and later edits in it are noticed.
func TestAFolderThatIsRenamedIsFollowed(t *testing.T) {
	f := newFolder(t)
	f.write("one/a.yaml", object("a", "1"))
	f.write("one/deep/b.yaml", object("b", "1"))
	v := watch(t, f.dir, notified)
	f.rename("one", "two")
	f.write("c.yaml", object("c", "1"))
	v.until(values{"a": "1", "b": "1", "c": "1"})
	f.write("two/a.yaml", object("a", "2"))
	f.write("two/deep/b.yaml", object("b", "2"))
	v.until(values{"a": "2", "b": "2", "c": "1"})
	if len(v.removed) > 0 {
		t.Errorf("removed meanwhile: %v", v.removed)
	}
}

// TestAThousandFilesAtOnceAreAFewUpdates, whether they come, change or go.
func TestAThousandFilesAtOnceAreAFewUpdates(t *testing.T) {
	const n = 1000
	f := newFolder(t)
	v := watch(t, f.dir, notified)
	all := func(value string) values {
		want := values{}
		for i := range n {
			name := fmt.Sprintf("a%d", i)
			f.write(fmt.Sprintf("%d/%s.yaml", i%10, name), object(name, value))
			want[name] = value
		}
		return want
	}
	var counts []string
	for _, step := range []func() values{
		func() values { return all("1") }, func() values { return all("2") },
		func() values {
			for i := range 10 {
				f.remove(fmt.Sprint(i))
			}
			return values{}
		},
	} {
		before := v.count
		start := time.Now()
		want := step()
		wrote := time.Since(start)
		v.until(want)
		counts = append(counts, fmt.Sprint(v.count-before))
		// At least every second a change is handed out, however much keeps happening; and not much more often.
		if most := 10 + 2*int(wrote/time.Second); v.count-before > most {
			t.Errorf("%d updates for %d files at once", v.count-before, n)
		}
	}
	fmt.Printf("evidence: %d files written, written again and removed at once: %s updates\n", n, strings.Join(counts, ", "))
}

// TestAFolderThatVanishesIsWaitedFor: everything stays as it was, the loss is told, and it is read when it comes back.
func TestAFolderThatVanishesIsWaitedFor(t *testing.T) {
	f := newFolder(t)
	f.write("a.yaml", object("a", "1"))
	f.write("sub/b.yaml", object("b", "1"))
	v := watch(t, f.dir, notified)
	f.rename(".", "../away")
	v.untilFound(finding.FolderGone, "gateway")
	v.until(values{"a": "1", "b": "1"})
	f.rename("../away", ".")
	v.untilFound(finding.FolderGone)
	f.write("sub/b.yaml", object("b", "2"))
	v.until(values{"a": "1", "b": "2"})
	f.remove(".")
	v.untilFound(finding.FolderGone, "gateway")
	f.write("sub/b.yaml", object("b", "3"))
	v.until(values{"b": "3"})
	v.untilFound(finding.FolderGone)
	if !slices.Equal(v.removed, []string{"a"}) {
		t.Errorf("removed: %v", v.removed)
	}
}

// TestASlowReaderFindsChangesJoined: what came and went meanwhile is not told, and nothing is told twice.
func TestASlowReaderFindsChangesJoined(t *testing.T) {
	f := newFolder(t)
	f.write("a.yaml", documents(object("a", "0"), object("moves", "0")))
	f.write("goes.yaml", object("goes", "0"))
	slow, fast := watch(t, f.dir, notified), watch(t, f.dir, notified)
	const edits = 20
	for i := 1; i <= edits; i++ {
		value := fmt.Sprint(i)
		f.write("a.yaml", documents(object("a", value), strings.Repeat("#\n", i)+"---\n"+object("moves", "0")))
		f.write("passing.yaml", object("passing", value))
		fast.until(values{"a": value, "moves": "0", "goes": "0", "passing": value})
		f.remove("passing.yaml")
		fast.until(values{"a": value, "moves": "0", "goes": "0"})
	}
	f.remove("goes.yaml")
	f.write("last.yaml", object("last", "1"))
	slow.until(values{"a": fmt.Sprint(edits), "moves": "0", "last": "1"})
	if slow.places["moves"] != "a.yaml:27" {
		t.Errorf("an object that moved is thought to stand at %s", slow.places["moves"])
	}
	if slow.count > 5 {
		t.Errorf("a reader that slept through %d edits got %d updates", 2*edits, slow.count)
	}
}

// TestWhatIsNotNotifiedIsFoundByLooking: a link leads to a file elsewhere, of which no notification comes; and two versions
// can have the same size and time.
func TestWhatIsNotNotifiedIsFoundByLooking(t *testing.T) {
	f, elsewhere := newFolder(t), newFolder(t)
	elsewhere.write("real.yaml", object("a", "1"))
	f.link(elsewhere.path("real.yaml"), "a.yaml")
	f.write("b.yaml", object("b", "1"))
	v := watch(t, f.dir, file.Options{Poll: 20 * time.Millisecond})
	info, err := os.Stat(elsewhere.path("real.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	elsewhere.write("real.yaml", object("a", "2"))
	if err := os.Chtimes(elsewhere.path("real.yaml"), info.ModTime(), info.ModTime()); err != nil {
		t.Fatal(err)
	}
	v.until(values{"a": "2", "b": "1"})
	if !slices.Equal(v.last.Files, []string{f.path("a.yaml")}) {
		t.Errorf("files that were read: %v", v.last.Files)
	}
}

// TestLookingAtAnUnchangedFolderTellsNothing: only what was edited is named, however often everything is looked at.
func TestLookingAtAnUnchangedFolderTellsNothing(t *testing.T) {
	f := newFolder(t)
	f.write("quiet.yaml", object("quiet", "1"))
	f.write("broken.yaml", "kind: [")
	if err := os.WriteFile(f.path("large.yaml"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(f.path("large.yaml"), 65<<20); err != nil { // it occupies nothing
		t.Fatal(err)
	}
	v := watch(t, f.dir, file.Options{Poll: time.Millisecond})
	if got := v.found(finding.FileUnreadable); !slices.Equal(got, []string{"large.yaml:1"}) {
		t.Errorf("unreadable: %v", got)
	}
	for i := range 30 {
		f.write("a.yaml", object("a", fmt.Sprint(i)))
		for v.values["a"] != fmt.Sprint(i) {
			if u := v.next(); !slices.Equal(u.Files, []string{f.path("a.yaml")}) {
				t.Fatalf("read: %v", u.Files)
			}
		}
	}
}

// TestAFolderIsWatchedByWhateverNameItIsGiven: ".", a path with "..", a link, a file alone.
func TestAFolderIsWatchedByWhateverNameItIsGiven(t *testing.T) {
	for name, given := range map[string]func(f folder) string{
		"here":        func(f folder) string { t.Chdir(f.dir); return "." },
		"relative":    func(f folder) string { t.Chdir(filepath.Dir(f.dir)); return "gateway" },
		"up and down": func(f folder) string { t.Chdir(f.dir); return "../gateway/./" },
		"link": func(f folder) string {
			f.link("gateway", "../link")
			return f.path("../link")
		},
		"file": func(f folder) string { return f.path("a.yaml") },
	} {
		t.Run(name, func(t *testing.T) {
			f := newFolder(t)
			f.write("a.yaml", object("a", "1"))
			v := watch(t, given(f), notified)
			f.write("a.yaml", object("a", "2"))
			v.until(values{"a": "2"})
			f.replace("a.yaml", object("a", "3"))
			v.until(values{"a": "3"})
		})
	}
}

// TestALinkedFolderIsFollowed: it is swapped for another as deployments do, edited, and may lead in circles.
func TestALinkedFolderIsFollowed(t *testing.T) {
	f, releases := newFolder(t), newFolder(t)
	releases.write("v1/a.yaml", object("a", "1"))
	releases.write("v2/a.yaml", object("a", "2"))
	f.link(releases.path("v1"), "current")
	f.mkdir("sub")
	f.link("..", "sub/circle")
	f.write("sub/b.yaml", object("b", "1"))
	v := watch(t, f.dir, notified)
	v.until(values{"a": "1", "b": "1"})
	releases.write("v1/a.yaml", object("a", "1.1"))
	v.until(values{"a": "1.1", "b": "1"})
	f.link(releases.path("v2"), "next")
	f.rename("next", "current")
	v.until(values{"a": "2", "b": "1"})
	releases.write("v2/a.yaml", object("a", "2.1"))
	f.write("sub/b.yaml", object("b", "2"))
	v.until(values{"a": "2.1", "b": "2"})
	if len(v.last.Problems)+len(v.removed) > 0 {
		t.Errorf("problems %v, removed %v", v.last.Problems, v.removed)
	}
}

// TestAFolderThatIsNotThereIsRefused: that is a mistake of whoever names it, and not a loss.
func TestAFolderThatIsNotThereIsRefused(t *testing.T) {
	if _, err := file.Watch(t.Context(), filepath.Join(t.TempDir(), "none"), notified); err == nil {
		t.Error("it is watched")
	}
}

// TestAFileThatIsBeingWrittenIsLeftAlone: a program that writes slowly leaves files that look whole and hold too little.
func TestAFileThatIsBeingWrittenIsLeftAlone(t *testing.T) {
	f := newFolder(t)
	f.write("a.yaml", documents(object("a", "1"), object("b", "1")))
	v := watch(t, f.dir, notified)
	v.until(values{"a": "1", "b": "1"})
	w, err := os.OpenFile(f.path("a.yaml"), os.O_WRONLY|os.O_TRUNC, 0)
	f.must(err)
	for i, part := range []string{"", object("a", "2"), "---\n" + object("b", "2")} {
		_, err = w.WriteString(part)
		f.must(err)
		sentinel := fmt.Sprint(i)
		f.write("sentinel.yaml", object("sentinel", sentinel)) // seen after several looks at the other
		v.until(values{"a": "1", "b": "1", "sentinel": sentinel})
	}
	f.must(w.Close())
	v.until(values{"a": "2", "b": "2", "sentinel": "2"})
	if len(v.removed) > 0 {
		t.Errorf("removed meanwhile: %v", v.removed)
	}
}

// TestAFileThatIsNeverClosedIsReadAfterAll: whoever keeps it open does not keep changes away for good.
func TestAFileThatIsNeverClosedIsReadAfterAll(t *testing.T) {
	f := newFolder(t)
	f.write("a.yaml", object("a", "1"))
	o := notified
	o.Writer = 50 * time.Millisecond
	v := watch(t, f.dir, o)
	v.until(values{"a": "1"})
	w, err := os.OpenFile(f.path("a.yaml"), os.O_WRONLY|os.O_TRUNC, 0)
	f.must(err)
	defer func() { _ = w.Close() }()
	_, err = w.WriteString(object("a", "2"))
	f.must(err)
	v.until(values{"a": "2"})
}

// TestALinkToNothingIsFoundAndKeepsWhatItLedTo, until it is taken away or leads somewhere again.
func TestALinkToNothingIsFoundAndKeepsWhatItLedTo(t *testing.T) {
	f := newFolder(t)
	elsewhere := newFolder(t)
	elsewhere.write("real.yaml", object("a", "1"))
	f.link(elsewhere.path("real.yaml"), "a.yaml")
	f.link("nothing.yaml", "b.yaml")
	o := notified
	o.Poll = 50 * time.Millisecond // nothing is notified of what happens elsewhere
	v := watch(t, f.dir, o)
	v.until(values{"a": "1"})
	v.untilFound(finding.FileUnreadable, "b.yaml:1")
	elsewhere.remove("real.yaml")
	v.untilFound(finding.FileUnreadable, "a.yaml:1", "b.yaml:1")
	v.until(values{"a": "1"})
	f.remove("b.yaml")
	elsewhere.write("real.yaml", object("a", "2"))
	v.until(values{"a": "2"})
	v.untilFound(finding.FileUnreadable)
	f.remove("a.yaml")
	v.until(values{})
}
