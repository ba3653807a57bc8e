package file

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// listing is what stands below a path.
type listing struct {
	files map[string]stamp
	// unread are names of manifests that lead to no file, with the reason.
	unread map[string]error
	// gone are folders that cannot be read, with the reason; what they held is not known.
	gone map[string]string
	// linked tells that some folder was reached through a link, so that a file may have two names.
	linked bool
	// ways are the folders and links: what becomes of them may be about any file.
	ways map[string]bool
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

// hidden tells whether a folder is passed over: hidden ones, among them those that hold the real files of a mounted
// ConfigMap, whose links are read instead.
func hidden(name string) bool { return strings.HasPrefix(name, ".") }

// list finds the files that count below a path, with their stamps. Links are followed, to files and to folders. It calls
// enter for every folder before it looks into it.
func list(root string, enter func(dir string)) listing {
	l := listing{files: map[string]stamp{}, unread: map[string]error{}, gone: map[string]string{}, ways: map[string]bool{root: true}}
	info, err := os.Stat(root)
	switch {
	case err != nil:
		l.gone[root] = reason(err)
	case info.IsDir():
		l.walk(root, []fs.FileInfo{info}, enter)
	default:
		l.files[root] = stampOf(info)
	}
	return l
}

// walk lists a folder that was reached through others.
func (l *listing) walk(dir string, through []fs.FileInfo, enter func(dir string)) {
	enter(dir)
	entries, err := os.ReadDir(dir)
	if err != nil {
		if len(through) == 1 || !errors.Is(err, fs.ErrNotExist) { // a folder that is no more has no files
			l.gone[dir] = reason(err)
		}
		return
	}
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		if !e.Type().IsRegular() {
			l.ways[path] = true
		}
		info, err := os.Stat(path)
		if err != nil || !info.IsDir() {
			l.file(path, e, info)
			continue
		}
		l.linked = l.linked || e.Type()&fs.ModeSymlink != 0
		if !hidden(e.Name()) && !circular(info, through) {
			l.walk(path, append(slices.Clip(through), info), enter)
		}
	}
}

// file takes in what is no folder; info is nil for what leads nowhere, or went meanwhile.
func (l *listing) file(path string, e fs.DirEntry, info fs.FileInfo) {
	switch {
	case !counts(path):
	case info == nil:
		if e.Type()&fs.ModeSymlink != 0 {
			l.unread[path] = errDangling
		}
	case info.Mode().IsRegular():
		l.files[path] = stampOf(info)
	default:
		l.unread[path] = errSpecial
	}
}

// Why what is called like a manifest is not read.
var (
	errDangling = errors.New("the link leads to no file")
	errSpecial  = errors.New("it is not a regular file")
)

// circular tells whether a folder is one of those that it was reached through.
func circular(info fs.FileInfo, through []fs.FileInfo) bool {
	for _, t := range through {
		if os.SameFile(info, t) {
			return true
		}
	}
	return false
}

// within tells whether a path is another or stands below it.
func within(root, path string) bool {
	rel, err := filepath.Rel(root, path)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
}

// reason says why something could not be read, without the path, which stands beside it.
func reason(err error) string {
	if pathError, ok := errors.AsType[*fs.PathError](err); ok {
		return pathError.Err.Error()
	}
	return err.Error()
}
