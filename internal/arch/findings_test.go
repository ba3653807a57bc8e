package arch

import (
	"bytes"
	"go/ast"
	"go/token"
	"path"
	"slices"
	"strconv"
	"strings"
)

const (
	findingPackage = "translator/finding"
	findingsPage   = "docs/reference/findings.md"
)

// code is a constant of type finding.Code.
type code struct {
	name, value string
	pos         token.Pos
}

// checkFindings wants of every code of package finding: that no other has it, an entry in the catalogue, an entry in the
// reference page, a place in the program that gives it, and a test that shows it: the code or the constant's name in a
// test file or in a file of testdata.
func checkFindings(tr *tree) []string {
	var out []string
	seen := map[string]string{}
	entries, givers, proofs := tr.entries(), tr.givers(), tr.proofs()
	for _, c := range tr.codes() {
		complain := func(format string, args ...any) {
			out = append(out, tr.at(c.pos, "%s (%s) "+format, append([]any{c.value, c.name}, args...)...))
		}
		if other, taken := seen[c.value]; taken {
			complain("is the code of %s too", other)
		}
		seen[c.value] = c.name
		if !entries[c.name] {
			complain("has no entry in the catalogue")
		}
		if !bytes.Contains(tr.files[findingsPage], []byte("\n## "+c.value+"\n")) {
			complain("has no entry in %s: run make generate", findingsPage)
		}
		if !givers[c.name] {
			complain("is given by nothing")
		}
		if !proofs[c.value] && !proofs["finding."+c.name] {
			complain("is shown by no test and no golden case")
		}
	}
	return out
}

// codes lists the constants of type Code.
func (tr *tree) codes() []code {
	var list []code
	tr.inFindings(func(n ast.Node) {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || len(spec.Values) != len(spec.Names) {
			return
		}
		if of, ok := spec.Type.(*ast.Ident); !ok || of.Name != "Code" {
			return
		}
		for i, name := range spec.Names {
			if lit, ok := spec.Values[i].(*ast.BasicLit); ok {
				value, _ := strconv.Unquote(lit.Value)
				list = append(list, code{name.Name, value, name.Pos()})
			}
		}
	})
	return list
}

// entries finds the codes that the catalogue describes: Entry literals name them as their Code.
func (tr *tree) entries() map[string]bool {
	found := map[string]bool{}
	tr.inFindings(func(n ast.Node) {
		if kv, ok := n.(*ast.KeyValueExpr); ok {
			key, _ := kv.Key.(*ast.Ident)
			value, _ := kv.Value.(*ast.Ident)
			if key != nil && value != nil && key.Name == "Code" {
				found[value.Name] = true
			}
		}
	})
	return found
}

func (tr *tree) inFindings(visit func(ast.Node)) {
	for _, p := range tr.packages {
		for _, f := range p.files {
			if p.path == findingPackage && !f.test {
				ast.Inspect(f.syntax, func(n ast.Node) bool { visit(n); return true })
			}
		}
	}
}

// givers finds the codes that the program uses outside of their package.
func (tr *tree) givers() map[string]bool {
	found := map[string]bool{}
	for _, p := range tr.packages {
		for _, f := range p.files {
			alias := tr.importName(f, findingPackage)
			if f.test || alias == "" {
				continue
			}
			ast.Inspect(f.syntax, func(n ast.Node) bool {
				if e, ok := n.(ast.Expr); ok {
					if name, ok := qualified(e, alias); ok {
						found[name] = true
					}
				}
				return true
			})
		}
	}
	return found
}

// proofs collects the codes that tests mention, by value or as finding.Name. Planted violations of this package do not
// count.
func (tr *tree) proofs() map[string]bool {
	found := map[string]bool{}
	for name, text := range tr.files {
		if strings.HasPrefix(name, "internal/arch/") {
			continue
		}
		if strings.HasSuffix(name, "_test.go") || slices.Contains(strings.Split(path.Dir(name), "/"), "testdata") {
			for _, word := range strings.FieldsFunc(string(text), func(r rune) bool { return !wordRune(r) }) {
				found[strings.TrimRight(word, ".")] = true
			}
		}
	}
	return found
}

func wordRune(r rune) bool {
	return r == '.' || r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z'
}
