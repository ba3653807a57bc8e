package attach_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/cloverleaf-mesh/cloverleaf/translator/attach"
	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// The reference, from the words of the spec (Gateway API, Hostname and HTTPRouteSpec.hostnames): "A wildcard label (`*.`)
// ... is interpreted as a suffix match. That means that a match for `*.example.com` would match both
// `test.example.com`, and `foo.test.example.com`, but not `example.com`."

// accepts tells whether a request for a name (of plain labels) is one for a host name of a listener or route.
func accepts(pattern ir.Hostname, name string) bool {
	labels, want := strings.Split(name, "."), strings.Split(string(pattern), ".")
	switch {
	case pattern == ir.AnyHost:
		return true
	case want[0] == "*":
		want = want[1:]
		return len(labels) > len(want) && slices.Equal(labels[len(labels)-len(want):], want)
	default:
		return slices.Equal(labels, want)
	}
}

// witnesses are names that tell host names apart: each pattern's own, with labels before it and without its first one.
func witnesses(patterns ...ir.Hostname) []string {
	names := []string{"z", "z.z"}
	for _, p := range patterns {
		bare := strings.TrimPrefix(strings.TrimPrefix(string(p), "*"), ".")
		if bare == "" {
			continue
		}
		names = append(names, bare, "q."+bare, "r.q."+bare, "q"+bare)
		if _, parent, ok := strings.Cut(bare, "."); ok {
			names = append(names, parent, "q."+parent)
		}
	}
	return names
}

// best returns the pattern that takes a name by the spec's precedence: "the largest number of characters in a matching
// non-wildcard hostname, characters in a matching hostname".
func best(name string, patterns []ir.Hostname) (winner ir.Hostname) {
	rank := func(p ir.Hostname) (int, int) {
		if p == "" || !accepts(p, name) {
			return -1, -1
		}
		if strings.Contains(string(p), "*") {
			return 0, len(p)
		}
		return len(p), len(p)
	}
	for _, p := range patterns {
		exact, all := rank(p)
		if e, a := rank(winner); exact > e || exact == e && all > a {
			winner = p
		}
	}
	return winner
}

// valid is the schema's pattern of a host name.
var valid = regexp.MustCompile(`^(\*\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`)

func FuzzHostnames(f *testing.F) {
	for _, seed := range [][3]string{
		{"*", "a.example.com", "*.example.com"},
		{"*.example.com", "example.com", "*.com"},
		{"*.a.com", "*.b.a.com", "c.b.a.com"},
		{"com", "*.com", "a.com"},
		{"*.example.com", "aexample.com", "a.example.com"},
		{"a", "*.a", "b.a"},
		{"1.1", "*.1", "*"},
		{"x-y.com", "*.y.com", "*.x-y.com"},
		{"*.com", "*.com", "*.com"},
		{"a.b.c.d.e", "*.c.d.e", "*.b.c.d.e"},
	} {
		f.Add(seed[0], seed[1], seed[2])
	}
	f.Fuzz(func(t *testing.T, a, b, c string) {
		patterns := []ir.Hostname{ir.Hostname(a), ir.Hostname(b), ir.Hostname(c)}
		for _, p := range patterns {
			if p != ir.AnyHost && (!valid.MatchString(string(p)) || len(p) > 253) {
				return
			}
		}
		names := witnesses(patterns...)
		for _, p := range patterns {
			for _, q := range patterns {
				checkPair(t, p, q, names)
			}
			checkWider(t, p, names)
		}
		for _, name := range names {
			checkWinner(t, name, patterns)
		}
	})
}

// checkPair checks Covers and Intersect against what the patterns accept.
func checkPair(t *testing.T, p, q ir.Hostname, names []string) {
	t.Helper()
	both, covers := 0, true
	meet, ok := attach.Intersect(p, q)
	for _, name := range names {
		inBoth := accepts(p, name) && accepts(q, name)
		if inBoth {
			both++
		}
		covers = covers && (accepts(p, name) || !accepts(q, name))
		if ok && accepts(meet, name) != inBoth {
			t.Errorf("%q meets %q in %q, which is wrong about %q", p, q, meet, name)
		}
	}
	if ok != (both > 0) {
		t.Errorf("%q meets %q: %t, and %d names are accepted by both", p, q, ok, both)
	}
	if attach.Covers(p, q) != covers {
		t.Errorf("Covers(%q, %q) = %t", p, q, !covers)
	}
}

// checkWider checks that the wider names of a host name cover it, grow, and are complete.
func checkWider(t *testing.T, p ir.Hostname, names []string) {
	t.Helper()
	wider := attach.Wider(p)
	for i, w := range wider {
		if w == p || !attach.Covers(w, p) || i > 0 && !attach.Covers(w, wider[i-1]) {
			t.Errorf("Wider(%q) = %q", p, wider)
		}
	}
	for _, name := range names {
		for _, q := range []ir.Hostname{ir.AnyHost, ir.Hostname("*." + name)} {
			if q != p && attach.Covers(q, p) && !slices.Contains(wider, q) {
				t.Errorf("Wider(%q) = %q misses %q", p, wider, q)
			}
		}
	}
}

// checkWinner checks that Specificity orders the patterns that accept a name as the spec does.
func checkWinner(t *testing.T, name string, patterns []ir.Hostname) {
	t.Helper()
	var winner ir.Hostname
	for _, p := range patterns {
		if accepts(p, name) && (winner == "" || attach.Specificity(p) > attach.Specificity(winner)) {
			winner = p
		}
	}
	if want := best(name, patterns); winner != want {
		t.Errorf("%q goes to %q of %q, want %q", name, winner, patterns, want)
	}
}
