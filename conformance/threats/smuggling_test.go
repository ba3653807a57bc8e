package threats

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/cloverleaf-mesh/cloverleaf/conformance/wire"
)

// hidden is a request that hides in the body of another.
const hidden = "GET /hidden HTTP/1.1\r\nHost: raw.example\r\n\r\n"

func chunked(text string) string { return fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(text), text) }

// smuggles are requests whose framing somebody may read otherwise: the header lines of the framing, and what follows the
// headers. By the letter of RFC 9112 each is refused, or hidden is part of its body.
func smuggles() (out []string) {
	outer := func(lines, body string) {
		out = append(out, fmt.Sprintf("POST /outer HTTP/1.1\r\nHost: raw.example\r\n%s\r\n\r\n%s", lines, body))
	}
	length := func(text string) string { return "Content-Length: " + strconv.Itoa(len(text)) }
	body := chunked(hidden)
	for _, te := range []string{
		"Transfer-Encoding: chunked", "Transfer-Encoding:chunked", "Transfer-Encoding: Chunked", "TRANSFER-ENCODING: CHUNKED", "Transfer-Encoding:\tchunked",
		"Transfer-Encoding: chunked ", "Transfer-Encoding: chunked\t", "Transfer-Encoding:  chunked", "Transfer-Encoding : chunked", "Transfer-Encoding\t: chunked",
		" Transfer-Encoding: chunked", "\tTransfer-Encoding: chunked", "X: x\nTransfer-Encoding: chunked", "X: x\rTransfer-Encoding: chunked",
		"X: x\r\n Transfer-Encoding: chunked", "Transfer-Encoding:\r\n chunked", "Transfer-Encoding: \x0bchunked", "Transfer-Encoding: chunked\x0b",
		"Transfer-Encoding: \x00chunked", "Transfer-Encoding: xchunked", "Transfer-Encoding: chunkedx", "Transfer-Encoding: chunked, identity",
		"Transfer-Encoding: identity, chunked", "Transfer-Encoding: gzip, chunked", "Transfer-Encoding: chunked, chunked", "Transfer-Encoding: chunked,",
		"Transfer-Encoding: ,chunked", "Transfer-Encoding: \"chunked\"", "Transfer-Encoding: chunked;q=1", "Transfer-Encoding: identity", "Transfer-Encoding:",
		"Transfer-Encoding: x", "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity", "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked",
		"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", "Transfer-Encoding: chunked\r\nTransfer-Encoding: x", "Transfer_Encoding: chunked",
		"Transfer-Encoding: ch\xfcnked", "Transfer-Encoding: chunk\r\n ed", "\x00Transfer-Encoding: chunked", "Transfer-Encoding\x00: chunked",
		"Connection: transfer-encoding\r\nTransfer-Encoding: chunked", "TE: trailers\r\nTransfer-Encoding: chunked",
	} {
		outer(te+"\r\n"+length(body), body)
		outer(length(body)+"\r\n"+te, body)
	}
	for _, cl := range []string{
		"Content-Length: +N", "Content-Length: -N", "Content-Length: 0xN", "Content-Length: N.0", "Content-Length: N;", "Content-Length: N N", "Content-Length: N,M",
		"Content-Length: N\r\nContent-Length: M", "Content-Length: M\r\nContent-Length: N", "Content-Length: N, N", "Content-Length: N\r\nContent-Length: N", "Content-Length : N",
		"Content-Length: N\x0b", "Content-Length: 18446744073709551616", "Content-Length: 18446744073709551660", "Content-Length: NaN", "Content-Length: \"N\"",
		"Content-Length: N\x00", "Content_Length: N\r\nContent-Length: N", "Content-Length:\r\n N", "Content-Length: N\r\nConnection: content-length",
	} {
		outer(strings.NewReplacer("NaN", "NaN", "N", strconv.Itoa(len(hidden)), "M", strconv.Itoa(len(hidden)+5)).Replace(cl), hidden)
	}
	for _, chunk := range []string{
		"+%x\r\n", "-%x\r\n", "0x%x\r\n", " %x\r\n", "%x \r\n", "%x\n", "%x\r", "%x;x\r\n", "%x;x=\"y\"\r\n", "%x;\n\r\n", "%x;x\ny\r\n", "%x;x\ry\r\n", "%x\x00\r\n", "0000000000000%x\r\n",
		"10000000000000000%x\r\n", "%x.0\r\n", "%xg\r\n", "\r\n%x\r\n",
	} {
		outer("Transfer-Encoding: chunked", fmt.Sprintf(chunk, len(hidden))+hidden+"\r\n0\r\n\r\n")
	}
	for _, end := range []string{"\n0\r\n\r\n", "\r0\r\n\r\n", "XX0\r\n\r\n", "0\r\n\r\n", "\r\n0\n\n", "\r\n0\r\n\n", "\r\n0\r\nX: y\r\n\r\n", "\r\n0\r\nContent-Length: 5\r\n\r\n"} {
		outer("Transfer-Encoding: chunked", fmt.Sprintf("%x\r\n", len(hidden))+hidden+end)
	}
	return out
}

