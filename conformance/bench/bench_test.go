package main

import (
	"fmt"
	"slices"
	"testing"
)

// TestOneChangeAmongFiveThousandIsNobodyElsesCost gates what does not depend on the machine: queries run, results
// looked at, bytes allocated and bytes sent. `make bench` measures the rest.
func TestOneChangeAmongFiveThousandIsNobodyElsesCost(t *testing.T) {
	const times = 20
	light := slices.DeleteFunc(cycles(), func(c cycle) bool { return c.heavy })
	few, many := count(10, times, light), count(5000, times, light)
	for i, row := range many {
		fmt.Printf("evidence: %s among %d: %d queries, %s allocated, %s sent\n",
			row.Step, row.Routes, row.Computed, size(int64(row.Allocated)), size(int64(row.Wire)))
		if row.Allocated > mostAllocated || row.Wire > mostWire {
			t.Errorf("%s: %d bytes allocated and %d sent, of at most %d and %d", row.Step, row.Allocated, row.Wire, mostAllocated, mostWire)
		}
		least := few[i]
		if row.Computed > least.Computed || row.Verified > least.Verified || row.Marked > least.Marked || row.Messages > least.Messages {
			t.Errorf("%s costs more among many:\n%+v\n%+v", row.Step, least, row)
		}
		if most := 2 * least.Allocated; row.Allocated > most { // lists of names are longer among many
			t.Errorf("%s: %d bytes allocated, of at most %d", row.Step, row.Allocated, most)
		}
	}
}
