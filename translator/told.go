package translator

import (
	"cmp"
	"slices"

	"github.com/cloverleaf-mesh/cloverleaf/internal/memo"
	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// told is which resources every class of proxies is told. What a class is told hangs together by names: its plan names
// route tables, a table's buckets name hosts, a host names backends, and a backend names the resources that it is made
// of. Each list is kept by itself, so that what changes in one is compared with that list alone, and each member counts
// how many lists name it, per class.
type told struct {
	table    *memo.Table
	classes  map[ir.ProxyClass]*classState
	tables   map[TableKey]*tableState
	backends map[ir.BackendName]*backendState
	others   map[ResourceKey]holders // listeners, route tables and secrets

	touched []touch
}

type classState struct {
	id   ir.ProxyClass
	plan plan
}

// holders are the classes that are told something.
type holders []holder

type holder struct {
	class *classState
	lists int // of this class that name it
}

// tableState is a route table that is told to somebody.
type tableState struct {
	holders
	buckets [fixedShard + 1][]ir.Hostname
	hosts   map[ir.Hostname][]ir.BackendName // of all buckets, with the backends that each needs
}

// backendState is a backend that somebody needs.
type backendState struct {
	holders
	pieces []ResourceKey
}

// touch says that a class is to be told of a resource: for the first time, again, or that it is gone.
type touch struct {
	class *classState
	key   ResourceKey
}

func newTold(table *memo.Table) told {
	return told{
		table: table, classes: map[ir.ProxyClass]*classState{}, tables: map[TableKey]*tableState{},
		backends: map[ir.BackendName]*backendState{}, others: map[ResourceKey]holders{},
	}
}

func (h holders) of(class *classState) int {
	return slices.IndexFunc(h, func(o holder) bool { return o.class == class })
}

// add counts one more list of a class, and tells whether it is the first.
func (h *holders) add(class *classState) (first bool) {
	if i := h.of(class); i >= 0 {
		(*h)[i].lists++
		return false
	}
	*h = append(*h, holder{class, 1})
	return true
}

// remove counts one list less, and tells whether it was the last.
func (h *holders) remove(class *classState) (last bool) {
	i := h.of(class)
	if (*h)[i].lists--; (*h)[i].lists > 0 {
		return false
	}
	*h = slices.Delete(*h, i, i+1)
	return true
}

// holdersOf finds who is told a resource.
func (t *told) holdersOf(key ResourceKey) holders {
	switch key.Type { //nolint:exhaustive // the others are held by themselves
	case ir.TypeVirtualHost:
		if s := t.tables[key.Table]; s != nil {
			if _, there := s.hosts[key.Host]; there {
				return s.holders
			}
		}
	case ir.TypeCluster, ir.TypeEndpoints:
		if s := t.backends[key.Backend]; s != nil && slices.Contains(s.pieces, key) {
			return s.holders
		}
	default:
		return t.others[key]
	}
	return nil
}

// tells tells whether a class is told a resource.
func (t *told) tells(class *classState, key ResourceKey) bool { return t.holdersOf(key).of(class) >= 0 }

// changed notes that a resource has another content.
func (t *told) changed(key ResourceKey) {
	for _, h := range t.holdersOf(key) {
		t.touch(h.class, key)
	}
}

func (t *told) touch(class *classState, key ResourceKey) {
	t.touched = append(t.touched, touch{class, key})
}

// takeTouched returns what was touched since it was last called, each once.
func (t *told) takeTouched() []touch {
	all := t.touched
	t.touched = nil
	slices.SortFunc(all, func(a, b touch) int {
		if c := compareClasses(a.class.id, b.class.id); c != 0 {
			return c
		}
		return compareKeys(a.key, b.key)
	})
	return slices.Compact(all)
}

func (t *told) setClasses(classes []ir.ProxyClass) {
	for id, class := range t.classes {
		if !slices.Contains(classes, id) {
			t.replan(class, plan{})
			planOf.Release(t.table, id)
			delete(t.classes, id)
		}
	}
	for _, id := range classes {
		if t.classes[id] == nil {
			class := &classState{id: id}
			t.classes[id] = class
			t.replan(class, planOf.Keep(t.table, id))
		}
	}
}

func (t *told) setPlan(id ir.ProxyClass, next plan) {
	if class := t.classes[id]; class != nil {
		t.replan(class, next)
	}
}

func (t *told) replan(class *classState, next plan) {
	before := class.plan
	class.plan = next
	for _, key := range next.Tables {
		if !slices.Contains(before.Tables, key) {
			t.openTable(class, key)
		}
	}
	compareLists(before.Resources, next.Resources, compareKeys,
		func(key ResourceKey) { t.hold(class, key) }, func(key ResourceKey) { t.release(class, key) })
	for _, key := range before.Tables {
		if !slices.Contains(next.Tables, key) {
			t.closeTable(class, key)
		}
	}
}

// hold names a resource that no table and no backend names, for a class.
func (t *told) hold(class *classState, key ResourceKey) {
	h, known := t.others[key]
	if !known {
		ResourceOf.Keep(t.table, key)
	}
	if h.add(class) {
		t.touch(class, key)
	}
	t.others[key] = h
}

func (t *told) release(class *classState, key ResourceKey) {
	h := t.others[key]
	if h.remove(class) {
		t.touch(class, key)
	}
	t.others[key] = h
	if len(h) == 0 {
		ResourceOf.Release(t.table, key)
		delete(t.others, key)
	}
}

func (t *told) openTable(class *classState, key TableKey) {
	s := t.tables[key]
	if s == nil {
		s = &tableState{hosts: map[ir.Hostname][]ir.BackendName{}}
		t.tables[key] = s
		for shard := range s.buckets {
			bucket := shardKey{key, uint8(shard)} //nolint:gosec // below fixedShard
			t.setHosts(bucket, hostsOf.Keep(t.table, bucket))
		}
	}
	s.add(class)
	for host, backends := range s.hosts {
		t.touch(class, hostResource(key, host))
		for _, name := range backends {
			t.holdBackend(class, name)
		}
	}
}

func (t *told) closeTable(class *classState, key TableKey) {
	s := t.tables[key]
	s.remove(class)
	for host, backends := range s.hosts {
		t.touch(class, hostResource(key, host))
		for _, name := range backends {
			t.releaseBackend(class, name)
		}
	}
	if len(s.holders) > 0 {
		return
	}
	for shard := range s.buckets {
		bucket := shardKey{key, uint8(shard)} //nolint:gosec // below fixedShard
		t.setHosts(bucket, nil)
		hostsOf.Release(t.table, bucket)
	}
	delete(t.tables, key)
}

// setHosts takes over the hosts in a bucket of a table.
func (t *told) setHosts(bucket shardKey, next []ir.Hostname) {
	s := t.tables[bucket.Table]
	if s == nil {
		return
	}
	before := s.buckets[bucket.Shard]
	s.buckets[bucket.Shard] = next
	compareLists(before, next, cmp.Compare[ir.Hostname],
		func(host ir.Hostname) { t.openHost(s, HostKey{bucket.Table, host}) },
		func(host ir.Hostname) { t.closeHost(s, HostKey{bucket.Table, host}) })
}

func (t *told) openHost(s *tableState, key HostKey) {
	resource := hostResource(key.Table, key.Host)
	ResourceOf.Keep(t.table, resource)
	backends := backendsOf.Keep(t.table, key)
	s.hosts[key.Host] = backends
	for _, h := range s.holders {
		t.touch(h.class, resource)
		for _, name := range backends {
			t.holdBackend(h.class, name)
		}
	}
}

func (t *told) closeHost(s *tableState, key HostKey) {
	resource := hostResource(key.Table, key.Host)
	backends := s.hosts[key.Host]
	delete(s.hosts, key.Host)
	for _, h := range s.holders {
		t.touch(h.class, resource)
		for _, name := range backends {
			t.releaseBackend(h.class, name)
		}
	}
	backendsOf.Release(t.table, key)
	ResourceOf.Release(t.table, resource)
}

// setBackends takes over the backends that a host needs.
func (t *told) setBackends(key HostKey, next []ir.BackendName) {
	s := t.tables[key.Table]
	if s == nil {
		return
	}
	before, there := s.hosts[key.Host]
	if !there {
		return
	}
	s.hosts[key.Host] = next
	for _, h := range s.holders {
		compareLists(before, next, cmp.Compare[ir.BackendName],
			func(name ir.BackendName) { t.holdBackend(h.class, name) },
			func(name ir.BackendName) { t.releaseBackend(h.class, name) })
	}
}

func (t *told) holdBackend(class *classState, name ir.BackendName) {
	s := t.backends[name]
	if s == nil {
		s = &backendState{}
		t.backends[name] = s
		s.pieces = backendPieces.Keep(t.table, name)
		for _, piece := range s.pieces {
			t.keepPiece(piece)
		}
	}
	if s.add(class) {
		for _, piece := range s.pieces {
			t.holdPiece(class, piece)
		}
	}
}

func (t *told) releaseBackend(class *classState, name ir.BackendName) {
	s := t.backends[name]
	if s.remove(class) {
		for _, piece := range s.pieces {
			t.releasePiece(class, piece)
		}
	}
	if len(s.holders) > 0 {
		return
	}
	for _, piece := range s.pieces {
		t.forgetPiece(piece)
	}
	backendPieces.Release(t.table, name)
	delete(t.backends, name)
}

// setPieces takes over the resources that a backend is made of.
func (t *told) setPieces(name ir.BackendName, next []ResourceKey) {
	s := t.backends[name]
	if s == nil {
		return
	}
	before := s.pieces
	s.pieces = next
	eachMissing(before, next, compareKeys, t.keepPiece)
	for _, h := range s.holders {
		compareLists(before, next, compareKeys,
			func(piece ResourceKey) { t.holdPiece(h.class, piece) },
			func(piece ResourceKey) { t.releasePiece(h.class, piece) })
	}
	eachMissing(next, before, compareKeys, t.forgetPiece)
}

// own tells whether a piece is its backend's alone. A secret may be shared, and is held by itself.
func own(piece ResourceKey) bool { return piece.Type != ir.TypeSecret }

func (t *told) keepPiece(piece ResourceKey) {
	if own(piece) {
		ResourceOf.Keep(t.table, piece)
	}
}

func (t *told) forgetPiece(piece ResourceKey) {
	if own(piece) {
		ResourceOf.Release(t.table, piece)
	}
}

func (t *told) holdPiece(class *classState, piece ResourceKey) {
	if !own(piece) {
		t.hold(class, piece)
		return
	}
	t.touch(class, piece)
}

func (t *told) releasePiece(class *classState, piece ResourceKey) {
	if !own(piece) {
		t.release(class, piece)
		return
	}
	t.touch(class, piece)
}