func TestThreat66_HiddenRequests(t *testing.T) {
	g := start(t)
	corpus := smuggles()
	together(corpus, func(bytes string) { text(t, bytes) })
	beside := []wire.Field{
		{Name: "transfer-encoding", Value: "chunked"},
		{Name: "content-length", Value: "0"},
		{Name: "content-length", Value: "5"},
		{Name: "content-length", Value: "-1"},
		{Name: "content-length", Value: "+45"},
		{Name: "connection", Value: "close"},
		{Name: "x\r\nx", Value: "1"},
		{Name: "x", Value: "1\r\n\r\n" + hidden},
		{Name: "x: 1\r\n\r\n" + hidden, Value: "x"},
		{Name: "upgrade", Value: "h2c"},
		{Name: "te", Value: "chunked"},
		{Name: "http2-settings", Value: "x"},
		{Name: "keep-alive", Value: "x"},
	}
	whole := [][]wire.Field{
		wire.Request2("GET", "http", "raw.example", "/outer HTTP/1.1\r\nHost: raw.example\r\n\r\n"+hidden), wire.Request2("GET /hidden HTTP/1.1\r\nx:", "http", "raw.example", "/outer"),
		wire.Request2("GET", "http", "raw.example\r\n\r\n"+hidden, "/outer"), wire.Request2("GET", "http", "raw.example", "/outer /hidden"), wire.Request2("GET", "http\r\nx: ", "raw.example", "/outer"),
	}
	for _, f := range beside {
		whole = append(whole, append(wire.Request2("POST", "http", "raw.example", "/outer"), f))
	}
	together(whole, func(fields []wire.Field) { frames(t, fields...) })
	for _, prefix := range []string{
		"PROXY TCP4 203.0.113.9 127.0.0.1 1 80\r\n", "PROXY UNKNOWN\r\n", "\r\n\r\n\r\n", "\x00",
		"\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c\xcb\x00\x71\x09\x7f\x00\x00\x01\x00\x01\x00\x50", "\x16\x03\x01\x00\x05", "SSH-2.0-x\r\n", "GET /hidden\r\n",
	} {
		if r := text(t, prefix+wire.Request1("GET", "/outer", "a.example")); strings.HasPrefix(prefix, "PROXY") && !r.refused() {
			t.Errorf("%q: %d by %q, which was told %q", prefix, r.Status, r.by(), r.header("x-forwarded-for"))
		}
	}
	received := 0
	for _, stream := range g.raw.bytes() {
		received += judge(t, stream)
	}
	fmt.Printf("evidence: %d requests with odd framing, of which the backend received %d, none hidden\n", len(corpus), received)
	if len(corpus) < 80 || received == 0 {
		t.Errorf("%d requests, %d received: too few to tell", len(corpus), received)
	}
	g.serves(t)
}

// judge reads what the proxy wrote on a connection as the strictest backend would, and returns how many requests it finds.
// All have one framing, which nobody can read otherwise, and none was hidden.
func judge(t *testing.T, stream []byte) (requests int) {
	t.Helper()
	for len(stream) > 0 {
		head, rest, whole := bytes.Cut(stream, []byte("\r\n\r\n"))
		if !whole {
			t.Errorf("the proxy began a request and did not end its headers: %q", stream)
			return requests
		}
		lines := strings.Split(string(head), "\r\n")
		if lines[0] != "POST /outer HTTP/1.1" && lines[0] != "GET /outer HTTP/1.1" {
			t.Errorf("the backend received %q", lines[0])
		}
		framing := ""
		for _, line := range lines[1:] {
			name, value, ok := strings.Cut(line, ": ")
			value = strings.TrimPrefix(value, " ")
			if name = strings.ToLower(strings.TrimSuffix(name, ":")); strings.ContainsAny(name, " \t_\x00\r\n") || strings.ContainsAny(line, "\r\n\x00") || !ok && !strings.HasSuffix(line, ":") {
				t.Errorf("the backend received the line %q", line)
			}
			if name == "content-length" || name == "transfer-encoding" {
				if framing != "" {
					t.Errorf("the backend received two framings: %q", head)
				}
				framing = value
			}
		}
		var ok bool
		if stream, ok = afterBody(rest, framing); !ok {
			t.Errorf("the backend received the framing %q of %q", framing, head)
		}
		requests++
	}
	return requests
}

// afterBody cuts a body off. One that the proxy gave up is the last of its connection.
func afterBody(rest []byte, framing string) (after []byte, ok bool) {
	switch n, err := strconv.ParseUint(framing, 10, 32); {
	case framing == "":
		return rest, true
	case err == nil && strconv.FormatUint(n, 10) == framing:
		return rest[min(int(n), len(rest)):], true
	case framing != "chunked":
		return nil, false
	}
	for len(rest) > 0 {
		size, data, _ := bytes.Cut(rest, []byte("\r\n"))
		n, err := strconv.ParseUint(string(size), 16, 32)
		if err != nil {
			return nil, false
		}
		if n == 0 {
			_, after, _ = bytes.Cut(rest, []byte("\r\n\r\n"))
			return after, true
		}
		if int(n)+2 > len(data) {
			return nil, true
		}
		rest = data[n+2:]
	}
	return nil, true
}
