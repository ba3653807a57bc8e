package arch

import (
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/cloverleaf-mesh/cloverleaf/internal/golden"
)

// rule is one rule of the repository.
type rule struct {
	name  string
	check func(*tree) []string // violations
}

// rules lists the rules. Sizes are a parameter so that a planted function need not be long.
func rules(l limits) []rule {
	return []rule{
		{"imports", checkImports},
		{"confined libraries", checkConfined},
		{"pure imports", checkPureImports},
		{"no clock", checkClock},
		{"no package state", checkState},
		{"package documentation", checkDocs},
		{"unique names", checkBaseNames},
		{"resource names", checkResourceNames},
		{"file size", l.checkFiles},
		{"function size", l.checkFunctions},
		{"complexity", l.checkComplexity},
		{"findings", checkFindings},
		{"no replace", checkReplace},
		{"links", checkLinks},
	}
}

func TestTheRepositoryKeepsItsRules(t *testing.T) {
	tr := load(t, os.DirFS("../.."))
	if len(tr.packages) < 20 {
		t.Fatalf("only %d packages were found: this is not the repository", len(tr.packages))
	}
	for _, r := range rules(limits{file: 500, function: 80, p90: 35, complexity: 15}) {
		t.Run(r.name, func(t *testing.T) {
			for _, violation := range r.check(tr) {
				t.Error(violation)
			}
		})
	}
}

// TestEveryRuleCanFail: given a module with planted violations, the rule that a case names finds exactly those.
func TestEveryRuleCanFail(t *testing.T) {
	all := rules(limits{file: 30, function: 12, p90: 8, complexity: 3})
	failed := map[string]bool{}
	golden.Run(t, "testdata", func(t *testing.T, c golden.Case) map[string]string {
		name := strings.TrimSpace(c.In["rule"])
		i := slices.IndexFunc(all, func(r rule) bool { return r.name == name })
		if i < 0 {
			t.Fatalf("there is no rule %q", name)
		}
		planted := fstest.MapFS{"go.mod": &fstest.MapFile{Data: []byte("module example.test/m\n")}}
		for file, text := range c.In {
			if file != "rule" && file != "violations" {
				planted[file] = &fstest.MapFile{Data: []byte(text)}
			}
		}
		violations := all[i].check(load(t, planted))
		failed[name] = failed[name] || len(violations) > 0
		return map[string]string{"violations": strings.Join(violations, "\n")}
	})
	for _, r := range all {
		if !failed[r.name] {
			t.Errorf("no case in testdata proves that rule %q can fail", r.name)
		}
	}
}
