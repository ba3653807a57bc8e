// Package file reads folders of manifests, once or watched. It decides which files count, when a change is worth
// reading, and what stays in force while a file is broken: its own objects' last good version, and nothing else.
package file

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/cloverleaf-mesh/cloverleaf/controller/source/manifest"
	"github.com/cloverleaf-mesh/cloverleaf/translator/finding"
	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// Update is what changed since the update before.
type Update struct {
	Changed []*manifest.Object // new or with another content, in the order of files
	Removed []ir.Ref           // sorted
	// Problems are all that there are now, sorted by place.
	Problems []manifest.Problem
	// Files are those that were read for this update; Objects counts all objects that are in force.
	Files   []string
	Objects int
	// At is when the first event of this update was noticed.
	At time.Time
}

// Load reads folders and files once.
func Load(paths ...string) (Update, error) {
	f := newFolder()
	for _, path := range paths {
		if _, err := os.Stat(path); err != nil {
			return Update{}, err
		}
		f.scan(path, believe)
	}
	return f.update(time.Now()), nil
}

// folder is what was read.
type folder struct {
	decoder *manifest.Decoder
	files   map[string]*loaded
	claims  map[ir.Ref][]*manifest.Object // whoever defines an object; the first counts
	inForce map[ir.Ref]*manifest.Object   // what was handed out
	dirty   map[ir.Ref]bool               // objects whose claims changed
	read    []string
	gone    string // why the folder cannot be read; empty when it can
	told    string // what was last handed out of that
	root    string
}

// loaded is one file.
type loaded struct {
	stamp    stamp
	objects  []*manifest.Object // in force, those of an older version included
	problems []manifest.Problem
	goodAt   time.Time // when everything in it could be read last
}

// stamp tells whether a file may have changed.
type stamp struct {
	size     int64
	modified time.Time
	inode    uint64
}

func newFolder() *folder {
	return &folder{
		decoder: manifest.NewDecoder(), files: map[string]*loaded{}, claims: map[ir.Ref][]*manifest.Object{},
		inForce: map[ir.Ref]*manifest.Object{}, dirty: map[ir.Ref]bool{},
	}
}

// counts tells whether a file's name says that it holds manifests. Hidden files are editors' and tools' own.
func counts(path string) bool {
	name := filepath.Base(path)
	switch filepath.Ext(name) {
	case ".yaml", ".yml", ".json":
		return !strings.HasPrefix(name, ".") && !strings.HasPrefix(name, "#")
	default:
		return false
	}
}

// hiddenDir tells whether a folder is passed over: hidden ones, among them those that hold the real files of a mounted
// ConfigMap, whose links are read instead.
func hiddenDir(name string) bool { return strings.HasPrefix(name, ".") && name != "." && name != ".." }

// patience decides whether a changed file that looks broken is left alone for now.
type patience func(path string, s stamp, broken bool) (hold bool)

// believe takes every file as it is.
func believe(string, stamp, bool) bool { return false }

// scan reads whatever changed below a path, and forgets what is no more.
func (f *folder) scan(root string, hold patience) {
	f.root = root
	found, err := list(root)
	if err != nil {
		f.gone = err.Error()
		return
	}
	f.gone = ""
	for path := range f.files {
		if _, ok := found[path]; !ok && within(root, path) {
			f.forget(path)
		}
	}
	for _, path := range slices.Sorted(maps.Keys(found)) {
		f.refresh(path, found[path], hold)
	}
}

// visit looks at one file that something happened to.
func (f *folder) visit(path string, hold patience) {
	info, err := os.Stat(path)
	switch {
	case err == nil && !info.IsDir():
		f.refresh(path, stampOf(info), hold)
	case f.files[path] != nil:
		f.forget(path)
	}
}

func within(root, path string) bool {
	return path == root || strings.HasPrefix(path, strings.TrimSuffix(root, string(filepath.Separator))+string(filepath.Separator))
}

// list finds the files that count below a path, with their stamps. Links are followed, to files and to folders.
func list(root string) (map[string]stamp, error) {
	found := map[string]stamp{}
	info, err := os.Stat(root)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		found[root] = stampOf(info)
		return found, nil
	}
	return found, walk(root, found, 0)
}

func walk(dir string, found map[string]stamp, depth int) error {
	const deepest = 32 // links may lead in circles
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		info, err := os.Stat(path)
		if err != nil {
			continue // gone meanwhile, or a link to nothing
		}
		switch {
		case info.IsDir() && !hiddenDir(e.Name()) && depth < deepest:
			if err := walk(path, found, depth+1); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		case !info.IsDir() && counts(path):
			found[path] = stampOf(info)
		}
	}
	return nil
}

// refresh reads a file if it may have changed.
func (f *folder) refresh(path string, s stamp, hold patience) {
	before := f.files[path]
	if before != nil && before.stamp == s {
		return
	}
	data, err := os.ReadFile(path)
	if err != nil {
		f.keep(path, s, err)
		return
	}
	decoded := f.decoder.Decode(path, data)
	if hold(path, s, before != nil && (decoded.Unnamed || len(decoded.Objects) == 0 && len(before.objects) > 0)) {
		return // perhaps half written
	}
	f.read = append(f.read, path)
	next := &loaded{stamp: s, objects: decoded.Objects, problems: decoded.Problems, goodAt: time.Now()}
	if before != nil && (len(decoded.Broken) > 0 || decoded.Unnamed) {
		next.goodAt = before.goodAt
		f.keepBroken(next, before, decoded)
	}
	f.replace(path, next)
}

