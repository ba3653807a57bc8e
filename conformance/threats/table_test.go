package threats

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/cloverleaf-mesh/cloverleaf/internal/golden"
)

// row is a row of the table of threats. Numbers are never used again.
type row struct {
	number  int
	threat  string
	example string // where it was met
	answer  string // what is done about it
	later   string // the part that belongs to a feature which does not exist yet
}

const policies = "policies (denied paths, hosts, headers) do not exist yet"

var rows = []row{
	{1, "Dot segments", "CVE-2019-9901, CVE-2026-73551", "resolved before anything looks at the path; those that stay ambiguous are 400. An authorization server is asked about the path that the backend gets", policies},
	{2, "Escaped slashes and backslashes", "CVE-2021-29492, CVE-2021-31920, CVE-2026-40912", "400", policies},
	{3, "Several slashes", "CVE-2026-26205", "merged before anything looks at the path; a path of slashes alone is 400", policies},
	{4, "Parameters of paths", "CVE-2026-73511, CVE-2026-73553", "part of the name; of dot segments they are dropped, or 400 where the dots or the semicolon were escaped", policies},
	{5, "Fragments, and queries in paths", "CVE-2021-32779, CVE-2021-39156", "a fragment is 400; an escaped # or ? is part of the path", policies},
	{6, "NUL, control bytes and bytes above 0x7f", "CVE-2019-9900, CVE-2023-27491", "refused, or escaped in paths; a line of HTTP/1 may end with LF alone and is sent on with CR LF", ""},
	{7, "Templates of paths", "CVE-2025-46821", "none is used", ""},
	{8, "Case of paths", "Istio", "other paths: matching is by case, as the Gateway API says", policies},
	{9, "Spellings of hosts", "CVE-2021-39155, CVE-2022-21679", "case, port and a dot at the end make no difference; two hosts, users, escapes and odd ports are 400", policies},
	{10, "Another host than the server name", "Istio 2026, Envoy 6767", "421, or 404 when nobody has the host", ""},
	{11, "Aliases of headers", "CVE-2026-39858", "names with an underscore, or white space before the colon, are 400; what proxies say of clients is removed", ""},
	{12, "Repeated and joined headers", "CVE-2020-25017, CVE-2026-26308, CVE-2026-31838", "each line is compared by itself, and every one reaches the backend", policies},
	{13, "Headers that are no UTF-8", "CVE-2023-27488, CVE-2026-73552", "they fit neither a text nor an expression without that byte; what is denied stays denied", policies},
	{14, "White space around headers", "CVE-2019-18802", "trimmed around values, 400 in names", ""},
	{15, "x-envoy-* of clients", "CVE-2024-45806, CVE-2023-27487", "all are removed, unknown ones too; no client is internal", ""},
	{16, "Forwarded addresses of clients", "CVE-2026-40575, GHSA-6384-m2mw-rf54", "removed; the backend gets the address of the connection alone", "trusted hops and policies by address do not exist yet"},
	{17, "Headers that say who a client is", "", "removed on every route, redirect and error", "claims of tokens do not exist yet"},
	{18, "Headers that switch filters", "opa-envoy-plugin", "removed before anything looks at them", "decisions by body: rows 19 and on of the longer list"},
	{27, "Refused and denied requests that something is done with", "CVE-2026-47221", "no redirect, rewrite, copy or retry", policies},
	{28, "CONNECT, upgrades and early data", "CVE-2026-73547, CVE-2025-64763, CVE-2021-43824", "WebSockets alone; session tickets allow no early data", policies},
	{29, "Paths of methods", "CVE-2026-33186", "one without a slash is refused, by our own gRPC server too; case counts", policies},
	{30, "Other names of methods", "", "there is no gateway from other protocols to gRPC", policies},
	{62, "Hostile text in the access log", "CVE-2025-25294, CVE-2024-45808", "one JSON object a line; what is long is cut, queries are left out", ""},
	{63, "Statistics that grow with names", "CVE-2025-43915", "none is named by what clients send, nor by route", ""},
	{64, "Floods of HTTP/2 frames", "CVE-2023-44487, CVE-2024-30255", "the connection is closed", ""},
	{65, "Headers that unfold", "CVE-2026-47774", "at most 60 KiB and 100 headers, counted as they unfold", ""},
	{66, "Hidden requests, and the PROXY protocol", "CVE-2026-48743, CVE-2026-47692", "400, or one framing that nobody can read otherwise", ""},
	{67, "Slow clients", "", "10 s for headers and for handshakes, an hour without any byte; no limit for answers unless a route sets one", ""},
	{68, "Huge objects", "CVE-2026-48042", "reported; everything else is served", policies},
	{77, "What can be reached of Envoy", "CVE-2026-73546, GO-2025-3418", "its listeners; the admin interface is a socket in a private folder, and memory that gets short is watched", ""},
}

var testName = regexp.MustCompile(`^TestThreat(\d+)_\w+$`)

// tests lists the tests of each row, by the sources.
func tests(t *testing.T) map[int][]string {
	t.Helper()
	files, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	byRow := map[int][]string{}
	for _, file := range files {
		syntax, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range syntax.Decls {
			if f, ok := d.(*ast.FuncDecl); ok {
				if m := testName.FindStringSubmatch(f.Name.Name); m != nil {
					number, _ := strconv.Atoi(m[1])
					byRow[number] = append(byRow[number], f.Name.Name)
				}
			}
		}
	}
	return byRow
}

// attempts is the part of the page that only a run of all tests knows.
var attempts = regexp.MustCompile(`, \d+ attempts`)

// TestTheTableOfThreatsIsThatOfTheTests runs last. With -update it writes docs/reference/threats.md.
func TestTheTableOfThreatsIsThatOfTheTests(t *testing.T) {
	byRow := tests(t)
	results.Lock()
	defer results.Unlock()
	whole := true // all tests ran
	var page strings.Builder
	page.WriteString("<!-- Written by `go test ./conformance/threats -update`; do not edit. -->\n\n# Threats\n\n" +
		"What clients that mean ill may try, what is done about it, and the test that tries it on a real Envoy which the real\nbinary runs. " +
		"`make test` runs all of them: a threat that does not hold fails it, and so does a row without a test. The numbers are\nthose of a longer list, whose other rows belong to features that do not exist yet.\n\n" +
		"| | threat | known from | what is done | test | result | not yet |\n|---|---|---|---|---|---|---|\n")
	for _, r := range rows {
		names := byRow[r.number]
		if delete(byRow, r.number); len(names) != 1 {
			t.Errorf("row %d has the tests %v, want one", r.number, names)
			continue
		}
		n, result := results.attempts[names[0]], "holds"
		if whole = whole && n > 0; n > 0 && results.tests[names[0]].Failed() {
			result = "fails"
		}
		fmt.Fprintf(&page, "| %d | %s | %s | %s | `%s` | %s, %d attempts | %s |\n", r.number, r.threat, r.example, r.answer, names[0], result, n, r.later)
	}
	for number, names := range byRow {
		t.Errorf("the tests %v have no row %d", names, number)
	}
	if !slices.IsSortedFunc(rows, func(a, b row) int { return a.number - b.number }) {
		t.Error("the rows are not in order")
	}
	clear(results.attempts) // for the next run
	clear(results.tests)
	prepare := func(s string) string { return s }
	if !whole {
		prepare = func(s string) string { return attempts.ReplaceAllString(s, "") }
	}
	golden.File(t, "../../docs/reference/threats.md", page.String(), prepare)
}
