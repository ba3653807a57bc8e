package envoysim

import (
	"fmt"
	"slices"
	"strings"

	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	rbacfilterv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/rbac/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	setstatev3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/set_filter_state/v3"

	"github.com/cloverleaf-mesh/cloverleaf/translator/xds"
)

// listener is a bound port and its filter chains.
type listener struct {
	part    Part
	address string
	port    uint32
	chains  []*chain
}

// chain is a filter chain: who it takes, and the connection manager behind it.
type chain struct {
	part    Part
	names   []string // server names: exact, or "*.suffix"; none takes any
	tls     bool
	state   map[string]string // what its connections carry
	manager *hcmv3.HttpConnectionManager
	table   string
	filters []string // names of the HTTP filters, in order
	guards  map[string]*guard
	replies []replyMapper
	early   []mutation
}

func newListener(m *listenerv3.Listener) (*listener, error) {
	at := m.GetAddress().GetSocketAddress()
	l := &listener{part: Part{m.GetName(), xds.Origins(m.GetMetadata())}, address: at.GetAddress(), port: at.GetPortValue()}
	for _, fc := range m.GetFilterChains() {
		c, err := newChain(fc)
		if err != nil {
			return nil, fmt.Errorf("filter chain %s: %w", fc.GetName(), err)
		}
		l.chains = append(l.chains, c)
	}
	return l, nil
}

func newChain(m *listenerv3.FilterChain) (*chain, error) {
	c := &chain{part: Part{Name: m.GetName()}, names: m.GetFilterChainMatch().GetServerNames(), tls: m.GetTransportSocket() != nil}
	for _, f := range m.GetFilters() {
		if err := c.filter(f); err != nil {
			return nil, err
		}
	}
	if c.manager == nil {
		return nil, fmt.Errorf("without a connection manager it is not understood")
	}
	c.table = c.manager.GetRds().GetRouteConfigName()
	if c.table == "" {
		return nil, fmt.Errorf("route specifier %T is not understood", c.manager.GetRouteSpecifier())
	}
	if err := c.manage(); err != nil {
		return nil, err
	}
	return c, nil
}

// manage takes over what the connection manager does by itself, and its HTTP filters.
func (c *chain) manage() error {
	for _, f := range c.manager.GetHttpFilters() {
		c.filters = append(c.filters, f.GetName())
		if err := c.guard(f); err != nil {
			return err
		}
	}
	var err error
	if c.replies, err = newReplyMappers(c.manager.GetLocalReplyConfig()); err != nil {
		return err
	}
	c.early, err = newMutations(c.manager.GetEarlyHeaderMutationExtensions())
	return err
}

// guard takes over an HTTP filter if it is an RBAC filter.
func (c *chain) guard(f *hcmv3.HttpFilter) error {
	if !f.GetTypedConfig().MessageIs(&rbacfilterv3.RBAC{}) {
		return nil
	}
	var m rbacfilterv3.RBAC
	if err := f.GetTypedConfig().UnmarshalTo(&m); err != nil {
		return err
	}
	g, err := newGuard(&m)
	if err != nil {
		return err
	}
	if c.guards == nil {
		c.guards = map[string]*guard{}
	}
	c.guards[f.GetName()] = g
	return nil
}

// filter takes over a network filter.
func (c *chain) filter(f *listenerv3.Filter) error {
	m, err := f.GetTypedConfig().UnmarshalNew()
	if err != nil {
		return fmt.Errorf("filter %s: %w", f.GetName(), err)
	}
	switch m := m.(type) {
	case *hcmv3.HttpConnectionManager:
		c.manager = m
	case *setstatev3.Config:
		c.state = map[string]string{}
		for _, v := range m.GetOnNewConnection() {
			c.state[v.GetObjectKey()] = v.GetFormatString().GetTextFormatSource().GetInlineString()
		}
	default:
		return fmt.Errorf("filter %s: %T is not understood", f.GetName(), m)
	}
	return nil
}

// serves tells whether a request's connection reaches a listener, and else on which criterion not.
func (l *listener) serves(q *Request) (lost Criterion, detail string) {
	switch {
	case l.port != q.Port:
		return LostPort, fmt.Sprintf("it listens on port %d", l.port)
	case q.Address != "" && l.address != q.Address && l.address != "0.0.0.0" && l.address != "::":
		return LostAddress, "it listens on " + l.address
	default:
		return "", ""
	}
}

// take finds the chain of a connection: the exact server name, then the longest wildcard, then a chain that takes any.
// Envoy does not go back to a wider name when something else of the chain does not fit.
func (l *listener) take(q *Request) (*chain, []Trial) {
	var best *chain
	rank := -1
	name := strings.ToLower(q.SNI)
	if !q.TLS {
		name = ""
	}
	for _, c := range l.chains {
		if r := c.rank(name); r > rank {
			best, rank = c, r
		}
	}
	if best != nil && best.tls != q.TLS {
		best = nil
	}
	trials := make([]Trial, 0, len(l.chains))
	for _, c := range l.chains {
		t := Trial{Part: c.part, Taken: c == best}
		switch {
		case t.Taken:
		case c.tls != q.TLS && c.tls:
			t.Lost, t.Detail = LostTLS, "it speaks TLS, and the request does not"
		case c.tls != q.TLS:
			t.Lost, t.Detail = LostTLS, "it speaks no TLS, and the request does"
		case name == "":
			t.Lost, t.Detail = LostServerName, "it takes server names "+c.namesWords()+", and the request has none"
		default:
			t.Lost, t.Detail = LostServerName, "it takes server names "+c.namesWords()+", not "+name
		}
		trials = append(trials, t)
	}
	return best, trials
}

// refusal says why no chain takes a connection.
func (l *listener) refusal(q *Request) string {
	speaksTLS := slices.ContainsFunc(l.chains, func(c *chain) bool { return c.tls })
	switch {
	case !q.TLS:
		return fmt.Sprintf("port %d speaks TLS, and the request does not", q.Port)
	case !speaksTLS:
		return fmt.Sprintf("port %d speaks no TLS, and the request does", q.Port)
	case q.SNI == "":
		return fmt.Sprintf("port %d takes no connections without a server name", q.Port)
	default:
		return fmt.Sprintf("port %d takes no connections for the server name %s", q.Port, q.SNI)
	}
}

// rank tells how exactly a chain takes a server name: -1 for not at all, 0 for any.
func (c *chain) rank(name string) int {
	if len(c.names) == 0 {
		return 0
	}
	best := -1
	for _, n := range c.names {
		suffix, wildcard := strings.CutPrefix(n, "*")
		switch {
		case n == name:
			best = max(best, len(n)+1)
		case wildcard && strings.HasSuffix(name, suffix) && len(name) > len(suffix):
			best = max(best, len(suffix))
		}
	}
	return best
}

func (c *chain) namesWords() string {
	if len(c.names) == 0 {
		return "of any kind"
	}
	return strings.Join(c.names, ", ")
}
