// Package validate asks a real Envoy whether it takes what the translator makes: `envoy --mode validate` on golden
// cases, on random worlds and on routes with odd values. It decides nothing about what the configuration does; that is
// conformance/dataplane's business.
package validate

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	bootstrapv3 "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	"google.golang.org/protobuf/proto"

	"github.com/cloverleaf-mesh/cloverleaf/controller/envoy"
)

// envoyTakes asks Envoy about a configuration; the error is Envoy's words.
func envoyTakes(t *testing.T, b *bootstrapv3.Bootstrap) error {
	t.Helper()
	binary, err := envoy.Find(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	body, err := proto.Marshal(b)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "envoy.pb")
	if err := os.WriteFile(file, body, 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, binary.Path, "--mode", "validate", "-l", "critical", "--log-format", "%v", "-c", file).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w: %s", err, strings.TrimSpace(string(out)))
	}
	return nil
}

// refusal is a thing that Envoy refuses, and its words.
type refusal[T any] struct {
	thing T
	err   error
}

// refused asks Envoy about many things at once and, when it refuses, finds those that it refuses alone.
func refused[T any](t *testing.T, things []T, put func([]T) *bootstrapv3.Bootstrap) []refusal[T] {
	t.Helper()
	err := envoyTakes(t, put(things))
	switch {
	case err == nil:
		return nil
	case len(things) == 1:
		return []refusal[T]{{things[0], err}}
	default:
		half := len(things) / 2
		return append(refused(t, things[:half], put), refused(t, things[half:], put)...)
	}
}

// check asks about worlds in portions of a size that Envoy reads in a few seconds.
func check(t *testing.T, what string, worlds []world) {
	t.Helper()
	const portion = 400
	for from := 0; from < len(worlds); from += portion {
		for _, r := range refused(t, worlds[from:min(from+portion, len(worlds))], static) {
			t.Errorf("%s: %v", r.thing.name, r.err)
		}
	}
	listeners, hosts, clusters := count(worlds)
	fmt.Printf("evidence: Envoy takes %d %s: %d listeners, %d virtual hosts, %d clusters\n", len(worlds), what, listeners, hosts, clusters)
}

func count(worlds []world) (listeners, hosts, clusters int) {
	for i := range worlds {
		listeners += len(worlds[i].listeners)
		clusters += len(worlds[i].clusters)
		for _, list := range worlds[i].hosts {
			hosts += len(list)
		}
	}
	return listeners, hosts, clusters
}
