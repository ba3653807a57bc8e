package memo

import (
	"fmt"
	"strings"
	"testing"
)

func equalInts(a, b int) bool { return a == b }

// chain is a cell with two queries above it.
var (
	chainCell = NewInput[int]("cell", equalInts)
	chainLow  = NewQuery("low", func(c *Ctx, k int) int { v, _ := chainCell.Read(c, k); return v }, equalInts)
	chainHigh = NewQuery("high", func(c *Ctx, k int) int { return chainLow.Get(c, k) / 10 }, equalInts)
	// total reads every chain's high part: an aggregate.
	total = NewQuery("total", func(c *Ctx, n int) int {
		sum := 0
		for i := range n {
			sum += chainHigh.Get(c, i)
		}
		return sum
	}, equalInts)
)

// editCost keeps n chains and an aggregate over them, changes one cell, and returns what that cost.
func editCost(n, to int) (cost Stats, changed []Changed, allocs float64) {
	t := New()
	for i := range n {
		chainCell.Set(t, i, 0)
		chainLow.Keep(t, i)
	}
	total.Keep(t, n)
	t.Refresh()
	before := t.Stats()
	chainCell.Set(t, n/2, to)
	changed = t.Refresh()
	after := t.Stats()
	v := to
	allocs = testing.AllocsPerRun(20, func() {
		v++
		chainCell.Set(t, n/2, v%10)
		t.Refresh()
	})
	return Stats{
		Computed: after.Computed - before.Computed, Backdated: after.Backdated - before.Backdated,
		Verified: after.Verified - before.Verified, Marked: after.Marked - before.Marked,
	}, changed, allocs
}

func TestAnEditCostsTheSameAmongTenAndAmongFiveThousand(t *testing.T) {
	small, _, smallAllocs := editCost(10, 7)
	large, changed, largeAllocs := editCost(5000, 7)
	if small != large {
		t.Errorf("among 10: %+v, among 5,000: %+v", small, large)
	}
	// The low part changed; the high part was computed and is equal, so the aggregate was not computed again.
	if want := (Stats{Computed: 2, Backdated: 1, Verified: 1, Marked: 3}); large != want {
		t.Errorf("cost %+v, want %+v", large, want)
	}
	if len(changed) != 1 || changed[0].Query != "low" || changed[0].Key != 2500 {
		t.Errorf("told of %v, want low(2500)", changed)
	}
	if largeAllocs > smallAllocs+1 || largeAllocs > 20 {
		t.Errorf("%v allocations among 5,000, %v among 10", largeAllocs, smallAllocs)
	}
	fmt.Printf("evidence: an edit among 5,000 chains: %+v, %.0f allocations (among 10: %.0f)\n", large, largeAllocs, smallAllocs)
}

func TestACellThatAppearsLaterWakesWhoeverMissedIt(t *testing.T) {
	table := New()
	if v := chainLow.Keep(table, 1); v != 0 {
		t.Fatal(v)
	}
	chainCell.Set(table, 1, 5)
	if ch := table.Refresh(); len(ch) != 1 {
		t.Errorf("told of %v", ch)
	}
	if v := chainLow.Root(table, 1); v != 5 {
		t.Errorf("got %d", v)
	}
}

func TestACycleIsNamed(t *testing.T) {
	var a, b *Query[int, int]
	a = NewQuery("a", func(c *Ctx, k int) int { return b.Get(c, k) }, equalInts)
	b = NewQuery("b", func(c *Ctx, k int) int { return a.Get(c, k) }, equalInts)
	table := New()
	message := caught(func() { a.Root(table, 1) })
	if !strings.Contains(message, "needs itself") || !strings.Contains(message, "a(1) -> b(1) -> a(1)") {
		t.Errorf("panic said %q", message)
	}
	chainCell.Set(table, 1, 3)
	if v := chainLow.Root(table, 1); v != 3 {
		t.Errorf("the table is not usable afterwards: %d", v)
	}
}

