package main

import (
	"context"
	"fmt"
	"time"
)

// Goals of CPU, as ratios.
const (
	mostOverTen   = 1.5
	mostOverFloor = 3
)

// pace is a way to ask: many times for one edit, each of which meets a process that was idle, as an edit by a person or
// of one object in a cluster does, or a few times for many edits in a row.
type pace struct {
	name   string
	rounds int
	burst  int
	rest   time.Duration // before each order
	gated  bool
}

// measureCPU compares workers that take turns, so that what else the machine does hits all of them alike. A ratio is
// taken within a round, and the median of all rounds counts.
func measureCPU(ctx context.Context, r *report, n int) error {
	team, err := hireTeam(ctx, n)
	defer team.dismiss()
	if err != nil {
		return err
	}
	for _, p := range []pace{{"one at a time", 150, 1, 20 * time.Millisecond, true}, {"in bursts of 100", 21, 100, 0, false}} {
		t := table{
			Title: "CPU of one change, " + p.name + " (server process, microseconds)",
			Head:  []string{"change", "routes", "CPU us", "of 10 routes", "of the floor", "bytes written to the socket"},
		}
		for _, c := range cycles() {
			if c.heavy {
				continue
			}
			runs, err := team.takeTurns(c, p)
			if err != nil {
				return err
			}
			for _, run := range runs {
				t.Rows = append(t.Rows, run.row())
				run.judge(r, p, n)
			}
		}
		r.add(t)
	}
	return team.heavy(r)
}

// team are workers that take turns: the least world first, the floor last.
type team struct {
	workers []*worker
	next    int // number of the next cycle: no edit is made twice
}

func hireTeam(ctx context.Context, n int) (*team, error) {
	t := &team{}
	hire := func(kind string, n int) error {
		w, err := hire(ctx, kind, n)
		if err == nil {
			t.workers = append(t.workers, w)
		}
		return err
	}
	for _, size := range sizes(n) {
		if err := hire(kindLine, size); err != nil {
			return t, err
		}
	}
	return t, hire(kindFloor, n)
}

func (t *team) dismiss() {
	for _, w := range t.workers {
		w.dismiss()
	}
}

// turns are the figures of one step, by round, of one worker.
type turns struct {
	step           string
	worker         *worker
	cpu, wire      series
	ofTen, ofFloor series
}

func (t *turns) take(s *spent) {
	t.cpu = append(t.cpu, float64(s.CPU)/float64(time.Microsecond)/float64(s.Steps))
	t.wire = append(t.wire, float64(s.Wire)/float64(s.Steps))
}

func (t *turns) row() []string {
	who := fmt.Sprint(t.worker.n)
	if t.worker.kind == kindFloor {
		who = "floor, " + who
	}
	return []string{t.step, who, t.cpu.String(), t.ofTen.String(), t.ofFloor.String(), figure(t.wire.median())}
}

func (t *turns) judge(r *report, p pace, n int) {
	if !p.gated || t.worker.kind != kindLine || t.worker.n != n {
		return
	}
	r.gate(fmt.Sprintf("%s among %d, CPU over that among 10", t.step, n), t.ofTen.median(), mostOverTen, "times")
	if len(t.ofFloor) > 0 {
		r.gate(fmt.Sprintf("%s among %d, CPU over the floor", t.step, n), t.ofFloor.median(), mostOverFloor, "times")
	}
}

// takeTurns runs a cycle on every worker in every round, beginning with another one each time.
func (t *team) takeTurns(c cycle, p pace) ([]*turns, error) {
	var all []*turns
	byStep := map[string]map[*worker]*turns{}
	for round := range p.rounds {
		for j := range t.workers {
			w := t.workers[(round+j)%len(t.workers)]
			if w.kind == kindFloor && c.name != "rule" {
				continue
			}
			time.Sleep(p.rest)
			got, err := w.ask(order{c.name, t.next, p.burst})
			if err != nil {
				return nil, err
			}
			for _, name := range c.names {
				if byStep[name] == nil {
					byStep[name] = map[*worker]*turns{}
				}
				one := byStep[name][w]
				if one == nil {
					one = &turns{step: name, worker: w}
					byStep[name][w] = one
				}
				one.take(got[name])
			}
		}
		t.next += p.burst
	}
	for _, name := range c.names {
		runs := byStep[name]
		for _, w := range t.workers {
			if one := runs[w]; one != nil {
				one.ofTen = ratios(one.cpu, runs[t.workers[0]].cpu)
				if floor := runs[t.workers[len(t.workers)-1]]; floor != nil {
					one.ofFloor = ratios(one.cpu, floor.cpu)
				}
				all = append(all, one)
			}
		}
	}
	return all, nil
}

// ratios divides round by round.
func ratios(a, b series) series {
	out := make(series, len(a))
	for i := range a {
		out[i] = a[i] / b[i]
	}
	return out
}

// heavy measures what touches everything, of which only the price is told.
func (t *team) heavy(r *report) error {
	out := table{Title: "CPU of what may touch all (server process, milliseconds)", Head: []string{"change", "routes", "CPU ms"}}
	for _, c := range cycles() {
		if !c.heavy {
			continue
		}
		runs, err := t.takeTurns(c, pace{rounds: 9, burst: 1})
		if err != nil {
			return err
		}
		for _, one := range runs {
			for i := range one.cpu {
				one.cpu[i] /= 1000
			}
			out.Rows = append(out.Rows, []string{one.step, fmt.Sprint(one.worker.n), one.cpu.String()})
		}
	}
	r.add(out)
	return nil
}
