package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/cloverleaf-mesh/cloverleaf/internal/memo"
)

// exact is what a step costs in things that can be counted: the same on every machine, but for a few bytes of allocations
// of the runtime and of pools that a collection emptied.
type exact struct {
	Step      string `json:"step"`
	Routes    int    `json:"routes"`
	N         int    `json:"n"`         // how often it was done; the figures are means
	Computed  int    `json:"computed"`  // queries run
	Verified  int    `json:"verified"`  // results found unchanged without running
	Marked    int    `json:"marked"`    // results that the change reached
	Allocated int    `json:"allocated"` // bytes, from the store's update to the last byte handed to the stream
	Wire      int    `json:"wire"`      // bytes of messages handed to the stream
	Messages  int    `json:"messages"`
}

// sizes are the worlds that are compared.
func sizes(n int) []int { return []int{10, 1000, n} }

// Goals of one change among many.
const (
	mostAllocated = 64 * kB
	mostWire      = 4 * kB
)

// gated tells whether a step is one change of one thing, of which nobody but the one may pay.
func gated(step string) bool {
	return step == ruleEdit || step == endpointEdit || step == newRoute || step == deletedRoute
}

func measureCounts(_ context.Context, r *report, n int) error {
	t := table{
		Title: "One change: what can be counted (means)",
		Head:  []string{"change", "routes", "queries run", "results checked", "results marked", "allocated", "messages", "bytes of messages"},
	}
	for _, row := range countAll(n, 100) {
		t.Rows = append(t.Rows, []string{
			row.Step, fmt.Sprint(row.Routes), fmt.Sprint(row.Computed), fmt.Sprint(row.Verified), fmt.Sprint(row.Marked),
			size(int64(row.Allocated)), fmt.Sprint(row.Messages), size(int64(row.Wire)),
		})
		if gated(row.Step) && row.Routes == n {
			r.gate(fmt.Sprintf("%s among %d, allocated", row.Step, n), float64(row.Allocated)/kB, mostAllocated/kB, "kB")
			r.gate(fmt.Sprintf("%s among %d, on the wire", row.Step, n), float64(row.Wire)/kB, mostWire/kB, "kB")
		}
	}
	r.add(t)
	return nil
}

// countAll counts in worlds of every size, and returns the rows by step.
func countAll(n, times int) []exact {
	var rows []exact
	for _, size := range sizes(n) {
		rows = append(rows, count(size, times, cycles())...)
	}
	order := map[string]int{}
	for _, row := range rows {
		if _, known := order[row.Step]; !known {
			order[row.Step] = len(order)
		}
	}
	slices.SortStableFunc(rows, func(a, b exact) int { return order[a.Step] - order[b.Step] })
	return rows
}

// count does every step of some cycles on n routes several times, and counts.
func count(n, times int, some []cycle) []exact {
	l := newLine()
	defer l.close()
	before := l.build(worldOf(n)).Stats
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	p := newPipe(ctx)
	p.connect(l)
	<-l.first
	var rows []exact
	for _, c := range some {
		repeat := times
		if c.heavy {
			repeat = min(times, 3)
		}
		rows = append(rows, countCycle(l, p, c, n, repeat, &before)...)
	}
	return rows
}

func countCycle(l *line, p *pipe, c cycle, n, times int, before *memo.Stats) []exact {
	var rows []exact
	find := func(name string) *exact {
		for i := range rows {
			if rows[i].Step == name {
				return &rows[i]
			}
		}
		rows = append(rows, exact{Step: name, Routes: n})
		return &rows[len(rows)-1]
	}
	for k := range times {
		for _, s := range c.steps(n, k) {
			start, bytes, messages := allocated(), p.bytes.Load(), p.messages.Load()
			last := start
			p.measure(func() { last = allocated() })
			r := l.apply(s.event)
			p.measure(nil)
			if len(r.Delta.Resources) == 0 {
				last = allocated() // nothing was sent: until the end of the evaluation
			}
			row := find(s.name)
			row.N++
			row.Computed += int(r.Stats.Computed - before.Computed) //nolint:gosec // small
			row.Verified += int(r.Stats.Verified - before.Verified) //nolint:gosec // small
			row.Marked += int(r.Stats.Marked - before.Marked)       //nolint:gosec // small
			row.Allocated += int(last - start)                      //nolint:gosec // small
			row.Wire += int(p.bytes.Load() - bytes)
			row.Messages += int(p.messages.Load() - messages)
			*before = r.Stats
		}
	}
	for i := range rows {
		rows[i].mean()
	}
	return rows
}

func (e *exact) mean() {
	for _, v := range []*int{&e.Computed, &e.Verified, &e.Marked, &e.Allocated, &e.Wire, &e.Messages} {
		*v = (*v + e.N/2) / e.N
	}
}
