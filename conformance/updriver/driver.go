// Package updriver runs `cloverleaf up` for tests: the real binary, with a real Envoy, on a folder of the test's.
package updriver

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Build builds the binary once for a test process and returns its path. Call it from TestMain with a folder that lives
// as long as the tests.
func Build(dir string) (string, error) {
	if os.Getenv("ENVOY_PATH") == "" {
		return "", fmt.Errorf("ENVOY_PATH is not set: these tests need a real Envoy; run them by `make test` or `make dataplane`")
	}
	path := filepath.Join(dir, "cloverleaf")
	const command = "github.com/cloverleaf-mesh/cloverleaf/cmd/cloverleaf"
	out, err := exec.Command("go", "build", "-o", path, command).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("building cloverleaf: %w\n%s", err, out)
	}
	const format = `{{if and .Module .Module.Main}}{{range .GoFiles}}{{$.Dir}}/{{.}}{{"\n"}}{{end}}{{range .EmbedFiles}}{{$.Dir}}/{{.}}{{"\n"}}{{end}}{{end}}`
	list, err := exec.Command("go", "list", "-deps", "-f", format, command).Output()
	if err != nil {
		return "", fmt.Errorf("listing the sources of cloverleaf: %w", err)
	}
	sources = strings.Fields(string(list))
	return path, nil
}

var sources []string // of the binary

// lookAtSources lets `go test` run a test again when the sources of the binary change: it remembers results for as long
// as the files that a test looked at stay as they were, and knows nothing of what a test builds.
var lookAtSources = sync.OnceFunc(func() {
	for _, file := range sources {
		_, _ = os.Stat(file)
	}
})

// Event is a line of `cloverleaf up -o json`.
type Event struct {
	Event   string    `json:"event"`
	Time    time.Time `json:"time"`
	Step    string    `json:"step"`
	Text    string    `json:"text"`
	Files   []string  `json:"files"`
	Millis  int64     `json:"milliseconds"`
	Command []string  `json:"commands"`
	Problem struct {
		Code, Level, Object, Field, File, Message string
		Line, Column                              int
	} `json:"problem"`
}

// Up is a running `cloverleaf up`.
type Up struct {
	Dir string // the folder that it serves
	cmd *exec.Cmd

	mu     sync.Mutex
	events []Event
	lines  []string // of stdout, as they came
	wake   chan struct{}
	stderr strings.Builder
	done   chan error
}

// Start runs `up` on a folder with further arguments and waits until it watches. It ends with the test.
func Start(t testing.TB, binary, dir string, args ...string) *Up {
	t.Helper()
	u := Launch(t, binary, dir, args...)
	u.Await(t, "watching", func(e Event) bool { return e.Event == "watching" })
	return u
}

// Launch is Start without waiting.
func Launch(t testing.TB, binary, dir string, args ...string) *Up {
	t.Helper()
	u := Command(t, nil, binary, append([]string{"up", dir, "-o", "json"}, args...)...)
	u.Dir = dir
	return u
}

// Command runs the binary with any arguments, and with additions to the environment ("NAME=value", "NAME=" for none). It
// ends with the test.
func Command(t testing.TB, env []string, binary string, args ...string) *Up {
	t.Helper()
	lookAtSources()
	u := &Up{wake: make(chan struct{}), done: make(chan error, 1)}
	u.cmd = exec.Command(binary, args...)
	u.cmd.Env = append(os.Environ(), env...)
	u.cmd.Stderr = writer{u}
	out, err := u.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := u.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	read := make(chan struct{})
	go func() {
		defer close(read)
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			u.add(lines.Text())
		}
	}()
	go func() {
		<-read
		u.done <- u.cmd.Wait()
	}()
	t.Cleanup(func() { u.Stop(t) })
	return u
}

type writer struct{ u *Up }

func (w writer) Write(b []byte) (int, error) {
	w.u.mu.Lock()
	defer w.u.mu.Unlock()
	w.u.woken()
	return w.u.stderr.Write(b)
}

