package arch

import (
	"fmt"
	"go/ast"
	"go/token"
	"path"
	"slices"
	"strconv"
	"strings"
)

// checkDocs wants a comment at the package clause of every package that says what it decides.
func checkDocs(tr *tree) []string {
	var out []string
	for _, p := range tr.packages {
		documented := slices.ContainsFunc(p.files, func(f *source) bool {
			return f.syntax.Doc != nil && (strings.HasPrefix(f.syntax.Doc.Text(), "Package "+p.name+" ") ||
				p.name == "main" && strings.HasPrefix(f.syntax.Doc.Text(), "Command "))
		})
		if !documented {
			begins := "Package " + p.name
			if p.name == "main" {
				begins = "Command " + path.Base(p.path)
			}
			out = append(out, fmt.Sprintf("%s: no comment \"%s ...\" says what it decides and what not", p.path, begins))
		}
	}
	return out
}

// checkBaseNames wants the names of packages to be unique, so that no import needs another name.
func checkBaseNames(tr *tree) []string {
	var out []string
	first := map[string]string{}
	for _, p := range tr.packages {
		if !p.importable() {
			continue
		}
		if other, taken := first[p.name]; taken {
			out = append(out, fmt.Sprintf("%s: package %s has the name of %s: imports of both would need aliases", p.path, p.name, other))
		}
		first[p.name] = p.path
	}
	return out
}

// namesFile is where names of Envoy resources are made, and taken apart.
const namesFile = "translator/ir/names.go"

// checkResourceNames finds names of Envoy resources that are put together elsewhere. It is told by two signs: a string
// that begins as our names do ("gw/", "Backend/"), and a conversion to a name's type of something that is put together
// on the spot. Tests spell names out on purpose.
func checkResourceNames(tr *tree) []string {
	var out []string
	types := nameTypes(tr)
	for _, p := range tr.packages {
		for _, f := range p.files {
			if f.test || f.path == namesFile {
				continue
			}
			vocabulary := tr.importName(f, "translator/ir")
			ast.Inspect(f.syntax, func(n ast.Node) bool {
				if named := nameInText(n); named != "" {
					out = append(out, tr.at(n.Pos(), "%s spells out a resource name: names are made and read in %s alone", named, namesFile))
				}
				if c, ok := n.(*ast.CallExpr); ok && len(c.Args) == 1 && composed(c.Args[0]) {
					if name, ok := qualified(c.Fun, vocabulary); ok && slices.Contains(types, name) {
						out = append(out, tr.at(n.Pos(), "ir.%s is put together here: names are made in %s alone", name, namesFile))
					}
				}
				return true
			})
		}
	}
	return out
}

// nameTypes lists the types of names: those of names.go that are strings and are called so.
func nameTypes(tr *tree) []string {
	var types []string
	for _, p := range tr.packages {
		for _, f := range p.files {
			if f.path != namesFile {
				continue
			}
			ast.Inspect(f.syntax, func(n ast.Node) bool {
				if s, ok := n.(*ast.TypeSpec); ok {
					if of, ok := s.Type.(*ast.Ident); ok && of.Name == "string" && strings.HasSuffix(s.Name.Name, "Name") {
						types = append(types, s.Name.Name)
					}
				}
				return true
			})
		}
	}
	return types
}

func nameInText(n ast.Node) string {
	lit, ok := n.(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING {
		return ""
	}
	text, err := strconv.Unquote(lit.Value)
	if err == nil && (strings.HasPrefix(text, "gw/") || strings.HasPrefix(text, "Backend/")) {
		return lit.Value
	}
	return ""
}

// composed tells whether an expression puts text together.
func composed(e ast.Expr) bool {
	found := false
	ast.Inspect(e, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.BinaryExpr:
			found = found || n.Op == token.ADD
		case *ast.CallExpr:
			if name, ok := qualified(n.Fun, "fmt"); ok && strings.HasPrefix(name, "Sprint") {
				found = true
			}
			if name, ok := qualified(n.Fun, "strings"); ok && name == "Join" {
				found = true
			}
		}
		return true
	})
	return found
}
