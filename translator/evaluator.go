package translator

import (
	"cmp"
	"slices"

	"github.com/cloverleaf-mesh/cloverleaf/internal/memo"
	"github.com/cloverleaf-mesh/cloverleaf/translator/input"
	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
	"github.com/cloverleaf-mesh/cloverleaf/translator/status"
)

// Delta is what a change of the inputs changed in the outputs.
type Delta struct {
	Resources []ir.Change     // sorted by class and name
	Reports   []status.Report // sorted by object; a Report with Gone set is of an object that is no more
	Wants     []Want          // all of them, when any changed; nil otherwise
	// Faults are resources that the translator got wrong; each is a bug.
	Faults []Fault
}

// Fault is a resource that Envoy would refuse although its objects are valid.
type Fault struct {
	ID      ir.ResourceID
	Message string
}

// Evaluator keeps the outputs of a table up to date: what every class of proxies is told, and the status of every
// object. It holds nothing that could not be computed again from the table's cells. It is not safe for concurrent use.
type Evaluator struct {
	table   *memo.Table
	told    told
	objects map[input.KindShard][]ir.Name // those that have a report
	started bool

	reported map[ir.Ref]bool // objects whose report changed; false when they are gone
	delta    Delta
}

// NewEvaluator returns an evaluator that has handed out nothing yet.
func NewEvaluator(table *memo.Table) *Evaluator {
	return &Evaluator{
		table: table, told: newTold(table), objects: map[input.KindShard][]ir.Name{}, reported: map[ir.Ref]bool{},
	}
}

// Refresh evaluates what the changes since the last call reach, and returns what they changed. The first call returns
// everything.
func (e *Evaluator) Refresh() Delta {
	if !e.started {
		e.start()
	}
	for _, ch := range e.table.Refresh() {
		e.apply(ch)
	}
	e.handOut()
	e.handOutReports()
	slices.SortFunc(e.delta.Resources, compareChanges)
	slices.SortFunc(e.delta.Reports, func(a, b status.Report) int { return a.Object.Compare(b.Object) })
	slices.SortFunc(e.delta.Faults, func(a, b Fault) int { return a.ID.Compare(b.ID) })
	e.table.Sweep()
	d := e.delta
	e.delta = Delta{} // the first one is large, and nobody's to keep
	return d
}

func compareChanges(a, b ir.Change) int {
	return cmp.Or(compareClasses(a.Class, b.Class), a.ID.Compare(b.ID))
}

func compareClasses(a, b ir.ProxyClass) int {
	return cmp.Or(cmp.Compare(a.Role, b.Role), a.Compare(b.Name))
}

func (e *Evaluator) start() {
	e.started = true
	e.told.setClasses(classList.Keep(e.table, struct{}{}))
	e.delta.Wants = wantsOf.Keep(e.table, struct{}{})
	for _, kind := range reportedKinds() {
		for shard := range uint8(input.Shards) {
			key := input.KindShard{Kind: kind, Shard: shard}
			e.setObjects(key, objectsOf.Keep(e.table, key))
		}
	}
}

// apply takes over one kept result that changed. Results are told apart by the type of their key.
func (e *Evaluator) apply(ch memo.Changed) {
	switch key := ch.Key.(type) {
	case ResourceKey:
		e.told.changed(key)
	case ir.Ref:
		if _, known := e.reported[key]; !known {
			e.reported[key] = true
		}
	case TableKey:
		e.told.setBuckets(key, bucketsOf.Root(e.table, key))
	case bucketKey:
		e.told.setHosts(key, hostsOf.Root(e.table, key))
	case ir.ProxyClass:
		e.told.setPlan(key, planOf.Root(e.table, key))
	case input.KindShard:
		e.setObjects(key, objectsOf.Root(e.table, key))
	case struct{}:
		if ch.Query == wantsOf.Name() {
			e.delta.Wants = wantsOf.Root(e.table, key)
			return
		}
		e.told.setClasses(classList.Root(e.table, key))
	}
}

// handOut reports the resources that changed or that a class is told newly or no longer.
func (e *Evaluator) handOut() {
	for _, t := range e.told.takeTouched() {
		ch := ir.Change{Class: t.class.id, ID: t.key.ID()}
		if e.told.tells(t.class, t.key) {
			encoded := ResourceOf.Root(e.table, t.key)
			ch.Resource = encoded.Resource
			if f := (Fault{ID: ch.ID, Message: encoded.Fault}); f.Message != "" && !slices.Contains(e.delta.Faults, f) {
				e.delta.Faults = append(e.delta.Faults, f)
			}
		}
		e.delta.Resources = append(e.delta.Resources, ch)
	}
}

func (e *Evaluator) setObjects(key input.KindShard, next []ir.Name) {
	before := e.objects[key]
	e.objects[key] = next
	compareLists(before, next, ir.Name.Compare, func(name ir.Name) {
		ref := ir.Ref{Kind: key.Kind, Name: name}
		reportOf.Keep(e.table, ref)
		e.reported[ref] = true
	}, func(name ir.Name) {
		ref := ir.Ref{Kind: key.Kind, Name: name}
		reportOf.Release(e.table, ref)
		e.reported[ref] = false
	})
}

// handOutReports reports the objects whose report changed.
func (e *Evaluator) handOutReports() {
	for ref, exists := range e.reported {
		report := status.Report{Object: ref, Gone: true}
		if exists {
			report = reportOf.Root(e.table, ref)
		}
		e.delta.Reports = append(e.delta.Reports, report)
	}
	e.reported = emptied(e.reported)
}

// emptied empties a map. One that held much is replaced: going through a map costs the room that it once needed, and
// after the first evaluation that is the size of everything.
func emptied[K comparable, V any](m map[K]V) map[K]V {
	const much = 64
	if len(m) > much {
		return map[K]V{}
	}
	clear(m)
	return m
}

// compareLists tells what is new in a sorted list and then what is gone from it.
func compareLists[V any](before, next []V, compare func(a, b V) int, added, removed func(V)) {
	eachMissing(before, next, compare, added)
	eachMissing(next, before, compare, removed)
}

// eachMissing tells of those members of a sorted list that another does not have.
func eachMissing[V any](others, list []V, compare func(a, b V) int, tell func(V)) {
	i := 0
	for _, v := range list {
		for i < len(others) && compare(others[i], v) < 0 {
			i++
		}
		if i == len(others) || compare(others[i], v) != 0 {
			tell(v)
		}
	}
}
