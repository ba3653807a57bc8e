package standalone

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cloverleaf-mesh/cloverleaf/conformance/updriver"
)

// requestLines are the lines of an access log among others, as paths.
func requestLines(lines []string) (paths []string) {
	for _, line := range lines {
		var l struct {
			Path    *string
			Objects any
		}
		if json.Unmarshal([]byte(line), &l) == nil && l.Path != nil {
			paths = append(paths, *l.Path)
		}
	}
	return paths
}

func served24850(t *testing.T) string {
	t.Helper()
	return folder(t, class, gateway(plain("http", 24850)), service("s", backend(t, "s")), route("r", "a.example", "s"))
}

// TestTheAccessLogIsWhatStandardOutputHas: what up says itself is elsewhere.
func TestTheAccessLogIsWhatStandardOutputHas(t *testing.T) {
	for _, flags := range [][]string{nil, {"--access-log", "-"}} {
		u := updriver.Command(t, nil, binary, append([]string{"up", served24850(t)}, flags...)...)
		u.AwaitLog(t, "watching ")
		want(t, get(t, 24850, "a.example", "/x"), "200 s")
		updriver.Eventually(t, "the line of the request", func() bool { return len(requestLines(u.Lines())) == 1 })
		u.Stop(t)
		if lines := u.Lines(); len(lines) != 1 || strings.Contains(u.Log(), `"path"`) {
			t.Errorf("standard output has %q and standard error %s", lines, u.Log())
		}
	}
}

func TestEventsAndTheAccessLogDoNotMix(t *testing.T) {
	file := filepath.Join(t.TempDir(), "access.log")
	u := updriver.Start(t, binary, served24850(t), "--access-log", file)
	want(t, get(t, 24850, "a.example", "/x"), "200 s")
	updriver.Eventually(t, "the line of the request", func() bool {
		text, err := os.ReadFile(file)
		return err == nil && len(requestLines(strings.Split(string(text), "\n"))) == 1
	})
	u.Stop(t)
	if got := requestLines(u.Lines()); len(got) > 0 {
		t.Errorf("events have %q among them", got)
	}
	u = updriver.Start(t, binary, served24850(t)) // with -o json
	want(t, get(t, 24850, "a.example", "/x"), "200 s")
	u.Stop(t)
	if got := requestLines(u.Lines()); len(got) > 0 {
		t.Errorf("events have %q among them", got)
	}
	u = updriver.Command(t, nil, binary, "up", served24850(t), "-o", "json", "--access-log", "-")
	if code := u.Wait(t); code != 2 || !strings.Contains(u.Log(), "both need standard output") {
		t.Errorf("exit code %d: %s", code, u.Log())
	}
	u = updriver.Command(t, nil, binary, "up", served24850(t), "--access-log", filepath.Join(t.TempDir(), "no", "folder"))
	if code := u.Wait(t); code != 4 || !strings.Contains(u.Log(), "--access-log: open ") {
		t.Errorf("exit code %d: %s", code, u.Log())
	}
	u = updriver.Command(t, nil, binary, "up", served24850(t), "--access-log", "none")
	u.AwaitLog(t, "watching ")
	want(t, get(t, 24850, "a.example", "/x"), "200 s")
	u.Stop(t)
	if lines := u.Lines(); len(lines) > 0 {
		t.Errorf("standard output has %q", lines)
	}
}
