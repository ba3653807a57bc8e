package arch

import (
	"fmt"
	"go/ast"
	"go/token"
	"slices"
)

// limits are how large things may be.
type limits struct {
	file       int // lines
	function   int // lines
	p90        int // lines of the function that is longer than nine of ten, tests aside
	complexity int // decisions in a function, and one
}

func (l limits) checkFiles(tr *tree) []string {
	var out []string
	for _, p := range tr.packages {
		for _, f := range p.files {
			if !f.generated && f.lines > l.file {
				out = append(out, fmt.Sprintf("%s has %d lines, more than %d: cut it where its subjects part", f.path, f.lines, l.file))
			}
		}
	}
	return out
}

// function is a function with a body: a declaration, or a literal at package level such as the body of a query.
type function struct {
	name  string
	pos   token.Pos
	lines int
	body  *ast.BlockStmt
	test  bool
}

func (tr *tree) functions() []function {
	var all []function
	for _, p := range tr.packages {
		for _, f := range p.files {
			if f.generated {
				continue
			}
			for _, d := range f.syntax.Decls {
				all = append(all, tr.functionsOf(f, d)...)
			}
		}
	}
	return all
}

func (tr *tree) functionsOf(f *source, d ast.Decl) []function {
	lines := func(n ast.Node) int { return tr.fset.Position(n.End()).Line - tr.fset.Position(n.Pos()).Line + 1 }
	if decl, ok := d.(*ast.FuncDecl); ok {
		if decl.Body == nil {
			return nil
		}
		return []function{{decl.Name.Name, decl.Pos(), lines(decl), decl.Body, f.test}}
	}
	var all []function
	name := ""
	ast.Inspect(d, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.ValueSpec:
			name = n.Names[0].Name
		case *ast.FuncLit:
			all = append(all, function{name, n.Pos(), lines(n), n.Body, f.test})
			return false
		}
		return true
	})
	return all
}

func (l limits) checkFunctions(tr *tree) []string {
	var out []string
	var lengths []int
	for _, f := range tr.functions() {
		if f.lines > l.function {
			out = append(out, tr.at(f.pos, "%s has %d lines, more than %d", f.name, f.lines, l.function))
		}
		if !f.test {
			lengths = append(lengths, f.lines)
		}
	}
	if len(lengths) == 0 {
		return out
	}
	slices.Sort(lengths)
	if p90 := lengths[len(lengths)*9/10]; p90 > l.p90 {
		out = append(out, fmt.Sprintf("one function in ten has %d lines or more; %d are enough", p90, l.p90))
	}
	return out
}

func (l limits) checkComplexity(tr *tree) []string {
	var out []string
	for _, f := range tr.functions() {
		if n := complexity(f.body); n > l.complexity {
			out = append(out, tr.at(f.pos, "%s has complexity %d, more than %d", f.name, n, l.complexity))
		}
	}
	return out
}

// complexity is McCabe's: one, and one for each place where the way parts (as gocyclo counts).
func complexity(body *ast.BlockStmt) int {
	n := 1
	ast.Inspect(body, func(node ast.Node) bool {
		switch node := node.(type) {
		case *ast.IfStmt, *ast.ForStmt, *ast.RangeStmt:
			n++
		case *ast.CaseClause:
			if node.List != nil {
				n++
			}
		case *ast.CommClause:
			if node.Comm != nil {
				n++
			}
		case *ast.BinaryExpr:
			if node.Op == token.LAND || node.Op == token.LOR {
				n++
			}
		}
		return true
	})
	return n
}
