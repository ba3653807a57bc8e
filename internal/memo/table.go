package memo

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Table holds the cells and the results remembered so far. It is not safe for concurrent use.
type Table struct {
	gen      uint64      // grows with every change of a cell
	families map[any]any // by input or query: the index of its cells or results
	entries  []entry     // by id; nil for ids that are free
	free     []id
	running  []*derived // queries being computed, outermost first
	pending  []*derived // kept results that were marked since the last Refresh
	orphans  []*node    // candidates for Sweep: nobody reads or keeps them
	keeps    uint64     // number of Keeps so far, for a stable order
	marking  []*node    // work list of mark, reused
	spare    []*[]int32 // lists of dirty reads, reused
	stats    Stats
}

// Stats counts what a table did since it was made, and what it holds.
type Stats struct {
	Computed  uint64 // queries run
	Backdated uint64 // of these, runs that gave an equal value
	Verified  uint64 // marked results found unchanged without running
	Marked    uint64 // results marked
	Cells     int    // cells, absent ones that somebody reads included
	Results   int    // results remembered
	Reads     int    // reads recorded
	Kept      int    // results kept
}

// New returns an empty table.
func New() *Table { return &Table{gen: 1, families: map[any]any{}} }

// family returns the index of an input's cells, or of a query's results.
func family[K comparable, E indexed[K, E]](t *Table, of any) *index[K, E] {
	if x, ok := t.families[of].(*index[K, E]); ok {
		return x
	}
	x := newIndex[K, E]()
	t.families[of] = x
	return x
}

// Stats returns the counters.
func (t *Table) Stats() Stats { return t.stats }

// Changed names a kept result whose value changed.
type Changed struct {
	Query string // the name of the query
	Key   any
}

// id is the place of a cell or a result in its table. Reads are held by ids: there are many, and a number is half of a
// pointer and nothing to the garbage collector.
type id int32

// node is a cell or a result: what can be read.
type node struct {
	readers []edge
	changed uint64 // generation in which the value last changed
	id      id
	flags   flags
}

// derived is a result.
type derived struct {
	node
	reads    []dep    // in the order in which they were made
	dirty    *[]int32 // positions of the reads that a change reached; nil for none
	verified uint64   // generation in which the value was last known to be right
	kept     *keeping // nil when nobody keeps it
}

// keeping is what is known of a kept result.
type keeping struct {
	seq      uint64
	reported uint64 // generation of the last report
	times    int32
}

type flags uint16

const (
	isCell flags = 1 << iota // not a result
	isSet                    // has a value
	isKept                   // a result that somebody keeps
	valid                    // computed, and the last run did not panic
	marked                   // something that it read, directly or not, changed
	busy                     // being computed
	isPending
	isOrphan
	isForgotten // its id may be another's
)

func (n *node) has(f flags) bool { return n.flags&f != 0 }

// edge leads from what is read to a reader, whose read at pos this is.
type edge struct {
	reader id
	pos    int32
}

// dep is one read, of what has the id.
type dep struct {
	on id
	// place is where the edge back stands among the readers of what was read; when the read stands in the reader's list
	// of dirty ones, the complement of that.
	place int32
}

func (d dep) dirty() bool { return d.place < 0 }

func (d dep) slot() int32 {
	if d.dirty() {
		return ^d.place
	}
	return d.place
}

func (d *dep) setDirty(dirty bool) {
	if d.dirty() != dirty {
		d.place = ^d.place
	}
}

func (d *dep) setSlot(slot int32) {
	if d.dirty() {
		slot = ^slot
	}
	d.place = slot
}

// entry is the typed part of a node.
type entry interface {
	base() *node
	describe() ReadRecord
	compute(t *Table, c *Ctx) (changed bool)
	recover(panicked any) (changed, contained bool)
	drop(t *Table)    // takes it out of its index
	result() *derived // nil for a cell
	// typical is how many reads a result of the kind makes.
	typical(t *Table) *int
}

// enlist gives an entry its id.
func (t *Table) enlist(e entry) {
	n := e.base()
	if last := len(t.free) - 1; last >= 0 {
		n.id, t.free = t.free[last], t.free[:last]
		t.entries[n.id] = e
		return
	}
	n.id = id(len(t.entries)) //nolint:gosec // far below
	t.entries = append(t.entries, e)
}

