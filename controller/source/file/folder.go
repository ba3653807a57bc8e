// Package file reads folders of manifests, once or watched. It decides which files count, when a change is worth
// reading, and what stays in force while a file is broken: its own objects' last good version, and nothing else.
package file

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/cloverleaf-mesh/cloverleaf/controller/source/manifest"
	"github.com/cloverleaf-mesh/cloverleaf/translator/finding"
	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// Load reads folders and files once. It fails when one of them cannot be read at all.
func Load(paths ...string) (Update, error) {
	f := newFolder()
	for _, path := range paths {
		path = filepath.Clean(path)
		f.scan(path, nil, believe, func(string) {})
		if why, gone := f.gone[path]; gone {
			return Update{}, fmt.Errorf("%s: %s", path, why)
		}
	}
	return f.update(time.Now()), nil
}

// folder is what was read.
type folder struct {
	decoder *manifest.Decoder
	files   map[string]*loaded
	claims  map[ir.Ref][]claim          // whoever defines an object; after update, the first counts
	inForce map[ir.Ref]*manifest.Object // what was handed out
	dirty   map[ir.Ref]bool             // objects whose claims changed
	// Problems are looked for where there are any: in files that have some, and at objects that several claim.
	troubled  map[string]bool
	contested map[ir.Ref]bool
	read      []string
	gone      map[string]string // folders that cannot be read, and why
	told      map[string]string // what was last handed out of that
}

// loaded is one file.
type loaded struct {
	stamp    stamp
	settled  bool // the stamp is old enough to tell this version from the next one
	hash     [sha256.Size]byte
	objects  []*manifest.Object // of this version
	kept     []*manifest.Object // of an older version, in force because this one is broken
	problems []manifest.Problem
	goodAt   time.Time // when everything in it could be read last

	unreadable string // why the file could not be opened
}

// claim is a definition of an object.
type claim struct {
	object *manifest.Object
	kept   bool // from an older version of a file that is broken now
}

func newFolder() *folder {
	return &folder{
		decoder: manifest.NewDecoder(), files: map[string]*loaded{}, claims: map[ir.Ref][]claim{},
		inForce: map[ir.Ref]*manifest.Object{}, dirty: map[ir.Ref]bool{}, gone: map[string]string{},
		troubled: map[string]bool{}, contested: map[ir.Ref]bool{},
	}
}

// patience decides whether a changed file is left alone for now: it is asked before the file is read, and again when what
// was read looks broken.
type patience func(path string, s stamp, broken bool) (hold bool)

// believe takes every file as it is.
func believe(string, stamp, bool) bool { return false }

// scan reads whatever changed below a path, and forgets what is no more. Of the files that something is known to have
// happened to, the stamp is not asked.
func (f *folder) scan(root string, happened map[string]bool, hold patience, enter func(dir string)) listing {
	l := list(root, enter)
	maps.DeleteFunc(f.gone, func(path, _ string) bool { return within(root, path) })
	maps.Copy(f.gone, l.gone)
	for path := range f.files {
		_, read := l.files[path]
		_, unread := l.unread[path]
		if !read && !unread && within(root, path) && !f.hides(path) {
			f.forget(path)
		}
	}
	for _, path := range slices.Sorted(maps.Keys(l.unread)) {
		f.keep(path, stamp{}, l.unread[path])
	}
	for _, path := range slices.Sorted(maps.Keys(l.files)) {
		f.refresh(path, l.files[path], happened[path], hold)
	}
	return l
}

// hides tells whether a file may still be there, in a folder that cannot be read.
func (f *folder) hides(path string) bool {
	for dir := range f.gone {
		if within(dir, path) {
			return true
		}
	}
	return false
}

// visit looks at one file that something happened to.
func (f *folder) visit(path string, hold patience) {
	info, err := os.Stat(path)
	switch {
	case err == nil && info.Mode().IsRegular():
		f.refresh(path, stampOf(info), true, hold)
	case err != nil && isLink(path):
		f.keep(path, stamp{}, errDangling)
	case f.files[path] != nil && !f.hides(path):
		f.forget(path)
	}
}

func isLink(path string) bool {
	info, err := os.Lstat(path)
	return err == nil && info.Mode()&os.ModeSymlink != 0
}

