package file

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"github.com/cloverleaf-mesh/cloverleaf/controller/source/manifest"
	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// version is what a file says, as whoever wrote it knows.
type version struct {
	text    string
	good    map[string]string // values of objects, by name; of duplicates the first
	broken  []string          // names of objects with a mistake
	unnamed bool              // there is something that has no name
}

// modelled is a file of the model: what it says, and what it keeps.
type modelled struct{ good, kept map[string]string }

// model says what must be in force, from nothing but the versions that were written.
type model map[string]modelled

// write applies the rule: of what a version holds but cannot be read, the older version stays.
func (m model) write(path string, v version) {
	before := m[path]
	next := modelled{good: v.good, kept: map[string]string{}}
	for _, older := range []map[string]string{before.kept, before.good} { // the newer of the two last
		for name, value := range older {
			if _, shown := v.good[name]; !shown && (v.unnamed || slices.Contains(v.broken, name)) {
				next.kept[name] = value
			}
		}
	}
	m[path] = next
}

// inForce applies the rule: the first file counts, and what is kept only when no file defines the object.
func (m model) inForce() map[string]string {
	all := map[string]string{}
	for _, part := range []func(modelled) map[string]string{func(f modelled) map[string]string { return f.good }, func(f modelled) map[string]string { return f.kept }} {
		found := map[string]string{}
		for _, path := range slices.Sorted(maps.Keys(m)) {
			for name, value := range part(m[path]) {
				if _, earlier := found[name]; !earlier {
					found[name] = value
				}
			}
		}
		maps.Copy(found, all)
		all = found
	}
	return all
}

// scribe makes random versions of files. Every value is written once.
type scribe struct {
	*rand.Rand
	n int
}

func (s *scribe) version(mistakes bool) version {
	v := version{good: map[string]string{}}
	var texts []string
	for range s.IntN(5) {
		s.n++
		name, value := fmt.Sprintf("o%d", s.IntN(8)), fmt.Sprint(s.n)
		text := fmt.Sprintf("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s}\ndata: {value: %q}\n", name, value)
		kind := 9
		if mistakes {
			kind = s.IntN(10)
		}
		switch kind {
		case 0:
			text, v.unnamed = text+" x: [\n", true
		case 1:
			text, v.unnamed = strings.Replace(text, "name: "+name, "", 1), true
		case 2:
			text, v.broken = text+"dta: {}\n", append(v.broken, name)
		case 3:
			text, v.broken = strings.Replace(text, "ConfigMap", "ConfigMp", 1), append(v.broken, name)
		case 4:
			text = "# a comment alone\n"
		default:
			if _, twice := v.good[name]; !twice {
				v.good[name] = value
			}
		}
		texts = append(texts, text)
	}
	v.text = strings.Join(texts, "---\n")
	return v
}

// known is what somebody knows who was told of changes alone.
type known map[string]*manifest.Object

func (k known) take(t *testing.T, u Update) {
	t.Helper()
	for _, o := range u.Changed {
		k[o.Ref.Name.Name] = o
	}
	for _, o := range u.Moved {
		if before := k[o.Ref.Name.Name]; before == nil || before.Value != o.Value {
			t.Errorf("%s moved, and changed or is new", o.Ref)
		}
		k[o.Ref.Name.Name] = o
	}
	for _, ref := range u.Removed {
		if k[ref.Name.Name] == nil {
			t.Errorf("%s was removed and never there", ref)
		}
		delete(k, ref.Name.Name)
	}
}

func (k known) values() map[string]string {
	values := map[string]string{}
	for name, o := range k {
		values[name] = o.Value.(*corev1.ConfigMap).Data["value"]
	}
	return values
}

// edits are the newest versions of files, nil of those that were removed.
type edits map[string]*version

// edit changes a random file.
func (e edits) edit(t *testing.T, s *scribe, dir string, mistakes bool) {
	t.Helper()
	path := filepath.Join(dir, string(rune('a'+s.IntN(2))), fmt.Sprintf("%d.yaml", s.IntN(4)))
	_, err := os.Stat(path)
	if err == nil && s.IntN(4) == 0 {
		e[path], err = nil, os.Remove(path)
	} else {
		v := s.version(mistakes)
		e[path] = &v
		err = errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(v.text), 0o644))
	}
	if err != nil {
		t.Fatal(err)
	}
}

// seen takes edits into the model, as somebody does who looked at the end of them.
func (m model) seen(e edits) {
	for path, v := range e {
		if v == nil {
			delete(m, path)
		} else {
			m.write(path, *v)
		}
	}
	clear(e)
}

