package ir

import "time"

// Rule is one match and what happens to a request that it takes.
type Rule struct {
	Name   string // identity: "<kind>/<ns>/<route>/<rule name or index>/<match index>"
	Match  Match
	Action Action
	// Features are the settings that are not part of matching or forwarding; policies add to them later.
	Features Features
	Origin   Origin
}

// Match says which requests a rule takes: all parts must hold.
type Match struct {
	// Rank decides between matches that take the same request; the kind of route sets it.
	Rank Rank
	// GRPC takes only gRPC requests: those whose content type begins with application/grpc.
	GRPC    bool
	Path    PathMatch
	Method  string       // empty takes any
	Headers []ValueMatch // sorted by name (lower case)
	Query   []ValueMatch // sorted by name (case-sensitive)
}

// Rank is the precedence of a match among those of a host, after the route's own host name and before its age: the
// match with the larger number wins, field by field (Gateway API, HTTPRouteRule.matches, GRPCRouteRule.matches).
type Rank struct {
	PathType   int // how exactly the path is given
	PathLength int // characters of the path, or of the gRPC service
	Method     int // whether a method is given, or characters of the gRPC method
	Headers    int // number of header matches
	Query      int // number of query parameter matches
}

// PathType is how a path is compared.
type PathType uint8

// The ways to compare a path.
const (
	PathPrefix PathType = iota // by whole segments: /foo takes /foo and /foo/bar, never /foobar
	PathExact
	PathRegex // RE2, the whole path
)

// PathMatch compares the path of a request, without its query.
type PathMatch struct {
	Type  PathType
	Value string // for PathPrefix without a trailing slash, unless it is "/" alone
}

// ValueMatch compares one header or query parameter.
type ValueMatch struct {
	Name  string
	Value string
	Regex bool // RE2, the whole value
}

// Action is what a rule does with a request: [Forward], [Redirect] or [Respond].
type Action interface{ action() }

// Forward sends the request to one of several backends.
type Forward struct {
	Split   []Weighted // at least one entry with a weight above 0; sorted as in the route
	Failure uint32     // status of the answers to invalid shares
	Rewrite Rewrite
	Mirrors []Mirror
	Timeout Timeouts
	Retry   Retry
}

// Mirror sends a copy of a share of the requests to a further backend, whose answers are ignored.
type Mirror struct {
	Backend    BackendName
	PerMillion uint32 // 1 to 1,000,000
}

// Retry says when a request is sent again. Connections that cannot be made and requests that a backend refused before it
// looked at them are always retried, if anything is; its zero value retries nothing.
type Retry struct {
	Attempts uint32        // in addition to the first
	Codes    []uint32      // statuses of answers that are retried, sorted
	Backoff  time.Duration // base interval; 0 leaves it to the proxy
}

// Backends lists every backend that requests of the rule, copies of them, or questions about them go to, perhaps
// repeatedly.
func (r *Rule) Backends() []BackendName {
	var names []BackendName
	asked := func(f Features) {
		if f.Auth != nil {
			names = append(names, f.Auth.Backend)
		}
	}
	asked(r.Features)
	f, ok := r.Action.(Forward)
	if !ok {
		return names
	}
	mirrors := func(list []Mirror) {
		for _, m := range list {
			names = append(names, m.Backend)
		}
	}
	for i := range f.Split {
		if w := &f.Split[i]; !w.Invalid {
			names = append(names, w.Backend)
			mirrors(w.Filters().Mirrors)
			asked(w.Filters().Features)
		}
	}
	mirrors(f.Mirrors)
	return names
}

// Weighted is one backend and its share. Invalid shares are answered with an error: 500 (Gateway API,
// HTTPRouteRule.backendRefs), or UNAVAILABLE where gRPC is spoken (GRPCRouteRule.backendRefs).
type Weighted struct {
	Backend BackendName // empty when Invalid
	Weight  uint32
	Invalid bool
	Own     *Filters // what the filters of this backendRef ask for, in addition to those of the rule; nil for nothing
}