// refresh reads a file if it may have changed.
func (f *folder) refresh(path string, s stamp, happened bool, hold patience) {
	before := f.files[path]
	same := before != nil && before.stamp == s
	if same && before.settled && !happened {
		return
	}
	if hold(path, s, false) {
		return
	}
	settled := time.Since(s.modified) > coarsest
	data, err := read(path, s)
	if err != nil {
		f.keep(path, s, err)
		return
	}
	hash := sha256.Sum256(data)
	if same && before.hash == hash {
		before.settled = settled
		return
	}
	decoded := f.decoder.Decode(path, data)
	if before.looksBroken(decoded) && hold(path, s, true) {
		return // perhaps half written
	}
	f.read = append(f.read, path)
	next := &loaded{stamp: s, settled: settled, hash: hash, objects: decoded.Objects, problems: decoded.Problems, goodAt: time.Now()}
	if before != nil && (len(decoded.Broken) > 0 || decoded.Unnamed) {
		next.goodAt = before.goodAt
		next.keepBroken(before, decoded)
	}
	next.keepClosed(decoded)
	f.decoder.Keep(decoded, next.kept)
	f.replace(path, next)
}

// looksBroken tells whether what was read may be half of a file.
func (l *loaded) looksBroken(next manifest.File) bool {
	return next.Unnamed || l != nil && len(next.Objects) == 0 && len(l.objects) > 0
}

func read(path string, s stamp) ([]byte, error) {
	const most = 64 << 20
	if s.size > most {
		return nil, errors.New("it has more than 64 MiB")
	}
	return os.ReadFile(path)
}

// keep leaves the objects of a file that cannot be opened as they were, and says why, once.
func (f *folder) keep(path string, s stamp, err error) {
	before := f.files[path]
	if before != nil && before.unreadable == reason(err) {
		return
	}
	f.read = append(f.read, path)
	next := &loaded{stamp: s, unreadable: reason(err), problems: []manifest.Problem{{
		Finding: finding.New(finding.FileUnreadable, ir.Ref{}, "", reason(err)), At: manifest.Position{File: path, Line: 1},
	}}}
	if before != nil {
		next.goodAt = before.goodAt
		next.keepBroken(before, manifest.File{Path: path, Unnamed: true})
	}
	f.replace(path, next)
}

// keepBroken takes over from the version before what the new one holds but cannot be read: the objects that it names,
// or everything that it no longer shows when it holds something that cannot even be named.
func (l *loaded) keepBroken(before *loaded, decoded manifest.File) {
	shown := map[ir.Ref]bool{}
	for _, o := range decoded.Objects {
		shown[o.Ref] = true
	}
	for _, o := range slices.Concat(before.objects, before.kept) {
		if !o.Closed && !shown[o.Ref] && (decoded.Unnamed || slices.Contains(decoded.Broken, o.Ref)) {
			l.kept = append(l.kept, o)
			shown[o.Ref] = true
		}
	}
	if len(l.kept) > 0 {
		l.problems = append(slices.Clip(l.problems), manifest.Problem{
			Finding: finding.New(finding.LastGood, ir.Ref{}, "", before.goodAt.Format(time.TimeOnly)),
			At:      manifest.Position{File: decoded.Path, Line: 1},
		})
	}
}

// keepClosed lets what guards others and cannot be read close what it guards, unless an older version of it is in force.
func (l *loaded) keepClosed(decoded manifest.File) {
	for _, o := range decoded.Closed {
		if !slices.ContainsFunc(l.kept, func(k *manifest.Object) bool { return k.Ref == o.Ref }) {
			l.kept = append(l.kept, o)
		}
	}
}

func (f *folder) forget(path string) {
	f.decoder.Forget(path)
	f.replace(path, nil)
	f.read = append(f.read, path)
}

// replace takes over a file's objects, nil for a file that is no more.
func (f *folder) replace(path string, next *loaded) {
	if before := f.files[path]; before != nil {
		for _, o := range slices.Concat(before.objects, before.kept) {
			f.claims[o.Ref] = slices.DeleteFunc(f.claims[o.Ref], func(c claim) bool { return c.object == o })
			f.dirty[o.Ref] = true
		}
	}
	delete(f.troubled, path)
	if next == nil {
		delete(f.files, path)
		return
	}
	f.files[path] = next
	if len(next.problems) > 0 {
		f.troubled[path] = true
	}
	for _, o := range next.objects {
		f.claims[o.Ref] = append(f.claims[o.Ref], claim{object: o})
		f.dirty[o.Ref] = true
	}
	for _, o := range next.kept {
		f.claims[o.Ref] = append(f.claims[o.Ref], claim{object: o, kept: true})
		f.dirty[o.Ref] = true
	}
}

// goneChanged tells, once, that a folder went or came back.
func (f *folder) goneChanged() bool {
	changed := !maps.Equal(f.gone, f.told)
	f.told = maps.Clone(f.gone)
	return changed
}
