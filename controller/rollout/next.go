package rollout

import (
	"maps"
	"slices"

	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// Order is the order in which types are asked for what is next.
func Order() []ir.Type {
	return []ir.Type{
		ir.TypeCluster, ir.TypeEndpoints, ir.TypeSecret, ir.TypeListener, ir.TypeRouteTable, ir.TypeVirtualHost,
	}
}

// Next returns what may be sent of a type now, and takes it as sent; nil when there is nothing, or while a message of
// this type is on its way. It collects everything that is due, so whoever waited is told only the newest.
func (p *Proxy) Next(t ir.Type) *Message {
	k := &p.types[t]
	if !k.requested || k.inflight != nil {
		return nil
	}
	for k.search.going() {
		part := k.search.next()
		slices.Sort(part)
		if m := p.compose(t, part); m != nil {
			return p.send(m)
		}
	}
	k.search = search{}
	if len(k.dirty) == 0 && !k.owes {
		return nil
	}
	due := make([]string, 0, len(k.dirty))
	for name := range k.dirty {
		due = append(due, name)
	}
	slices.Sort(due)
	m := p.compose(t, due)
	if m == nil && k.owes {
		m = &Message{Type: t}
	}
	if m != nil {
		m = p.send(m)
	}
	k.trim(len(due))
	return m
}

// trim gives back the room of many due names when few are left: going through a map costs the room that it once needed,
// and after the first configuration that is the size of everything.
func (k *kind) trim(due int) {
	const many = 64
	if due <= many || len(k.dirty) > many {
		return
	}
	dirty := make(map[string]bool, len(k.dirty))
	maps.Copy(dirty, k.dirty)
	k.dirty = dirty
}

func (p *Proxy) send(m *Message) *Message {
	k := &p.types[m.Type]
	p.seq++
	m.seq, k.inflight, k.owes = p.seq, m, false
	for _, r := range m.Resources {
		delete(k.dirty, r.ID.Name)
		delete(k.forced, r.ID.Name)
		p.sent(r)
	}
	for _, name := range m.Removed {
		delete(k.dirty, name)
		delete(k.forced, name)
	}
	return m
}

// sent notes what follows from sending a resource: the endpoints of a cluster follow it, because it warms until they
// come again.
func (p *Proxy) sent(r *ir.Resource) {
	switch r.ID.Type { //nolint:exhaustive // the others have no consequences
	case ir.TypeCluster:
		if k := &p.types[ir.TypeEndpoints]; warms(r) && k.names[r.ID.Name] {
			k.forced[r.ID.Name], k.dirty[r.ID.Name] = true, true
		}
	case ir.TypeVirtualHost:
		delete(p.fresh, ir.TableOf(r.ID.Name))
	}
}

// warms tells whether a cluster waits for endpoints, which have its name.
func warms(cluster *ir.Resource) bool {
	return slices.Contains(cluster.Needs, ir.ResourceID{Type: ir.TypeEndpoints, Name: cluster.ID.Name})
}

// compose makes a message of those names that are due and may be sent now. Names with nothing to say are no longer due;
// those that have to wait stay so.
func (p *Proxy) compose(t ir.Type, names []string) *Message {
	m := &Message{Type: t}
	waiting := p.waitingTables(t, names)
	for _, name := range names {
		switch r, verdict := p.judge(t, name, waiting); verdict {
		case tell:
			m.Resources = append(m.Resources, r)
		case remove:
			m.Removed = append(m.Removed, name)
		case wait:
			p.types[t].dirty[name] = true
		case done:
			delete(p.types[t].dirty, name)
			delete(p.types[t].forced, name)
		}
	}
	if len(m.Resources)+len(m.Removed) == 0 {
		return nil
	}
	return m
}

// verdict is what is to be done about a name.
type verdict uint8

const (
	done   verdict = iota // nothing
	wait                  // not yet
	tell                  // send the wanted version
	remove                // send that it is gone
)

func (p *Proxy) judge(t ir.Type, name string, waiting map[string]bool) (*ir.Resource, verdict) {
	k := &p.types[t]
	want := p.world.wanted[t][name]
	if want == nil {
		return nil, p.judgeRemoval(t, name)
	}
	switch {
	case byName(t) && !k.names[name]:
		return nil, done
	case k.have[name].version == want.Version && !k.forced[name]:
		return nil, done
	case p.world.rejected.Has(want.ID, want.Version):
		switch before := k.have[name].resource; { // what the proxy had before stays
		case !k.forced[name]:
			return nil, done
		case before != nil:
			return before, tell // an answer is owed
		default:
			return nil, remove // or Envoy waits, and at its start everybody with it
		}
	case t == ir.TypeRouteTable && !p.ready(want):
		return nil, wait
	case t != ir.TypeVirtualHost:
		return want, tell
	case !p.tableHeld(ir.TableOf(name)):
		return nil, done // due again when the proxy takes its table
	case waiting[ir.TableOf(name)] || !p.ready(want):
		return nil, wait
	default:
		return want, tell
	}
}

func (p *Proxy) judgeRemoval(t ir.Type, name string) verdict {
	k := &p.types[t]
	_, held := k.have[name]
	switch {
	case byName(t) && k.forced[name]:
		return remove // a new subscription to what does not exist: say so, or Envoy waits
	case byName(t) || !held:
		return done // it goes with whatever named it
	case t == ir.TypeCluster && (p.unsaid() || p.refs[name] > 0 || p.unknown > 0 || p.needed(name)):
		return wait
	default:
		return remove
	}
}

// unsaid tells whether the proxy may hold virtual hosts that it did not name yet: after a reconnect it asks type by type,
// for virtual hosts only when it holds a listener and its route table.
func (p *Proxy) unsaid() bool {
	none := func(t ir.Type) bool { return p.types[t].requested && len(p.types[t].have) == 0 }
	if p.world.whole {
		return !p.types[ir.TypeRouteTable].requested && !none(ir.TypeListener)
	}
	return !p.types[ir.TypeVirtualHost].requested && !none(ir.TypeListener) && !none(ir.TypeRouteTable)
}

// needed tells whether virtual hosts or route tables on their way need a cluster.
func (p *Proxy) needed(cluster string) bool {
	id := ir.ResourceID{Type: ir.TypeCluster, Name: cluster}
	needs := func(r *ir.Resource) bool { return slices.Contains(r.Needs, id) }
	for _, t := range []ir.Type{ir.TypeVirtualHost, ir.TypeRouteTable} {
		if m := p.types[t].inflight; m != nil && slices.ContainsFunc(m.Resources, needs) {
			return true
		}
	}
	return false
}

// waitingTables finds the route tables whose first virtual hosts cannot be sent yet: they go in one message, so all of
// them wait for the slowest.
func (p *Proxy) waitingTables(t ir.Type, names []string) map[string]bool {
	if t != ir.TypeVirtualHost || len(p.fresh) == 0 {
		return nil
	}
	waiting := map[string]bool{}
	for _, name := range names {
		table := ir.TableOf(name)
		if want := p.world.wanted[t][name]; p.fresh[table] && want != nil && !p.world.rejected.Has(want.ID, want.Version) && !p.ready(want) {
			waiting[table] = true
		}
	}
	return waiting
}

// ready tells whether the clusters that a virtual host or a route table needs are warm. One that was refused, or that
// nobody wants, is not waited for: its requests are answered with 503, and everything else of the host is served.
func (p *Proxy) ready(r *ir.Resource) bool {
	for _, need := range r.Needs {
		if need.Type != ir.TypeCluster {
			continue
		}
		want := p.world.wanted[ir.TypeCluster][need.Name]
		if want == nil || p.world.rejected.Has(want.ID, want.Version) {
			continue
		}
		if p.types[ir.TypeCluster].have[need.Name].version != want.Version || p.leaving(need.Name) || !p.warm(need.Name) {
			return false
		}
	}
	return true
}

// leaving tells whether the removal of a cluster is on its way, so that what is held of it does not count.
func (p *Proxy) leaving(cluster string) bool {
	m := p.types[ir.TypeCluster].inflight
	return m != nil && slices.Contains(m.Removed, cluster)
}

func (p *Proxy) warm(cluster string) bool {
	_, warming := p.warming[cluster]
	return !warming
}
