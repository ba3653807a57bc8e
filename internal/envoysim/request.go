package envoysim

import "time"

// Request is a request as a client sends it.
type Request struct {
	// Address is the IP address that the client connects to; empty for any that the listener of the port has.
	Address string
	Port    uint32
	TLS     bool
	SNI     string // server name of the TLS handshake; empty for none
	HTTP2   bool   // HTTP/1.1 otherwise
	Method  string
	// Target is the path with its query, as it stands on the wire.
	Target    string
	Authority string // the Host header, or :authority
	Headers   []Header
	Random    uint64 // the number that Envoy draws for a request: it decides shares of routes, clusters and mirrors
	Peer      string // the client's IP address; empty when it does not matter
	// Now is when the request is made; it decides whether a session's cookie is over. Zero never lets one be over.
	Now time.Time
}

// Generated stands for what Envoy makes up by itself, as an identifier or its own address.
const Generated = "<generated>"
