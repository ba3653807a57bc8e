package main

import (
	"context"
	"fmt"
)

// measureCold builds a world from nothing, in new processes, beside processes that do nothing but decode it.
func measureCold(ctx context.Context, r *report, n int) error {
	const times = 5
	var cpu, wall, allocs, decoded, heap, anon series
	for range times {
		decoder, err := hire(ctx, kindDecode, n)
		if err != nil {
			return err
		}
		decoder.dismiss()
		built, err := hire(ctx, kindLine, n)
		if err != nil {
			return err
		}
		built.dismiss()
		decoded = append(decoded, float64(decoder.birth.Heap)/mB)
		cpu, wall = append(cpu, milliseconds(built.birth.CPU)), append(wall, milliseconds(built.birth.Wall))
		allocs = append(allocs, float64(built.birth.Allocated)/mB)
		heap = append(heap, float64(built.worth.Heap)/mB)
		anon = append(anon, float64(built.worth.Anonymous)/mB)
	}
	r.add(table{
		Title: fmt.Sprintf("Cold build of %d routes, each with a Service and an EndpointSlice", n),
		Head:  []string{"what", "figure"},
		Rows: [][]string{
			{"CPU ms, objects in the store to resources encoded", cpu.String()},
			{"wall ms", wall.String()},
			{"MB allocated", allocs.String()},
			{"MB of decoded objects (heap of a process that only decodes them)", decoded.String()},
			{"MB of live heap, objects held and a proxy served", heap.String()},
			{"MB anonymous memory (RssAnon), objects held and a proxy served", anon.String()},
		},
	})
	r.gate(fmt.Sprintf("cold build of %d routes, anonymous memory", n), anon.median(), 3*decoded.median()+30, "MB")
	return nil
}
