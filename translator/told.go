package translator

import (
	"cmp"
	"slices"

	"github.com/cloverleaf-mesh/cloverleaf/internal/memo"
	"github.com/cloverleaf-mesh/cloverleaf/translator/input"
	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// told is which resources every class of proxies is told. What a class is told hangs together by names: its plan names
// listeners and route tables, a table's buckets name hosts, and an encoded resource names what it needs: a virtual host
// its clusters, a cluster its endpoints and its secret. Each list is compared with what it was, so that a change costs no
// more than its list, and each member counts how many lists name it, per class.
type told struct {
	table    *memo.Table
	classes  map[ir.ProxyClass]*classState
	tables   map[TableKey]*tableState
	clusters map[ir.BackendName]*clusterState // with their endpoints
	others   map[ResourceKey]holders          // listeners, route tables and secrets

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
	shards  []input.ParentShard // buckets, sorted
	buckets map[input.ParentShard][]ir.Hostname
	hosts   map[ir.Hostname]*ir.Resource // of all buckets
}

// clusterState is a cluster that somebody needs.
type clusterState struct {
	holders
	resource *ir.Resource
}

// touch says that a class is to be told of a resource: for the first time, again, or that it is gone.
type touch struct {
	class *classState
	key   ResourceKey
}

func newTold(table *memo.Table) told {
	return told{
		table: table, classes: map[ir.ProxyClass]*classState{}, tables: map[TableKey]*tableState{},
		clusters: map[ir.BackendName]*clusterState{}, others: map[ResourceKey]holders{},
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
	switch key.Type { // the others are held by themselves
	case ir.TypeVirtualHost:
		if s := t.tables[key.Table]; s != nil {
			if _, there := s.hosts[key.host().Host]; there {
				return s.holders
			}
		}
	case ir.TypeCluster:
		if s := t.clusters[key.backend()]; s != nil {
			return s.holders
		}
	case ir.TypeEndpoints:
		if s := t.clusters[key.backend()]; s != nil && slices.Contains(needsOf(s.resource), key.ID()) {
			return s.holders
		}
	default:
		return t.others[key]
	}
	return nil
}

// tells is whether a class is told a resource.
func (t *told) tells(class *classState, key ResourceKey) bool { return t.holdersOf(key).of(class) >= 0 }

// needsOf lists what a resource needs, sorted; nothing when there is none.
func needsOf(r *ir.Resource) []ir.ResourceID {
	if r == nil {
		return nil
	}
	return r.Needs
}

// changed takes over that a resource has another content.
func (t *told) changed(key ResourceKey) {
	all := t.holdersOf(key)
	for _, h := range all {
		t.touch(h.class, key)
	}
	switch key.Type { //nolint:exhaustive // what the others need is their plan's matter, or nothing
	case ir.TypeVirtualHost:
		if s := t.tables[key.Table]; s != nil && len(all) > 0 {
			before := s.hosts[key.host().Host]
			s.hosts[key.host().Host] = ResourceOf.Root(t.table, key).Resource
			t.need(all, before, s.hosts[key.host().Host])
		}
	case ir.TypeCluster:
		if s := t.clusters[key.backend()]; s != nil {
			before := s.resource
			s.resource = ResourceOf.Root(t.table, key).Resource
			t.need(all, before, s.resource)
		}
	}
}

// need takes over that a resource needs something else than before.
func (t *told) need(all holders, before, next *ir.Resource) {
	for _, h := range all {
		compareLists(needsOf(before), needsOf(next), ir.ResourceID.Compare,
			func(id ir.ResourceID) { t.hold(h.class, keyOf(id)) }, func(id ir.ResourceID) { t.release(h.class, keyOf(id)) })
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

// hold counts one more list of a class that names a resource.
func (t *told) hold(class *classState, key ResourceKey) {
	switch key.Type { // virtual hosts are held by their tables
	case ir.TypeCluster:
		t.holdCluster(class, key)
	case ir.TypeEndpoints: // its cluster's alone
		ResourceOf.Keep(t.table, key)
		t.touch(class, key)
	default:
		t.holdOther(class, key)
	}
}

// release counts one list less.
func (t *told) release(class *classState, key ResourceKey) {
	switch key.Type { // virtual hosts are held by their tables
	case ir.TypeCluster:
		t.releaseCluster(class, key)
	case ir.TypeEndpoints:
		ResourceOf.Release(t.table, key)
		t.touch(class, key)
	default:
		t.releaseOther(class, key)
	}
}

func (t *told) holdCluster(class *classState, key ResourceKey) {
	s := t.clusters[key.backend()]
	if s == nil {
		s = &clusterState{resource: ResourceOf.Keep(t.table, key).Resource}
		t.clusters[key.backend()] = s
	}
	if s.add(class) {
		t.touch(class, key)
		for _, id := range needsOf(s.resource) {
			t.hold(class, keyOf(id))
		}
	}
}

func (t *told) releaseCluster(class *classState, key ResourceKey) {
	s := t.clusters[key.backend()]
	if !s.remove(class) {
		return
	}
	t.touch(class, key)
	for _, id := range needsOf(s.resource) {
		t.release(class, keyOf(id))
	}
	if len(s.holders) == 0 {
		ResourceOf.Release(t.table, key)
		delete(t.clusters, key.backend())
	}
}

func (t *told) holdOther(class *classState, key ResourceKey) {
	h, known := t.others[key]
	if !known {
		ResourceOf.Keep(t.table, key)
	}
	if h.add(class) {
		t.touch(class, key)
	}
	t.others[key] = h
}

func (t *told) releaseOther(class *classState, key ResourceKey) {
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
		s = &tableState{buckets: map[input.ParentShard][]ir.Hostname{}, hosts: map[ir.Hostname]*ir.Resource{}}
		t.tables[key] = s
		t.setBuckets(key, bucketsOf.Keep(t.table, key))
	}
	s.add(class)
	for host, r := range s.hosts {
		t.touch(class, hostResource(key, host))
		t.need(holders{{class: class}}, nil, r)
	}
}

func (t *told) closeTable(class *classState, key TableKey) {
	s := t.tables[key]
	s.remove(class)
	for host, r := range s.hosts {
		t.touch(class, hostResource(key, host))
		t.need(holders{{class: class}}, r, nil)
	}
	if len(s.holders) > 0 {
		return
	}
	t.setBuckets(key, nil)
	bucketsOf.Release(t.table, key)
	delete(t.tables, key)
}

// setBuckets takes over which buckets of a table may have hosts.
func (t *told) setBuckets(key TableKey, next []input.ParentShard) {
	s := t.tables[key]
	if s == nil {
		return
	}
	before := s.shards
	s.shards = next
	compareLists(before, next, compareBuckets,
		func(shard input.ParentShard) {
			bucket := bucketKey{key, shard}
			t.replaceHosts(s, bucket, hostsOf.Keep(t.table, bucket))
		},
		func(shard input.ParentShard) {
			bucket := bucketKey{key, shard}
			t.replaceHosts(s, bucket, nil)
			delete(s.buckets, shard)
			hostsOf.Release(t.table, bucket)
		})
}

// setHosts takes over the hosts in a bucket of a table.
func (t *told) setHosts(bucket bucketKey, next []ir.Hostname) {
	s := t.tables[bucket.Table]
	if s == nil {
		return
	}
	if _, open := s.buckets[bucket.ParentShard]; open {
		t.replaceHosts(s, bucket, next)
	}
}

func (t *told) replaceHosts(s *tableState, bucket bucketKey, next []ir.Hostname) {
	before := s.buckets[bucket.ParentShard]
	s.buckets[bucket.ParentShard] = next
	compareLists(before, next, cmp.Compare[ir.Hostname],
		func(host ir.Hostname) {
			key := hostResource(bucket.Table, host)
			s.hosts[host] = ResourceOf.Keep(t.table, key).Resource
			t.moveHost(s, key, nil, s.hosts[host])
		},
		func(host ir.Hostname) {
			key := hostResource(bucket.Table, host)
			t.moveHost(s, key, s.hosts[host], nil)
			delete(s.hosts, host)
			ResourceOf.Release(t.table, key)
		})
}

// moveHost tells everybody who is told a table of a host that came or went.
func (t *told) moveHost(s *tableState, key ResourceKey, before, next *ir.Resource) {
	for _, h := range s.holders {
		t.touch(h.class, key)
	}
	t.need(s.holders, before, next)
}
