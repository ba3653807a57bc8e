package standalone

import (
	"fmt"
	"net"
	"strconv"
	"strings"
	"testing"

	"github.com/cloverleaf-mesh/cloverleaf/conformance/updriver"
)

// occupy listens on a port of this machine, as another process would.
func occupy(t *testing.T, port int) (release func()) {
	t.Helper()
	l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return func() { _ = l.Close() }
}

func TestAPortInUseIsNamedAndTheOtherListenersServe(t *testing.T) {
	release := occupy(t, 24201)
	dir := folder(t, class, gateway(plain("free", 24200), plain("taken", 24201)), service("s", backend(t, "s")),
		route("r", "a.example", "s"))
	u := updriver.Start(t, binary, dir)
	p := u.AwaitProblem(t, 0, "CL0604").Problem
	if p.Level != "error" || p.Object != "Gateway/default/edge" || p.Field != "spec.listeners[1].port" || p.Line != 13 ||
		!strings.Contains(p.Message, "port 24201 of 127.0.0.1 is in use by another process") {
		t.Errorf("reported: %+v", p)
	}
	want(t, get(t, 24200, "a.example", "/"), "200 s")
	for _, line := range u.Lines() {
		if !strings.Contains(line, `"problem"`) && strings.Contains(line, "24201") {
			t.Errorf("the port is said to be served: %s", line)
		}
	}
	from := u.Seen()
	release()
	u.AwaitFrom(t, from, "the problem is over", func(e updriver.Event) bool { return e.Event == "fine" })
	becomes(t, 24201, "200 s")
	want(t, get(t, 24200, "a.example", "/"), "200 s")
}

func TestTwoProcessesDoNotShareAPort(t *testing.T) {
	manifests := func(name string) string {
		return folder(t, class, gateway(plain("http", 24210)), service(name, backend(t, name)), route("r", "a.example", name))
	}
	first := updriver.Start(t, binary, manifests("first"))
	second := updriver.Start(t, binary, manifests("second"))
	second.AwaitProblem(t, 0, "CL0604")
	for range 20 {
		want(t, get(t, 24210, "a.example", "/"), "200 first")
	}
	if code := first.Stop(t); code != 0 {
		t.Errorf("exit code %d", code)
	}
	becomes(t, 24210, "200 second")
}

func TestAnAddressThatIsNotOfThisMachineIsNamed(t *testing.T) {
	dir := folder(t, class, gateway(plain("http", 24220)))
	u := updriver.Start(t, binary, dir, "--bind", "203.0.113.7")
	p := u.AwaitProblem(t, 0, "CL0502").Problem
	if !strings.Contains(p.Message, "203.0.113.7:24220") || !strings.Contains(p.Message, "Cannot assign requested address") {
		t.Errorf("reported: %+v", p)
	}
}

func TestBindThatIsNoAddressIsAMistakeOfUsage(t *testing.T) {
	for _, bind := range []string{"localhost", "127.0.0.1:80", ""} {
		u := updriver.Command(t, nil, binary, "up", folder(t, class), "--bind", bind)
		if code := u.Wait(t); code != 2 || !strings.Contains(u.Log(), fmt.Sprintf("--bind must be an IP address, not %q", bind)) {
			t.Errorf("exit code %d: %s", code, u.Log())
		}
	}
}
