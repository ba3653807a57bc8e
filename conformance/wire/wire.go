// Package wire sends requests byte for byte, as clients do that mean ill: HTTP/1 as text, HTTP/2 as frames, both with
// nothing checked, completed or put in order. It decides nothing about answers.
package wire

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
)

// Answer is what a client got. Status 0 is a closed connection or stream.
type Answer struct {
	Status  int
	Headers map[string][]string // names in lower case
	Body    []byte
}

// TLS says how a connection is secured.
type TLS struct {
	ServerName string
	Protocol   string // offered by ALPN
}

// patience is how long anything may take.
const patience = 60 * time.Second

// Dial connects to a port of this machine; nil when the handshake fails.
func Dial(t testing.TB, port int, secured *TLS) net.Conn {
	t.Helper()
	conn, err := net.DialTimeout("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), patience)
	if err != nil {
		t.Error(err)
		return nil
	}
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Error(err)
	}
	if secured == nil {
		return conn
	}
	secure := tls.Client(conn, &tls.Config{ // whom the client talks to is not the point here
		ServerName: secured.ServerName, InsecureSkipVerify: true, NextProtos: []string{secured.Protocol}, //nolint:gosec // as above
	})
	if secure.Handshake() != nil {
		_ = conn.Close()
		return nil
	}
	return secure
}

// HTTP1 sends a text and reads the answer to it. The method decides whether the answer has a body.
func HTTP1(conn net.Conn, method, text string) Answer {
	if _, err := io.WriteString(conn, text); err != nil {
		return Answer{}
	}
	return Read1(bufio.NewReader(conn), method)
}

// Read1 reads an answer of HTTP/1, after any that are not the last.
func Read1(r *bufio.Reader, method string) Answer {
	resp, err := http.ReadResponse(r, &http.Request{Method: method})
	for err == nil && resp.StatusCode < http.StatusOK && resp.StatusCode != http.StatusSwitchingProtocols {
		resp, err = http.ReadResponse(r, &http.Request{Method: method})
	}
	if err != nil {
		return Answer{}
	}
	defer func() { _ = resp.Body.Close() }()
	out := Answer{Status: resp.StatusCode, Headers: map[string][]string{}}
	for name, values := range resp.Header {
		out.Headers[strings.ToLower(name)] = values
	}
	out.Body, _ = io.ReadAll(resp.Body)
	return out
}

// Field is a header line. HTTP/2 says the request line in fields, too.
type Field struct{ Name, Value string }

// Request1 writes a request of HTTP/1 as text.
func Request1(method, target, host string, fields ...Field) string {
	var text strings.Builder
	fmt.Fprintf(&text, "%s %s HTTP/1.1\r\nHost: %s\r\n", method, target, host)
	for _, f := range fields {
		fmt.Fprintf(&text, "%s: %s\r\n", f.Name, f.Value)
	}
	return text.String() + "\r\n"
}

// Request2 lists the fields of a request of HTTP/2.
func Request2(method, scheme, host, target string, fields ...Field) []Field {
	return append([]Field{{":method", method}, {":scheme", scheme}, {":authority", host}, {":path", target}}, fields...)
}

// Block encodes fields as HTTP/2 has them.
func Block(fields ...Field) []byte {
	var block bytes.Buffer
	encode := hpack.NewEncoder(&block)
	for _, f := range fields {
		_ = encode.WriteField(hpack.HeaderField{Name: f.Name, Value: f.Value})
	}
	return block.Bytes()
}

// Open2 begins HTTP/2 on a connection: the preface and the settings.
func Open2(conn net.Conn) (*http2.Framer, error) {
	framer := http2.NewFramer(conn, conn)
	framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	framer.AllowIllegalWrites = true
	if _, err := io.WriteString(conn, http2.ClientPreface); err != nil {
		return nil, err
	}
	return framer, framer.WriteSettings()
}

// Send2 writes a request without a body in as many frames as it takes.
func Send2(framer *http2.Framer, stream uint32, block []byte) error {
	const largest = 16_000
	first := block[:min(len(block), largest)]
	rest := block[len(first):]
	err := framer.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: first, EndStream: true, EndHeaders: len(rest) == 0})
	for err == nil && len(rest) > 0 {
		next := rest[:min(len(rest), largest)]
		rest = rest[len(next):]
		err = framer.WriteContinuation(stream, len(rest) == 0, next)
	}
	return err
}

// HTTP2 sends a request on a fresh connection and reads the answer to it. The usual clients would refuse or change odd
// requests.
func HTTP2(conn net.Conn, fields ...Field) Answer {
	framer, err := Open2(conn)
	if err != nil || Send2(framer, 1, Block(fields...)) != nil {
		return Answer{}
	}
	return Read2(framer)
}

// Read2 reads frames up to the end of an answer.
func Read2(framer *http2.Framer) Answer {
	out := Answer{Headers: map[string][]string{}}
	for {
		frame, err := framer.ReadFrame()
		if err != nil {
			return Answer{}
		}
		switch f := frame.(type) {
		case *http2.MetaHeadersFrame:
			for _, h := range f.Fields {
				if h.Name == ":status" {
					out.Status, _ = strconv.Atoi(h.Value)
				} else {
					out.Headers[h.Name] = append(out.Headers[h.Name], h.Value)
				}
			}
			if f.StreamEnded() {
				return out
			}
		case *http2.DataFrame:
			out.Body = append(out.Body, f.Data()...)
			if f.StreamEnded() {
				return out
			}
		case *http2.RSTStreamFrame, *http2.GoAwayFrame:
			return Answer{}
		}
	}
}
