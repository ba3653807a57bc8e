// Package worldgen makes objects for tests: at random from a seed, or as the bytes of a fuzzer say. It decides which
// objects are worth meeting: small worlds, so that references often meet and conflicts and gaps are common, and HTTP
// rules with the oddest values that the API's schema lets through. What becomes of them is the tests' business.
package worldgen

import "math/rand/v2"

// Chooser makes the decisions.
type Chooser interface {
	// Pick returns a number from 0 to n-1.
	Pick(n int) int
}

// Seeded decides at random.
type Seeded struct{ Rand *rand.Rand }

// Pick implements [Chooser].
func (s Seeded) Pick(n int) int { return s.Rand.IntN(n) }

// Scripted decides as the bytes of a program say, and always 0 when they are used up.
type Scripted struct{ Program *[]byte }

// Pick implements [Chooser].
func (s Scripted) Pick(n int) int {
	if len(*s.Program) == 0 {
		return 0
	}
	b := (*s.Program)[0]
	*s.Program = (*s.Program)[1:]
	return int(b) % n
}

// Pair is a certificate and its key, both PEM.
type Pair struct{ Cert, Key []byte }

// Maker makes objects.
type Maker struct {
	Choose Chooser
	Pairs  []Pair // for Secrets; at least one
}

func of[T any](m *Maker, list []T) T { return list[m.Choose.Pick(len(list))] }

// number picks a number from 0 to n-1, which is small.
func (m *Maker) number(n int) int32 { return int32(m.Choose.Pick(n)) } //nolint:gosec // it is small

func (m *Maker) flip() bool { return m.Choose.Pick(2) == 0 }

func ptr[T any](v T) *T { return &v }
