package threats

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/tls"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/cloverleaf-mesh/cloverleaf/conformance/wire"
)

// taped keeps what comes on a connection.
type taped struct {
	net.Conn
	tape bytes.Buffer
}

func (c *taped) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.tape.Write(b[:n])
	return n, err
}

// earlyData tells whether a session ticket of the gateway allows early data (RFC 8446, 4.6.1). Go's client does not tell,
// so the tickets are read from what came.
func earlyData(t *testing.T) bool {
	t.Helper()
	attempt(t)
	var keys bytes.Buffer
	conn := &taped{Conn: wire.Dial(t, httpsPort, nil)}
	defer func() { _ = conn.Close() }()
	secure := tls.Client(conn, &tls.Config{
		ServerName: "one.tls.example", InsecureSkipVerify: true, MinVersion: tls.VersionTLS13, // who answers is not the point
		KeyLogWriter: &keys, ClientSessionCache: tls.NewLRUClientSessionCache(1),
	})
	if _, err := io.WriteString(secure, wire.Request1("GET", "/", "one.tls.example", wire.Field{Name: "connection", Value: "close"})); err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, secure)
	tickets, early := 0, false
	for _, message := range decrypted(t, conn.tape.Bytes(), secretOf(t, keys.String()), secure.ConnectionState().CipherSuite) {
		if len(message) > 4 && message[0] == 4 { // NewSessionTicket
			tickets++
			early = early || allowsEarlyData(message[4:])
		}
	}
	if tickets == 0 {
		t.Error("no session ticket was found")
	}
	return early
}

func secretOf(t *testing.T, keys string) []byte {
	t.Helper()
	for line := range strings.Lines(keys) {
		if f := strings.Fields(line); f[0] == "SERVER_TRAFFIC_SECRET_0" {
			secret, err := hex.DecodeString(f[2])
			if err != nil {
				t.Fatal(err)
			}
			return secret
		}
	}
	t.Fatal("no secret")
	return nil
}

// decrypted returns the handshake messages among the records that the server sent after the handshake.
func decrypted(t *testing.T, tape, secret []byte, suite uint16) (messages [][]byte) {
	t.Helper()
	h, size := sha256.New, 16
	switch suite {
	case tls.TLS_AES_256_GCM_SHA384:
		h, size = sha512.New384, 32
	case tls.TLS_AES_128_GCM_SHA256:
	default:
		t.Fatalf("cannot read %s", tls.CipherSuiteName(suite))
	}
	block, err := aes.NewCipher(expand(t, h, secret, "key", size))
	if err != nil {
		t.Fatal(err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		t.Fatal(err)
	}
	iv := expand(t, h, secret, "iv", 12)
	for sequence := uint64(0); len(tape) > 5; {
		length := int(binary.BigEndian.Uint16(tape[3:]))
		if len(tape) < 5+length {
			break
		}
		head, body := tape[:5], tape[5:5+length]
		tape = tape[5+length:]
		nonce := bytes.Clone(iv)
		binary.BigEndian.PutUint64(nonce[4:], binary.BigEndian.Uint64(nonce[4:])^sequence)
		text, err := aead.Open(nil, nonce, body, head)
		if err != nil {
			continue // of the handshake, under another key
		}
		sequence++
		if text = bytes.TrimRight(text, "\x00"); text[len(text)-1] == 22 {
			messages = append(messages, split(text[:len(text)-1])...)
		}
	}
	return messages
}

// split cuts handshake messages apart.
func split(text []byte) (messages [][]byte) {
	for len(text) >= 4 {
		n := 4 + int(text[1])<<16 + int(text[2])<<8 + int(text[3])
		messages = append(messages, text[:min(n, len(text))])
		text = text[min(n, len(text)):]
	}
	return messages
}

func expand(t *testing.T, h func() hash.Hash, secret []byte, label string, size int) []byte {
	t.Helper()
	label = "tls13 " + label
	out, err := hkdf.Expand(h, secret, string([]byte{0, byte(size), byte(len(label))})+label+"\x00", size)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// allowsEarlyData reads a NewSessionTicket up to its extensions, and looks for early_data (42).
func allowsEarlyData(ticket []byte) bool {
	rest := ticket[8:] // lifetime, age
	rest = rest[1+int(rest[0]):]
	rest = rest[2+int(binary.BigEndian.Uint16(rest)):]
	for rest = rest[2:]; len(rest) >= 4; rest = rest[4+int(binary.BigEndian.Uint16(rest[2:])):] {
		if binary.BigEndian.Uint16(rest) == 42 {
			return true
		}
	}
	return false
}
