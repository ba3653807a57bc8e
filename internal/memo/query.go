package memo

// Query describes a pure function of a key and of what it reads.
type Query[K comparable, V any] struct {
	name    string
	f       func(*Ctx, K) V
	equal   func(a, b V) bool
	onPanic func(K, any) V
}

// NewQuery describes a query. Runs that give equal values are no change for whoever reads them.
func NewQuery[K comparable, V any](name string, f func(*Ctx, K) V, equal func(a, b V) bool) *Query[K, V] {
	return &Query[K, V]{name: name, f: f, equal: equal}
}

// Recovering contains panics: one in the query, or below it in queries that do not contain theirs, gives this value.
// What was read until then stays recorded, so the query is tried again when that changes. It returns q.
func (q *Query[K, V]) Recovering(onPanic func(key K, panicked any) V) *Query[K, V] {
	q.onPanic = onPanic
	return q
}

// Name returns the name that the query was made with.
func (q *Query[K, V]) Name() string { return q.name }

// result is what is remembered of a query and key.
type result[K comparable, V any] struct {
	derived
	q     *Query[K, V]
	next  *result[K, V]
	key   K
	value V
}

func (r *result[K, V]) keyed() K                      { return r.key }
func (r *result[K, V]) link() **result[K, V]          { return &r.next }
func (r *result[K, V]) base() *node                   { return &r.node }
func (r *result[K, V]) describe() ReadRecord          { return ReadRecord{r.q.name, r.key, false} }
func (r *result[K, V]) typical(t *Table) *int         { return &r.q.results(t).reads }
func (r *result[K, V]) result() *derived              { return &r.derived }
func (r *result[K, V]) compute(_ *Table, c *Ctx) bool { return r.store(r.q.f(c, r.key)) }

func (r *result[K, V]) drop(t *Table) {
	r.q.results(t).remove(r)
	t.stats.Results--
}

func (r *result[K, V]) recover(panicked any) (changed, contained bool) {
	if r.q.onPanic == nil {
		return false, false
	}
	return r.store(r.q.onPanic(r.key, panicked)), true
}

func (r *result[K, V]) store(v V) (changed bool) {
	if r.has(isSet) && r.q.equal(r.value, v) {
		return false // the old value stays, so that whoever shares it goes on sharing
	}
	r.value = v
	r.flags |= isSet
	return true
}

func (q *Query[K, V]) results(t *Table) *index[K, *result[K, V]] {
	return family[K, *result[K, V]](t, q)
}

// find returns a result; nil when nothing is remembered.
func (q *Query[K, V]) find(t *Table, key K) *result[K, V] {
	return q.results(t).find(key)
}

func (q *Query[K, V]) make(t *Table, key K) *result[K, V] {
	results := q.results(t)
	r := results.find(key)
	if r == nil {
		r = &result[K, V]{q: q, key: key}
		t.enlist(r)
		results.add(r)
		t.stats.Results++
	}
	return r
}

// Get returns the value for a key, inside another query.
func (q *Query[K, V]) Get(c *Ctx, key K) V {
	r := q.make(c.t, key)
	c.record(&r.node) // before it runs: when it panics, its reader must still hear of the mending
	c.t.update(&r.derived)
	return r.value
}

// Root returns the value for a key, outside of queries. Nothing keeps it: Sweep may forget it.
func (q *Query[K, V]) Root(t *Table, key K) V {
	r := q.make(t, key)
	t.orphan(&r.node)
	t.update(&r.derived)
	return r.value
}

// Keep is Root, and from now on Refresh keeps the result up to date and tells of its changes. Keeping twice needs two
// Releases.
func (q *Query[K, V]) Keep(t *Table, key K) V {
	r := q.make(t, key)
	if r.kept == nil {
		t.keeps++
		r.kept = &keeping{seq: t.keeps}
		r.flags |= isKept
		t.stats.Kept++
	}
	r.kept.times++
	t.update(&r.derived)
	r.kept.reported = t.gen
	return r.value
}

// Release ends a Keep.
func (q *Query[K, V]) Release(t *Table, key K) {
	r := q.find(t, key)
	if r == nil || r.kept == nil {
		panic("memo: released but not kept: " + q.name)
	}
	if r.kept.times--; r.kept.times == 0 {
		r.kept = nil
		r.flags &^= isKept
		t.stats.Kept--
		t.orphan(&r.node)
	}
}

// Reads returns what a remembered result read directly, in order; nil when nothing is remembered.
func (q *Query[K, V]) Reads(t *Table, key K) []ReadRecord {
	r := q.find(t, key)
	if r == nil {
		return nil
	}
	records := make([]ReadRecord, len(r.reads))
	for i, d := range r.reads {
		records[i] = t.entries[d.on].describe()
	}
	return records
}
