package rollout

import (
	"math/bits"
	"math/rand/v2"
	"strconv"
	"testing"
)

// searchFor runs a search among names 0 to n-1, and returns how often names were sent.
func searchFor(t *testing.T, n int, bad map[string]bool) (messages int) {
	t.Helper()
	var s search
	taken, kept := map[string]bool{}, map[string]bool{}
	send := func(names []string) {
		messages++
		for _, name := range names {
			if bad[name] {
				if len(names) == 1 {
					kept[name] = true
				}
				s.refused(names)
				return
			}
		}
		for _, name := range names {
			taken[name] = true
		}
		s.taken()
	}
	all := make([]string, n)
	for i := range all {
		all[i] = strconv.Itoa(i)
	}
	for send(all); s.going(); {
		send(s.next())
	}
	if len(taken)+len(kept) != n || len(kept) != len(bad) {
		t.Fatalf("%d names, %d of them bad: %d taken, %d kept out", n, len(bad), len(taken), len(kept))
	}
	return messages
}

// TestTheSearchFindsEveryCulpritAndLosesNobody, in few messages: one for each halving and three more when there is one
// culprit, and at most two for each name when there are many.
func TestTheSearchFindsEveryCulpritAndLosesNobody(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 2))
	most := 0
	for range 20_000 {
		n := 1 + r.IntN(60)
		bad := map[string]bool{}
		for range r.IntN(1 + r.IntN(n)) {
			bad[strconv.Itoa(r.IntN(n))] = true
		}
		messages, halvings := searchFor(t, n, bad), bits.Len(uint(n))
		if messages > 2*n+2*halvings || len(bad) == 1 && messages > halvings+3 {
			t.Fatalf("%d names, %d of them bad: %d messages", n, len(bad), messages)
		}
		most = max(most, messages)
	}
	if most < 60 {
		t.Fatalf("at most %d messages: the worst cases were not met", most)
	}
	for _, i := range []string{"0", "2500", "4999"} {
		if messages := searchFor(t, 5000, map[string]bool{i: true}); messages > 16 {
			t.Errorf("one bad name (%s) among 5,000 takes %d messages", i, messages)
		}
	}
}