func reason(err error) string {
	if pathError, ok := errors.AsType[*fs.PathError](err); ok {
		return pathError.Err.Error()
	}
	return err.Error()
}

// keep leaves the objects of a file that cannot be opened as they were, and says why.
func (f *folder) keep(path string, s stamp, err error) {
	f.read = append(f.read, path)
	next := &loaded{stamp: s, problems: []manifest.Problem{{
		Finding: finding.New(finding.FileUnreadable, ir.Ref{}, "", reason(err)), At: manifest.Position{File: path, Line: 1},
	}}}
	if before := f.files[path]; before != nil {
		next.objects, next.goodAt = before.objects, before.goodAt
	}
	f.replace(path, next)
}

// keepBroken takes over from the version before what the new one holds but cannot be read: the objects that it names,
// or everything that it no longer shows when it holds something that cannot even be named.
func (f *folder) keepBroken(next, before *loaded, decoded manifest.File) {
	shown := map[ir.Ref]bool{}
	for _, o := range decoded.Objects {
		shown[o.Ref] = true
	}
	kept := 0
	for _, o := range before.objects {
		if !shown[o.Ref] && (decoded.Unnamed || slices.Contains(decoded.Broken, o.Ref)) {
			next.objects = append(next.objects, o)
			kept++
		}
	}
	if kept > 0 {
		next.problems = append(slices.Clip(next.problems), manifest.Problem{
			Finding: finding.New(finding.LastGood, ir.Ref{}, "", before.goodAt.Format(time.TimeOnly)),
			At:      manifest.Position{File: decoded.Path, Line: 1},
		})
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
		for _, o := range before.objects {
			f.claims[o.Ref] = slices.DeleteFunc(f.claims[o.Ref], func(c *manifest.Object) bool { return c == o })
			f.dirty[o.Ref] = true
		}
	}
	if next == nil {
		delete(f.files, path)
		return
	}
	f.files[path] = next
	for _, o := range next.objects {
		f.claims[o.Ref] = append(f.claims[o.Ref], o)
		f.dirty[o.Ref] = true
	}
}

// join makes one update of two that follow each other.
func join(a, b Update) Update {
	removed := map[ir.Ref]bool{}
	for _, ref := range b.Removed {
		removed[ref] = true
	}
	changed := map[ir.Ref]bool{}
	for _, o := range b.Changed {
		changed[o.Ref] = true
	}
	for _, o := range a.Changed {
		if !removed[o.Ref] && !changed[o.Ref] {
			b.Changed = append(b.Changed, o)
		}
	}
	for _, ref := range a.Removed {
		if !removed[ref] && !changed[ref] {
			b.Removed = append(b.Removed, ref)
		}
	}
	slices.SortFunc(b.Changed, earlier)
	slices.SortFunc(b.Removed, ir.Ref.Compare)
	b.Files = slices.Compact(slices.Sorted(slices.Values(append(slices.Clone(a.Files), b.Files...))))
	b.At = a.At
	return b
}

// update settles who defines what, and returns what changed.
func (f *folder) update(at time.Time) Update {
	u := Update{At: at, Files: f.read}
	f.read = nil
	for ref := range f.dirty {
		claims := f.claims[ref]
		slices.SortStableFunc(claims, earlier)
		was := f.inForce[ref]
		switch {
		case len(claims) == 0:
			delete(f.claims, ref)
			delete(f.inForce, ref)
			if was != nil {
				u.Removed = append(u.Removed, ref)
			}
		default:
			f.inForce[ref] = claims[0]
			if was == nil || was.Value != claims[0].Value {
				u.Changed = append(u.Changed, claims[0])
			}
		}
	}
	clear(f.dirty)
	slices.SortFunc(u.Changed, earlier)
	slices.SortFunc(u.Removed, ir.Ref.Compare)
	u.Problems, u.Objects = f.problems(), len(f.inForce)
	return u
}

// earlier orders objects by file name and place.
func earlier(a, b *manifest.Object) int {
	if c := strings.Compare(a.Start.File, b.Start.File); c != 0 {
		return c
	}
	return a.Start.Line - b.Start.Line
}

// goneChanged tells, once, that the folder went or came back.
func (f *folder) goneChanged() bool {
	changed := f.gone != f.told
	f.told = f.gone
	return changed
}

func (f *folder) problems() []manifest.Problem {
	var all []manifest.Problem
	if f.gone != "" {
		all = append(all, manifest.Problem{
			Finding: finding.New(finding.FolderGone, ir.Ref{}, "", f.gone), At: manifest.Position{File: f.root},
		})
	}
	for _, file := range f.files {
		all = append(all, file.problems...)
	}
	for ref, claims := range f.claims {
		for _, o := range claims[min(1, len(claims)):] {
			all = append(all, manifest.Problem{
				Finding: finding.New(finding.ObjectDuplicate, ref, "", ref, f.inForce[ref].Start), At: o.Start,
			})
		}
	}
	slices.SortFunc(all, func(a, b manifest.Problem) int {
		if c := strings.Compare(a.At.File, b.At.File); c != 0 {
			return c
		}
		if a.At.Line != b.At.Line {
			return a.At.Line - b.At.Line
		}
		return strings.Compare(fmt.Sprint(a.Finding), fmt.Sprint(b.Finding))
	})
	return all
}
