package standalone

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cloverleaf-mesh/cloverleaf/conformance/updriver"
)

// vanish serves a folder, lets it go, and puts another version in its place.
func vanish(t *testing.T, port int, goes func(dir string) error) {
	t.Helper()
	one, two := backend(t, "one"), backend(t, "two")
	manifests := func(name string, backend int) string {
		return class + gateway(plain("http", port)) + service(name, backend) + route("r", "a.example", name)
	}
	dir := filepath.Join(t.TempDir(), "gateway")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	updriver.Put(t, dir, "all.yaml", manifests("one", one))
	u := updriver.Start(t, binary, dir)
	want(t, get(t, port, "a.example", "/"), "200 one")
	from := u.Seen()
	if err := goes(dir); err != nil {
		t.Fatal(err)
	}
	p := u.AwaitProblem(t, from, "CL0113").Problem
	if p.Level != "error" || p.File != dir || !strings.Contains(p.Message, "the folder cannot be read") {
		t.Errorf("reported: %+v", p)
	}
	want(t, get(t, port, "a.example", "/"), "200 one")
	from = u.Seen()
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	updriver.Put(t, dir, "all.yaml", manifests("two", two))
	u.AwaitFrom(t, from, "the problem is over", func(e updriver.Event) bool { return e.Event == "fine" })
	becomes(t, port, "200 two")
}

func TestAFolderThatIsRemovedKeepsBeingServedAndIsReadWhenItComesBack(t *testing.T) {
	vanish(t, 24300, os.RemoveAll)
}

func TestAFolderThatIsMovedAwayKeepsBeingServedAndIsReadWhenItComesBack(t *testing.T) {
	vanish(t, 24301, func(dir string) error { return os.Rename(dir, dir+"-away") })
}

func TestAFolderThatDoesNotExistIsNamed(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "nowhere")
	u := updriver.Command(t, nil, binary, "up", dir)
	if code := u.Wait(t); code != 3 || u.Log() != "cloverleaf: "+dir+": no such file or directory\n" {
		t.Errorf("exit code %d: %s", code, u.Log())
	}
}

func TestAFileInsteadOfAFolderIsServedAndFollowed(t *testing.T) {
	manifests := func(service string) string {
		return class + gateway(plain("http", 24310)) + route("r", "a.example", service)
	}
	services := service("one", backend(t, "one")) + service("two", backend(t, "two"))
	dir := folder(t, manifests("one"), services)
	u := updriver.Start(t, binary, filepath.Join(dir, "all.yaml"))
	want(t, get(t, 24310, "a.example", "/"), "200 one")
	from := u.Seen()
	updriver.Put(t, dir, "all.yaml", manifests("two")+services)
	u.AwaitFrom(t, from, "the file is live", func(e updriver.Event) bool { return e.Event == "live" })
	want(t, get(t, 24310, "a.example", "/"), "200 two")
}

func TestAFolderThatIsBrokenFromTheStartServesWhatIsGood(t *testing.T) {
	dir := folder(t, class, gateway(plain("http", 24320)), service("s", backend(t, "s")), route("r", "a.example", "s"))
	updriver.Put(t, dir, "broken.yaml", "spec: {listeners: [\n")
	updriver.Put(t, dir, "wrong.yaml", strings.ReplaceAll(route("wrong", "b.example", "s"), "backendRefs", "backends"))
	u := updriver.Start(t, binary, dir)
	for code, file := range map[string]string{"CL0101": "broken.yaml", "CL0104": "wrong.yaml"} {
		if p := u.AwaitProblem(t, 0, code).Problem; p.File != filepath.Join(dir, file) || p.Line == 0 {
			t.Errorf("reported: %+v", p)
		}
	}
	want(t, get(t, 24320, "a.example", "/"), "200 s")
	want(t, get(t, 24320, "b.example", "/"), "404")
}

func TestAGatewayThatComesLaterIsAnnounced(t *testing.T) {
	dir := t.TempDir()
	u := updriver.Start(t, binary, dir)
	from := u.Seen()
	updriver.Put(t, dir, "all.yaml", class+gateway(plain("http", 24330))+service("s", backend(t, "s"))+route("r", "a.example", "s"))
	u.AwaitFrom(t, from, "the address", func(e updriver.Event) bool {
		return e.Step == "listening" && strings.HasPrefix(e.Text, "http://127.0.0.1:24330")
	})
	e := u.AwaitFrom(t, from, "what to try", func(e updriver.Event) bool { return e.Event == "try" })
	if len(e.Command) != 1 || e.Command[0] != "curl -H 'Host: a.example' http://127.0.0.1:24330/" {
		t.Errorf("to try: %q", e.Command)
	}
	want(t, get(t, 24330, "a.example", "/"), "200 s")
}
