package envoysim

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestSharesOfOneNumberAreExact compares the share of numbers in two sets of residues with a count of them.
func TestSharesOfOneNumberAreExact(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		a := residues{of: 1 + r.Uint64N(60)}
		b := residues{of: 1 + r.Uint64N(60)}
		for _, s := range []*residues{&a, &b} {
			s.from = r.Uint64N(s.of)
			s.to = s.from + 1 + r.Uint64N(s.of-s.from)
		}
		both := 0
		all := a.of * b.of // a multiple of both
		for n := range all {
			if in(a, n) && in(b, n) {
				both++
			}
		}
		if want, got := float64(both)/float64(all), a.common(b); math.Abs(got-want) > 1e-9 {
			t.Fatalf("%v and %v: %f, want %f", a, b, got, want)
		}
		if both > 0 {
			if n := a.member(b); !in(a, n) || !in(b, n) {
				t.Fatalf("%d is not in %v and %v", n, a, b)
			}
		}
	}
}

func in(r residues, n uint64) bool { return n%r.of >= r.from && n%r.of < r.to }
