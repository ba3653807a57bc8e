package ir

// Role says where the traffic of a listener enters. Matching, splitting, rewriting and policy are the same for all.
type Role uint8

// The roles of listeners.
const (
	RoleGateway  Role = iota // a Gateway's port
	RoleOutbound             // a Service's port, seen by a client's sidecar (not filled yet)
	RoleInbound              // a workload's port, seen by its own sidecar (not filled yet)
)

// Listener is one Envoy listener: a place where connections enter, and the chains that may take them.
type Listener struct {
	Name   ListenerName
	Role   Role
	Bind   Bind
	Logged bool    // every request is a line of the access log
	Chains []Chain // sorted by name; a chain without ServerNames takes what no other takes
	Origin []Origin
}

// Bind is where a listener listens: [Port], later also virtual (original destination) and captured addresses.
type Bind interface{ bind() }

// Port is a bound address and port.
type Port struct {
	Address string // an IP address
	Port    uint32 // 1 to 65535, after any offset
	// Exclusive refuses a port that another process listens on. Otherwise processes of one user may share it, and the
	// kernel spreads connections between them (SO_REUSEPORT).
	Exclusive bool
}

func (Port) bind() {}

// Chain is one filter chain: connections with these server names, speaking this TLS, routed by this table.
type Chain struct {
	Name        string     // unique in the listener: [HTTPChain] or [TLSChain]
	ServerNames []Hostname // SNI; empty takes any, also none
	TLS         *ServerTLS // nil for plaintext
	Layer       Layer
	Origin      []Origin
}

// Layer is what a chain does with the bytes: [HTTP], later also TLS passthrough and TCP.
type Layer interface{ layer() }

// HTTP routes requests by a route table.
type HTTP struct{ Table RouteTableName }

func (HTTP) layer() {}

// ServerTLS says how a listener terminates TLS.
type ServerTLS struct {
	Certificates []SecretName // at least one; Envoy chooses by SNI and key type
	Clients      *ClientCheck // nil when clients are not asked for a certificate
}

// ClientCheck says how the certificates of clients are checked.
type ClientCheck struct {
	Authority SecretName // the CAs
	Optional  bool       // without a certificate, and with one that fails the check, a client is let in all the same
}

// RouteTable is an Envoy RouteConfiguration: empty, its virtual hosts come by VHDS.
type RouteTable struct {
	Name   RouteTableName
	Origin []Origin
}

// VirtualHost is everything that happens to requests for one host name of a route table.
type VirtualHost struct {
	Name VirtualHostName
	// Chain names the chain that these requests must come by; those that come by another are answered with 421
	// (Misdirected Request). Empty takes all.
	Chain  string
	Rules  []Rule // in order of precedence: the first whole match wins; what none matches is 404
	Origin []Origin
}
