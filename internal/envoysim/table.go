package envoysim

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"

	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
	"github.com/cloverleaf-mesh/cloverleaf/translator/xds"
)

// table is a route configuration with its virtual hosts.
type table struct {
	name       string
	origins    []ir.Origin
	ignorePort bool
	hosts      map[string]*virtualHost // by domain in lower case, wildcards included
	edits      edits
}

// virtualHost is what happens to the requests for some domains.
type virtualHost struct {
	part   Part
	routes []*route // all of them, in the order in which they are tried
	tree   *tree    // nil for a list
	edits  edits
}

func (b *builder) addTable(m *routev3.RouteConfiguration) error {
	t := &table{name: m.GetName(), origins: xds.Origins(m.GetMetadata()), ignorePort: m.GetIgnorePortInHostMatching(), hosts: map[string]*virtualHost{}}
	t.edits = newEdits(m)
	b.config.tables[t.name] = t
	for _, vh := range m.GetVirtualHosts() {
		if err := t.add(vh); err != nil {
			return err
		}
	}
	return nil
}

// addHost takes a virtual host that travels by itself: its table is the part of its name before the last slash.
func (b *builder) addHost(m *routev3.VirtualHost) error {
	name := m.GetName()
	t, ok := b.config.tables[name[:max(strings.LastIndexByte(name, '/'), 0)]]
	if !ok {
		return fmt.Errorf("there is no route table for it")
	}
	return t.add(m)
}

func (t *table) add(m *routev3.VirtualHost) error {
	vh := &virtualHost{part: Part{m.GetName(), xds.Origins(m.GetMetadata())}, edits: newEdits(m)}
	var err error
	if m.GetMatcher() != nil {
		vh.tree, vh.routes, err = newTree(m.GetMatcher())
	} else {
		vh.routes, err = newRoutes(m.GetRoutes())
	}
	if err != nil {
		return err
	}
	for _, domain := range m.GetDomains() {
		domain = strings.ToLower(domain)
		if _, taken := t.hosts[domain]; taken {
			return fmt.Errorf("domain %q is taken", domain)
		}
		if strings.HasSuffix(domain, "*") && domain != anyDomain {
			return fmt.Errorf("domain %q is not understood", domain)
		}
		t.hosts[domain] = vh
	}
	return nil
}

// find returns the virtual host of an authority, and the domains that take it: exact, then wildcards from the longest,
// then "*". The first is the virtual host's. A wildcard stands for at least one character, of one or several labels.
func (t *table) find(authority string) (*virtualHost, []string) {
	host := strings.ToLower(authority)
	if t.ignorePort {
		host = withoutPort(host)
	}
	var domains []string
	if _, ok := t.hosts[host]; ok && host != anyDomain {
		domains = append(domains, host)
	}
	for i := 1; i < len(host); i++ {
		if domain := "*" + host[i:]; t.hosts[domain] != nil {
			domains = append(domains, domain)
		}
	}
	if t.hosts[anyDomain] != nil {
		domains = append(domains, anyDomain)
	}
	if len(domains) == 0 {
		return nil, nil
	}
	vh := t.hosts[domains[0]]
	for i, d := range domains {
		domains[i] = strings.TrimSuffix(d, ".") // the name of the virtual host
	}
	return vh, domains
}

// anyDomain is the domain that takes what no other does.
const anyDomain = "*"

// Domains lists the domains of a route table, sorted. Their spellings with a dot at the end are left out.
func (c *Config) Domains(table string) []string {
	t, ok := c.tables[table]
	if !ok {
		return nil
	}
	return slices.DeleteFunc(slices.Sorted(maps.Keys(t.hosts)), func(d string) bool { return strings.HasSuffix(d, ".") })
}

// withoutPort cuts the port from a host, with care for IPv6 addresses.
func withoutPort(host string) string {
	colon := strings.LastIndexByte(host, ':')
	if colon < 0 || colon < strings.LastIndexByte(host, ']') {
		return host
	}
	return host[:colon]
}

// take finds the route of a request.
func (vh *virtualHost) take(s *stream) *route {
	list := vh.routes
	if vh.tree != nil {
		list = vh.tree.find(s.target)
	}
	for _, r := range list {
		if lost, _ := r.match.try(s); lost == "" {
			return r
		}
	}
	return nil
}

// trials says of every route of the host why the request does not take it.
func (vh *virtualHost) trials(s *stream) []Trial {
	trials := make([]Trial, 0, len(vh.routes))
	for _, r := range vh.routes {
		t := Trial{Part: r.part, Match: r.match.String()}
		t.Lost, t.Detail = r.match.try(s)
		switch {
		case r == s.route:
			t.Taken = true
		case t.Lost == "" && s.route != nil:
			t.Lost, t.Detail = outranks(s.route.match, r.match)
		}
		trials = append(trials, t)
	}
	return trials
}
