package main

import (
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cloverleaf-mesh/cloverleaf/controller/localca"
	"github.com/cloverleaf-mesh/cloverleaf/internal/golden"
)

// TestExplain: given these objects and requests, a line of arguments each, expect these words. The objects of
// testdata/explain/base.yaml come first: a Gateway `edge` with HTTP and HTTPS, Services `cart`, `cart-v2` and `empty`.
func TestExplain(t *testing.T) {
	base, err := os.ReadFile("testdata/explain/base.yaml")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.ReplaceAll(string(base), "$PAIR", pairForTests(t))
	dir, err := filepath.Abs("testdata/explain") // the commands run elsewhere
	if err != nil {
		t.Fatal(err)
	}
	golden.Run(t, dir, func(t *testing.T, c golden.Case) map[string]string {
		t.Helper()
		t.Chdir(t.TempDir())
		for name, content := range map[string]string{"base.yaml": text, "objects.yaml": c.In["objects.yaml"]} {
			if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		var out strings.Builder
		for line := range strings.Lines(c.In["requests"]) {
			stdout, stderr, code := execute(t, "cloverleaf explain "+strings.TrimSpace(line)+" base.yaml objects.yaml")
			fmt.Fprintf(&out, "$ %s%s%sexit %d\n\n", line, stdout, stderr, code)
		}
		return map[string]string{"output": strings.TrimSpace(out.String())}
	})
}

func pairForTests(t *testing.T) string {
	t.Helper()
	ca, err := localca.Open(filepath.Join(t.TempDir(), "ca"))
	if err != nil {
		t.Fatal(err)
	}
	chain, key, err := ca.Leaf([]string{"shop.example.com"}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("{tls.crt: %s, tls.key: %s}", base64.StdEncoding.EncodeToString(chain), base64.StdEncoding.EncodeToString(key))
}
