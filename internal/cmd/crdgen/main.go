// Command crdgen copies the Gateway API's CRDs of the experimental channel out of its Go module into config/crd, and
// writes what of all CRDs the binary needs, schemas without descriptions, into config/schema/embedded. `make generate`
// runs it after controller-gen wrote our own CRDs.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"sigs.k8s.io/yaml"
)

// upstream lists the kinds that we read. A new kind is one line.
var upstream = []string{"backendtlspolicies", "gatewayclasses", "gateways", "grpcroutes", "httproutes", "listenersets", "referencegrants"}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "crdgen:", err)
		os.Exit(1)
	}
}

func run() error {
	module, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}} {{.Version}}", "sigs.k8s.io/gateway-api").Output()
	if err != nil {
		return fmt.Errorf("finding sigs.k8s.io/gateway-api: %w", err)
	}
	dir, version, _ := strings.Cut(strings.TrimSpace(string(module)), " ")
	for _, kind := range upstream {
		name := "gateway.networking.k8s.io_" + kind + ".yaml"
		text, err := os.ReadFile(filepath.Join(dir, "config", "crd", "experimental", name))
		if err != nil {
			return err
		}
		header := "# Copied from sigs.k8s.io/gateway-api " + version + " (Apache-2.0), experimental channel, by `make generate`.\n"
		if err := os.WriteFile(filepath.Join("config", "crd", name), append([]byte(header), text...), 0o644); err != nil {
			return err
		}
	}
	files, err := filepath.Glob("config/crd/*.yaml")
	if err != nil {
		return err
	}
	for _, file := range files {
		if err := embed(file); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
	}
	return nil
}

func embed(file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var crd map[string]any
	if err := yaml.Unmarshal(text, &crd); err != nil {
		return err
	}
	strip(crd)
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(map[string]any{"spec": crd["spec"]}); err != nil {
		return err
	}
	name := strings.TrimSuffix(filepath.Base(file), ".yaml") + ".json"
	return os.WriteFile(filepath.Join("config", "schema", "embedded", name), out.Bytes(), 0o644)
}

// strip takes descriptions out of schemas. A property that is called description is an object and stays.
func strip(v any) {
	switch v := v.(type) {
	case map[string]any:
		if _, ok := v["description"].(string); ok {
			delete(v, "description")
		}
		for _, child := range v {
			strip(child)
		}
	case []any:
		for _, child := range v {
			strip(child)
		}
	}
}