// forget takes a node out of the table.
func (t *Table) forget(n *node) {
	t.entries[n.id].drop(t)
	t.entries[n.id] = nil
	t.free = append(t.free, n.id)
	n.flags |= isForgotten
}

// entry returns the typed part of a node that is in the table.
func (t *Table) entry(n *node) entry { return t.entries[n.id] }

// reader returns a result by its id.
func (t *Table) reader(id id) *derived { return t.entries[id].result() }

// Ctx is the only door from a query to the world.
type Ctx struct {
	t      *Table
	n      *derived
	cursor int // reads made so far
}

// record notes a read. Reads that are the same as in the last run keep their edges.
func (c *Ctx) record(on *node) {
	n, i := c.n, c.cursor
	c.cursor++
	if i < len(n.reads) {
		if n.reads[i].on == on.id {
			return
		}
		c.t.cut(n, i)
	}
	if n.reads == nil {
		n.reads = make([]dep, 0, *c.t.entry(&n.node).typical(c.t))
	}
	n.reads = append(n.reads, dep{on.id, int32(len(on.readers))}) //nolint:gosec // far below
	on.readers = append(on.readers, edge{n.id, int32(i)})         //nolint:gosec // far below
	c.t.stats.Reads++
}

// cut forgets the reads of n from i on.
func (t *Table) cut(n *derived, i int) {
	for j := len(n.reads) - 1; j >= i; j-- {
		slot, on := n.reads[j].slot(), t.entries[n.reads[j].on].base()
		last := len(on.readers) - 1
		moved := on.readers[last]
		on.readers[slot] = moved
		t.reader(moved.reader).reads[moved.pos].setSlot(slot)
		on.readers = on.readers[:last]
		t.stats.Reads--
		t.orphan(on)
	}
	n.reads = n.reads[:i]
}

// orphan notes a node that Sweep may forget.
func (t *Table) orphan(n *node) {
	if n.has(isOrphan) || n.wanted() {
		return
	}
	n.flags |= isOrphan
	t.orphans = append(t.orphans, n)
}

// wanted tells whether a node must stay: somebody reads or keeps it, or it is a cell with a value.
func (n *node) wanted() bool {
	return len(n.readers) > 0 || n.has(isKept) || n.has(isCell) && n.has(isSet)
}

// touched marks everything that a changed cell reaches.
func (t *Table) touched(cell *node) {
	if len(t.running) > 0 {
		panic("memo: a cell was written while a query ran")
	}
	t.gen++
	cell.changed = t.gen
	t.marking = append(t.marking[:0], cell)
	for len(t.marking) > 0 {
		n := t.marking[len(t.marking)-1]
		t.marking = t.marking[:len(t.marking)-1]
		for _, e := range n.readers {
			reader := t.reader(e.reader)
			if d := &reader.reads[e.pos]; !d.dirty() {
				d.setDirty(true)
				t.soil(reader, e.pos)
			}
			if !reader.has(marked) {
				t.mark(reader)
				t.marking = append(t.marking, &reader.node)
			}
		}
	}
}

// soil notes that a read is dirty.
func (t *Table) soil(n *derived, pos int32) {
	if n.dirty == nil {
		if last := len(t.spare) - 1; last >= 0 {
			n.dirty, t.spare = t.spare[last], t.spare[:last]
		} else {
			n.dirty = new([]int32)
		}
	}
	*n.dirty = append(*n.dirty, pos)
}

func (t *Table) mark(n *derived) {
	n.flags |= marked
	t.stats.Marked++
	t.await(n)
}

// await enters a kept result into the list that Refresh goes through.
func (t *Table) await(n *derived) {
	if n.has(isKept) && !n.has(isPending) {
		n.flags |= isPending
		t.pending = append(t.pending, n)
	}
}

// update brings a result up to date.
func (t *Table) update(n *derived) {
	switch {
	case n.has(busy):
		panic("memo: a query needs itself: " + t.chain(n))
	case !n.has(valid):
		t.run(n)
	case n.has(marked):
		t.verify(n)
	}
}

// verify visits the marked reads of a result in the order in which they were made.
func (t *Table) verify(n *derived) {
	slices.Sort(*n.dirty)
	n.flags |= busy // a cycle that appears with new inputs is found here
	defer func() { n.flags &^= busy }()
	for _, pos := range *n.dirty {
		on := t.entries[n.reads[pos].on]
		if r := on.result(); r != nil && !t.attempt(r) || on.base().changed > n.verified {
			n.flags &^= busy
			t.run(n)
			return
		}
	}
	t.settle(n)
	t.stats.Verified++
}

