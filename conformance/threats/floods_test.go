package threats

import (
	"bytes"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/cloverleaf-mesh/cloverleaf/conformance/wire"
)

// memory returns how much memory the gateway's Envoy holds, in MiB.
func (g *gate) memory(t *testing.T) int {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", g.up.Envoy()))
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`VmRSS:\s+(\d+) kB`).FindSubmatch(text)
	if m == nil {
		t.Fatalf("no memory in %s", text)
	}
	kib, _ := strconv.Atoi(string(m[1]))
	return kib >> 10
}

// flood writes frames until the proxy ends the connection, and returns how many it took.
func flood(t *testing.T, most int, write func(framer *http2.Framer, n int) error) (taken int, ended bool) {
	t.Helper()
	attempt(t)
	conn := wire.Dial(t, httpPort, nil)
	if conn == nil {
		return 0, false
	}
	defer func() { _ = conn.Close() }()
	framer, err := wire.Open2(conn)
	if err != nil {
		t.Error(err)
		return 0, false
	}
	over := make(chan struct{})
	go func() {
		defer close(over)
		drain(framer)
	}()
	for n := range most {
		if write(framer, n) != nil {
			return n, true
		}
	}
	select { // all is written; the proxy may still read
	case <-over:
		return most, true
	case <-time.After(5 * time.Second):
		return most, false
	}
}

// mostGrowth is how much memory a flood may take, in MiB: the floods below would fill gigabytes if they were kept.
const mostGrowth = 100

func TestThreat64_FloodsOfFrames(t *testing.T) {
	g := start(t)
	g.serves(t)
	before := g.memory(t)
	request := wire.Block(wire.Request2("GET", "http", "a.example", "/")...)
	header := wire.Block(wire.Field{Name: "x-a", Value: strings.Repeat("a", 8000)})
	floods := map[string]func(f *http2.Framer, n int) error{
		"rapid resets": func(f *http2.Framer, n int) error {
			id := uint32(2*n + 1)
			if err := wire.Send2(f, id, request); err != nil {
				return err
			}
			return f.WriteRSTStream(id, http2.ErrCodeCancel)
		},
		"CONTINUATION": func(f *http2.Framer, n int) error {
			if n == 0 {
				return f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: request})
			}
			return f.WriteContinuation(1, false, header)
		},
		"empty CONTINUATION": func(f *http2.Framer, n int) error {
			if n == 0 {
				return f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: request})
			}
			return f.WriteContinuation(1, false, nil)
		},
		"SETTINGS": func(f *http2.Framer, _ int) error { return f.WriteSettings() },
		"PING":     func(f *http2.Framer, n int) error { return f.WritePing(false, [8]byte{byte(n)}) },
		"PRIORITY": func(f *http2.Framer, n int) error {
			return f.WritePriority(uint32(2*n+1), http2.PriorityParam{StreamDep: 0, Weight: 1})
		},
		"WINDOW_UPDATE": func(f *http2.Framer, _ int) error { return f.WriteWindowUpdate(0, 1) },
		"empty DATA": func(f *http2.Framer, n int) error {
			if n == 0 {
				return f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: wire.Block(wire.Request2("POST", "http", "a.example", "/")...), EndHeaders: true})
			}
			return f.WriteData(1, false, nil)
		},
		"streams": func(f *http2.Framer, n int) error { // none of which ends
			return f.WriteHeaders(http2.HeadersFrameParam{StreamID: uint32(2*n + 1), BlockFragment: request, EndHeaders: true})
		},
		"no such frame": func(f *http2.Framer, _ int) error { return f.WriteRawFrame(0xee, 0, 0, make([]byte, 100)) },
	}
	var all sync.WaitGroup
	for name, write := range floods {
		all.Go(func() {
			taken, ended := flood(t, 100_000, write)
			fmt.Printf("evidence: flood of %s: %d frames written, the connection was closed: %t\n", name, taken, ended)
			if harmless := name == "no such frame"; !ended && !harmless { // which is ignored (RFC 9113, 4.1)
				t.Errorf("flood of %s: the connection is still open after %d frames", name, taken)
			}
		})
	}
	all.Wait()
	g.serves(t)
	after := g.memory(t)
	fmt.Printf("evidence: Envoy held %d MiB before the floods and %d MiB after\n", before, after)
	if after-before > mostGrowth {
		t.Errorf("Envoy grew from %d to %d MiB", before, after)
	}
}

