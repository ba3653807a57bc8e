package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"

	"github.com/cloverleaf-mesh/cloverleaf/internal/cli"
	"github.com/cloverleaf-mesh/cloverleaf/internal/golden"
)

// TestCommands: given these files and command lines, expect this on stdout, this on stderr and this exit code. Sections
// with a dot in their name are files, and `run` has a command line on each line.
func TestCommands(t *testing.T) {
	golden.Run(t, "testdata", func(t *testing.T, c golden.Case) map[string]string {
		t.Helper()
		t.Chdir(t.TempDir())
		for name, text := range c.In {
			if strings.Contains(name, ".") {
				write(t, name, text)
			}
		}
		var out strings.Builder
		for line := range strings.Lines(c.In["run"]) {
			out.WriteString(transcript(t, strings.TrimSpace(line)))
		}
		return map[string]string{"out": out.String()}
	})
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, []byte(text), 0o644)); err != nil {
		t.Fatal(err)
	}
}

// execute runs a command line in this process.
func execute(t *testing.T, line string) (stdout, stderr string, code int) {
	t.Helper()
	words := shellWords(line)
	if len(words) == 0 || words[0] != "cloverleaf" {
		t.Fatalf("no command line of ours: %q", line)
	}
	var out, errs bytes.Buffer
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // a command that serves ends at once
	code = run(ctx, words[1:], &out, &errs)
	return out.String(), errs.String(), code
}

// shellWords cuts a line as a shell would; single quotes hold words together.
func shellWords(line string) []string {
	var words []string
	for i, part := range strings.Split(line, "'") {
		if i%2 == 1 {
			words = append(words, part)
		} else {
			words = append(words, strings.Fields(part)...)
		}
	}
	return words
}

// transcript is what a user sees: lines of stderr are marked with "!".
func transcript(t *testing.T, line string) string {
	t.Helper()
	stdout, stderr, code := execute(t, line)
	text := "$ " + line + "\n" + stdout
	for l := range strings.Lines(stderr) {
		text += "! " + l
	}
	return strings.ReplaceAll(text, runtime.Version(), "GO") + fmt.Sprintf("exit %d\n", code)
}

// commands are all that there are, the root included.
func commands() []*cobra.Command {
	root := newRoot()
	root.InitDefaultHelpCmd()
	return append([]*cobra.Command{root}, root.Commands()...)
}

// TestTranslatingOneGatewayPrintsWhatItNeeds, and nothing of its neighbour: as resources of Envoy and before they are.
func TestTranslatingOneGatewayPrintsWhatItNeeds(t *testing.T) {
	t.Chdir(t.TempDir())
	text := "apiVersion: gateway.networking.k8s.io/v1\nkind: GatewayClass\nmetadata: {name: c}\nspec: {controllerName: cloverleaf.dev/gateway}\n"
	for i, name := range []string{"one", "two"} {
		text += fmt.Sprintf(`---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: %[1]s}
spec: {gatewayClassName: c, listeners: [{name: http, port: %[2]d, protocol: HTTP}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: %[1]s}
spec: {parentRefs: [{name: %[1]s}], hostnames: [%[1]s.example], rules: [{backendRefs: [{name: %[1]s, port: 80}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: %[1]s}
spec: {ports: [{port: 80}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: %[1]s, labels: {kubernetes.io/service-name: %[1]s}}
addressType: IPv4
ports: [{port: 80}]
endpoints: [{addresses: [10.0.0.%[2]d]}]
`, name, 80+i)
	}
	write(t, "all.yaml", text)
	want := []string{
		"cluster.v3.Cluster default/one/80", "endpoint.v3.ClusterLoadAssignment default/one/80",
		"listener.v3.Listener gw/default/one/80", "route.v3.RouteConfiguration gw/default/one/http-80",
		"route.v3.VirtualHost gw/default/one/http-80/*", "route.v3.VirtualHost gw/default/one/http-80/one.example",
	}
	out, stderr, code := execute(t, "cloverleaf translate . -o xds --format json --gateway default/one")
	var xds struct{ Items []struct{ Type, Name string } }
	if err := json.Unmarshal([]byte(out), &xds); err != nil || code != cli.ExitFine {
		t.Fatalf("exit %d, %s, %v", code, stderr, err)
	}
	var got []string
	for _, r := range xds.Items {
		got = append(got, strings.TrimPrefix(r.Type, "type.googleapis.com/envoy.config.")+" "+r.Name)
	}
	slices.Sort(got)
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("resources (-want +got):\n%s", d)
	}
	for _, format := range []string{"xds", "ir"} {
		whole, _, _ := execute(t, "cloverleaf translate . -o "+format)
		part, _, _ := execute(t, "cloverleaf translate . --gateway default/one -o "+format)
		for _, name := range []string{"gw/default/two/81", "two.example", "default/two/80", "10.0.0.81"} {
			if !strings.Contains(whole, name) || strings.Contains(part, name) {
				t.Errorf("-o %s: %s is in all: %v, in what the other Gateway needs: %v", format, name, strings.Contains(whole, name), strings.Contains(part, name))
			}
		}
		for _, name := range []string{"gw/default/one/80", "one.example", "default/one/80", "10.0.0.80"} {
			if !strings.Contains(part, name) {
				t.Errorf("-o %s: %s is missing", format, name)
			}
		}
	}
}

