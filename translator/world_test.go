package translator_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/cloverleaf-mesh/cloverleaf/controller/store"
	"github.com/cloverleaf-mesh/cloverleaf/internal/memo"
	"github.com/cloverleaf-mesh/cloverleaf/internal/worldgen"
	"github.com/cloverleaf-mesh/cloverleaf/translator"
	"github.com/cloverleaf-mesh/cloverleaf/translator/input"
	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
	"github.com/cloverleaf-mesh/cloverleaf/translator/status"
)

// world is a set of objects and facts that is edited at random. What it holds is handed to a store, and is the truth
// that a fresh store is filled from.
type world struct {
	maker   *worldgen.Maker
	objects map[ir.Ref]metav1.Object
	before  map[ir.Ref][]byte // the objects as they were handed out
	facts   map[string]func(*store.Store)
}

func newWorld(c worldgen.Chooser) *world {
	return &world{maker: &worldgen.Maker{Choose: c, Pairs: testPairs}, objects: map[ir.Ref]metav1.Object{}, before: map[ir.Ref][]byte{}, facts: map[string]func(*store.Store){}}
}

// machine is a store with an evaluator and everything that its deltas said.
type machine struct {
	store     *store.Store
	evaluator *translator.Evaluator
	resources map[ir.ProxyClass]map[ir.ResourceID]*ir.Resource
	reports   map[ir.Ref]status.Report
	wants     []translator.Want
}

func newMachine(settings input.Settings) *machine {
	table := memo.New()
	return &machine{
		store: store.New(table, settings), evaluator: translator.NewEvaluator(table),
		resources: map[ir.ProxyClass]map[ir.ResourceID]*ir.Resource{}, reports: map[ir.Ref]status.Report{},
	}
}

func (m *machine) refresh(t *testing.T) {
	t.Helper()
	d := m.evaluator.Refresh()
	for _, f := range d.Faults {
		t.Fatalf("the translator made what Envoy would refuse: %v", f)
	}
	for _, ch := range d.Resources {
		if m.resources[ch.Class] == nil {
			m.resources[ch.Class] = map[ir.ResourceID]*ir.Resource{}
		}
		if ch.Resource == nil {
			delete(m.resources[ch.Class], ch.ID)
		} else {
			m.resources[ch.Class][ch.ID] = ch.Resource
		}
	}
	for _, r := range d.Reports {
		if r.Gone {
			delete(m.reports, r.Object)
		} else {
			m.reports[r.Object] = r
		}
	}
	if d.Wants != nil {
		m.wants = d.Wants
	}
}

// edit changes one thing at random.
func (w *world) edit(m *machine) {
	if w.maker.Choose.Pick(8) == 0 {
		name, fact := w.maker.Fact()
		w.facts[name] = fact
		fact(m.store)
		return
	}
	o, ref := w.maker.Object()
	if _, there := w.objects[ref]; there && w.maker.Choose.Pick(3) == 0 {
		delete(w.objects, ref)
		delete(w.before, ref)
		m.store.Delete(ref)
		return
	}
	w.objects[ref] = o
	w.before[ref] = marshal(o)
	m.store.Put(o)
}

func marshal(o any) []byte {
	b, err := json.Marshal(o)
	if err != nil {
		panic(err)
	}
	return b
}

// fresh fills a new machine from copies in random order.
func (w *world) fresh(t *testing.T, settings input.Settings, r *rand.Rand) *machine {
	t.Helper()
	m := newMachine(settings)
	refs := slices.Collect(maps.Keys(w.objects))
	slices.SortFunc(refs, ir.Ref.Compare)
	r.Shuffle(len(refs), func(i, j int) { refs[i], refs[j] = refs[j], refs[i] })
	for _, ref := range refs {
		m.store.Put(w.objects[ref].(runtime.Object).DeepCopyObject().(metav1.Object))
	}
	for _, fact := range w.facts {
		fact(m.store)
	}
	m.refresh(t)
	return m
}

