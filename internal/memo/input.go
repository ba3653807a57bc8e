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
	key   K
	value V
	set   bool
}

func (c *cell[K, V]) describe() ReadRecord                { return ReadRecord{c.in.name, c.key, true} }
func (c *cell[K, V]) absent() bool                        { return !c.set }
func (*cell[K, V]) compute(*Table, *Ctx) bool             { panic("memo: a cell is not computed") }
func (*cell[K, V]) recover(any) (changed, contained bool) { return false, false }

// forget takes the cell out of the table, unless another has taken its place meanwhile.
func (c *cell[K, V]) forget(t *Table) {
	if cells := c.in.cells(t); cells[c.key] == c {
		delete(cells, c.key)
		t.stats.Cells--
	}
}

func (in *Input[K, V]) cells(t *Table) map[K]*cell[K, V] {
	return family[K, cell[K, V]](t, in)
}

func (in *Input[K, V]) make(t *Table, key K) *cell[K, V] {
	cells := in.cells(t)
	c := cells[key]
	if c == nil {
		c = &cell[K, V]{in: in, key: key}
		c.self = c
		cells[key] = c
		t.stats.Cells++
	}
	return c
}

// Set stores a value and tells whether it differs from the present one. The value must never be changed afterwards.
func (in *Input[K, V]) Set(t *Table, key K, value V) (changed bool) {
	c := in.make(t, key)
	if c.set && in.equal(c.value, value) {
		return false
	}
	c.value, c.set = value, true
	t.touched(&c.node)
	return true
}

// Delete takes a value away and tells whether there was one.
func (in *Input[K, V]) Delete(t *Table, key K) (changed bool) {
	c := in.cells(t)[key]
	if c == nil || !c.set {
		return false
	}
	var none V
	c.value, c.set = none, false
	t.touched(&c.node)
	if len(c.readers) == 0 {
		c.forget(t)
	}
	return true
}

// Read returns the value of a cell. Absence is recorded like presence.
func (in *Input[K, V]) Read(c *Ctx, key K) (V, bool) {
	cell := in.make(c.t, key)
	c.record(&cell.node)
	return cell.value, cell.set
}

// Lookup returns the value of a cell, outside of queries.
func (in *Input[K, V]) Lookup(t *Table, key K) (V, bool) {
	if c := in.cells(t)[key]; c != nil {
		return c.value, c.set
	}
	var none V
	return none, false
}

// All yields the cells that have a value, in no particular order.
func (in *Input[K, V]) All(t *Table) iter.Seq2[K, V] {
	return func(yield func(K, V) bool) {
		for key, c := range in.cells(t) {
			if c.set && !yield(key, c.value) {
				return
			}
		}
	}
}
