package arch

import (
	"go/ast"
	"go/token"
	"slices"
)

// pure are the packages that compute: the same inputs give the same outputs, whenever and wherever.
var pure = []string{"api/v1alpha1", "internal/memo", "internal/re2", "translator/...", "controller/rollout"}

// impure are the imports that pure packages do without.
var impure = []struct{ library, why string }{
	{"context", "a query has no deadline and cannot be cancelled; what it needs is a cell"},
	{"crypto/rand", "the same objects give the same bytes"},
	{"go.opentelemetry.io", "the loop measures; the core computes"},
	{"log", "what is wrong is a finding; what happened is the loop's to log"},
	{"math/rand", "the same objects give the same bytes"},
	{"net/http", "translation does no I/O: what the core wants from outside it returns as a want"},
	{"os", "translation does no I/O: files and variables are the shell's"},
	{"sigs.k8s.io/controller-runtime", "the core knows no cluster"},
	{"k8s.io/client-go", "the core knows no cluster"},
	{"sync", "one goroutine evaluates"},
	{"syscall", "translation does no I/O"},
}

func (tr *tree) pureSources(visit func(*pkg, *source)) {
	for _, p := range tr.packages {
		for _, f := range p.files {
			if p.in(pure...) && !f.test {
				visit(p, f)
			}
		}
	}
}

func checkPureImports(tr *tree) []string {
	var out []string
	tr.pureSources(func(p *pkg, f *source) {
		for _, in := range tr.imports(f) {
			for _, i := range impure {
				if matches(in.path, i.library+"/...") {
					out = append(out, tr.at(in.pos, "%s is pure and may not import %s: %s", p.path, in.path, i.why))
				}
			}
		}
	})
	return out
}

// clocks are what of package time looks at a clock; its types are fine.
var clocks = []string{"After", "AfterFunc", "NewTicker", "NewTimer", "Now", "Since", "Sleep", "Tick", "Until"}

func checkClock(tr *tree) []string {
	var out []string
	tr.pureSources(func(p *pkg, f *source) {
		clock := tr.importName(f, "time")
		ast.Inspect(f.syntax, func(n ast.Node) bool {
			e, ok := n.(ast.Expr)
			if !ok {
				return true
			}
			if name, ok := qualified(e, clock); ok && slices.Contains(clocks, name) {
				out = append(out, tr.at(n.Pos(), "%s is pure and may not use time.%s: time enters as a fact", p.path, name))
			}
			return true
		})
	})
	return out
}

// checkState finds package-level variables of pure packages. Three kinds are no state and allowed: descriptions of
// inputs and queries, told by their making (memo.NewInput, memo.NewQuery); interface guards (var _ = ...); and tables,
// told by this: they are made by a composite literal, and nothing in the module assigns to them or to a part of them,
// takes their address, or empties them. Names are compared without types, so a local variable that is called like a
// table of its package counts as the table; rename it.
func checkState(tr *tree) []string {
	var out []string
	tr.pureSources(func(p *pkg, f *source) {
		if f.generated {
			return
		}
		for _, decl := range f.syntax.Decls {
			d, ok := decl.(*ast.GenDecl)
			if !ok || d.Tok != token.VAR {
				continue
			}
			for _, spec := range d.Specs {
				out = append(out, tr.checkVar(p, f, spec.(*ast.ValueSpec))...)
			}
		}
	})
	return out
}

func (tr *tree) checkVar(p *pkg, f *source, spec *ast.ValueSpec) []string {
	var out []string
	for i, name := range spec.Names {
		if name.Name == "_" {
			continue
		}
		var value ast.Expr
		if i < len(spec.Values) {
			value = spec.Values[i]
		}
		_, literal := value.(*ast.CompositeLit)
		switch {
		case describes(value, tr.importName(f, "internal/memo")):
		case !literal:
			out = append(out, tr.at(name.Pos(), "%s is pure and may not keep %s: only descriptions of inputs and queries, and tables "+
				"that nobody changes, stand at package level", p.path, name.Name))
			continue
		}
		for _, at := range tr.writes(p, name.Name) {
			out = append(out, tr.at(at, "%s of %s is a table of a pure package and may not be changed", name.Name, p.path))
		}
	}
	return out
}

// describes tells whether a value is made by memo.NewInput or memo.NewQuery, perhaps followed by further calls.
func describes(e ast.Expr, memo string) bool {
	for {
		switch x := e.(type) {
		case *ast.CallExpr:
			e = x.Fun
		case *ast.IndexExpr:
			e = x.X
		case *ast.IndexListExpr:
			e = x.X
		case *ast.SelectorExpr:
			if name, ok := qualified(x, memo); ok {
				return name == "NewInput" || name == "NewQuery"
			}
			e = x.X
		default:
			return false
		}
	}
}

// writes finds the places that change a variable of a package, or a part of it.
func (tr *tree) writes(p *pkg, name string) []token.Pos {
	var places []token.Pos
	for _, q := range tr.packages {
		for _, f := range q.files {
			alias := tr.importName(f, p.path)
			if q != p && alias == "" {
				continue
			}
			is := func(e ast.Expr) bool { return refersTo(e, name, q == p, alias) }
			ast.Inspect(f.syntax, func(n ast.Node) bool {
				for _, target := range targets(n) {
					if is(target) {
						places = append(places, target.Pos())
					}
				}
				return true
			})
		}
	}
	return places
}

// targets are the expressions that a node writes to.
func targets(n ast.Node) []ast.Expr {
	switch n := n.(type) {
	case *ast.AssignStmt:
		if n.Tok != token.DEFINE {
			return n.Lhs
		}
	case *ast.IncDecStmt:
		return []ast.Expr{n.X}
	case *ast.UnaryExpr:
		if n.Op == token.AND {
			return []ast.Expr{n.X}
		}
	case *ast.CallExpr:
		if f, ok := n.Fun.(*ast.Ident); ok && len(n.Args) > 0 && (f.Name == "delete" || f.Name == "clear") {
			return n.Args[:1]
		}
	}
	return nil
}

// refersTo tells whether an expression is a variable or a part of it.
func refersTo(e ast.Expr, name string, inside bool, alias string) bool {
	for {
		switch x := e.(type) {
		case *ast.Ident:
			return inside && x.Name == name
		case *ast.SelectorExpr:
			if found, ok := qualified(x, alias); ok {
				return found == name
			}
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.StarExpr:
			e = x.X
		case *ast.ParenExpr:
			e = x.X
		default:
			return false
		}
	}
}