// TestEveryExampleOfTheHelpRuns: at least two for each command. Of those that serve, it is seen that they start.
func TestEveryExampleOfTheHelpRuns(t *testing.T) {
	quickstart, err := filepath.Abs("../../examples/quickstart")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	if err := errors.Join(os.CopyFS("gateway", os.DirFS(quickstart)), os.CopyFS("examples/quickstart", os.DirFS(quickstart))); err != nil {
		t.Fatal(err)
	}
	port := regexp.MustCompile(`127\.0\.0\.1:\d+`)
	for _, c := range commands() {
		lines := slices.Collect(strings.Lines(c.Example))
		if len(lines) < 2 {
			t.Errorf("%s has %d examples", c.CommandPath(), len(lines))
		}
		for _, line := range lines {
			line = strings.TrimSpace(line)
			if strings.HasPrefix(line, "cloverleaf up") {
				continue // needs Envoy: conformance has its tests
			}
			t.Run(line, func(t *testing.T) {
				_, stderr, code := execute(t, port.ReplaceAllString(line, "127.0.0.1:0"))
				if code != cli.ExitFine {
					t.Errorf("exit %d: %s", code, stderr)
				}
			})
		}
	}
}

// TestTheHelpOfEveryCommandSaysWhatItIs: it is on stdout, and the same by both ways of asking.
func TestTheHelpOfEveryCommandSaysWhatItIs(t *testing.T) {
	for _, c := range commands() {
		help, stderr, code := execute(t, c.CommandPath()+" --help")
		if code != cli.ExitFine || stderr != "" || !strings.Contains(help, c.Short) && !strings.Contains(help, c.Long) || !strings.Contains(help, "Examples:") {
			t.Errorf("%s --help: exit %d, %s%s", c.CommandPath(), code, help, stderr)
		}
		asked := strings.Replace(c.CommandPath(), "cloverleaf", "cloverleaf help", 1)
		if other, _, _ := execute(t, asked); other != help {
			t.Errorf("%q and %q say different things", c.CommandPath()+" --help", asked)
		}
	}
}

// TestColoursAreForTerminals, unless they are wished for; and a mark is always there.
func TestColoursAreForTerminals(t *testing.T) {
	t.Chdir(t.TempDir())
	write(t, "a.yaml", "kind: [\n")
	for line, want := range map[string]struct{ escapes, mark string }{
		"cloverleaf check .":                {"", "× a.yaml:1:1: CL0101"},
		"cloverleaf check . --color never":  {"", "× a.yaml:1:1: CL0101"},
		"cloverleaf check . --color always": {"\x1b[31m", "×"},
		"cloverleaf check . --ascii":        {"", "FAIL a.yaml:1:1: CL0101"},
	} {
		out, _, code := execute(t, line)
		if code != cli.ExitInput || strings.Contains(out, "\x1b") != (want.escapes != "") || !strings.Contains(out, want.escapes) || !strings.Contains(out, want.mark) {
			t.Errorf("%s: exit %d, %q", line, code, out)
		}
	}
}

// full is a stream that takes nothing, as a file on a full disk does.
type full struct{}

func (full) Write([]byte) (int, error) {
	return 0, &os.PathError{Op: "write", Path: "out", Err: syscall.ENOSPC}
}

