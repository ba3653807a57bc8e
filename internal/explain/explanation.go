// Package explain says what becomes of a request, and which part of which object decides it: the answer of package
// envoysim, read back to manifests. It decides how that is told, to people and to machines, and nothing else.
package explain

// Explanation is what -o json prints. Fields are only ever added.
type Explanation struct {
	APIVersion string  `json:"apiVersion"`
	Kind       string  `json:"kind"`
	Request    Request `json:"request"`
	// Verdict is NoListener, NoChain, Refused, NoHost, NoRoute, Answered or Forwarded.
	Verdict string `json:"verdict"`
	// Served tells whether a rule takes the request and does what its manifest asks for.
	Served bool `json:"served"`
	// Missing says what is missing where nothing takes the request, or it cannot be sent anywhere; Hints say more.
	Missing  string    `json:"missing,omitempty"`
	Hints    []Hint    `json:"hints,omitempty"`
	Listener *Listener `json:"listener,omitempty"`
	Host     *Host     `json:"host,omitempty"`
	Path     []Step    `json:"path,omitempty"`
	Route    *Route    `json:"route,omitempty"`
	// Lost are the other rules of the host, in the order in which they are tried.
	Lost     []Route   `json:"lost,omitempty"`
	Outcomes []Outcome `json:"outcomes,omitempty"`
	// Unknown are the parts of the configuration that were not looked at.
	Unknown []string `json:"unknown,omitempty"`
}

// Request is the request as it was understood.
type Request struct {
	Method     string   `json:"method"`
	Protocol   string   `json:"protocol"`
	Port       uint32   `json:"port"`
	TLS        bool     `json:"tls"`
	ServerName string   `json:"serverName,omitempty"`
	Host       string   `json:"host"`
	Path       string   `json:"path"`
	Headers    []Header `json:"headers,omitempty"`
}

// Header is a header of a request or an answer.
type Header struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Source is a part of an object and where it stands.
type Source struct {
	Object  string `json:"object,omitempty"`  // Kind/namespace/name
	Section string `json:"section,omitempty"` // listener, rule or port
	File    string `json:"file,omitempty"`
	Line    int    `json:"line,omitempty"`
}

// Hint is something that may help: an object and what is wrong with it, or what comes near.
type Hint struct {
	Source
	Code string `json:"code,omitempty"` // of a finding
	Text string `json:"text"`
}

// Listener is the listener that takes the connection.
type Listener struct {
	Source
	Name  string `json:"name"` // Envoy's
	Port  uint32 `json:"port"` // as bound
	Words string `json:"words"`
}

// Host is the host name that the request is served under.
type Host struct {
	Source
	Domain string   `json:"domain"`
	Beat   []string `json:"beat,omitempty"` // other domains that take the host, too
}

// Step is something that happened to the path before routes were looked for.
type Step struct {
	What string `json:"what"`
	Path string `json:"path"`
}

// Route is a rule of a route object.
type Route struct {
	Source
	Name  string `json:"name"` // Envoy's
	Match string `json:"match"`
	// Lost is the criterion on which the rule lost, and Detail says it in words.
	Lost   string `json:"lost,omitempty"`
	Detail string `json:"detail,omitempty"`
}

// Outcome is one of the things that may happen.
type Outcome struct {
	Share    float64  `json:"share"` // of the requests
	Effects  []Effect `json:"effects,omitempty"`
	Backend  *Backend `json:"backend,omitempty"`
	Receives *Message `json:"receives,omitempty"` // what the backend gets
	Answer   *Message `json:"answer,omitempty"`   // of the proxy itself
}

// Effect is something that a filter or the route does.
type Effect struct {
	By   string `json:"by"`
	What string `json:"what"`
}

// Backend is where requests go.
type Backend struct {
	Source
	Cluster  string   `json:"cluster"`
	Weight   uint32   `json:"weight"`
	Protocol string   `json:"protocol,omitempty"`
	TLS      bool     `json:"tls,omitempty"`
	Ready    int      `json:"ready"`
	Draining int      `json:"draining,omitempty"`
	Resolved bool     `json:"resolved,omitempty"` // by DNS: Ready counts names
	Mirrors  []Mirror `json:"mirrors,omitempty"`
}

// Mirror is where copies go.
type Mirror struct {
	Source
	Cluster string  `json:"cluster"`
	Share   float64 `json:"share"`
}

// Message is a request or an answer.
type Message struct {
	Status  uint32   `json:"status,omitempty"`
	Method  string   `json:"method,omitempty"`
	Host    string   `json:"host,omitempty"`
	Path    string   `json:"path,omitempty"`
	Headers []Header `json:"headers,omitempty"`
	Body    string   `json:"body,omitempty"`
}
