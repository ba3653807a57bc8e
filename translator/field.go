package translator

import "strconv"

// field returns the path of an element of a list.
func field(list string, index int) string { return list + "[" + strconv.Itoa(index) + "]" }
