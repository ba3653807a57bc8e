package standalone

import (
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/cloverleaf-mesh/cloverleaf/conformance/updriver"
)

// slow is a backend that answers a request for /slow when it is released, and any other at once.
type slow struct {
	arrived chan struct{}
	release func()
	port    int
}

func newSlow(t *testing.T) *slow {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	released := make(chan struct{})
	s := &slow{arrived: make(chan struct{}, 1), release: sync.OnceFunc(func() { close(released) }), port: l.Addr().(*net.TCPAddr).Port}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Echo-Name", "slow")
		if strings.HasPrefix(r.URL.Path, "/slow") {
			s.arrived <- struct{}{}
			<-released
		}
	})}
	go func() { _ = server.Serve(l) }()
	t.Cleanup(func() {
		s.release()
		_ = server.Close()
	})
	return s
}

// startSlow serves a slow backend on a port.
func startSlow(t *testing.T, s *slow, port int, args ...string) *updriver.Up {
	t.Helper()
	return updriver.Start(t, binary, folder(t, class, gateway(plain("http", port)), service("slow", s.port),
		route("r", "a.example", "slow")), args...)
}

func TestEnvoyDiesWithItsParent(t *testing.T) {
	s := newSlow(t)
	u := startSlow(t, s, 24500)
	envoy := u.Envoy()
	if envoy == 0 || !updriver.Runs(envoy) {
		t.Fatalf("no Envoy below process %d", u.PID())
	}
	u.Signal(t, syscall.SIGKILL)
	u.Wait(t)
	updriver.Eventually(t, "Envoy is gone", func() bool { return !updriver.Runs(envoy) })
	want(t, get(t, 24500, "a.example", "/"), "refused")
}

func TestAKilledEnvoyIsStartedAgainWithTheLastConfiguration(t *testing.T) {
	one, two := backend(t, "one"), backend(t, "two")
	services := service("one", one) + service("two", two)
	manifests := func(service string) string {
		return class + gateway(plain("http", 24510)) + services + route("r", "a.example", service)
	}
	dir := folder(t, manifests("one"))
	u := updriver.Start(t, binary, dir)
	u.Write(t, "all.yaml", manifests("two")) // the last configuration is not the first
	want(t, get(t, 24510, "a.example", "/"), "200 two")
	before := u.Envoy()
	if err := syscall.Kill(before, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	updriver.Eventually(t, "another Envoy runs", func() bool { return u.Envoy() != 0 && u.Envoy() != before })
	becomes(t, 24510, "200 two")
	from := u.Seen()
	if err := syscall.Kill(u.Envoy(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	updriver.Put(t, dir, "all.yaml", manifests("one")) // while there is none
	u.AwaitFrom(t, from, "live", func(e updriver.Event) bool { return e.Event == "live" })
	want(t, get(t, 24510, "a.example", "/"), "200 one")
}

func TestTheEndWaitsForRequestsInFlight(t *testing.T) {
	s := newSlow(t)
	u := startSlow(t, s, 24520, "--drain-timeout", "10m")
	slowly := make(chan answer)
	go func() { slowly <- get(t, 24520, "a.example", "/slow") }()
	<-s.arrived
	u.Signal(t, syscall.SIGTERM)
	u.Await(t, "draining", func(e updriver.Event) bool { return e.Event == "draining" })
	keepAlive := &http.Client{Transport: &http.Transport{}}
	updriver.Eventually(t, "Envoy asks clients to leave", func() bool {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://127.0.0.1:24520/", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		req.Host = "a.example"
		resp, err := keepAlive.Do(req)
		if err != nil {
			t.Fatalf("refused while it drains: %v", err)
		}
		_ = resp.Body.Close()
		return resp.Close
	})
	select {
	case a := <-slowly:
		t.Fatalf("the slow request was answered early: %s", a)
	default:
	}
	s.release()
	want(t, <-slowly, "200 slow")
	if code := u.Wait(t); code != 0 {
		t.Errorf("exit code %d\n%s", code, u.Log())
	}
	want(t, get(t, 24520, "a.example", "/"), "refused")
}

func TestASecondSignalEndsItAtOnce(t *testing.T) {
	for i, signals := range [][2]syscall.Signal{{syscall.SIGTERM, syscall.SIGTERM}, {syscall.SIGINT, syscall.SIGINT}} {
		s := newSlow(t)
		port := 24530 + i
		u := startSlow(t, s, port, "--drain-timeout", "10m")
		envoy := u.Envoy()
		slowly := make(chan answer)
		go func() { slowly <- get(t, port, "a.example", "/slow") }()
		<-s.arrived
		u.Signal(t, signals[0])
		u.Await(t, "draining", func(e updriver.Event) bool { return e.Event == "draining" })
		u.Signal(t, signals[1])
		u.Wait(t) // far before the drain timeout, and with the request still open
		if updriver.Runs(envoy) {
			t.Error("Envoy still runs")
		}
		if a := <-slowly; a.status == http.StatusOK {
			t.Errorf("the request was answered %s: the end waited for it", a)
		}
	}
}

func TestTheDrainTimeoutEndsTheWait(t *testing.T) {
	s := newSlow(t)
	u := startSlow(t, s, 24540, "--drain-timeout", "300ms")
	slowly := make(chan answer)
	go func() { slowly <- get(t, 24540, "a.example", "/slow") }()
	<-s.arrived
	if code := u.Stop(t); code != 0 {
		t.Errorf("exit code %d", code)
	}
	if a := <-slowly; a.status == http.StatusOK {
		t.Errorf("answered %s", a)
	}
}

func TestDemoServesBackendsThatDoNotRun(t *testing.T) {
	running := backend(t, "running") // --demo leaves it alone
	u := updriver.Start(t, binary, folder(t, class, gateway(plain("http", 24550)), service("running", running),
		service("absent", 24551), route("r", "running.example", "running"), route("a", "absent.example", "absent")), "--demo")
	want(t, get(t, 24550, "absent.example", "/"), "200 absent")
	want(t, get(t, 24550, "running.example", "/"), "200 running")
	e := u.Await(t, "what is said of it", func(e updriver.Event) bool { return e.Step == "demo" })
	if want := "echo backend absent on 127.0.0.1:" + strconv.Itoa(24551); e.Text != want {
		t.Errorf("said %q, want %q", e.Text, want)
	}
}
