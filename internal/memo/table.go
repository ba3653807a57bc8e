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
	running  []*derived  // queries being computed, outermost first
	pending  []*derived  // kept results that were marked since the last Refresh
	orphans  []*node     // candidates for Sweep: nobody reads or keeps them
	keeps    uint64      // number of Keeps so far, for a stable order
	marking  []*node     // work list of mark, reused
	spare    []*[]int32  // lists of dirty reads, reused
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

// node is a cell or a result: what can be read.
type node struct {
	self    entry
	readers []edge
	changed uint64 // generation in which the value last changed
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

type flags uint8

const (
	isSet  flags = 1 << iota // has a value
	isKept                   // a result that somebody keeps
	valid                    // computed, and the last run did not panic
	marked                   // something that it read, directly or not, changed
	busy                     // being computed
	isPending
	isOrphan
)

func (n *node) has(f flags) bool { return n.flags&f != 0 }

// edge leads from what is read to a reader: reader.reads[pos] is this read.
type edge struct {
	reader *derived
	pos    int32
}

// dep is one read: on.readers[slot] is the edge back.
type dep struct {
	on    *node
	slot  int32
	dirty bool // stands in the reader's dirty list
}

// entry is the typed part of a node.
type entry interface {
	describe() ReadRecord
	compute(t *Table, c *Ctx) (changed bool)
	recover(panicked any) (changed, contained bool)
	forget(t *Table)
	absent() bool     // a cell without a value
	result() *derived // nil for a cell
	// typical is how many reads a result of the kind makes.
	typical(t *Table) *int
}

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
		if n.reads[i].on == on {
			return
		}
		c.t.cut(n, i)
	}
	if n.reads == nil {
		n.reads = make([]dep, 0, *n.self.typical(c.t))
	}
	n.reads = append(n.reads, dep{on: on, slot: int32(len(on.readers))}) //nolint:gosec // far below
	on.readers = append(on.readers, edge{n, int32(i)})                   //nolint:gosec // far below
	c.t.stats.Reads++
}

// cut forgets the reads of n from i on.
func (t *Table) cut(n *derived, i int) {
	for j := len(n.reads) - 1; j >= i; j-- {
		d := n.reads[j]
		last := len(d.on.readers) - 1
		moved := d.on.readers[last]
		d.on.readers[d.slot] = moved
		moved.reader.reads[moved.pos].slot = d.slot
		d.on.readers[last] = edge{}
		d.on.readers = d.on.readers[:last]
		n.reads[j] = dep{}
		t.stats.Reads--
		t.orphan(d.on)
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
	return len(n.readers) > 0 || n.has(isKept) || n.self.result() == nil && !n.self.absent()
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
			if d := &e.reader.reads[e.pos]; !d.dirty {
				d.dirty = true
				t.soil(e.reader, e.pos)
			}
			if !e.reader.has(marked) {
				t.mark(e.reader)
				t.marking = append(t.marking, &e.reader.node)
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
		on := n.reads[pos].on
		if r := on.self.result(); r != nil && !t.attempt(r) || on.changed > n.verified {
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
			n.reads[pos].dirty = false
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
		changed, contained := n.self.recover(panicked)
		if !contained {
			t.await(n)
			panic(panicked)
		}
		t.finish(n, changed)
	}()
	changed := n.self.compute(t, c)
	finished = true
	if first {
		const most = 16 // one that reads everything says nothing about the others
		*n.self.typical(t) = min(c.cursor, most)
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
		fmt.Fprintf(&b, "%v -> ", n.self.describe())
	}
	fmt.Fprintf(&b, "%v", last.self.describe())
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
			d := n.self.describe()
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
		if n.wanted() {
			continue
		}
		if r := n.self.result(); r != nil {
			t.cut(r, 0)
		}
		n.self.forget(t)
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
