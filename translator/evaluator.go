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
	classes map[ir.ProxyClass]*classState
	// holders says which classes are told a resource, and by how many lists.
	holders map[ResourceKey]*holding
	objects map[input.KindShard][]ir.Name // those that have a report
	started bool

	touched  map[ResourceKey][]ir.ProxyClass // classes that are to be told of a resource, again or that it is gone
	reported map[ir.Ref]bool                 // objects whose report changed; false when they are gone
	delta    Delta
}

// classState is what a class is told, as lists of names.
type classState struct {
	plan    plan
	buckets map[shardKey][]ResourceKey
}

// holding counts, per class, the lists that name a resource.
type holding struct {
	classes []ir.ProxyClass
	counts  []int
}

// NewEvaluator returns an evaluator that has handed out nothing yet.
func NewEvaluator(table *memo.Table) *Evaluator {
	return &Evaluator{
		table: table, classes: map[ir.ProxyClass]*classState{}, holders: map[ResourceKey]*holding{},
		objects: map[input.KindShard][]ir.Name{},
		touched: map[ResourceKey][]ir.ProxyClass{}, reported: map[ir.Ref]bool{},
	}
}

// Refresh evaluates what the changes since the last call reach, and returns what they changed. The first call returns
// everything.
func (e *Evaluator) Refresh() Delta {
	e.delta = Delta{}
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
	return e.delta
}

func compareChanges(a, b ir.Change) int {
	return cmp.Or(compareClasses(a.Class, b.Class), a.ID.Compare(b.ID))
}

func compareClasses(a, b ir.ProxyClass) int {
	return cmp.Or(cmp.Compare(a.Role, b.Role), a.Compare(b.Name))
}

func (e *Evaluator) start() {
	e.started = true
	e.setClasses(classList.Keep(e.table, struct{}{}))
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
		if h := e.holders[key]; h != nil {
			e.touched[key] = append(e.touched[key], h.classes...)
		}
	case ir.Ref:
		if _, known := e.reported[key]; !known {
			e.reported[key] = true
		}
	case shardKey:
		for class, state := range e.classes {
			if _, ok := state.buckets[key]; ok {
				e.setBucket(class, key, bucketOf.Root(e.table, key))
			}
		}
	case ir.ProxyClass:
		if state, ok := e.classes[key]; ok {
			e.setPlan(key, state, planOf.Root(e.table, key))
		}
	case input.KindShard:
		e.setObjects(key, objectsOf.Root(e.table, key))
	case struct{}:
		if ch.Query == wantsOf.Name() {
			e.delta.Wants = wantsOf.Root(e.table, key)
			return
		}
		e.setClasses(classList.Root(e.table, key))
	}
}

func (e *Evaluator) setClasses(classes []ir.ProxyClass) {
	for class, state := range e.classes {
		if !slices.Contains(classes, class) {
			e.setPlan(class, state, plan{})
			planOf.Release(e.table, class)
			delete(e.classes, class)
		}
	}
	for _, class := range classes {
		if e.classes[class] == nil {
			state := &classState{buckets: map[shardKey][]ResourceKey{}}
			e.classes[class] = state
			e.setPlan(class, state, planOf.Keep(e.table, class))
		}
	}
}

func (e *Evaluator) setPlan(class ir.ProxyClass, state *classState, next plan) {
	before := state.plan
	state.plan = next
	for _, table := range next.Tables {
		if !slices.Contains(before.Tables, table) {
			for shard := range uint8(fixedShard + 1) {
				key := shardKey{table, shard}
				e.setBucket(class, key, bucketOf.Keep(e.table, key))
			}
		}
	}
	e.moveList(class, before.Resources, next.Resources)
	for _, table := range before.Tables {
		if !slices.Contains(next.Tables, table) {
			for shard := range uint8(fixedShard + 1) {
				key := shardKey{table, shard}
				e.setBucket(class, key, nil)
				delete(state.buckets, key)
				bucketOf.Release(e.table, key)
			}
		}
	}
}

func (e *Evaluator) setBucket(class ir.ProxyClass, key shardKey, next []ResourceKey) {
	state := e.classes[class]
	before := state.buckets[key]
	state.buckets[key] = next
	e.moveList(class, before, next)
}

// moveList takes over a list of names of a class: new names are held once more, old ones once less.
func (e *Evaluator) moveList(class ir.ProxyClass, before, next []ResourceKey) {
	for _, key := range next {
		if _, found := slices.BinarySearchFunc(before, key, compareKeys); !found {
			e.hold(class, key)
		}
	}
	for _, key := range before {
		if _, found := slices.BinarySearchFunc(next, key, compareKeys); !found {
			e.release(class, key)
		}
	}
}

func (e *Evaluator) hold(class ir.ProxyClass, key ResourceKey) {
	h := e.holders[key]
	if h == nil {
		h = &holding{}
		e.holders[key] = h
		ResourceOf.Keep(e.table, key)
	}
	i := slices.Index(h.classes, class)
	if i < 0 {
		h.classes, h.counts = append(h.classes, class), append(h.counts, 1)
		e.touched[key] = append(e.touched[key], class)
		return
	}
	h.counts[i]++
}

func (e *Evaluator) release(class ir.ProxyClass, key ResourceKey) {
	h := e.holders[key]
	i := slices.Index(h.classes, class)
	if h.counts[i]--; h.counts[i] > 0 {
		return
	}
	h.classes, h.counts = slices.Delete(h.classes, i, i+1), slices.Delete(h.counts, i, i+1)
	e.touched[key] = append(e.touched[key], class)
	if len(h.classes) == 0 {
		ResourceOf.Release(e.table, key)
		delete(e.holders, key)
	}
}

// handOut reports the resources that changed or that a class holds newly or no longer.
func (e *Evaluator) handOut() {
	for key, classes := range e.touched {
		h, encoded := e.holders[key], Encoded{}
		if h != nil {
			encoded = ResourceOf.Root(e.table, key)
			if encoded.Fault != "" {
				e.delta.Faults = append(e.delta.Faults, Fault{ID: key.ID(), Message: encoded.Fault})
			}
		}
		slices.SortFunc(classes, compareClasses)
		for _, class := range slices.Compact(classes) {
			ch := ir.Change{Class: class, ID: key.ID()}
			if h != nil && slices.Contains(h.classes, class) {
				ch.Resource = encoded.Resource
			}
			e.delta.Resources = append(e.delta.Resources, ch)
		}
	}
	clear(e.touched)
}

func (e *Evaluator) setObjects(key input.KindShard, next []ir.Name) {
	before := e.objects[key]
	e.objects[key] = next
	for _, name := range next {
		if _, found := slices.BinarySearchFunc(before, name, ir.Name.Compare); !found {
			ref := ir.Ref{Kind: key.Kind, Name: name}
			reportOf.Keep(e.table, ref)
			e.reported[ref] = true
		}
	}
	for _, name := range before {
		if _, found := slices.BinarySearchFunc(next, name, ir.Name.Compare); !found {
			ref := ir.Ref{Kind: key.Kind, Name: name}
			reportOf.Release(e.table, ref)
			e.reported[ref] = false
		}
	}
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
	clear(e.reported)
}
