package envoysim

import (
	"time"

	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// Verdict says how far a request came.
type Verdict uint8

// The verdicts.
const (
	NoListener Verdict = iota // nothing listens there
	NoChain                   // no filter chain takes the connection
	Refused                   // the proxy refuses the request before it looks for a route
	NoHost                    // no virtual host takes the host name
	NoRoute                   // no route of the host takes the request
	Answered                  // a route takes it, and the proxy answers by itself
	Forwarded                 // a backend gets it
)

// String returns the verdict as a word for machines.
func (v Verdict) String() string {
	return [...]string{"NoListener", "NoChain", "Refused", "NoHost", "NoRoute", "Answered", "Forwarded"}[v]
}

// Part names a part of the configuration and the objects that it came from.
type Part struct {
	Name    string
	Origins []ir.Origin
}

// Result is what Envoy does with a request, and why.
type Result struct {
	Verdict Verdict
	// Why says in words what is missing, when no route was looked for or none was found.
	Why string

	Listener  Part
	Listeners []Trial // all of them
	// Chain is the filter chain; the objects of it and of Chains are those of their route tables.
	Chain Part
	TLS   bool // whether the chain terminates TLS
	// ServerNames are those that the chain takes; none takes any.
	ServerNames []string
	Chains      []Trial // of the listener
	// Target is the path with its query when routes were looked for, and Path what was done to it before.
	Target  string
	Path    []PathStep
	Table   string
	Host    Part
	Domains []string // those of the table that take the host name; the first is that of the host
	Route   Part
	Match   string  // of the route, in words
	Routes  []Trial // every route of the host, in the order in which they are tried
	// Effects are what filters and the route do to the request and its answer, in words and in order.
	Effects  []Effect
	Answer   *Answer   // by the proxy itself
	Upstream *Upstream // when Forwarded, and when there was no endpoint to forward to

	route    *route
	share    *clusterShare
	response []headerEdit
	cors     *corsAnswer
	session  *sessionState
}

// Trial is a candidate and why it was not taken.
type Trial struct {
	Part
	Taken bool
	// Lost is the criterion on which a candidate lost, and Detail says it in words. Both are empty when it was taken.
	Lost   Criterion
	Detail string
	Match  string // what a route takes, in words
}

// Effect is something that happens to a request or its answer.
type Effect struct {
	By   string // "manager", "route", "cluster", or the name of a filter
	What string
}

// Answer is an answer of the proxy itself.
type Answer struct {
	Status  uint32 // 0 when there is none but a closed connection or stream
	Headers []Header
	Body    string
}

// Upstream is what a backend receives.
type Upstream struct {
	Cluster Part
	// Weight of Total is the share of the cluster among those of its route.
	Weight, Total uint32
	Method        string
	Target        string
	Authority     string
	Headers       []Header
	Endpoints     Endpoints
	Speaks        Speaks
	// Pinned is the address that the session of the request is kept on; empty when there is none.
	Pinned  string
	Mirrors []Mirror
	Timeout time.Duration // 0 for none
	Try     time.Duration // of one attempt; 0 for none
	Retries uint32        // in addition to the first attempt
	RetryOn string
}

// Speaks says how a backend is spoken to.
type Speaks struct {
	Protocol string // "HTTP/1.1", "HTTP/2", or empty when it is negotiated
	TLS      bool
	SNI      string
}

// Mirror is a copy of a request.
type Mirror struct {
	Cluster  Part
	Fraction float64 // of the requests
	Taken    bool    // for this request
}

// Endpoints counts the addresses of a cluster.
type Endpoints struct {
	Ready, Draining int
	Resolved        bool // by Envoy itself (DNS): how many there are is not known
	Addresses       []string
}

// Criterion is what a candidate lost on.
type Criterion string

// The criteria. Those from PathType on are of routes that would take the request, too, and rank lower: Gateway API,
// HTTPRouteRule.matches.
const (
	LostPort        Criterion = "Port"
	LostAddress     Criterion = "Address"
	LostTLS         Criterion = "TLS"
	LostServerName  Criterion = "ServerName"
	LostPath        Criterion = "Path"
	LostMethod      Criterion = "Method"
	LostHeader      Criterion = "Header"
	LostQuery       Criterion = "QueryParam"
	LostGRPC        Criterion = "GRPC"
	LostChain       Criterion = "Chain"
	LostShare       Criterion = "Share"
	LostPathType    Criterion = "PathType"
	LostPathLength  Criterion = "PathLength"
	LostMethodRank  Criterion = "MethodRank"
	LostHeaderCount Criterion = "HeaderCount"
	LostQueryCount  Criterion = "QueryParamCount"
	LostOrder       Criterion = "Order"
)