// TestThreat65_HeadersThatUnfold: few bytes on the wire that name a large header again and again, and cookies in pieces.
func TestThreat65_HeadersThatUnfold(t *testing.T) {
	g := start(t)
	g.serves(t)
	before := g.memory(t)
	bomb := func(name, value string, times int) []byte {
		var block bytes.Buffer
		encode := hpack.NewEncoder(&block)
		for _, f := range wire.Request2("GET", "http", "a.example", "/") {
			_ = encode.WriteField(hpack.HeaderField{Name: f.Name, Value: f.Value})
		}
		for range times {
			_ = encode.WriteField(hpack.HeaderField{Name: name, Value: value}) // one byte from the second on
		}
		return block.Bytes()
	}
	bombs := map[string][]byte{
		"a header":         bomb("x-bomb", strings.Repeat("a", 3800), 50_000),
		"cookies":          bomb("cookie", "a="+strings.Repeat("a", 3800), 50_000),
		"short cookies":    bomb("cookie", "a=b", 100_000),
		"empty headers":    bomb("x-bomb", "", 100_000),
		"many short names": bomb("x", "1", 100_000),
	}
	for name, block := range bombs {
		for range 20 {
			attempt(t)
			conn := wire.Dial(t, httpPort, nil)
			framer, err := wire.Open2(conn)
			if err == nil {
				err = wire.Send2(framer, 1, block)
			}
			if err == nil {
				if r := read(wire.Read2(framer)); !r.refused() {
					t.Errorf("%s: %d by %q", name, r.Status, r.by())
				}
			}
			_ = conn.Close()
		}
	}
	for _, n := range []int{1000, 61} { // HTTP/1: too many, too large
		fields := make([]wire.Field, n)
		for i := range fields {
			fields[i] = wire.Field{Name: fmt.Sprintf("x-%d", i), Value: strings.Repeat("a", 61_000/n)}
		}
		if r := get(t, "a.example", "/", fields...); r.Status != 431 {
			t.Errorf("%d headers: %d", n, r.Status)
		}
	}
	g.serves(t)
	if after := g.memory(t); after-before > mostGrowth {
		t.Errorf("Envoy grew from %d to %d MiB", before, after)
	}
}

// TestThreat67_SlowClients: those that never come to an end are cut, and slow answers are not.
func TestThreat67_SlowClients(t *testing.T) {
	g := start(t)
	dump := g.admin(t, "/config_dump?resource=dynamic_listeners")
	for _, name := range []string{"request_headers_timeout", "stream_idle_timeout", "idle_timeout", "transport_socket_connect_timeout"} {
		attempt(t)
		values := regexp.MustCompile(`"`+name+`": "([^"]*)"`).FindAllStringSubmatch(dump, -1)
		for _, v := range values {
			if d, err := time.ParseDuration(v[1]); err != nil || d <= 0 {
				t.Errorf("%s is %s", name, v[1])
			}
		}
		if len(values) == 0 {
			t.Errorf("%s is not set", name)
		}
	}
	var all sync.WaitGroup
	slow := func(what string, begin, piece string, secured bool) {
		all.Go(func() {
			attempt(t)
			port := httpPort
			if secured {
				port = httpsPort
			}
			conn := wire.Dial(t, port, nil)
			defer func() { _ = conn.Close() }()
			_, _ = conn.Write([]byte(begin))
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				discard(conn)
			}()
			drip := time.NewTicker(500 * time.Millisecond)
			defer drip.Stop()
			for limit := time.After(50 * time.Second); ; {
				select {
				case <-ended:
					return
				case <-drip.C:
					_, _ = conn.Write([]byte(piece))
				case <-limit:
					t.Errorf("%s: the connection is still open", what)
					return
				}
			}
		})
	}
	for range 20 {
		slow("headers that do not end", "GET / HTTP/1.1\r\nHost: a.example\r\n", "x: 1\r\n", false)
		slow("a request line that does not end", "GET /", "a", false)
		slow("a handshake that does not begin", "", "", true)
		slow("a handshake that does not end", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "a", true)
	}
	all.Go(func() { // longer than Envoy's own timeout of routes, 15 s
		if r := get(t, "a.example", "/", wire.Field{Name: "x-echo-delay", Value: "17s"}); r.Status != 200 {
			t.Errorf("a slow answer: %d", r.Status)
		}
	})
	all.Wait()
	g.serves(t)
}