// TestOutputThatCannotBeWrittenIsAnError: a report that nobody gets is not a good one.
func TestOutputThatCannotBeWrittenIsAnError(t *testing.T) {
	t.Chdir(t.TempDir())
	write(t, "a.yaml", "apiVersion: v1\nkind: Services\nmetadata: {name: a}\n")
	for _, line := range []string{"check .", "check . -o json", "translate .", "version", "version -o json", "help codes", "help exit-codes", "help CL0101"} {
		var stderr bytes.Buffer
		code := run(t.Context(), strings.Fields(line), full{}, &stderr)
		if code != cli.ExitReach || !strings.Contains(stderr.String(), "no space left on device") {
			t.Errorf("%s: exit %d, %s", line, code, &stderr)
		}
	}
}

// broken is a stream whose writer is a bug.
type broken struct{}

func (broken) Write([]byte) (int, error) { panic("a planted bug") }

// TestABugIsCalledOne: it ends with the code for internal errors and asks for a report, whether it panics or not.
func TestABugIsCalledOne(t *testing.T) {
	var stderr bytes.Buffer
	if code := run(t.Context(), []string{"version"}, broken{}, &stderr); code != cli.ExitInternal || !strings.Contains(stderr.String(), "please report it: a planted bug") {
		t.Errorf("exit %d, %s", code, &stderr)
	}
	c := &cobra.Command{RunE: func(*cobra.Command, []string) error { return io.ErrUnexpectedEOF }}
	coded(c)
	var known *cli.Error
	if err := c.RunE(c, nil); !errors.As(err, &known) || known.Code != cli.ExitInternal || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("an error that nobody knows is %v", err)
	}
}

// TestWhatNeedsEnvoySaysSo: there is none where it is told to look.
func TestWhatNeedsEnvoySaysSo(t *testing.T) {
	t.Setenv("ENVOY_PATH", "")
	t.Chdir(t.TempDir())
	_, stderr, code := execute(t, "cloverleaf up . --envoy ./no-envoy")
	if code != cli.ExitReach || !strings.Contains(stderr, "no-envoy") {
		t.Errorf("exit %d, %s", code, stderr)
	}
}

// TestTheQuickStartIsFine: the example that everybody begins with has nothing to complain about.
func TestTheQuickStartIsFine(t *testing.T) {
	stdout, stderr, code := execute(t, "cloverleaf check ../../examples/quickstart --fail-on info")
	if code != cli.ExitFine || stdout != "" || stderr != "10 objects, 0 errors, 0 warnings\n" {
		t.Errorf("exit %d, %s%s", code, stdout, stderr)
	}
}

// TestCheckingAThousandManifests prints what it costs: a trend, not a gate.
func TestCheckingAThousandManifests(t *testing.T) {
	const n = 1000
	base, err := os.ReadFile("../../examples/quickstart/gateway.yaml")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	write(t, "gateway/gateway.yaml", string(base))
	for i := range n {
		write(t, fmt.Sprintf("gateway/%d.yaml", i), fmt.Sprintf(`apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: r%[1]d, namespace: default}
spec:
  parentRefs: [{name: edge}]
  hostnames: [r%[1]d.example]
  rules:
  - matches: [{path: {type: PathPrefix, value: /a}}]
    backendRefs: [{name: s%[1]d, port: 80}]
---
apiVersion: v1
kind: Service
metadata: {name: s%[1]d, namespace: default}
spec: {ports: [{port: 80}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: s%[1]d, namespace: default, labels: {kubernetes.io/service-name: s%[1]d}}
addressType: IPv4
ports: [{port: 80}]
endpoints: [{addresses: [10.0.0.1]}]
`, i))
	}
	var before, after syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &before)
	start := time.Now()
	stdout, stderr, code := execute(t, "cloverleaf check gateway")
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &after)
	if code != cli.ExitFine || !strings.HasPrefix(stderr, fmt.Sprintf("%d objects, 0 errors, 0 warnings", 3*n+2)) {
		t.Fatalf("exit %d, %s%.1000s", code, stderr, stdout)
	}
	spent := time.Duration(after.Utime.Nano() + after.Stime.Nano() - before.Utime.Nano() - before.Stime.Nano())
	fmt.Printf("evidence: check of %d files with %d objects: %.1f s of CPU (%.1f s)\n", n+1, 3*n+2, spent.Seconds(), time.Since(start).Seconds())
}
