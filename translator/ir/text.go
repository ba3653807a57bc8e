package ir

import "fmt"

// The values of small types are numbers to the program and words to whoever reads a dump (`cloverleaf translate -o ir`).

// MarshalText returns the role in a word.
func (r Role) MarshalText() ([]byte, error) { return word(r, "Gateway", "Outbound", "Inbound") }

// MarshalText returns the role in a word.
func (r ClassRole) MarshalText() ([]byte, error) { return word(r, "Gateway", "Local", "Sidecar") }

// MarshalText returns the protocol in a word.
func (p Protocol) MarshalText() ([]byte, error) { return word(p, "HTTP/1.1", "H2C") }

// MarshalText returns the way to compare in a word.
func (t PathType) MarshalText() ([]byte, error) { return word(t, "Prefix", "Exact", "Regex") }

// MarshalText returns the mode in a word.
func (m PortMode) MarshalText() ([]byte, error) { return word(m, "Keep", "Strip", "Set") }

// MarshalText returns the operation in a word.
func (o HeaderOp) MarshalText() ([]byte, error) { return word(o, "Set", "Add", "Remove") }

func word[T ~uint8](value T, words ...string) ([]byte, error) {
	if int(value) >= len(words) {
		return nil, fmt.Errorf("%T has no value %d", value, value)
	}
	return []byte(words[value]), nil
}
