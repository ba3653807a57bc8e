package standalone

import (
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cloverleaf-mesh/cloverleaf/conformance/updriver"
)

var (
	eventRow  = regexp.MustCompile("(?m)^\\| `(\\w+)` \\|.*\\| (.*)\\|$")
	fieldName = regexp.MustCompile("(\\[?)`(\\w+)`")
)

// documented reads the fields of each event from its reference page: true for those that must be there.
func documented(t *testing.T) map[string]map[string]bool {
	t.Helper()
	page, err := os.ReadFile("../../docs/reference/events.md")
	if err != nil {
		t.Fatal(err)
	}
	events := map[string]map[string]bool{}
	for _, row := range eventRow.FindAllStringSubmatch(string(page), -1) {
		events[row[1]] = map[string]bool{"event": true, "time": true}
		for _, field := range fieldName.FindAllStringSubmatch(row[2], -1) {
			events[row[1]][field[2]] = field[1] == ""
		}
	}
	return events
}

func TestEventsAreThoseOfTheReferencePage(t *testing.T) {
	dir := folder(t, class, gateway(plain("http", 24700)), service("s", 24701), route("r", "a.example", "s"))
	u := updriver.Command(t, nil, binary, "up", dir, "-o", "json", "--color", "always", "--demo", "--local-ca")
	u.Dir = dir
	u.Await(t, "watching", func(e updriver.Event) bool { return e.Event == "watching" })
	u.Write(t, "bad.yaml", strings.ReplaceAll(route("bad", "b.example", "nobody"), "80", "81"))
	u.Write(t, "other.yaml", "# nothing\n")
	from := u.Seen()
	if err := os.Remove(filepath.Join(dir, "bad.yaml")); err != nil {
		t.Fatal(err)
	}
	u.AwaitFrom(t, from, "fine", func(e updriver.Event) bool { return e.Event == "fine" })
	u.Stop(t)
	known, seen := documented(t), map[string]bool{}
	for _, line := range u.Lines() {
		seen[checkEvent(t, known, line)] = true
	}
	for event := range known {
		if !seen[event] {
			t.Errorf("event %q is documented and did not come", event)
		}
	}
}

// checkEvent holds a line against the reference page, and returns its event.
func checkEvent(t *testing.T, known map[string]map[string]bool, line string) string {
	t.Helper()
	if strings.ContainsRune(line, '\x1b') || strings.Contains(line, `\u001b`) {
		t.Errorf("colours in %s", line)
	}
	var fields map[string]any
	if err := json.Unmarshal([]byte(line), &fields); err != nil {
		t.Errorf("no JSON object: %v: %s", err, line)
		return ""
	}
	event, _ := fields["event"].(string)
	documented, ok := known[event]
	if !ok {
		t.Errorf("the event is not documented: %s", line)
	}
	for field := range fields {
		if _, ok := documented[field]; !ok {
			t.Errorf("field %q is not documented: %s", field, line)
		}
	}
	for field, must := range documented {
		if _, ok := fields[field]; must && !ok {
			t.Errorf("field %q is missing: %s", field, line)
		}
	}
	if at, ok := fields["time"].(string); ok {
		if _, err := time.Parse(time.RFC3339Nano, at); err != nil {
			t.Error(err)
		}
	}
	return event
}

// startText runs `up` with its output for people, and waits until it watches. What it prints is returned by its Log.
func startText(t *testing.T, dir string, args ...string) *updriver.Up {
	t.Helper()
	u := updriver.Command(t, nil, binary, append([]string{"up", dir, "--admin", ""}, args...)...)
	u.AwaitLog(t, "watching "+dir)
	return u
}

// commands returns the lines below "try".
func commands(log string) []string {
	_, rest, _ := strings.Cut(log, "\ntry\n")
	var lines []string
	for line := range strings.Lines(rest) {
		if !strings.HasPrefix(line, "  ") {
			break
		}
		lines = append(lines, strings.TrimSpace(line))
	}
	return lines
}

// curl runs a printed command in a shell, as a user does, and returns the status and the body.
func curl(t *testing.T, command string) (status int, body string) {
	t.Helper()
	if _, err := exec.LookPath("curl"); err != nil {
		t.Fatal("curl is missing: run `make test`, which installs it")
	}
	file := filepath.Join(t.TempDir(), "body")
	out, err := exec.CommandContext(t.Context(), "sh", "-c", command+` -sS -o "$0" -w '%{http_code}'`, file).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v: %s", command, err, out)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	status, err = strconv.Atoi(string(out))
	if err != nil {
		t.Fatalf("%s: %s", command, out)
	}
	return status, string(text)
}

