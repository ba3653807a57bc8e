package memo

import (
	"math/rand/v2"
	"testing"
)

// TestAnIndexFindsWhatAMapFinds while it grows and shrinks.
func TestAnIndexFindsWhatAMapFinds(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	x, want := newIndex[int, *cell[int, string]](), map[int]*cell[int, string]{}
	for step := range 200_000 {
		key := r.IntN(3000)
		c := want[key]
		if got := x.find(key); got != c {
			t.Fatalf("step %d: key %d: got %p, want %p", step, key, got, c)
		}
		switch {
		case c != nil && (step > 100_000 || r.IntN(2) == 0):
			x.remove(c)
			delete(want, key)
		case c == nil && step <= 100_000:
			want[key] = &cell[int, string]{key: key}
			x.add(want[key])
		}
	}
	if x.size != len(want) || len(x.heads) > 64 {
		t.Fatalf("%d members, want %d, in %d chains", x.size, len(want), len(x.heads))
	}
	left := 0
	for c := range x.all() {
		left++
		if want[c.key] != c {
			t.Fatalf("key %d is listed but not held", c.key)
		}
	}
	if left != len(want) {
		t.Fatalf("%d members listed of %d", left, len(want))
	}
}
