package rollout

import (
	"maps"
	"slices"

	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// Proxy is one proxy on one stream: what it asked for, what it holds and what is on its way. It is not safe for
// concurrent use.
type Proxy struct {
	world *World
	types [ir.TypeCount]kind
	seq   uint64 // of messages

	warming map[string]uint64          // held cluster -> message that brought it, until its endpoints came after that
	early   map[string]uint64          // cluster on its way -> message of its endpoints that was answered before it
	refs    map[string]int             // cluster -> held virtual hosts and route tables that need it
	unknown int                        // of these, how many are held of which it is not known what they need
	held    map[string]map[string]bool // route table -> held virtual hosts
	fresh   map[string]bool            // route tables whose first virtual hosts have not been sent
	serving map[string]bool            // route tables of which virtual hosts were acknowledged
}

// kind is the state of one type of resource.
type kind struct {
	requested bool
	owes      bool            // an answer is owed, if only an empty one
	names     map[string]bool // subscribed by name
	have      map[string]holding
	dirty     map[string]bool // names whose wanted version may not be held
	forced    map[string]bool // names to be sent whatever is held
	search    search          // for what was refused
	inflight  *Message
}

// holding is what the proxy acknowledged under a name. The resource is nil when only its version is known, after a
// reconnect.
type holding struct {
	version  string
	resource *ir.Resource
}

// Message is what is sent at once, of one type.
type Message struct {
	Type      ir.Type
	Resources []*ir.Resource // sorted by name
	Removed   []string       // sorted
	seq       uint64
}

// NewProxy returns a proxy that asked for nothing yet.
func NewProxy(world *World) *Proxy {
	p := &Proxy{
		world: world, warming: map[string]uint64{}, early: map[string]uint64{}, refs: map[string]int{}, held: map[string]map[string]bool{},
		fresh: map[string]bool{}, serving: map[string]bool{},
	}
	for t := range p.types {
		p.types[t] = kind{names: map[string]bool{}, have: map[string]holding{}, dirty: map[string]bool{}, forced: map[string]bool{}}
	}
	return p
}

// Inherit takes over which clusters waited for endpoints when the stream before ended: they wait still, and the versions
// that the proxy names when it comes back do not show it. Without it (another replica, a restarted server) such a
// cluster goes on when Envoy's initial fetch timeout ends.
func (p *Proxy) Inherit(waiting []string) {
	for _, cluster := range waiting {
		p.warming[cluster] = 0
	}
}

// Waiting lists the clusters that wait for endpoints, and those on their way that do if Envoy took them.
func (p *Proxy) Waiting() []string {
	waiting := slices.Collect(maps.Keys(p.warming))
	if m := p.types[ir.TypeCluster].inflight; m != nil {
		for _, r := range m.Resources {
			if warms(r) {
				waiting = append(waiting, r.ID.Name)
			}
		}
	}
	return waiting
}

// awaits tells whether a cluster waits for endpoints, or will when Envoy takes what is on its way.
func (p *Proxy) awaits(cluster string) bool {
	if _, warming := p.warming[cluster]; warming {
		return true
	}
	m := p.types[ir.TypeCluster].inflight
	return m != nil && slices.ContainsFunc(m.Resources, func(r *ir.Resource) bool { return r.ID.Name == cluster && warms(r) })
}

// byName tells whether a type is subscribed to by name; the others are sent whole.
func byName(t ir.Type) bool {
	return t == ir.TypeEndpoints || t == ir.TypeSecret || t == ir.TypeRouteTable
}

// routes tells whether resources of a type send requests to clusters: virtual hosts do, and so do route tables that
// bring theirs along.
func (p *Proxy) routes(t ir.Type) bool {
	return t == ir.TypeVirtualHost || t == ir.TypeRouteTable && p.world.whole
}

// Touch says that what is wanted under a name changed.
func (p *Proxy) Touch(id ir.ResourceID) {
	k := &p.types[id.Type]
	h, held := k.have[id.Name]
	if want := p.world.Get(id); held && h.resource == nil && want != nil && h.version == want.Version {
		p.hold(id.Type, id.Name, holding{want.Version, want}) // known by its version since a reconnect, and now by its needs
	}
	if k.requested && (!byName(id.Type) || k.names[id.Name]) {
		k.dirty[id.Name] = true
	}
}

// Request takes in a request: names subscribed and unsubscribed and, with the first of a type after a reconnect, the
// versions that the proxy holds.
func (p *Proxy) Request(t ir.Type, subscribe, unsubscribe []string, initial map[string]string) {
	k := &p.types[t]
	if !k.requested {
		p.first(t, initial)
	}
	if !byName(t) {
		return
	}
	for _, name := range subscribe {
		k.names[name], k.dirty[name] = true, true
		_, known := initial[name]
		if !known || t == ir.TypeEndpoints && p.awaits(name) {
			k.forced[name] = true // a new subscription is always answered, and a warming cluster waits for an answer
		}
	}
	for _, name := range unsubscribe {
		p.unsubscribe(t, name)
	}
}

func (p *Proxy) first(t ir.Type, initial map[string]string) {
	k := &p.types[t]
	k.requested = true
	// Envoy waits at its start for an answer about clusters and listeners, also when there are none. It does not wait
	// after a reconnect.
	k.owes = len(initial) == 0 && (t == ir.TypeCluster || t == ir.TypeListener)
	for name, version := range initial {
		h := holding{version: version}
		if w := p.world.wanted[t][name]; w != nil && w.Version == version {
			h.resource = w
		}
		p.hold(t, name, h)
		switch t { //nolint:exhaustive // the others have no consequences
		case ir.TypeVirtualHost:
			p.serving[ir.TableOf(name)] = true
		case ir.TypeRouteTable:
			p.review(name)
			p.serving[name] = p.serving[name] || p.world.whole
		}
		if !byName(t) && h.resource == nil {
			k.dirty[name] = true
		}
	}
	if byName(t) {
		return
	}
	for name, w := range p.world.wanted[t] {
		if k.have[name].version != w.Version {
			k.dirty[name] = true
		}
	}
}

func (p *Proxy) unsubscribe(t ir.Type, name string) {
	k := &p.types[t]
	delete(k.names, name)
	delete(k.forced, name)
	delete(k.dirty, name)
	p.drop(t, name)
	if t != ir.TypeRouteTable {
		return
	}
	for host := range p.held[name] { // Envoy forgets them with their table
		p.drop(ir.TypeVirtualHost, host)
	}
	delete(p.fresh, name)
	delete(p.serving, name)
}

// hold notes that the proxy holds a version.
func (p *Proxy) hold(t ir.Type, name string, h holding) {
	p.drop(t, name)
	p.types[t].have[name] = h
	if t == ir.TypeCluster && h.resource != nil && !warms(h.resource) {
		delete(p.warming, name)
	}
	if p.routes(t) {
		p.count(h, 1)
	}
	if t != ir.TypeVirtualHost {
		return
	}
	table := ir.TableOf(name)
	if p.held[table] == nil {
		p.held[table] = map[string]bool{}
	}
	p.held[table][name] = true
}

// drop notes that the proxy holds nothing under a name.
func (p *Proxy) drop(t ir.Type, name string) {
	h, ok := p.types[t].have[name]
	if !ok {
		return
	}
	delete(p.types[t].have, name)
	if p.routes(t) {
		p.count(h, -1)
	}
	if t != ir.TypeVirtualHost {
		return
	}
	table := ir.TableOf(name)
	delete(p.held[table], name)
	if len(p.held[table]) == 0 {
		delete(p.held, table)
	}
}

// count keeps the number of held virtual hosts and route tables that need each cluster.
func (p *Proxy) count(h holding, n int) {
	if h.resource == nil {
		p.unknown += n
		return
	}
	for _, need := range h.resource.Needs {
		if p.refs[need.Name] += n; p.refs[need.Name] == 0 {
			delete(p.refs, need.Name)
		}
	}
}

// Ack takes in that the proxy took the message on its way.
func (p *Proxy) Ack(t ir.Type) *Message {
	k := &p.types[t]
	m := k.inflight
	if m == nil {
		return nil
	}
	k.inflight = nil
	k.search.taken()
	for _, r := range m.Resources {
		if byName(t) && !k.names[r.ID.Name] {
			continue // unsubscribed meanwhile
		}
		p.acknowledge(t, r, m.seq)
	}
	for _, name := range m.Removed {
		p.drop(t, name)
		switch t { //nolint:exhaustive // the others have no consequences
		case ir.TypeCluster:
			delete(p.warming, name)
		case ir.TypeEndpoints:
			p.answered(name, m.seq) // that there are none is an answer too
		}
	}
	if t == ir.TypeCluster {
		clear(p.early)
	}
	return m
}

// answered notes that endpoints, or the word that there are none, came after their cluster. Envoy's answer about the
// cluster itself may come only afterwards (tried on 1.40).
func (p *Proxy) answered(cluster string, seq uint64) {
	if since, ok := p.warming[cluster]; ok && seq > since {
		delete(p.warming, cluster)
	}
	if p.types[ir.TypeCluster].inflight != nil {
		p.early[cluster] = seq
	}
}

func (p *Proxy) acknowledge(t ir.Type, r *ir.Resource, seq uint64) {
	name := r.ID.Name
	_, held := p.types[t].have[name]
	if t == ir.TypeVirtualHost && !p.tableHeld(ir.TableOf(name)) {
		return // its table went while it was on its way
	}
	p.hold(t, name, holding{r.Version, r})
	switch t { //nolint:exhaustive // the others have no consequences
	case ir.TypeCluster:
		if warms(r) && p.early[name] < seq {
			p.warming[name] = seq
		}
	case ir.TypeEndpoints:
		p.answered(name, seq)
	case ir.TypeRouteTable:
		if !held {
			p.open(name)
		}
		p.serving[name] = p.serving[name] || p.world.whole
	case ir.TypeVirtualHost:
		p.serving[ir.TableOf(name)] = true
	}
}

// open makes all virtual hosts of a route table due: the proxy took it in just now, and dropped what came before.
func (p *Proxy) open(table string) {
	k := &p.types[ir.TypeVirtualHost]
	for host := range p.held[table] {
		p.drop(ir.TypeVirtualHost, host)
	}
	// Now all of the table's go together, and may be refused again.
	k.search.forget(func(host string) bool { return ir.TableOf(host) == table })
	p.fresh[table] = true
	for host := range p.world.hosts[table] {
		k.dirty[host] = true
	}
}

// review makes those virtual hosts of a route table due that may differ: the proxy held the table all along.
func (p *Proxy) review(table string) {
	for host := range p.held[table] {
		p.Touch(ir.ResourceID{Type: ir.TypeVirtualHost, Name: host})
	}
	for host := range p.world.hosts[table] {
		p.Touch(ir.ResourceID{Type: ir.TypeVirtualHost, Name: host})
	}
}

func (p *Proxy) tableHeld(table string) bool {
	_, ok := p.types[ir.TypeRouteTable].have[table]
	return ok
}

// Nack takes in that the proxy refused the message on its way. A message of one resource names the culprit, which is
// kept out from now on; in a longer one it is searched for. What was held before stays held.
func (p *Proxy) Nack(t ir.Type) (culprit *ir.Resource) {
	k := &p.types[t]
	m := k.inflight
	if m == nil {
		return nil
	}
	k.inflight = nil
	if t == ir.TypeCluster {
		clear(p.early)
	}
	names := slices.Clone(m.Removed)
	for _, r := range m.Resources {
		names = append(names, r.ID.Name)
	}
	k.search.refused(names)
	switch {
	case len(names) == 1 && len(m.Resources) == 1:
		culprit = m.Resources[0]
		p.world.rejected.Add(culprit.ID, culprit.Version)
		if t == ir.TypeEndpoints && p.awaits(culprit.ID.Name) {
			k.forced[culprit.ID.Name], k.dirty[culprit.ID.Name] = true, true // what it had before, then
		}
		return culprit
	case len(names) > 1:
		for _, name := range names {
			if byName(t) {
				k.forced[name] = true
			}
		}
	}
	return nil
}

// Synced tells whether the proxy holds everything that is wanted and may be told, and nothing is on its way.
func (p *Proxy) Synced() bool {
	for t := range ir.TypeCount {
		if k := &p.types[t]; k.inflight != nil || k.search.going() || k.owes || p.due(t) {
			return false
		}
	}
	return p.types[ir.TypeListener].requested && p.askedForTables()
}

// askedForTables tells whether the proxy asked for the route tables of the listeners that it took, and for virtual hosts
// where these have some: it does so only after it took the listener, and until then nothing is due.
func (p *Proxy) askedForTables() bool {
	for name, want := range p.world.wanted[ir.TypeListener] {
		if p.types[ir.TypeListener].have[name].version != want.Version {
			continue // refused
		}
		for _, need := range want.Needs {
			if need.Type != ir.TypeRouteTable || p.world.wanted[ir.TypeRouteTable][need.Name] == nil {
				continue
			}
			hosts := p.tableHeld(need.Name) && len(p.world.hosts[need.Name]) > 0
			if !p.types[ir.TypeRouteTable].names[need.Name] || hosts && !p.types[ir.TypeVirtualHost].requested {
				return false
			}
		}
	}
	return true
}

// due tells whether names of a type wait to be told. A cluster that may not go yet does not count: with nothing else
// under way it stays for a virtual host whose newer version was refused.
func (p *Proxy) due(t ir.Type) bool {
	for name := range p.types[t].dirty {
		if t != ir.TypeCluster || p.world.wanted[t][name] != nil {
			return true
		}
	}
	return false
}

// InFlight tells whether a message of a type is on its way.
func (p *Proxy) InFlight(t ir.Type) bool { return p.types[t].inflight != nil }

// Held returns the version that the proxy acknowledged under a name.
func (p *Proxy) Held(id ir.ResourceID) (version string, ok bool) {
	h, ok := p.types[id.Type].have[id.Name]
	return h.version, ok
}

// Serving says how far the proxy is with a listener: live when it holds the wanted version, its route tables and their
// first virtual hosts; refused when one of these was refused.
func (p *Proxy) Serving(listener string) (live, refused bool) {
	want := p.world.wanted[ir.TypeListener][listener]
	if want == nil {
		return false, false
	}
	live = p.types[ir.TypeListener].have[listener].version == want.Version
	refused = p.world.rejected.Has(want.ID, want.Version)
	for _, need := range want.Needs {
		if need.Type != ir.TypeRouteTable {
			continue
		}
		table := p.world.wanted[ir.TypeRouteTable][need.Name]
		if table == nil {
			return false, refused
		}
		refused = refused || p.world.rejected.Has(table.ID, table.Version)
		live = live && p.types[ir.TypeRouteTable].have[need.Name].version == table.Version && p.serving[need.Name]
	}
	return live, refused
}
