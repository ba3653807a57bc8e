package memo

import "iter"

// Input describes a family of cells.
type Input[K comparable, V any] struct {
	name  string
	equal func(a, b V) bool
}

// NewInput describes a family of cells. Setting a cell to a value that equals the present one is no change.
func NewInput[K comparable, V any](name string, equal func(a, b V) bool) *Input[K, V] {
	return &Input[K, V]{name, equal}
}

// cell is one cell of an input.
type cell[K comparable, V any] struct {
	node
	in    *Input[K, V]
	next  *cell[K, V]
	key   K
	value V
}

func (c *cell[K, V]) keyed() K                            { return c.key }
func (c *cell[K, V]) link() **cell[K, V]                  { return &c.next }
func (c *cell[K, V]) base() *node                         { return &c.node }
func (c *cell[K, V]) describe() ReadRecord                { return ReadRecord{c.in.name, c.key, true} }
func (*cell[K, V]) result() *derived                      { return nil }
func (*cell[K, V]) typical(*Table) *int                   { panic("memo: a cell reads nothing") }
func (*cell[K, V]) compute(*Table, *Ctx) bool             { panic("memo: a cell is not computed") }
func (*cell[K, V]) recover(any) (changed, contained bool) { return false, false }

func (c *cell[K, V]) drop(t *Table) {
	c.in.cells(t).remove(c)
	t.stats.Cells--
}

func (in *Input[K, V]) cells(t *Table) *index[K, *cell[K, V]] {
	return family[K, *cell[K, V]](t, in)
}

// find returns a cell; nil when there is none.
func (in *Input[K, V]) find(t *Table, key K) *cell[K, V] {
	return in.cells(t).find(key)
}

func (in *Input[K, V]) make(t *Table, key K) *cell[K, V] {
	cells := in.cells(t)
	c := cells.find(key)
	if c == nil {
		c = &cell[K, V]{in: in, key: key, node: node{flags: isCell}}
		t.enlist(c)
		cells.add(c)
		t.stats.Cells++
	}
	return c
}

// Set stores a value and tells whether it differs from the present one. The value must never be changed afterwards.
func (in *Input[K, V]) Set(t *Table, key K, value V) (changed bool) {
	c := in.make(t, key)
	if c.has(isSet) && in.equal(c.value, value) {
		return false
	}
	c.value = value
	c.flags |= isSet
	t.touched(&c.node)
	return true
}

// Delete takes a value away and tells whether there was one.
func (in *Input[K, V]) Delete(t *Table, key K) (changed bool) {
	c := in.find(t, key)
	if c == nil || !c.has(isSet) {
		return false
	}
	var none V
	c.value = none
	c.flags &^= isSet
	t.touched(&c.node)
	if len(c.readers) == 0 {
		t.forget(&c.node)
	}
	return true
}

// Read returns the value of a cell. Absence is recorded like presence.
func (in *Input[K, V]) Read(c *Ctx, key K) (V, bool) {
	cell := in.make(c.t, key)
	c.record(&cell.node)
	return cell.value, cell.has(isSet)
}

// Lookup returns the value of a cell, outside of queries.
func (in *Input[K, V]) Lookup(t *Table, key K) (V, bool) {
	if c := in.find(t, key); c != nil {
		return c.value, c.has(isSet)
	}
	var none V
	return none, false
}

// All yields the cells that have a value, in no particular order. No cells may be added meanwhile.
func (in *Input[K, V]) All(t *Table) iter.Seq2[K, V] {
	return func(yield func(K, V) bool) {
		for c := range in.cells(t).all() {
			if c.has(isSet) && !yield(c.key, c.value) {
				return
			}
		}
	}
}