// attempt updates a read and tells whether that went well. When it panics, the reader runs again and meets the panic where
// it reads: there the reader may contain it.
func (t *Table) attempt(on *derived) (fine bool) {
	depth := len(t.running)
	defer func() {
		if !fine {
			_ = recover()
			t.running = t.running[:depth]
		}
	}()
	t.update(on)
	return true
}

// settle notes that a result is right.
func (t *Table) settle(n *derived) {
	n.flags &^= marked
	n.verified = t.gen
	if n.dirty == nil {
		return
	}
	for _, pos := range *n.dirty {
		if int(pos) < len(n.reads) {
			n.reads[pos].setDirty(false)
		}
	}
	const most = 256 // a change that reached everything leaves no more than this
	if len(t.spare) < most {
		*n.dirty = (*n.dirty)[:0]
		t.spare = append(t.spare, n.dirty)
	}
	n.dirty = nil
}

// run computes a result anew.
func (t *Table) run(n *derived) {
	first := n.reads == nil
	n.flags |= busy
	n.flags &^= valid
	c := &Ctx{t: t, n: n}
	t.running = append(t.running, n)
	depth := len(t.running)
	t.stats.Computed++
	finished := false
	defer func() {
		t.running = t.running[:depth-1]
		n.flags &^= busy
		t.cut(n, c.cursor)
		t.settle(n)
		if finished {
			return
		}
		panicked := recover()
		changed, contained := t.entry(&n.node).recover(panicked)
		if !contained {
			t.await(n)
			panic(panicked)
		}
		t.finish(n, changed)
	}()
	changed := t.entry(&n.node).compute(t, c)
	finished = true
	if first {
		const most = 16 // one that reads everything says nothing about the others
		*t.entry(&n.node).typical(t) = min(c.cursor, most)
	}
	t.finish(n, changed)
}

func (t *Table) finish(n *derived, changed bool) {
	n.flags |= valid
	if changed {
		n.changed = t.gen
		return
	}
	t.stats.Backdated++
}

// chain words the queries that run, for the message of a cycle.
func (t *Table) chain(last *derived) string {
	var b strings.Builder
	for _, n := range t.running {
		fmt.Fprintf(&b, "%v -> ", t.entry(&n.node).describe())
	}
	fmt.Fprintf(&b, "%v", t.entry(&last.node).describe())
	return b.String()
}

// Refresh brings every kept result that changes reached up to date, and returns those whose value differs from what
// Keep or Refresh last told, in the order in which they were kept.
func (t *Table) Refresh() []Changed {
	slices.SortFunc(t.pending, func(a, b *derived) int { return cmp.Compare(a.order(), b.order()) })
	for _, n := range t.pending { // when a query panics here, all of them stay pending
		if n.kept != nil {
			t.update(n)
		}
	}
	var changed []Changed
	for _, n := range t.pending {
		n.flags &^= isPending
		if n.kept != nil && n.changed > n.kept.reported {
			n.kept.reported = t.gen
			d := t.entry(&n.node).describe()
			changed = append(changed, Changed{Query: d.Name, Key: d.Key})
		}
	}
	clear(t.pending)
	t.pending = t.pending[:0]
	return changed
}

// order is when the result was kept; 0 when it is no more.
func (n *derived) order() uint64 {
	if n.kept == nil {
		return 0
	}
	return n.kept.seq
}

// Sweep forgets the results that nobody keeps and that no kept result reads, directly or not.
func (t *Table) Sweep() {
	for len(t.orphans) > 0 {
		n := t.orphans[len(t.orphans)-1]
		t.orphans = t.orphans[:len(t.orphans)-1]
		n.flags &^= isOrphan
		if n.has(isForgotten) || n.wanted() {
			continue
		}
		if r := t.entry(n).result(); r != nil {
			t.cut(r, 0)
		}
		t.forget(n)
	}
}

// ReadRecord names something that was read, or a result: the name of the input or query, and the key.
type ReadRecord struct {
	Name string
	Key  any
	// Cell tells an input cell from a query.
	Cell bool
}

// String returns name(key).
func (r ReadRecord) String() string { return fmt.Sprintf("%s(%v)", r.Name, r.Key) }
