package rollout

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// planted are bugs that the field has had, as changes of this package's source. The invariants must catch each: what
// they cannot catch they do not prove.
var planted = []struct {
	bug           string
	file          string
	before, after string
	caught        string // part of what the failure says
}{
	{"a cluster is removed while hosts need it", "next.go", "p.refs[name] > 0 || ", "", "I3"},
	{"hosts on their way do not count as needing a cluster", "next.go", " || p.needed(name))", ")", "I3"},
	{"clusters go before the proxy said which hosts it holds", "next.go", "(p.unsaid() || ", "(", "I3"},
	{"a host whose needs are not known since a reconnect needs nothing", "next.go", "p.unknown > 0 || ", "", "I3"},
	{"a host does not wait until its clusters are warm", "next.go", " || !p.warm(need.Name)", "", "I1"},
	{"a host does not wait for its clusters at all", "next.go", "case waiting[ir.TableOf(name)] || !p.ready(want):", "case waiting[ir.TableOf(name)]:", "I1"},
	{"a whole table does not wait for its clusters", "next.go", "t == ir.TypeRouteTable && !p.ready(want)", "false", "I1"},
	{"a whole table does not count as needing clusters", "proxy.go", "t == ir.TypeRouteTable && p.world.whole", "false", "I3"},
	{"a cluster on its way out counts as held", "next.go", " || p.leaving(need.Name)", "", "I1"},
	{"endpoints do not follow a changed cluster", "next.go", "warms(r) && k.names[r.ID.Name]", "false", "I2"},
	{"a new stream forgets which clusters were warming", "proxy.go", "p.warming[cluster] = 0", "_ = cluster", "I2"},
	{"a warming cluster gets its older endpoints again", "next.go", "if want == nil {", "if h := k.have[name].resource; k.forced[name] && h != nil {\n\t\treturn h, tell\n\t}\n\tif want == nil {", "I4"},
	{"a reconnect sends everything that is asked for by name", "proxy.go", "if !known || t", "if known || t", "I5"},
	{"changes are lost while a message is on its way", "proxy.go", "if k.requested && (", "if k.requested && k.inflight == nil && (", "I6"},
	{"a table that comes later gets no hosts", "proxy.go", "p.open(name)", "_ = name", "I6"},
	{"the first hosts of a table go as they get ready", "next.go", "t != ir.TypeVirtualHost || len(p.fresh) == 0", "true", "first hosts"},
	{"a refusal keeps out everything of its message", "proxy.go", "case len(names) > 1:", "case len(names) > 1:\n\t\tfor _, r := range m.Resources {\n\t\t\tp.world.rejected.Add(r.ID, r.Version)\n\t\t}", "nobody refused it"},
	{"secrets go together, so that a refused one is not found", "next.go", "return t == ir.TypeSecret }", "return false && t == ir.TypeSecret }", ""},
	{"a refused resource is tried again and again", "proxy.go", "p.world.rejected.Add(culprit.ID, culprit.Version)", "k.dirty[culprit.ID.Name] = true", "rest"},
}

func TestPlantedBugsAreCaught(t *testing.T) {
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range planted {
		t.Run(p.bug, func(t *testing.T) {
			source, err := os.ReadFile(p.file)
			if err != nil {
				t.Fatal(err)
			}
			if n := strings.Count(string(source), p.before); n != 1 {
				t.Fatalf("%s has %q %d times: the source has changed, so must the planted bug", p.file, p.before, n)
			}
			mutated := filepath.Join(t.TempDir(), p.file)
			if err := os.WriteFile(mutated, []byte(strings.Replace(string(source), p.before, p.after, 1)), 0o600); err != nil {
				t.Fatal(err)
			}
			output := runInvariants(t, map[string]string{filepath.Join(dir, p.file): mutated})
			if !strings.Contains(output, "--- FAIL: TestInvariants") || !strings.Contains(output, p.caught) {
				t.Errorf("not caught by %s: %.2000s", p.caught, output)
			}
		})
	}
}

// runInvariants runs the invariants with some source files replaced, and returns what they say.
func runInvariants(t *testing.T, replace map[string]string) string {
	t.Helper()
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "overlay.json")
	if err := os.WriteFile(file, overlay, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "go", "test", "-vet=off", "-overlay", file, "-run", "^TestInvariants", ".")
	output, err := cmd.CombinedOutput()
	if err == nil {
		return "all invariants held"
	}
	return string(output)
}