// TestWhatIsInForceIsWhatTheFilesSay: after random edits, whoever was told of the changes alone knows what the rules say
// is in force; and when no file is broken, that is what somebody sees who reads the folder for the first time.
func TestWhatIsInForceIsWhatTheFilesSay(t *testing.T) {
	steps, compared, broken := 2000, 0, 0
	if testing.Short() {
		steps = 200
	}
	s := &scribe{Rand: rand.New(rand.NewPCG(1, 2))}
	dir := t.TempDir()
	f, m, k, e := newFolder(), model{}, known{}, edits{}
	for step := range steps {
		mistakes := step%40 < 25 // now and then everything is mended
		for range 1 + s.IntN(3) {
			e.edit(t, s, dir, mistakes)
		}
		m.seen(e)
		f.scan(dir, nil, believe, func(string) {})
		k.take(t, f.update(time.Now()))
		if d := cmp.Diff(m.inForce(), k.values()); d != "" {
			t.Fatalf("step %d (-the rules +in force):\n%s", step, d)
		}
		fresh, err := Load(dir)
		if err != nil {
			t.Fatal(err)
		}
		if slices.ContainsFunc(slices.Collect(maps.Values(f.files)), func(l *loaded) bool { return len(l.kept) > 0 }) {
			broken++
			continue
		}
		compared++
		again := known{}
		again.take(t, fresh)
		equal(t, step, k, again)
		if d := cmp.Diff(describe(fresh.Problems), describe(f.problems())); d != "" {
			t.Fatalf("step %d, problems (-fresh +remembered):\n%s", step, d)
		}
	}
	fmt.Printf("evidence: a folder after %d random edits equals a fresh one (%d) or what the rules say of broken files (%d)\n", steps, compared, broken)
	for path := range f.files {
		f.forget(path)
	}
	if u := f.update(time.Now()); u.Objects != 0 || len(f.claims) != 0 {
		t.Errorf("an emptied folder has %d objects and %d claims", u.Objects, len(f.claims))
	}
}

func equal(t *testing.T, step int, k, fresh known) {
	t.Helper()
	for name, o := range k {
		same := fresh[name]
		if same == nil || same.Start != o.Start || !cmp.Equal(same.Value, o.Value) || len(k) != len(fresh) {
			t.Fatalf("step %d: %s is not what a fresh reading finds", step, name)
		}
	}
}

func describe(problems []manifest.Problem) []string {
	var lines []string
	for _, p := range problems {
		lines = append(lines, p.String())
	}
	return lines
}

// TestWatchedOrReadAfreshIsTheSame: the real watcher, with random edits and pauses, ends where a fresh reading does.
func TestWatchedOrReadAfreshIsTheSame(t *testing.T) {
	rounds := 30
	s := &scribe{Rand: rand.New(rand.NewPCG(3, 4))}
	dir := t.TempDir()
	updates, err := Watch(t.Context(), dir, Options{Poll: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	m, k, e := model{}, known{}, edits{}
	k.take(t, <-updates)
	for round := range rounds {
		for range 1 + s.IntN(20) {
			e.edit(t, s, dir, false)
		}
		m.seen(e)
		for !maps.Equal(k.values(), m.inForce()) {
			select {
			case u := <-updates:
				k.take(t, u)
			case <-time.After(time.Minute):
				t.Fatalf("round %d: %v instead of %v", round, k.values(), m.inForce())
			}
		}
	}
}

// TestJoinedUpdatesSayWhatTheTwoSaid, for random pairs.
func TestJoinedUpdatesSayWhatTheTwoSaid(t *testing.T) {
	s := &scribe{Rand: rand.New(rand.NewPCG(5, 6))}
	dir := t.TempDir()
	f, e := newFolder(), edits{}
	next := func() Update {
		e.edit(t, s, dir, false)
		f.scan(dir, nil, believe, func(string) {})
		return f.update(time.Now())
	}
	one, joined := known{}, known{}
	for range 300 {
		a, b := next(), next()
		one.take(t, a)
		one.take(t, b)
		j := join(a, b)
		for _, o := range j.Changed {
			joined[o.Ref.Name.Name] = o
		}
		for _, o := range j.Moved {
			joined[o.Ref.Name.Name] = o
		}
		for _, ref := range j.Removed {
			delete(joined, ref.Name.Name)
		}
		if !maps.Equal(one, joined) {
			t.Fatalf("%v instead of %v", joined, one)
		}
		seen := map[ir.Ref]int{}
		for _, o := range slices.Concat(j.Changed, j.Moved) {
			seen[o.Ref]++
		}
		for _, ref := range j.Removed {
			seen[ref]++
		}
		for ref, n := range seen {
			if n > 1 {
				t.Fatalf("%s is told of %d times", ref, n)
			}
		}
	}
}
