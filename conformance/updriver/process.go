package updriver

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Patience is how long conditions may take to come true. It is generous: machines that run tests are busy.
const Patience = 60 * time.Second

// Eventually waits until a condition is true.
func Eventually(t testing.TB, what string, condition func() bool) {
	t.Helper()
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for limit := time.After(Patience); !condition(); {
		select {
		case <-look.C:
		case <-limit:
			t.Fatalf("timed out: %s", what)
		}
	}
}

// Problems returns the problems that were reported from a point on.
func (u *Up) Problems(from int) []Event {
	u.mu.Lock()
	defer u.mu.Unlock()
	var problems []Event
	for _, e := range u.events[from:] {
		if e.Event == "problem" {
			problems = append(problems, e)
		}
	}
	return problems
}

// AwaitProblem waits for a problem with a code, from a point on.
func (u *Up) AwaitProblem(t testing.TB, from int, code string) Event {
	t.Helper()
	return u.AwaitFrom(t, from, code, func(e Event) bool { return e.Event == "problem" && e.Problem.Code == code })
}

// Lines returns what was printed on stdout.
func (u *Up) Lines() []string {
	u.mu.Lock()
	defer u.mu.Unlock()
	return slices.Clone(u.lines)
}

// AwaitLog waits until a text was printed on stderr.
func (u *Up) AwaitLog(t testing.TB, text string) {
	t.Helper()
	limit := time.After(Patience)
	for {
		u.mu.Lock()
		found, wake := strings.Contains(u.stderr.String(), text), u.wake
		u.mu.Unlock()
		if found {
			return
		}
		select {
		case <-wake:
		case err := <-u.done:
			u.done <- err
			if !strings.Contains(u.Log(), text) {
				t.Fatalf("ended (%v) before it said %q:\n%s", err, text, u.Log())
			}
			return
		case <-limit:
			t.Fatalf("did not say %q:\n%s", text, u.Log())
		}
	}
}

// Signal sends the process a signal.
func (u *Up) Signal(t testing.TB, s syscall.Signal) {
	t.Helper()
	if err := u.cmd.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}

// Envoy returns the process of the Envoy that `up` runs now; 0 for none.
func (u *Up) Envoy() int {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		pid, name, fields := processStat(path)
		if name == "envoy" && len(fields) > 1 && fields[1] == strconv.Itoa(u.PID()) {
			return pid
		}
	}
	return 0
}

// Runs tells whether a process runs. One that ended and that nobody waited for does not.
func Runs(pid int) bool {
	_, _, fields := processStat(fmt.Sprintf("/proc/%d/stat", pid))
	return len(fields) > 0 && fields[0] != "Z" && fields[0] != "X"
}

// processStat reads "PID (NAME) STATE PPID ...", the fields from the state on; none when there is no such process.
func processStat(path string) (pid int, name string, fields []string) {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, "", nil
	}
	before, rest, _ := strings.Cut(string(text), " (")
	pid, _ = strconv.Atoi(before)
	name, rest, _ = strings.CutLast(rest, ") ") // the name may hold anything
	return pid, name, strings.Fields(rest)
}
