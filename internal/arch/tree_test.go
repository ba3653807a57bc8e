package arch

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// tree is the source of a module.
type tree struct {
	module   string // module path
	fset     *token.FileSet
	packages []*pkg // sorted by path
	files    map[string][]byte
}

// pkg is a folder with Go files. Test files of the package itself and of its _test package count as its own.
type pkg struct {
	path  string // below the module: "translator/ir"
	name  string // of the package clause, without _test
	files []*source
}

// source is one Go file.
type source struct {
	path      string
	syntax    *ast.File
	lines     int
	test      bool
	generated bool
}

// importable tells whether the package holds more than tests and is no command.
func (p *pkg) importable() bool {
	return p.name != "main" && slices.ContainsFunc(p.files, func(f *source) bool { return !f.test })
}

// in tells whether the package is one of those that patterns name: "translator/ir", or "translator/..." for a folder
// and all that is below it.
func (p *pkg) in(patterns ...string) bool { return matches(p.path, patterns...) }

func matches(name string, patterns ...string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		folder, below := strings.CutSuffix(pattern, "/...")
		return name == folder || below && strings.HasPrefix(name, folder+"/")
	})
}

// load reads the module in a file system. Other modules in it, and what git or a build made, are left out.
func load(t *testing.T, fsys fs.FS) *tree {
	t.Helper()
	tr := &tree{fset: token.NewFileSet(), files: map[string][]byte{}}
	byPath := map[string]*pkg{}
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			return skip(fsys, name)
		}
		text, err := fs.ReadFile(fsys, name)
		if err != nil {
			return err
		}
		tr.files[name] = text
		if strings.HasSuffix(name, ".go") && !strings.Contains("/"+name, "/testdata/") {
			return tr.parse(name, text, byPath)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(tr.files["go.mod"])) {
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), "module "); ok {
			tr.module = name
		}
	}
	for _, p := range byPath {
		tr.packages = append(tr.packages, p)
	}
	slices.SortFunc(tr.packages, func(a, b *pkg) int { return strings.Compare(a.path, b.path) })
	return tr
}

func skip(fsys fs.FS, dir string) error {
	if base := path.Base(dir); dir != "." && (strings.HasPrefix(base, ".") || base == "bin") {
		return fs.SkipDir
	}
	if _, err := fs.Stat(fsys, path.Join(dir, "go.mod")); err == nil && dir != "." {
		return fs.SkipDir
	}
	return nil
}

func (tr *tree) parse(name string, text []byte, byPath map[string]*pkg) error {
	syntax, err := parser.ParseFile(tr.fset, name, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	dir := path.Dir(name)
	p := byPath[dir]
	if p == nil {
		p = &pkg{path: dir, name: strings.TrimSuffix(syntax.Name.Name, "_test")}
		byPath[dir] = p
	}
	p.files = append(p.files, &source{
		path: name, syntax: syntax, lines: bytes.Count(text, []byte("\n")),
		test: strings.HasSuffix(name, "_test.go"), generated: ast.IsGenerated(syntax),
	})
	return nil
}

// at words a violation with its place.
func (tr *tree) at(pos token.Pos, format string, args ...any) string {
	p := tr.fset.Position(pos)
	return fmt.Sprintf("%s:%d: %s", p.Filename, p.Line, fmt.Sprintf(format, args...))
}

// imported is one import of a file.
type imported struct {
	path string // without the module's own path: "translator/ir"; as written for others
	own  bool
	name string // by which the file refers to it
	pos  token.Pos
}

func (tr *tree) imports(f *source) []imported {
	var list []imported
	for _, spec := range f.syntax.Imports {
		name, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			continue
		}
		in := imported{path: name, name: path.Base(name), pos: spec.Pos()}
		if own, ok := strings.CutPrefix(name, tr.module+"/"); ok {
			in.path, in.own = own, true
		}
		if spec.Name != nil {
			in.name = spec.Name.Name
		}
		list = append(list, in)
	}
	return list
}

// importName returns the name by which a file refers to a package; empty when it does not import it.
func (tr *tree) importName(f *source, path string) string {
	for _, in := range tr.imports(f) {
		if in.path == path {
			return in.name
		}
	}
	return ""
}

// qualified tells whether an expression is pkg.Name, and returns the name.
func qualified(e ast.Expr, pkg string) (string, bool) {
	s, ok := e.(*ast.SelectorExpr)
	if !ok || pkg == "" {
		return "", false
	}
	x, ok := s.X.(*ast.Ident)
	return s.Sel.Name, ok && x.Name == pkg
}
