package simulation

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/cloverleaf-mesh/cloverleaf/internal/envoysim"
)

// seen is what a client got. Status 0 is a closed connection or stream.
type seen struct {
	status  int
	headers map[string][]string // names in lower case
	body    []byte
}

// send sends a request as it stands, byte for byte.
func send(t *testing.T, q *envoysim.Request) seen {
	t.Helper()
	conn, err := net.DialTimeout("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(int(q.Port))), 10*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if err := conn.SetDeadline(time.Now().Add(60 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if q.TLS {
		protocols := []string{"http/1.1"}
		if q.HTTP2 {
			protocols = []string{"h2"}
		}
		secure := tls.Client(conn, &tls.Config{ServerName: q.SNI, InsecureSkipVerify: true, NextProtos: protocols})
		if secure.Handshake() != nil {
			return seen{}
		}
		conn = secure
	}
	if q.HTTP2 {
		return send2(conn, q)
	}
	return send1(conn, q)
}

func send1(conn net.Conn, q *envoysim.Request) seen {
	var text bytes.Buffer
	fmt.Fprintf(&text, "%s %s HTTP/1.1\r\nHost: %s\r\n", q.Method, q.Target, q.Authority)
	for _, h := range q.Headers {
		fmt.Fprintf(&text, "%s: %s\r\n", h.Name, h.Value)
	}
	text.WriteString("\r\n")
	if _, err := conn.Write(text.Bytes()); err != nil {
		return seen{}
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: q.Method})
	if err != nil {
		return seen{}
	}
	defer func() { _ = resp.Body.Close() }()
	out := seen{status: resp.StatusCode, headers: map[string][]string{}}
	for name, values := range resp.Header {
		out.headers[strings.ToLower(name)] = values
	}
	out.body, _ = io.ReadAll(resp.Body)
	return out
}

// send2 speaks HTTP/2 by frames: the usual clients would refuse or change odd requests.
func send2(conn net.Conn, q *envoysim.Request) seen {
	var block bytes.Buffer
	encode := hpack.NewEncoder(&block)
	scheme := "http"
	if q.TLS {
		scheme = "https"
	}
	fields := []envoysim.Header{{Name: ":method", Value: q.Method}, {Name: ":scheme", Value: scheme}, {Name: ":authority", Value: q.Authority}, {Name: ":path", Value: q.Target}}
	for _, h := range append(fields, q.Headers...) {
		_ = encode.WriteField(hpack.HeaderField{Name: strings.ToLower(h.Name), Value: h.Value})
	}
	framer := http2.NewFramer(conn, conn)
	framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	if _, err := io.WriteString(conn, http2.ClientPreface); err != nil {
		return seen{}
	}
	const largest = 16_000
	rest := block.Bytes()
	first := rest[:min(len(rest), largest)]
	rest = rest[len(first):]
	err := framer.WriteSettings()
	if err == nil {
		err = framer.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: first, EndStream: true, EndHeaders: len(rest) == 0})
	}
	for err == nil && len(rest) > 0 {
		next := rest[:min(len(rest), largest)]
		rest = rest[len(next):]
		err = framer.WriteContinuation(1, len(rest) == 0, next)
	}
	if err != nil {
		return seen{}
	}
	return read2(framer)
}

func read2(framer *http2.Framer) seen {
	out := seen{headers: map[string][]string{}}
	for {
		frame, err := framer.ReadFrame()
		if err != nil {
			return seen{}
		}
		switch f := frame.(type) {
		case *http2.MetaHeadersFrame:
			for _, h := range f.Fields {
				if h.Name == ":status" {
					out.status, _ = strconv.Atoi(h.Value)
				} else {
					out.headers[h.Name] = append(out.headers[h.Name], h.Value)
				}
			}
			if f.StreamEnded() {
				return out
			}
		case *http2.DataFrame:
			out.body = append(out.body, f.Data()...)
			if f.StreamEnded() {
				return out
			}
		case *http2.RSTStreamFrame, *http2.GoAwayFrame:
			return seen{}
		}
	}
}
