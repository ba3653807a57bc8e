package file

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/fsnotify/fsnotify"
)

// Options say how a folder is watched. The zero value is what `cloverleaf up` uses.
type Options struct {
	// Quiet is how long nothing may happen before a change is read. 0 means 15 ms.
	Quiet time.Duration
	// Longest is how long a change may wait at the most while more keeps happening. 0 means 1 s.
	Longest time.Duration
	// Settle is how long a file that cannot be read may stay unchanged before that is believed: it may be half written.
	// 0 means 75 ms.
	Settle time.Duration
	// Poll is how often everything is looked at whatever was notified: some file systems notify nothing. 0 means 5 s.
	Poll time.Duration
}

func (o Options) withDefaults() Options {
	set := func(d *time.Duration, value time.Duration) {
		if *d == 0 {
			*d = value
		}
	}
	set(&o.Quiet, 15*time.Millisecond)
	set(&o.Longest, time.Second)
	set(&o.Settle, 75*time.Millisecond)
	set(&o.Poll, 5*time.Second)
	return o
}

// Watch reads a folder and goes on reading it until the context ends, which closes the channel. The first update is
// everything; afterwards an update comes for each change. A slow reader finds changes joined.
func Watch(ctx context.Context, dir string, options Options) (<-chan Update, error) {
	if _, err := os.Stat(dir); err != nil {
		return nil, err
	}
	notify, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, fmt.Errorf("watching %s: %w", dir, err)
	}
	w := &watcher{
		dir: filepath.Clean(dir), options: options.withDefaults(), notify: notify, folder: newFolder(),
		out: make(chan Update), paths: map[string]bool{},
	}
	go w.run(ctx)
	return w.out, nil
}

type watcher struct {
	dir     string
	options Options
	notify  *fsnotify.Watcher
	folder  *folder
	out     chan Update

	paths    map[string]bool // files that something happened to
	all      bool            // anything may have changed
	since    time.Time       // of the first event that was not read yet
	unstable map[string]stamp
	pending  *Update // handed out as soon as somebody takes it
}

func (w *watcher) run(ctx context.Context) {
	defer close(w.out)
	defer func() { _ = w.notify.Close() }()
	w.all, w.since = true, time.Now()
	w.read(true)
	poll := time.NewTicker(w.options.Poll)
	defer poll.Stop()
	timer := time.NewTimer(time.Hour)
	timer.Stop()
	for {
		var out chan Update
		var next Update
		if w.pending != nil {
			out, next = w.out, *w.pending
		}
		select {
		case <-ctx.Done():
			return
		case out <- next:
			w.pending = nil
		case e := <-w.notify.Events:
			if w.event(e) {
				timer.Reset(w.delay())
			}
		case <-w.notify.Errors: //nolint:errcheck // whatever it says: events were lost
			w.note()
			w.all = true
			timer.Reset(w.delay())
		case <-poll.C:
			w.note()
			w.all = true
			w.read(false)
		case <-timer.C:
			w.read(false)
			if len(w.unstable) > 0 {
				w.note()
				timer.Reset(w.options.Settle)
			}
		}
	}
}

// note remembers when the first event of the next update came.
func (w *watcher) note() {
	if w.since.IsZero() {
		w.since = time.Now()
	}
}

// event takes in one notification and tells whether it matters.
func (w *watcher) event(e fsnotify.Event) bool {
	if e.Op == fsnotify.Chmod && !counts(e.Name) {
		return false
	}
	if filepath.Dir(e.Name) == filepath.Dir(w.dir) && filepath.Clean(e.Name) != w.dir {
		return false // a neighbour of the folder
	}
	w.note()
	if counts(e.Name) {
		w.paths[e.Name] = true
		return true
	}
	w.all = true // a folder, or a link that other names lead through
	return true
}

// delay is how long to wait for more: until it is quiet, but not longer than the limit.
func (w *watcher) delay() time.Duration {
	return max(min(w.options.Quiet, w.options.Longest-time.Since(w.since)), 0)
}

// read reads what changed and prepares an update.
func (w *watcher) read(first bool) {
	if w.all {
		w.watchFolders()
		w.paths = map[string]bool{}
		w.folder.scan(w.dir, w.hold)
	} else {
		paths := w.paths
		w.paths = map[string]bool{}
		for path := range paths {
			w.folder.visit(path, w.hold)
		}
	}
	w.all = false
	at := w.since
	w.since = time.Time{}
	u := w.folder.update(at)
	if first || len(u.Files) > 0 || w.folder.goneChanged() {
		w.hand(u)
	}
}

// hand joins an update with one that nobody took yet.
func (w *watcher) hand(u Update) {
	if w.pending != nil {
		u = join(*w.pending, u)
	}
	w.pending = &u
}

// hold tells whether a file that looks broken is to be left alone for now: it changed since it was looked at last.
func (w *watcher) hold(path string, s stamp, broken bool) bool {
	if !broken {
		delete(w.unstable, path)
		return false
	}
	if w.unstable == nil {
		w.unstable = map[string]stamp{}
	}
	if before, seen := w.unstable[path]; seen && before == s {
		delete(w.unstable, path)
		return false
	}
	w.unstable[path] = s
	w.paths[path] = true
	return true
}

// watchFolders subscribes to every folder, again where one came back.
func (w *watcher) watchFolders() {
	found := map[string]bool{}
	_ = filepath.WalkDir(w.dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return nil //nolint:nilerr // what cannot be read is found out when it is scanned
		}
		if path != w.dir && hiddenDir(d.Name()) {
			return filepath.SkipDir
		}
		found[path] = true
		return nil
	})
	if parent := filepath.Dir(w.dir); parent != w.dir {
		found[parent] = true // tells that the folder itself came back
	}
	for path := range found {
		_ = w.notify.Add(path) // polling is the fallback
	}
}
