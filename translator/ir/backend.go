package ir

// Protocol is what a backend speaks.
type Protocol uint8

// The protocols of backends.
const (
	ProtocolHTTP1     Protocol = iota // HTTP/1.1; over TLS what is negotiated
	ProtocolH2C                       // HTTP/2, with and without TLS, without negotiation: appProtocol kubernetes.io/h2c
	ProtocolWebSocket                 // HTTP/1.1, over TLS too: an upgrade over HTTP/2 is more than most backends take
)

// Backend is one Envoy cluster.
type Backend struct {
	Name     BackendName
	Protocol Protocol
	TLS      *ClientTLS // nil for plaintext
	// DNS are host names that Envoy resolves itself; when it is empty the endpoints come by EDS.
	DNS    []HostPort
	Origin []Origin
}

// HostPort is a host name and a port.
type HostPort struct {
	Host string
	Port uint32
}

// ClientTLS says how a backend's certificate is checked and what is shown to it.
type ClientTLS struct {
	SNI         string
	Hostname    string     // DNS name that the certificate must carry, unless SANs are given
	SANs        []SAN      // any of them suffices
	CA          string     // PEM; empty with SystemCA
	SystemCA    bool       // the trust store of the proxy's machine
	Certificate SecretName // shown to the backend; empty for none
}

// SAN is a subject alternative name: a DNS name or a URI.
type SAN struct {
	URI   bool
	Value string
}

// Endpoints are the addresses of one backend.
type Endpoints struct {
	Backend    BackendName
	Localities []Locality // sorted by zone
}

// Locality is the endpoints of one zone.
type Locality struct {
	Zone      string
	Endpoints []Endpoint // sorted, without duplicates
}

// Endpoint is one address.
type Endpoint struct {
	Address  string // an IP address, or an absolute path of a Unix socket when Port is 0
	Port     uint32
	Draining bool // terminating but still serving: no new connections when others are there
}
