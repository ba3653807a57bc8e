package threats

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/cloverleaf-mesh/cloverleaf/conformance/wire"
)

// reading is how the most lenient backend reads a path: it decodes escapes once, takes backslashes for slashes, drops
// parameters of dot segments, resolves these and merges slashes.
func reading(path string) string {
	if decoded, err := url.PathUnescape(path); err == nil {
		path = decoded
	}
	var out []string
	for segment := range strings.SplitSeq(strings.ReplaceAll(path, `\`, "/"), "/") {
		name, _, _ := strings.Cut(segment, ";")
		switch name {
		case "":
			if segment != "" {
				out = append(out, segment)
			}
		case ".":
		case "..":
			out = out[:max(len(out)-1, 0)]
		default:
			out = append(out, segment)
		}
	}
	return "/" + strings.Join(out, "/")
}

// home is the backend that the routes of a.example have for a path.
func home(path string) string {
	for _, name := range []string{"admin", "public"} {
		if path == "/"+name || strings.HasPrefix(path, "/"+name+"/") {
			return name
		}
	}
	return "site"
}

// sameReading sends every path and checks that whichever backend gets it is the one that its own reading belongs to.
func sameReading(t *testing.T, paths []string) (served int) {
	t.Helper()
	answers := make(chan bool, 2*len(paths))
	together(paths, func(path string) {
		both(t, "a.example", path, func(version string, r *reply) {
			answers <- r.by() != ""
			switch {
			case r.by() == "" && r.Status >= 500:
				t.Errorf("%s %q: %d", version, path, r.Status)
			case r.by() != "" && home(reading(r.echo.Path)) != r.by():
				t.Errorf("%s %q: %s received %q, which it may read as %q", version, path, r.by(), r.echo.Path, reading(r.echo.Path))
			}
		})
	})
	close(answers)
	for a := range answers {
		if a {
			served++
		}
	}
	return served
}

// sameAsAsked sends every path and checks that the authorization server was asked about the path that the backend gets.
func (g *gate) sameAsAsked(t *testing.T, paths []string) {
	t.Helper()
	together(paths, func(path string) {
		r := get(t, "guarded.example", path, wire.Field{Name: "x-role", Value: fmt.Sprintf("%x", path)})
		if r.by() == "" && !r.refused() {
			t.Errorf("%q: %d", path, r.Status)
		}
	})
	asked := map[string][]string{}
	for _, a := range g.requests() {
		if id := strings.Join(a.Headers["x-role"], ","); id != "" {
			asked[id] = append(asked[id], a.Path)
		}
	}
	for id, seen := range asked {
		for _, p := range seen {
			if p != seen[0] {
				t.Errorf("%s: the authorization server and the backend received the paths %q", id, seen)
			}
		}
	}
	if len(asked) == 0 {
		t.Error("nobody was asked")
	}
}

var (
	here    = []string{".", "%2e", "%2E", ".;", ".;x", ".%3b", "%2e;"}
	upwards = []string{
		"..", "%2e%2e", ".%2e", "%2E.", "%2e%2E", "..;", "..;x", "..;v=1;w", "%2e%2e;", ".%2e;x", "%2e.;", "..%3b", "..%3Bx", "..;/..",
		"%2e%2e%3b", "%252e%252e", "..%00", "..%09", "..%20", "...", "....", "..x", "%c0%ae%c0%ae", "%u002e%u002e", "..%5c", "..\\",
	}
	slashes = []string{"/", "//", "///", `\`, `\\`, `/\`, "%2f", "%2F", "%5c", "%5C", "%252f", "%255c", "/./", "/;/", "/;x/", "%c0%af"}
)

func TestThreat01_DotSegments(t *testing.T) {
	g := start(t)
	var paths []string
	for _, place := range []string{"/admin", "/public", "/x"} {
		for _, up := range append(upwards, here...) {
			paths = append(paths, place+"/"+up, place+"/"+up+"/admin", place+"/"+up+"/public/x", "/"+up+place, place+"/y/"+up+"/"+up+"/admin")
		}
	}
	served := sameReading(t, paths)
	g.sameAsAsked(t, paths)
	fmt.Printf("evidence: %d spellings of dot segments over two versions of HTTP, %d served\n", len(paths), served)
	if len(paths) < 400 || served < 100 {
		t.Errorf("%d paths, %d served: too few to tell", len(paths), served)
	}
}

func TestThreat02_EscapedSlashesAndBackslashes(t *testing.T) {
	start(t)
	var paths []string
	for b := range 256 {
		for _, format := range []string{"%%%02x", "%%%02X", "%%25%02x", "%%25%02X"} {
			e := fmt.Sprintf(format, b)
			paths = append(paths, "/public"+e+"admin", "/public/.."+e+"admin")
		}
	}
	sameReading(t, paths)
	for _, path := range []string{"/public%2fadmin", "/public%2Fadmin", "/public%5cadmin", "/public%5Cadmin", "/%2e%2e%2fadmin", "/a%2f%2e%2e%2fadmin"} {
		both(t, "a.example", path, func(version string, r *reply) {
			if r.Status != 400 || r.by() != "" {
				t.Errorf("%s %s: %d by %q", version, path, r.Status, r.by())
			}
		})
	}
}

func TestThreat03_SeveralSlashes(t *testing.T) {
	g := start(t)
	var paths []string
	for _, a := range slashes {
		for _, b := range slashes {
			paths = append(paths, a+"admin"+b+"x", a+"public"+b+"admin")
		}
	}
	var begin []string // others are no paths at all
	for _, p := range paths {
		if strings.HasPrefix(p, "/") {
			begin = append(begin, p)
		}
	}
	sameReading(t, begin)
	g.sameAsAsked(t, begin)
	for _, path := range []string{"//admin", "///admin", "/admin//x", `/\admin`, "//admin//x//"} {
		both(t, "a.example", path, func(version string, r *reply) {
			if r.by() != "admin" || strings.Contains(r.echo.Path, "//") {
				t.Errorf("%s %s: %q received %q", version, path, r.by(), r.echo.Path)
			}
		})
	}
	for _, path := range []string{"//", "///", "//?x=1", `/\`} { // which no backend need take for /
		both(t, "a.example", path, func(version string, r *reply) {
			if r.Status != 400 || r.by() != "" {
				t.Errorf("%s %s: %d by %q", version, path, r.Status, r.by())
			}
		})
	}
}

// TestThreat04_PathParameters: those of a name belong to the name; those of a dot segment are dropped or refused.
func TestThreat04_PathParameters(t *testing.T) {
	start(t)
	for _, path := range []string{"/admin;x", "/admin;x/y", "/admin;", "/admin;a=b;c=d/y", "/;/admin", "/;x/admin", "/adm;in", "/admin%3bx"} {
		both(t, "a.example", path, func(version string, r *reply) {
			if r.by() != "site" || r.echo.Path != path {
				t.Errorf("%s %s: %q received %q", version, path, r.by(), r.echo.Path)
			}
		})
	}
	for _, path := range []string{"/x/..;/admin", "/x/..;a=b/admin", "/.;/admin", "/x/.;y/../admin", "/admin/;x", "/admin/x;y"} {
		both(t, "a.example", path, func(version string, r *reply) {
			if r.by() != "admin" || strings.Contains(r.echo.Path, "..") {
				t.Errorf("%s %s: %q received %q", version, path, r.by(), r.echo.Path)
			}
		})
	}
	for _, path := range []string{"/x/%2e%2e;/admin", "/x/.%2e;v/admin", "/x/..%3b/admin", "/x/%2e%2e%3B/admin", "/%2e;/admin", "/.%3b/admin", `/x\..;/admin`} {
		both(t, "a.example", path, func(version string, r *reply) {
			if r.Status != 400 || r.by() != "" {
				t.Errorf("%s %s: %d by %q", version, path, r.Status, r.by())
			}
		})
	}
}

func TestThreat05_FragmentsAndQueries(t *testing.T) {
	start(t)
	for _, path := range []string{"/public#/../admin", "/#", "/admin#", "/public#?x", "/x?y#z", "#", "/public?x#/admin"} {
		both(t, "a.example", path, func(version string, r *reply) {
			if !r.refused() {
				t.Errorf("%s %s: %d by %q", version, path, r.Status, r.by())
			}
		})
	}
	for path, want := range map[string]string{
		"/public%23/../admin": "admin /admin ", "/public%23x": "site /public%23x ", "/public?/../admin": "public /public /../admin",
		"/public%3f/admin": "site /public%3f/admin ", "/public??x": "public /public ?x", "/?/admin": "site / /admin", "/public?x=%2f..%2fadmin": "public /public x=%2f..%2fadmin",
		"/x?y=/..;/": "site /x y=/..;/", "/x?//": "site /x //",
	} {
		both(t, "a.example", path, func(version string, r *reply) {
			if got := r.by() + " " + r.echo.Path + " " + r.echo.Query; got != want {
				t.Errorf("%s %s: %d %q, want %q", version, path, r.Status, got, want)
			}
		})
	}
}

// TestThreat06_BytesThatAreNoText: in paths, and in names and values of headers.
func TestThreat06_BytesThatAreNoText(t *testing.T) {
	start(t)
	var all []byte
	for b := range 256 {
		all = append(all, byte(b))
	}
	together(all, func(b byte) {
		byteInPath(t, b)
		byteInName(t, b)
		byteInValue(t, b)
	})
}

func byteInPath(t *testing.T, b byte) {
	t.Helper()
	both(t, "a.example", "/public/x"+string([]byte{b})+"y", func(version string, r *reply) {
		odd := strings.ContainsFunc(r.echo.Path, func(c rune) bool { return c <= ' ' || c >= 0x7f })
		if odd || r.by() != "" && home(reading(r.echo.Path)) != r.by() {
			t.Errorf("%s path with %#02x: %q received %q", version, b, r.by(), r.echo.Path)
		}
	})
}

func byteInName(t *testing.T, b byte) {
	t.Helper()
	odd := func(c rune) bool { return c <= ' ' || c >= 0x7f || strings.ContainsRune(`"(),/:;<=>?@[\]{}_`, c) }
	both(t, "a.example", "/", func(version string, r *reply) {
		for name := range r.echo.Headers {
			if strings.ContainsFunc(name, odd) || name == "y" {
				t.Errorf("%s name with %#02x: the backend received %q", version, b, name)
			}
		}
	}, wire.Field{Name: "x" + string([]byte{b}) + "y", Value: "1"})
}

func byteInValue(t *testing.T, b byte) {
	t.Helper()
	both(t, "a.example", "/", func(version string, r *reply) {
		// In HTTP/1 a line may end with LF alone (RFC 9112, 2.2); it is sent on with CR LF, and other CRs are left out.
		ends := version == "HTTP/1" && (b == '\n' || b == '\r')
		split := !ends && (b == 0 || b == '\n' || b == '\r')
		values := r.echo.Headers["x-value"]
		switch {
		case r.by() != "" && (len(values) != 1 || strings.ContainsAny(values[0], "\x00\r\n")):
			t.Errorf("%s value with %#02x: the backend received %q", version, b, values)
		case split && !r.refused(), !ends && len(r.echo.Headers["x-injected"]) > 0:
			t.Errorf("%s value with %#02x: the backend received %v", version, b, r.echo.Headers)
		}
	}, wire.Field{Name: "x-value", Value: "a" + string([]byte{b}) + "x-injected: 1"})
}

// TestThreat07_NoTemplates: nothing in the configuration matches paths by templates, whose wildcards once took too much.
func TestThreat07_NoTemplates(t *testing.T) {
	g := start(t)
	dump := g.admin(t, "/config_dump?include_eds")
	for _, word := range []string{"path_match_policy", "path_rewrite_policy"} {
		attempt(t)
		if strings.Contains(dump, word) {
			t.Errorf("the configuration has %s", word)
		}
	}
	if !strings.Contains(dump, "path_separated_prefix") {
		t.Error("the configuration was not read")
	}
}

func TestThreat08_CaseOfPaths(t *testing.T) {
	start(t)
	for _, path := range []string{"/ADMIN", "/Admin", "/admiN/x", "/%41dmin", "/%61DMIN"} {
		both(t, "a.example", path, func(version string, r *reply) {
			if r.by() != "site" || home(reading(r.echo.Path)) != "site" {
				t.Errorf("%s %s: %q received %q", version, path, r.by(), r.echo.Path)
			}
		})
	}
	both(t, "a.example", "/%61dmin", func(version string, r *reply) {
		if r.by() != "admin" || r.echo.Path != "/admin" {
			t.Errorf("%s: %q received %q", version, r.by(), r.echo.Path)
		}
	})
}
