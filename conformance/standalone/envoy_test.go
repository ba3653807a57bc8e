package standalone

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cloverleaf-mesh/cloverleaf/conformance/updriver"
)

// script writes an executable shell script and returns its path.
func script(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.WriteFile(path+".new", []byte("#!/bin/sh\n"+text), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
	return path
}

// ends runs `up -o json` until it ends by itself, and returns its exit code and the problem that it reported.
func ends(t *testing.T, env ...string) (int, updriver.Event, string) {
	t.Helper()
	u := updriver.Command(t, env, binary, "up", folder(t, class), "-o", "json")
	code := u.Wait(t)
	problems := u.Problems(0)
	if len(problems) != 1 {
		t.Fatalf("exit code %d, problems %+v\n%s", code, problems, u.Log())
	}
	return code, problems[0], u.Log()
}

func TestWithoutEnvoyItIsSaidWhereItWasLookedForAndWhatToDo(t *testing.T) {
	cache := t.TempDir()
	code, e, log := ends(t, "ENVOY_PATH=", "PATH="+t.TempDir(), "XDG_CACHE_HOME="+cache)
	p := e.Problem
	if code != 4 || p.Code != "CL0601" || p.Level != "error" {
		t.Errorf("exit code %d: %+v", code, p)
	}
	for _, words := range []string{"there is no Envoy", "ENVOY_PATH, PATH", filepath.Join(cache, "cloverleaf", "envoy"), "run `make envoy` or set ENVOY_PATH"} {
		if !strings.Contains(p.Message, words) {
			t.Errorf("%q is not in: %s", words, p.Message)
		}
	}
	if log != "" {
		t.Errorf("also said: %s", log)
	}
}

func TestAnEnvoyPathThatIsNoEnvoyIsNamed(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct{ path, words string }{
		{filepath.Join(dir, "nothing"), "no such file or directory"},
		{script(t, filepath.Join(dir, "other"), "echo hello\n"), `is no Envoy: --version says "hello"`},
		{script(t, filepath.Join(dir, "fails"), "echo cannot >&2; exit 7\n"), "exit status 7: cannot"},
		{dir, "permission denied"},
	} {
		code, e, _ := ends(t, "ENVOY_PATH="+c.path)
		p := e.Problem
		if code != 4 || p.Code != "CL0605" || !strings.Contains(p.Message, c.path+" (from ENVOY_PATH)") || !strings.Contains(p.Message, c.words) {
			t.Errorf("%s: exit code %d: %+v", c.path, code, p)
		}
	}
}

const version = `case "$1" in --version) echo "envoy  version: 0/1.40.0/Clean/RELEASE/BoringSSL"; exit;; esac` + "\n"

func TestAnEnvoyThatExitsAtOnceIsNamedWithItsLastWordsAndTriedAgain(t *testing.T) {
	path := script(t, filepath.Join(t.TempDir(), "envoy"), version+"echo a first line >&2; echo the last words >&2; exit 3\n")
	dir := folder(t, class, gateway(plain("http", 24400)), service("s", backend(t, "s")), route("r", "a.example", "s"))
	u := updriver.Command(t, []string{"ENVOY_PATH=" + path}, binary, "up", dir, "-o", "json")
	p := u.AwaitProblem(t, 0, "CL0602").Problem
	if p.Level != "error" || !strings.Contains(p.Message, "(exit status 3)") || !strings.Contains(p.Message, "the last words") {
		t.Errorf("reported: %+v", p)
	}
	script(t, path, version+`exec "`+os.Getenv("ENVOY_PATH")+`" "$@"`+"\n") // mended meanwhile
	u.Await(t, "watching", func(e updriver.Event) bool { return e.Event == "watching" })
	want(t, get(t, 24400, "a.example", "/"), "200 s")
	if code := u.Stop(t); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

func TestUpEndsWhileEnvoyDoesNotRun(t *testing.T) {
	path := script(t, filepath.Join(t.TempDir(), "envoy"), version+"exit 1\n")
	u := updriver.Command(t, []string{"ENVOY_PATH=" + path}, binary, "up", folder(t, class), "-o", "json")
	u.AwaitProblem(t, 0, "CL0602")
	if code := u.Stop(t); code != 0 {
		t.Errorf("exit code %d\n%s", code, u.Log())
	}
}

func TestAnOldEnvoyIsWarnedOf(t *testing.T) {
	old := strings.Replace(version, "1.40.0", "1.38.3", 1)
	path := script(t, filepath.Join(t.TempDir(), "envoy"), old+`exec "`+os.Getenv("ENVOY_PATH")+`" "$@"`+"\n")
	u := updriver.Command(t, []string{"ENVOY_PATH=" + path}, binary, "up", folder(t, class), "-o", "json")
	if p := u.AwaitProblem(t, 0, "CL0603").Problem; p.Level != "warning" || !strings.Contains(p.Message, "Envoy 1.38.3 is older than") {
		t.Errorf("reported: %+v", p)
	}
}