func TestTheQuickStartAnswersWhatItPrints(t *testing.T) {
	dir := t.TempDir()
	files, err := filepath.Glob("../../examples/quickstart/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal("no quick start")
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		updriver.Put(t, dir, filepath.Base(file), strings.ReplaceAll(string(text), "port: 300", "port: 2471")) // ports of these tests
	}
	u := startText(t, dir, "--demo", "--port-offset", "24640")
	log := u.Log()
	for _, line := range []string{
		"√ envoy      1.40.0, found in ENVOY_PATH\n",
		"√ manifests  " + dir + ": 10 objects, 0 errors, 0 warnings\n",
		"√ demo       echo backend shop on 127.0.0.1:24710\n",
		"√ listening  http://127.0.0.1:24720   default/edge http\n",
	} {
		if !strings.Contains(log, line) {
			t.Errorf("%q is not in:\n%s", line, log)
		}
	}
	want := map[string]string{
		"curl http://shop.localhost:24720/cart": `"name": "cart`,
		"curl http://shop.localhost:24720/":     `"name": "shop"`,
	}
	lines := commands(log)
	if len(lines) != len(want) {
		t.Errorf("printed %q", lines)
	}
	for _, line := range lines {
		status, body := curl(t, line)
		if status != 200 || want[line] == "" || !strings.Contains(body, want[line]) {
			t.Errorf("%s -> %d %s", line, status, body)
		}
		fmt.Printf("evidence: %s -> %d\n", line, status)
	}
}

func TestEveryRouteOfTheFirstTenHasACommandThatItAnswers(t *testing.T) {
	matches := []string{
		`[]`,
		`[{path: {type: Exact, value: /exact}}]`,
		`[{path: {type: PathPrefix, value: "/a/%C3%A4"}}]`,
		`[{path: {type: PathPrefix, value: /q}, queryParams: [{name: a, value: "1+2,[3]"}, {name: b.c, value: "%C3%BC"}]}]`,
		`[{method: POST, path: {type: PathPrefix, value: /post}}]`,
		`[{headers: [{name: x-quote, value: "it's \"$HOME\""}]}]`,
		`[{path: {type: RegularExpression, value: "/re.*"}}, {path: {type: PathPrefix, value: "/plain"}}]`,
		`[{path: {type: PathPrefix, value: "/a;b$(c)"}}]`,
		`[{path: {type: PathPrefix, value: "/h"}, method: HEAD}]`,
		`[{path: {type: PathPrefix, value: "/opts"}, method: OPTIONS}]`,
		`[{path: {type: PathPrefix, value: "/eleventh"}}]`,
	}
	manifests := class + gateway(plain("http", 24730), secure("web", 24731, "*.tls.example", "missing")) + service("s", backend(t, "s"))
	for i, match := range matches {
		manifests += fmt.Sprintf(`---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: r%02d, namespace: default}
spec:
  parentRefs: [{name: edge, sectionName: %s}]
  hostnames: ["r%d.%s"]
  rules:
  - matches: %s
    backendRefs: [{name: s, port: 80}]
`, i, []string{"http", "web"}[i%2], i, []string{"example", "tls.example"}[i%2], match)
	}
	u := startText(t, folder(t, manifests), "--local-ca")
	lines := commands(u.Log())
	if len(lines) != 10 {
		t.Errorf("%d commands:\n%s", len(lines), u.Log())
	}
	for i, line := range lines {
		status, body := curl(t, line)
		if status != 200 {
			t.Errorf("r%02d: %s -> %d %s", i, line, status, body)
		}
	}
}

func TestAddressesArePrintedAsClientsWriteThem(t *testing.T) {
	u := startText(t, folder(t, class, gateway(plain("http", 24740))), "--bind", "::1")
	_, rest, _ := strings.Cut(u.Log(), "listening  ")
	address, _, _ := strings.Cut(rest, " ")
	if parsed, err := url.Parse(address); err != nil || parsed.Host != "[::1]:24740" {
		t.Errorf("printed %q (%v)", address, err)
	}
	if status, _ := curl(t, "curl '"+address+"'"); status != 404 {
		t.Errorf("answered %d", status)
	}
}

// TestListenersOfListenerSetsArePrintedAndAnswer: their addresses, and commands for routes that name a ListenerSet.
func TestListenersOfListenerSetsArePrintedAndAnswer(t *testing.T) {
	manifests := class + `---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: edge, namespace: default}
spec: {gatewayClassName: cloverleaf, allowedListeners: {namespaces: {from: Same}}, listeners: [` + plain("http", 24750) + `]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: ListenerSet
metadata: {name: shop, namespace: default}
spec: {parentRef: {name: edge}, listeners: [` + plain("http", 24751) + ", " + secure("web", 24752, "shop.example", "missing") + `]}
` + service("s", backend(t, "s"))
	for i, section := range []string{"http", "web"} {
		manifests += fmt.Sprintf(`---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: r%d, namespace: default}
spec: {parentRefs: [{kind: ListenerSet, name: shop, sectionName: %s}], rules: [{backendRefs: [{name: s, port: 80}]}]}
`, i, section)
	}
	u := startText(t, folder(t, manifests), "--local-ca")
	for _, line := range []string{
		"√ listening  http://127.0.0.1:24750   default/edge http\n",
		"√ listening  http://127.0.0.1:24751   default/shop http\n",
		"√ listening  https://shop.example:24752   default/shop web\n",
	} {
		if !strings.Contains(u.Log(), line) {
			t.Errorf("%q is not in:\n%s", line, u.Log())
		}
	}
	lines := commands(u.Log())
	if len(lines) != 2 {
		t.Errorf("printed %q", lines)
	}
	for _, line := range lines {
		if status, body := curl(t, line); status != 200 {
			t.Errorf("%s -> %d %s", line, status, body)
		}
	}
}