// compare checks that what is remembered is what a fresh evaluation gives, on bytes, statuses and the IR, and that no
// input was changed.
func (w *world) compare(t *testing.T, remembered, fresh *machine, step string) {
	t.Helper()
	compareResources(t, remembered, fresh, step)
	if d := cmp.Diff(fresh.reports, remembered.reports); d != "" {
		t.Fatalf("%s: reports differ (-fresh +remembered):\n%s", step, d)
	}
	if d := cmp.Diff(fresh.evaluator.IR(), remembered.evaluator.IR()); d != "" {
		t.Fatalf("%s: the IR differs (-fresh +remembered):\n%s", step, d)
	}
	if d := cmp.Diff(fresh.wants, remembered.wants); d != "" && len(fresh.wants)+len(remembered.wants) > 0 {
		t.Fatalf("%s: wants differ (-fresh +remembered):\n%s", step, d)
	}
	for ref, o := range w.objects {
		if now := marshal(o); !bytes.Equal(now, w.before[ref]) {
			t.Fatalf("%s: %s was changed by the evaluation", step, ref)
		}
	}
}

func compareResources(t *testing.T, remembered, fresh *machine, step string) {
	t.Helper()
	for class, want := range fresh.resources {
		got := remembered.resources[class]
		for id, r := range want {
			g := got[id]
			if g == nil || g.Version != r.Version || !bytes.Equal(g.Body, r.Body) || !slices.Equal(g.Needs, r.Needs) {
				t.Fatalf("%s: %s: %s differs from a fresh evaluation:\n got %+v\nwant %+v", step, class, id, g, r)
			}
		}
	}
	for class, got := range remembered.resources {
		for id := range got {
			if fresh.resources[class][id] == nil {
				t.Fatalf("%s: %s: %s is left over", step, class, id)
			}
		}
	}
}

func TestRememberedEvaluationEqualsAFreshOne(t *testing.T) {
	const seeds, batches = 50, 50
	comparisons := 0
	for seed := range uint64(seeds) {
		r := rand.New(rand.NewPCG(seed, 1))
		settings := settingsOf(int(seed))
		w, m := newWorld(worldgen.Seeded{Rand: r}), newMachine(settings)
		m.refresh(t)
		for range 25 { // something to begin with
			w.edit(m)
		}
		for batch := range batches {
			for range 1 + r.IntN(4) {
				w.edit(m)
			}
			m.refresh(t)
			w.compare(t, m, w.fresh(t, settings, r), fmt.Sprintf("seed %d, batch %d", seed, batch))
			comparisons++
		}
	}
	fmt.Printf("evidence: %d comparisons of a remembered evaluation with a fresh one\n", comparisons)
	if comparisons < 2000 {
		t.Errorf("only %d comparisons", comparisons)
	}
}

func settingsOf(seed int) input.Settings {
	s := input.Settings{Controller: "cloverleaf.dev/gateway", Bind: "127.0.0.1"}
	if seed%2 == 0 {
		s.Standalone, s.PortOffset = input.On, 10000
	}
	if seed%4 == 0 {
		s.LocalCA = input.On
	}
	return s
}

func FuzzWorld(f *testing.F) {
	f.Add([]byte("a gateway, a route, a service and its endpoints"))
	r := rand.New(rand.NewPCG(7, 7))
	for range 8 {
		program := make([]byte, 400)
		for i := range program {
			program[i] = byte(r.IntN(256))
		}
		f.Add(program)
	}
	f.Fuzz(func(t *testing.T, program []byte) {
		if len(program) > 2000 {
			return
		}
		settings := settingsOf(len(program))
		w, m := newWorld(worldgen.Scripted{Program: &program}), newMachine(settings)
		m.refresh(t)
		for len(program) > 0 {
			w.edit(m)
			if w.maker.Choose.Pick(3) == 0 {
				m.refresh(t)
			}
		}
		m.refresh(t)
		w.compare(t, m, w.fresh(t, settings, rand.New(rand.NewPCG(1, 1))), "at the end")
	})
}
