package threats

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// folder returns the private folder of the gateway's Envoy.
func (g *gate) folder(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", g.up.Envoy()))
	if err != nil {
		t.Fatal(err)
	}
	args := strings.Split(string(text), "\x00")
	i := slices.Index(args, "-c")
	if i < 0 {
		t.Fatalf("Envoy was started with %q", args)
	}
	return filepath.Dir(args[i+1])
}

// admin asks Envoy's admin interface, which only the owner of that folder reaches.
func (g *gate) admin(t *testing.T, path string) string {
	t.Helper()
	socket := filepath.Join(g.folder(t), "admin.sock")
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", socket)
	}}
	defer transport.CloseIdleConnections()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://admin"+path, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %d %v", path, resp.StatusCode, err)
	}
	return string(body)
}
