package memo

import "reflect"

// Equal compares two values of an input or a query, deeply and generically, so that no field can be forgotten: an
// equality written by hand is one that forgets the field that is added next.
func Equal[T any](a, b T) bool { return reflect.DeepEqual(a, b) }

// Same is Equal for values without pointers, and cheaper.
func Same[T comparable](a, b T) bool { return a == b }
