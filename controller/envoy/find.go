// Package envoy runs an Envoy beside this process: it finds the binary, writes its bootstrap, keeps it running and lets
// it drain. It decides nothing about what Envoy is told; that comes by xDS over a Unix socket.
package envoy

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/cloverleaf-mesh/cloverleaf/translator/finding"
	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// Version is the version of Envoy that `make envoy` fetches (tools/envoy.lock).
const Version = "1.40.0"

// oldest is the oldest version without known holes in authorization.
const oldest = "1.39.1"

// Binary is an Envoy that was found.
type Binary struct {
	Path    string
	Version string // as in 1.40.0
	Found   string // where: "ENVOY_PATH", "PATH" or "cache"
}

// Unusable is the error of a search that found nothing, or nothing that is an Envoy.
type Unusable struct{ Finding finding.Finding }

// Error returns the finding's message.
func (e *Unusable) Error() string { return e.Finding.Message }

// Find looks for Envoy: ENVOY_PATH, then PATH, then the caches that `make envoy` fills. A path that ENVOY_PATH names
// and that cannot be run is an error, and nothing else is tried: it was asked for.
func Find(ctx context.Context) (Binary, error) {
	if path := os.Getenv("ENVOY_PATH"); path != "" {
		return probe(ctx, path, "ENVOY_PATH")
	}
	if path, err := exec.LookPath("envoy"); err == nil {
		return probe(ctx, path, "PATH")
	}
	caches := cacheDirs()
	for _, dir := range caches {
		path := filepath.Join(dir, Version, "envoy")
		if _, err := os.Stat(path); err == nil {
			return probe(ctx, path, "cache")
		}
	}
	return Binary{}, &Unusable{finding.New(finding.EnvoyMissing, ir.Ref{}, "", strings.Join(caches, ", "))}
}

// cacheDirs lists the folders that hold a folder per version.
func cacheDirs() []string {
	dirs := []string{filepath.Join(".cache", "envoy")}
	if self, err := os.Executable(); err == nil {
		dirs = append(dirs, filepath.Join(filepath.Dir(filepath.Dir(self)), ".cache", "envoy"))
	}
	if cache, err := os.UserCacheDir(); err == nil {
		dirs = append(dirs, filepath.Join(cache, "cloverleaf", "envoy"))
	}
	return dirs
}

var versionWords = regexp.MustCompile(`/(\d+\.\d+\.\d+)[^/]*/`)

func probe(ctx context.Context, path, found string) (Binary, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, path, "--version").Output()
	if err != nil {
		return Binary{}, unusable(path, found, "does not run: "+said(err))
	}
	m := versionWords.FindSubmatch(out)
	if m == nil {
		return Binary{}, unusable(path, found, fmt.Sprintf("is no Envoy: --version says %q", strings.TrimSpace(string(out))))
	}
	return Binary{Path: path, Version: string(m[1]), Found: found}, nil
}

func unusable(path, found, why string) error {
	return &Unusable{finding.New(finding.EnvoyUnusable, ir.Ref{}, "", path, found, why)}
}

// said words an error of a command, with what the command said on stderr.
func said(err error) string {
	var exit *exec.ExitError
	var path *fs.PathError
	switch {
	case errors.As(err, &exit) && len(exit.Stderr) > 0:
		return err.Error() + ": " + strings.TrimSpace(string(exit.Stderr))
	case errors.As(err, &path):
		return path.Err.Error()
	default:
		return err.Error()
	}
}

// Warning returns a finding when the version has known holes.
func (b Binary) Warning() (finding.Finding, bool) {
	if older(b.Version, oldest) {
		return finding.New(finding.EnvoyOld, ir.Ref{}, "", b.Version, oldest), true
	}
	return finding.Finding{}, false
}

func older(a, b string) bool {
	x, y := strings.Split(a, "."), strings.Split(b, ".")
	for i := range min(len(x), len(y)) {
		m, _ := strconv.Atoi(x[i])
		n, _ := strconv.Atoi(y[i])
		if m != n {
			return m < n
		}
	}
	return len(x) < len(y)
}
