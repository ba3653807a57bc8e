package attach

import (
	"strings"

	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// Covers tells whether every name of host h is a name of pattern p. A wildcard stands for one label or more
// (Gateway API, Hostname); [ir.AnyHost] covers everything.
func Covers(p, h ir.Hostname) bool {
	if p == ir.AnyHost || p == h {
		return true
	}
	suffix, wild := strings.CutPrefix(string(p), "*")
	return wild && strings.HasSuffix(string(h), suffix) && len(h) > len(suffix)
}

// Intersect returns the names that two host names have in common: the narrower of the two, if one covers the other.
func Intersect(a, b ir.Hostname) (ir.Hostname, bool) {
	switch {
	case Covers(a, b):
		return b, true
	case Covers(b, a):
		return a, true
	default:
		return "", false
	}
}

// Specificity orders host names from [ir.AnyHost] over wildcards by their length to exact names: of two names that
// cover a third, the one with the higher specificity takes it.
func Specificity(h ir.Hostname) int {
	switch {
	case h == ir.AnyHost:
		return 0
	case strings.HasPrefix(string(h), "*."):
		return len(h)
	default:
		return 1<<16 + len(h)
	}
}

// Wider returns every host name that covers h and is not h, narrowest first: the wildcards of its parent domains and
// [ir.AnyHost].
func Wider(h ir.Hostname) []ir.Hostname {
	if h == ir.AnyHost {
		return nil
	}
	var wider []ir.Hostname
	rest := strings.TrimPrefix(string(h), "*.")
	for {
		if wild := ir.Hostname("*." + rest); wild != h && Covers(wild, h) {
			wider = append(wider, wild)
		}
		_, parent, ok := strings.Cut(rest, ".")
		if !ok {
			return append(wider, ir.AnyHost)
		}
		rest = parent
	}
}
