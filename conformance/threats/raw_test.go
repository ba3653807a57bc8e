package threats

import (
	"bytes"
	"net"
	"sync"
	"testing"
)

// rawBackend keeps every byte that it receives, connection by connection, and answers each end of headers with 200. It
// reads nothing into the bytes, so that what the proxy wrote is judged by the tests.
type rawBackend struct {
	listener *net.TCPListener

	mu    sync.Mutex
	conns []*bytes.Buffer
}

func startRaw(t *testing.T) *rawBackend {
	t.Helper()
	l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	b := &rawBackend{listener: l}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go b.serve(conn)
		}
	}()
	return b
}

func (b *rawBackend) port() int {
	at, _ := b.listener.Addr().(*net.TCPAddr)
	return at.Port
}

func (b *rawBackend) serve(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	got := &bytes.Buffer{}
	b.mu.Lock()
	b.conns = append(b.conns, got)
	b.mu.Unlock()
	buffer := make([]byte, 64<<10)
	for answered := 0; ; {
		n, err := conn.Read(buffer)
		if err != nil {
			return
		}
		b.mu.Lock()
		got.Write(buffer[:n])
		ends := bytes.Count(got.Bytes(), []byte("\r\n\r\n"))
		b.mu.Unlock()
		for ; answered < ends; answered++ {
			if _, err := conn.Write([]byte("HTTP/1.1 200 OK\r\ncontent-length: 0\r\nx-raw: 1\r\n\r\n")); err != nil {
				return
			}
		}
	}
}

// bytes returns what came on each connection.
func (b *rawBackend) bytes() [][]byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	var out [][]byte
	for _, c := range b.conns {
		out = append(out, bytes.Clone(c.Bytes()))
	}
	return out
}