// Filters returns what the filters of the backendRef ask for.
func (w *Weighted) Filters() Filters {
	if w.Own == nil {
		return Filters{}
	}
	return *w.Own
}

// Filters are what the filters of one backendRef ask for.
type Filters struct {
	Features Features
	Rewrite  Rewrite
	Mirrors  []Mirror
	Redirect *Redirect // instead of sending the request anywhere
}

// Redirect answers with a redirect.
type Redirect struct {
	Scheme   string // empty keeps
	Hostname string // empty keeps
	Port     uint32 // 0: see PortMode
	PortMode PortMode
	Path     *PathEdit // nil keeps
	Status   uint32    // 301, 302, 303, 307 or 308
}

// PortMode says what a redirect without a port of its own does with the port of the request.
type PortMode uint8

// The modes.
const (
	PortKeep  PortMode = iota // the listener's port
	PortStrip                 // none: the well-known port of the scheme
	PortSet                   // Redirect.Port
)

// Respond answers at once.
type Respond struct {
	Status uint32
	Body   string
}

func (Forward) action()  {}
func (Redirect) action() {}
func (Respond) action()  {}

// Rewrite changes what the backend sees.
type Rewrite struct {
	Hostname string    // empty keeps the client's
	Path     *PathEdit // nil keeps
}

// PathEdit replaces the whole path, or the prefix that the rule matched.
type PathEdit struct {
	Full   bool   // replace the whole path
	Value  string // the new path or prefix
	Prefix string // the matched prefix that is replaced, when not Full
}

// Timeouts bound a request. Zero is no limit.
type Timeouts struct {
	Request time.Duration // the whole request, all attempts
	Backend time.Duration // one attempt
}

// Features are the settings of a rule, already merged.
type Features struct {
	Headers HeaderEdits
	CORS    *CORS
	Auth    *ExternalAuth
	Session *Session
}

// ExternalAuth asks an authorization server before a request goes on (GEP-1494).
type ExternalAuth struct {
	Backend  BackendName
	GRPC     bool     // the protocol of envoy.service.auth.v3; HTTP otherwise
	Prefix   string   // HTTP: stands before the path that is asked about; empty for none
	Request  []string // headers that are sent, lower case, sorted; nil for all (gRPC), or for those that always are (HTTP)
	Response []string // HTTP: headers of the answer that the backend gets, lower case, sorted; nil for all
}

// CORS answers preflight requests and says in answers which other origins may read them (Fetch standard, "CORS
// protocol").
type CORS struct {
	Origins     []string // "*", or scheme://host with an optional port, where host may begin with "*"; lower case
	Methods     []string // "*" for all
	Headers     []string // "*" for all
	Expose      []string // "*" for all
	MaxAge      uint32   // seconds
	Credentials bool
}

// Session keeps the requests of a session on one backend and endpoint (GEP-1619).
type Session struct {
	Type SessionType
	Name string        // of the cookie or header
	Path string        // of the cookie
	Life time.Duration // of the cookie; 0 for as long as the browser runs
}

// SessionType says how a session is recognised.
type SessionType uint8

// The types.
const (
	SessionCookie SessionType = iota
	SessionHeader
)

// HeaderEdits change the headers of a request on its way in and of the response on its way out.
type HeaderEdits struct {
	Request  []HeaderEdit
	Response []HeaderEdit
}

// HeaderEdit changes one header.
type HeaderEdit struct {
	Op    HeaderOp
	Name  string // as written; names are compared without case
	Value string // empty for HeaderRemove
}

// HeaderOp is what happens to a header.
type HeaderOp uint8

// The operations. Within one filter an operation meets a name once, whatever its case.
const (
	HeaderSet HeaderOp = iota
	HeaderAdd
	HeaderRemove
)
