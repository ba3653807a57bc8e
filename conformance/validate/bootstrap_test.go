package validate

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/cloverleaf-mesh/cloverleaf/controller/envoy"
)

func TestEnvoyTakesItsBootstrap(t *testing.T) {
	binary, err := envoy.Find(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"plain", `a "quoted" folder`, "y"} {
		dir := filepath.Join(t.TempDir(), name)
		file := filepath.Join(dir, "bootstrap.json")
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, envoy.Bootstrap(dir, envoy.HeapLimit()), 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.CommandContext(t.Context(), binary.Path, "--mode", "validate", "-l", "critical", "-c", file).CombinedOutput()
		if err != nil {
			t.Errorf("%s: %v: %s", name, err, out)
		}
	}
}
