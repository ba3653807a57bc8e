package file

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/fsnotify/fsnotify"
)

// TestWhatIsLookedAtFollowsWhatHappened: a notification leads to a look at one file wherever it can, because looking at
// everything costs a question for every file of the folder.
func TestWhatIsLookedAtFollowsWhatHappened(t *testing.T) {
	cases := []struct {
		name, path string
		happens    func(path string) error
		op         fsnotify.Op
		files      []string
		all        bool
	}{
		{name: "a file is written", path: "a.yaml", op: fsnotify.Write, files: []string{"a.yaml"}},
		{
			name: "a file comes by renaming", path: "b.yaml", op: fsnotify.Create, files: []string{"b.yaml"},
			happens: func(path string) error { return os.WriteFile(path, nil, 0o644) },
		},
		{name: "a file goes", path: "a.yaml", happens: os.Remove, op: fsnotify.Remove, files: []string{"a.yaml"}},
		{
			name: "a file of an editor comes", path: ".a.yaml.swp", op: fsnotify.Create,
			happens: func(path string) error { return os.WriteFile(path, nil, 0o644) },
		},
		{name: "a file of an editor has become the one that it stood in for", path: ".a.yaml.tmp", op: fsnotify.Rename},
		{name: "a folder comes", path: "new", happens: func(path string) error { return os.Mkdir(path, 0o755) }, op: fsnotify.Create, all: true},
		{name: "a folder goes", path: "sub", happens: os.RemoveAll, op: fsnotify.Remove, all: true},
		{name: "a link goes", path: "..data", happens: os.Remove, op: fsnotify.Remove, all: true},
		{name: "the folder itself goes", path: ".", happens: os.RemoveAll, op: fsnotify.Remove, all: true},
		{name: "a neighbour changes", path: "../neighbour.yaml", op: fsnotify.Write},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "gateway")
			must(t, os.MkdirAll(filepath.Join(dir, "sub"), 0o755))
			must(t, os.MkdirAll(filepath.Join(dir, "..2026"), 0o755))
			must(t, os.Symlink("..2026", filepath.Join(dir, "..data")))
			must(t, os.WriteFile(filepath.Join(dir, "a.yaml"), nil, 0o644))
			notify, err := fsnotify.NewWatcher()
			must(t, err)
			defer func() { _ = notify.Close() }()
			w := &watcher{dir: dir, notify: notify, folder: newFolder(), paths: map[string]bool{}, all: true}
			w.read(believe)
			w.linked = false // what is notified then is no matter of links
			path := filepath.Join(dir, c.path)
			if c.happens != nil {
				must(t, c.happens(path))
			}
			matters := w.event(fsnotify.Event{Name: path, Op: c.op})
			var files []string
			for _, path := range slices.Sorted(maps.Keys(w.paths)) {
				files = append(files, filepath.Base(path))
			}
			if !slices.Equal(files, c.files) || w.all != c.all || matters != (c.all || len(c.files) > 0) {
				t.Errorf("looks at %v, at everything: %t, matters: %t", files, w.all, matters)
			}
		})
	}
}

func TestLookingAtEverythingTakesASmallShareOfTheTime(t *testing.T) {
	cases := []struct{ poll, took, want time.Duration }{
		{5 * time.Second, time.Millisecond, 5 * time.Second},
		{5 * time.Second, 50 * time.Millisecond, 10 * time.Second},
		{5 * time.Second, 10 * time.Second, time.Minute},
		{time.Hour, 10 * time.Second, time.Hour},
	}
	for _, c := range cases {
		if got := (Options{Poll: c.poll}).untilNextPoll(c.took); got != c.want {
			t.Errorf("polls every %s, took %s: waits %s, want %s", c.poll, c.took, got, c.want)
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
