package memo

import (
	"hash/maphash"
	"iter"
)

// index finds the cells of an input or the results of a query by their keys: a hash table whose chains run through the
// members. Keys are held once, by the members themselves: they are long, and there are many.
type index[K comparable, E indexed[K, E]] struct {
	seed  maphash.Seed
	heads []E // of the chains; their number is a power of two
	size  int
	reads int // how many a result made that ran for the first time; the next one probably makes as many
}

// indexed is a member of an index.
type indexed[K comparable, E any] interface {
	comparable
	keyed() K
	// link is where the next member of the chain stands.
	link() *E
}

func newIndex[K comparable, E indexed[K, E]]() *index[K, E] {
	return &index[K, E]{seed: maphash.MakeSeed(), heads: make([]E, 1)}
}

// head is the beginning of the chain of a key.
func (x *index[K, E]) head(key K) *E {
	return &x.heads[maphash.Comparable(x.seed, key)&uint64(len(x.heads)-1)] //nolint:gosec // positive
}

// find returns the member with a key; the zero member when there is none.
func (x *index[K, E]) find(key K) E {
	var none E
	e := *x.head(key)
	for e != none && e.keyed() != key {
		e = *e.link()
	}
	return e
}

// add takes in a member with a key that no other has.
func (x *index[K, E]) add(e E) {
	if x.size == len(x.heads) {
		x.resize(2 * len(x.heads))
	}
	x.size++
	x.chain(e)
}

func (x *index[K, E]) chain(e E) {
	head := x.head(e.keyed())
	*e.link(), *head = *head, e
}

// remove takes a member out.
func (x *index[K, E]) remove(gone E) {
	at := x.head(gone.keyed())
	for *at != gone {
		at = (*at).link()
	}
	var none E
	*at, *gone.link() = *gone.link(), none
	if x.size--; x.size < len(x.heads)/8 {
		x.resize(len(x.heads) / 2)
	}
}

func (x *index[K, E]) resize(heads int) {
	old := *x
	x.heads = make([]E, heads)
	for e := range old.all() {
		x.chain(e)
	}
}

// all yields the members, in no particular order. The one that was yielded may be chained elsewhere meanwhile.
func (x *index[K, E]) all() iter.Seq[E] {
	return func(yield func(E) bool) {
		var none E
		for _, e := range x.heads {
			for e != none {
				next := *e.link()
				if !yield(e) {
					return
				}
				e = next
			}
		}
	}
}
