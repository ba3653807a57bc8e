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
	node
	q        *Query[K, V]
	key      K
	value    V
	computed bool // value was set
}

func (r *result[K, V]) describe() ReadRecord { return ReadRecord{r.q.name, r.key, false} }
func (*result[K, V]) absent() bool           { return false }

func (r *result[K, V]) forget(t *Table) {
	delete(r.q.results(t), r.key)
	t.stats.Results--
}

func (r *result[K, V]) compute(_ *Table, c *Ctx) bool { return r.store(r.q.f(c, r.key)) }

func (r *result[K, V]) recover(panicked any) (changed, contained bool) {
	if r.q.onPanic == nil {
		return false, false
	}
	return r.store(r.q.onPanic(r.key, panicked)), true
}

func (r *result[K, V]) store(v V) (changed bool) {
	if r.computed && r.q.equal(r.value, v) {
		return false // the old value stays, so that whoever shares it goes on sharing
	}
	r.value, r.computed = v, true
	return true
}

func (q *Query[K, V]) results(t *Table) map[K]*result[K, V] {
	return family[K, result[K, V]](t, q)
}

func (q *Query[K, V]) make(t *Table, key K) *result[K, V] {
	results := q.results(t)
	r := results[key]
	if r == nil {
		r = &result[K, V]{q: q, key: key}
		r.self, r.flags = r, isResult
		results[key] = r
		t.stats.Results++
	}
	return r
}

// Get returns the value for a key, inside another query.
func (q *Query[K, V]) Get(c *Ctx, key K) V {
	r := q.make(c.t, key)
	c.record(&r.node) // before it runs: when it panics, its reader must still hear of the mending
	c.t.update(&r.node)
	return r.value
}

// Root returns the value for a key, outside of queries. Nothing keeps it: Sweep may forget it.
func (q *Query[K, V]) Root(t *Table, key K) V {
	r := q.make(t, key)
	t.orphan(&r.node)
	t.update(&r.node)
	return r.value
}

// Keep is Root, and from now on Refresh keeps the result up to date and tells of its changes. Keeping twice needs two
// Releases.
func (q *Query[K, V]) Keep(t *Table, key K) V {
	r := q.make(t, key)
	if r.keeps == 0 {
		t.keeps++
		r.keepSeq = t.keeps
		t.stats.Kept++
	}
	r.keeps++
	t.update(&r.node)
	r.reported = t.gen
	return r.value
}

// Release ends a Keep.
func (q *Query[K, V]) Release(t *Table, key K) {
	r := q.results(t)[key]
	if r == nil || r.keeps == 0 {
		panic("memo: released but not kept: " + q.name)
	}
	if r.keeps--; r.keeps == 0 {
		t.stats.Kept--
		t.orphan(&r.node)
	}
}

// Reads returns what a remembered result read directly, in order; nil when nothing is remembered.
func (q *Query[K, V]) Reads(t *Table, key K) []ReadRecord {
	r := q.results(t)[key]
	if r == nil {
		return nil
	}
	records := make([]ReadRecord, len(r.reads))
	for i, d := range r.reads {
		records[i] = d.on.self.describe()
	}
	return records
}