func caught(f func()) (message string) {
	defer func() { message = fmt.Sprint(recover()) }()
	f()
	return ""
}

func TestAContainedPanicIsTriedAgainWhenItsReadsChange(t *testing.T) {
	inner := NewQuery("inner", func(c *Ctx, k int) int {
		v, _ := chainCell.Read(c, k)
		if v == 13 {
			panic("thirteen")
		}
		return v
	}, equalInts)
	outer := NewQuery("outer", func(c *Ctx, k int) int { return inner.Get(c, k) }, equalInts).
		Recovering(func(int, any) int { return -1 })
	table := New()
	chainCell.Set(table, 1, 13)
	if v := outer.Keep(table, 1); v != -1 {
		t.Fatalf("got %d", v)
	}
	chainCell.Set(table, 1, 14)
	if ch := table.Refresh(); len(ch) != 1 || outer.Root(table, 1) != 14 {
		t.Errorf("told of %v, value %d", ch, outer.Root(table, 1))
	}
	chainCell.Set(table, 1, 13)
	table.Refresh()
	if v := outer.Root(table, 1); v != -1 {
		t.Errorf("got %d", v)
	}
}

func TestAPanicThatNobodyContainsLosesNothing(t *testing.T) {
	fragile := NewQuery("fragile", func(c *Ctx, k int) int {
		v, _ := chainCell.Read(c, k)
		if v == 13 {
			panic("thirteen")
		}
		return v
	}, equalInts)
	table := New()
	chainCell.Set(table, 1, 1)
	fragile.Keep(table, 1)
	chainLow.Keep(table, 2)
	chainCell.Set(table, 1, 13)
	chainCell.Set(table, 2, 5)
	if message := caught(func() { table.Refresh() }); !strings.Contains(message, "thirteen") {
		t.Fatalf("Refresh said %q", message)
	}
	chainCell.Set(table, 1, 2)
	if ch := table.Refresh(); len(ch) != 2 {
		t.Errorf("told of %v, want both", ch)
	}
}

func TestAWriteWhileAQueryRunsIsABug(t *testing.T) {
	table := New()
	writer := NewQuery("writer", func(_ *Ctx, k int) int { chainCell.Set(table, k, 1); return 0 }, equalInts)
	if message := caught(func() { writer.Root(table, 1) }); !strings.Contains(message, "written while a query ran") {
		t.Errorf("panic said %q", message)
	}
}

func TestReadsTellWhereAResultCameFrom(t *testing.T) {
	table := New()
	chainCell.Set(table, 1, 10)
	chainHigh.Root(table, 1)
	if got := fmt.Sprint(chainHigh.Reads(table, 1), chainLow.Reads(table, 1)); got != "[low(1)] [cell(1)]" {
		t.Errorf("got %s", got)
	}
}

func BenchmarkEdit(b *testing.B) {
	for _, n := range []int{10, 5000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			t := New()
			for i := range n {
				chainCell.Set(t, i, 0)
				chainLow.Keep(t, i)
			}
			total.Keep(t, n)
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				i++
				chainCell.Set(t, n/2, i%10)
				t.Refresh()
			}
		})
	}
}

func Example() {
	price := NewInput[string]("price", func(a, b int) bool { return a == b })
	expensive := NewQuery("expensive", func(c *Ctx, what string) bool {
		p, _ := price.Read(c, what)
		return p > 100
	}, func(a, b bool) bool { return a == b })

	t := New()
	price.Set(t, "tea", 5)
	fmt.Println(expensive.Keep(t, "tea"))
	price.Set(t, "tea", 6) // computed again, but nobody needs to be told
	fmt.Println(t.Refresh())
	price.Set(t, "tea", 600)
	fmt.Println(t.Refresh())
	// Output:
	// false
	// []
	// [{expensive tea}]
}
