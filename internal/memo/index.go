package memo

import (
	"hash/maphash"
	"iter"
)

// index finds the cells of an input or the results of a query by their keys. Keys are held once, by the members
// themselves: they are long, and there are many.
type index[K comparable, E indexed[K, E]] struct {
	seed  maphash.Seed
	heads map[uint64]E // by hash of the key
	reads int          // how many a result made that ran for the first time; the next one probably makes as many
}

// indexed is a member of an index.
type indexed[K comparable, E any] interface {
	comparable
	is(key K) bool
	// link is where the next member stands whose key has the same hash.
	link() *E
}

func newIndex[K comparable, E indexed[K, E]]() *index[K, E] {
	return &index[K, E]{seed: maphash.MakeSeed(), heads: map[uint64]E{}}
}

func (x *index[K, E]) hash(key K) uint64 { return maphash.Comparable(x.seed, key) }

// find returns the member with a key and this hash; the zero member when there is none.
func (x *index[K, E]) find(hash uint64, key K) E {
	var none E
	e := x.heads[hash]
	for e != none && !e.is(key) {
		e = *e.link()
	}
	return e
}

func (x *index[K, E]) add(hash uint64, e E) {
	*e.link() = x.heads[hash]
	x.heads[hash] = e
}

func (x *index[K, E]) remove(hash uint64, gone E) {
	var none E
	if head := x.heads[hash]; head != gone {
		for e := head; e != none; e = *e.link() {
			if *e.link() == gone {
				*e.link() = *gone.link()
			}
		}
		return
	}
	if next := *gone.link(); next != none {
		x.heads[hash] = next
		return
	}
	delete(x.heads, hash)
}

// all yields the members, in no particular order.
func (x *index[K, E]) all() iter.Seq[E] {
	return func(yield func(E) bool) {
		var none E
		for _, e := range x.heads {
			for ; e != none; e = *e.link() {
				if !yield(e) {
					return
				}
			}
		}
	}
}
