package store

import (
	"cmp"
	"slices"

	"github.com/cloverleaf-mesh/cloverleaf/internal/memo"
	"github.com/cloverleaf-mesh/cloverleaf/translator/input"
	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// add enters a member into a sorted bucket. Buckets are values: a new one replaces the old.
func add[K comparable, V any](t *memo.Table, in *memo.Input[K, []V], key K, member V, compare func(a, b V) int) {
	bucket, _ := in.Lookup(t, key)
	i, found := slices.BinarySearchFunc(bucket, member, compare)
	if found {
		return
	}
	next := make([]V, 0, len(bucket)+1)
	next = append(append(append(next, bucket[:i]...), member), bucket[i:]...)
	in.Set(t, key, next)
}

// remove takes a member out of a bucket; an empty bucket is no bucket.
func remove[K comparable, V any](t *memo.Table, in *memo.Input[K, []V], key K, member V, compare func(a, b V) int) {
	bucket, _ := in.Lookup(t, key)
	i, found := slices.BinarySearchFunc(bucket, member, compare)
	switch {
	case !found:
	case len(bucket) == 1:
		in.Delete(t, key)
	default:
		in.Set(t, key, append(append(make([]V, 0, len(bucket)-1), bucket[:i]...), bucket[i+1:]...))
	}
}

// enter is add for an index of a parent, and lists the bucket.
func enter[V any](
	t *memo.Table, in *memo.Input[input.ParentShard, []V], shards *memo.Input[ir.Ref, []uint8],
	key input.ParentShard, member V, compare func(a, b V) int,
) {
	add(t, in, key, member, compare)
	add(t, shards, key.Parent, key.Shard, cmp.Compare)
}

// leave is remove for an index of a parent, and lists the bucket no longer when it was the last member.
func leave[V any](
	t *memo.Table, in *memo.Input[input.ParentShard, []V], shards *memo.Input[ir.Ref, []uint8],
	key input.ParentShard, member V, compare func(a, b V) int,
) {
	remove(t, in, key, member, compare)
	if _, others := in.Lookup(t, key); !others {
		remove(t, shards, key.Parent, key.Shard, cmp.Compare)
	}
}
