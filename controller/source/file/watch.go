package file

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
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
	// Writer is how long a file is left alone at the most because somebody has it open for writing. 0 means 10 s.
	Writer time.Duration
	// Poll is how often everything is looked at whatever was notified: some file systems notify nothing. 0 means 5 s. A
	// folder of many files is looked at less often, so that looking takes no more than a two-hundredth of the time.
	Poll time.Duration
}

// untilNextPoll is how long to wait after a look at everything took some time: a minute at the most, if not more was
// asked for.
func (o Options) untilNextPoll(took time.Duration) time.Duration {
	const share, most = 200, time.Minute
	return max(o.Poll, min(share*took, most))
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
	set(&o.Writer, 10*time.Second)
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
	linked   bool            // folders are reached through links, so that what is notified may have other names, too
	ways     map[string]bool // folders and links, as far as known
	since    time.Time       // of the first event that was not read yet
	doubtful map[string]doubt
	pending  *Update // handed out as soon as somebody takes it
}

// doubt is a file that is being written, or looks broken and may be half written.
type doubt struct {
	stamp stamp
	since time.Time // it looks like this
	first time.Time // it is in doubt
}

func (w *watcher) run(ctx context.Context) {
	defer close(w.out)
	defer func() { _ = w.notify.Close() }()
	w.all, w.since = true, time.Now()
	w.read(believe)
	w.folder.goneChanged()
	w.hand(w.folder.update(w.since))
	w.since = time.Time{}
	poll := time.NewTimer(w.options.Poll)
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
			began := time.Now()
			w.note()
			w.all = true
			w.look(timer)
			poll.Reset(w.options.untilNextPoll(time.Since(began)))
		case <-timer.C:
			w.look(timer)
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
	name := filepath.Clean(e.Name)
	if !within(w.dir, name) {
		return false // a neighbour of the folder
	}
	info, err := os.Lstat(name)
	file := err == nil && info.Mode().IsRegular()
	switch {
	case counts(name) && (file || w.folder.files[name] != nil):
		w.paths[name] = true
		w.all = w.all || w.linked
	case file || err == nil && e.Op == fsnotify.Chmod:
		return false // not of ours
	case errors.Is(err, fs.ErrNotExist) && !w.ways[name] && w.ways[filepath.Dir(name)]:
		return false // what an editor renamed to a file of ours, which is notified by itself
	default:
		w.all = true // a folder, a link that other names lead through, or a name from before a folder was renamed
	}
	w.note()
	return true
}

// delay is how long to wait for more: until it is quiet, but not longer than the limit.
func (w *watcher) delay() time.Duration {
	return max(min(w.options.Quiet, w.options.Longest-time.Since(w.since)), 0)
}

// look reads what changed, hands it out, and looks again later at what may be half written.
func (w *watcher) look(timer *time.Timer) {
	before := w.doubtful
	w.doubtful = map[string]doubt{}
	w.read(func(path string, s stamp, broken bool) bool { return w.doubts(path, s, before[path], broken) })
	if u := w.folder.update(w.since); len(u.Files) > 0 || w.folder.goneChanged() {
		w.hand(u)
	}
	if len(w.doubtful) > 0 {
		timer.Reset(w.options.Settle)
		return
	}
	w.since = time.Time{}
}

// read reads what changed.
func (w *watcher) read(hold patience) {
	all, paths := w.all, w.paths
	w.all, w.paths = false, map[string]bool{}
	if all {
		if parent := filepath.Dir(w.dir); parent != w.dir {
			w.subscribe(parent) // tells that the folder itself came back
		}
		l := w.folder.scan(w.dir, paths, hold, w.subscribe)
		w.linked, w.ways = l.linked, l.ways
		return
	}
	for path := range paths {
		w.folder.visit(path, hold)
	}
}

// doubts tells whether a file is still to be left alone: somebody writes it, or it looks broken and did not look like this
// for long enough.
func (w *watcher) doubts(path string, s stamp, before doubt, broken bool) bool {
	now := doubt{s, time.Now(), time.Now()}
	if !before.first.IsZero() {
		now.first = before.first
	}
	if before.stamp == s {
		now.since = before.since
	}
	written := time.Since(now.first) < w.options.Writer && beingWritten(path)
	if !written && (!broken || time.Since(now.since) >= w.options.Settle) {
		return false
	}
	w.doubtful[path], w.paths[path] = now, true
	return true
}

// hand joins an update with one that nobody took yet.
func (w *watcher) hand(u Update) {
	if w.pending != nil {
		u = join(*w.pending, u)
	}
	w.pending = &u
}

// subscribe asks to be notified of a folder, again where it came back. Where that cannot be, polling remains.
func (w *watcher) subscribe(dir string) { _ = w.notify.Add(dir) }
