package memo

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// The programs of these tests are layers of queries over ten cells. A query's reads depend on what it read before, so
// they change from run to run; it may read a cell that does not exist; and its value is coarse, so that runs often give
// an equal value.

const (
	cells  = 10
	layers = 4
	width  = 6
)

type place struct{ layer, index int }

var (
	source = NewInput[int]("source", func(a, b int) bool { return a == b })
	value  *Query[place, int]
)

func init() {
	value = NewQuery("value", compute, func(a, b int) bool { return a == b })
}

// compute reads two or three things of the layer below, the second chosen by the value of the first.
func compute(c *Ctx, p place) int {
	read := func(i int) int {
		if p.layer == 0 {
			v, ok := source.Read(c, i%cells)
			if !ok {
				return -1
			}
			return v
		}
		return value.Get(c, place{p.layer - 1, i % width})
	}
	first := read(p.index)
	sum := first + 3*read(p.index+1+first&3)
	if first&1 == 0 {
		sum += read(p.index + 3)
	}
	if p.index%2 == 0 {
		return sum % 3 // coarse: often equal to the value before
	}
	return sum % 101
}

// program makes the decisions of a test out of bytes.
type program struct{ bytes []byte }

func (p *program) pick(n int) int {
	if len(p.bytes) == 0 {
		return 0
	}
	b := p.bytes[0]
	p.bytes = p.bytes[1:]
	return int(b) % n
}

// play runs a program against a table, and compares what it says with a table that is filled anew.
func play(t *testing.T, p *program) (comparisons int) {
	t.Helper()
	table := New()
	world := map[int]int{}
	kept := map[place]int{} // number of Keeps
	told := map[place]int{} // value that was told last
	anyPlace := func() place { return place{p.pick(layers), p.pick(width)} }
	for len(p.bytes) > 0 {
		switch p.pick(7) {
		case 0, 1, 2:
			cell, v := p.pick(cells), p.pick(8)
			world[cell] = v
			source.Set(table, cell, v)
		case 3:
			cell := p.pick(cells)
			delete(world, cell)
			source.Delete(table, cell)
		case 4:
			at := anyPlace()
			got := value.Keep(table, at)
			comparisons += expect(t, world, at, got)
			kept[at]++
			told[at] = got
		case 5:
			at := anyPlace()
			if kept[at] == 0 {
				comparisons += expect(t, world, at, value.Root(table, at))
				continue
			}
			value.Release(table, at)
			if kept[at]--; kept[at] == 0 {
				delete(kept, at)
				delete(told, at)
			}
		default:
			comparisons += refresh(t, table, world, kept, told)
		}
		if p.pick(4) == 0 {
			table.Sweep()
		}
		checkStructure(t, table)
	}
	comparisons += refresh(t, table, world, kept, told)
	for at, n := range kept {
		for range n {
			value.Release(table, at)
		}
	}
	table.Sweep()
	if s := table.Stats(); s.Results != 0 || s.Reads != 0 || s.Kept != 0 || s.Cells != len(world) {
		t.Fatalf("after everything was released: %+v with %d cells set", s, len(world))
	}
	return comparisons
}

func fresh(world map[int]int) *Table {
	table := New()
	for cell, v := range world {
		source.Set(table, cell, v)
	}
	return table
}

func expect(t *testing.T, world map[int]int, at place, got int) int {
	t.Helper()
	if want := value.Root(fresh(world), at); got != want {
		t.Fatalf("%v is %d, a fresh table says %d", at, got, want)
	}
	return 1
}

// refresh compares the report of Refresh with the kept results whose value really changed.
func refresh(t *testing.T, table *Table, world map[int]int, kept, told map[place]int) int {
	t.Helper()
	var got, want []string
	for _, ch := range table.Refresh() {
		got = append(got, fmt.Sprint(ch.Key))
	}
	for at := range kept {
		now := value.Root(fresh(world), at)
		if now != told[at] {
			want = append(want, fmt.Sprint(at))
			told[at] = now
		}
		if remembered := value.Root(table, at); remembered != now {
			t.Fatalf("%v is %d, a fresh table says %d", at, remembered, now)
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	// A value that changed and changed back between two refreshes may be told once more than needed, never less.
	for _, w := range want {
		if !slices.Contains(got, w) {
			t.Fatalf("Refresh told of %v, but %v changed", got, want)
		}
	}
	return len(kept)
}

// checkStructure checks that every read is known at both ends, and that what is up to date is not marked.
func checkStructure(t *testing.T, table *Table) {
	t.Helper()
	reads := 0
	for r := range value.results(table).all() {
		for i, d := range r.reads {
			reads++
			if e := table.entries[d.on].base().readers[d.slot()]; e.reader != r.id || int(e.pos) != i {
				t.Fatalf("%v: read %d is not known at its other end", r.describe(), i)
			}
			if d.dirty() && !r.has(marked) {
				t.Fatalf("%v: a dirty read of a result that is not marked", r.describe())
			}
		}
		if r.has(busy) {
			t.Fatalf("%v is still busy", r.describe())
		}
	}
	if reads != table.stats.Reads {
		t.Fatalf("%d reads, counted %d", reads, table.stats.Reads)
	}
}

func randomProgram(seed uint64, length int) *program {
	r := rand.New(rand.NewPCG(seed, 3))
	p := &program{bytes: make([]byte, length)}
	for i := range p.bytes {
		p.bytes[i] = byte(r.IntN(256))
	}
	return p
}

func TestRememberedValuesEqualFreshOnes(t *testing.T) {
	comparisons := 0
	for seed := range uint64(600) {
		comparisons += play(t, randomProgram(seed, 300))
	}
	fmt.Printf("evidence: %d values of the engine compared with a fresh table\n", comparisons)
	if comparisons < 20_000 {
		t.Errorf("only %d comparisons", comparisons)
	}
}

func FuzzEngine(f *testing.F) {
	for seed := range uint64(6) {
		f.Add(randomProgram(seed, 100).bytes)
	}
	f.Fuzz(func(t *testing.T, bytes []byte) {
		if len(bytes) < 4000 {
			play(t, &program{bytes: bytes})
		}
	})
}