// woken lets everybody who waits look again.
func (u *Up) woken() {
	close(u.wake)
	u.wake = make(chan struct{})
}

// add takes in a line of stdout.
func (u *Up) add(line string) {
	var e Event
	isEvent := json.Unmarshal([]byte(line), &e) == nil
	u.mu.Lock()
	defer u.mu.Unlock()
	u.lines = append(u.lines, line)
	if isEvent {
		u.events = append(u.events, e)
	}
	u.woken()
}

// PID returns the process.
func (u *Up) PID() int { return u.cmd.Process.Pid }

// Seen returns the number of events so far, as a point to wait from.
func (u *Up) Seen() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return len(u.events)
}

// Await waits for an event among all.
func (u *Up) Await(t testing.TB, what string, f func(Event) bool) Event {
	t.Helper()
	return u.AwaitFrom(t, 0, what, f)
}

// AwaitFrom waits for an event from a point on.
func (u *Up) AwaitFrom(t testing.TB, from int, what string, f func(Event) bool) Event {
	t.Helper()
	limit := time.After(60 * time.Second)
	for {
		u.mu.Lock()
		events, wake := u.events, u.wake
		u.mu.Unlock()
		for _, e := range events[from:] {
			if f(e) {
				return e
			}
		}
		select {
		case <-wake:
		case err := <-u.done:
			u.done <- err
			t.Fatalf("up ended (%v) before: %s\n%s", err, what, u.Log())
		case <-limit:
			t.Fatalf("timed out: %s\nevents: %+v\n%s", what, events[from:], u.Log())
		}
	}
}

// Problem finds an event from a point on that reports a problem whose code begins so.
func (u *Up) Problem(from int, code string) (Event, bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, e := range u.events[from:] {
		if e.Event == "problem" && strings.HasPrefix(e.Problem.Code, code) {
			return e, true
		}
	}
	return Event{}, false
}

// Log returns what was printed on stderr.
func (u *Up) Log() string {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.stderr.String()
}

// Write replaces a file by renaming, and waits until that is live or known to change nothing.
func (u *Up) Write(t testing.TB, name, text string) {
	t.Helper()
	from := u.Seen()
	Put(t, u.Dir, name, text)
	u.AwaitFile(t, from, name)
}

// AwaitFile waits until what happened to a file is live or known to change nothing, from a point on.
func (u *Up) AwaitFile(t testing.TB, from int, name string) {
	t.Helper()
	path := filepath.Join(u.Dir, name)
	u.AwaitFrom(t, from, name+" live", func(e Event) bool {
		return (e.Event == "live" || e.Event == "read") && slices.Contains(e.Files, path)
	})
}

// Put writes a file of a folder by renaming.
func Put(t testing.TB, dir, name, text string) {
	t.Helper()
	tmp := filepath.Join(dir, "."+name+".tmp")
	if err := os.WriteFile(tmp, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(tmp, filepath.Join(dir, name)); err != nil {
		t.Fatal(err)
	}
}

// Stop ends `up` as ^C does and waits for it; its exit code is returned.
func (u *Up) Stop(t testing.TB) int {
	t.Helper()
	_ = u.cmd.Process.Signal(syscall.SIGTERM)
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	select {
	case err := <-u.done:
		u.done <- err
		return u.cmd.ProcessState.ExitCode()
	case <-ctx.Done():
		_ = u.cmd.Process.Kill()
		t.Errorf("up did not end within 30 s of SIGTERM\n%s", u.Log())
		return -1
	}
}

// Wait waits until `up` ends by itself, and returns its exit code.
func (u *Up) Wait(t testing.TB) int {
	t.Helper()
	select {
	case err := <-u.done:
		u.done <- err
		return u.cmd.ProcessState.ExitCode()
	case <-time.After(60 * time.Second):
		t.Fatalf("up did not end\n%s", u.Log())
		return -1
	}
}
