package rollout

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// plan is a small world: listeners with a table each, hosts with the clusters that they need.
type plan struct {
	r        *rand.Rand
	badness  int // one in so many new versions is refused; 0 for none
	counter  int
	world    *World
	rejected *Rejections
	hosts    map[string][]int // host -> clusters
	doors    map[int]bool     // listeners that there are
	versions map[ir.ResourceID]string
	needs    map[ir.ResourceID][]ir.ResourceID
}

func newPlan(r *rand.Rand, badness int) *plan {
	rejected := NewRejections()
	return &plan{
		r: r, badness: badness, world: NewWorld(rejected), rejected: rejected, hosts: map[string][]int{},
		doors: map[int]bool{}, versions: map[ir.ResourceID]string{}, needs: map[ir.ResourceID][]ir.ResourceID{},
	}
}

func (p *plan) version() string {
	p.counter++
	if p.badness > 0 && p.r.IntN(p.badness) == 0 {
		return fmt.Sprintf("%d!", p.counter)
	}
	return fmt.Sprint(p.counter)
}

func table(i int) string   { return fmt.Sprintf("t%d", i) }
func cluster(i int) string { return fmt.Sprintf("c%d", i) }

// edit changes the plan at random and applies the difference to the world, telling a proxy.
func (p *plan) edit(proxy *Proxy) {
	for range 1 + p.r.IntN(3) {
		host := fmt.Sprintf("%s/h%d", table(p.r.IntN(2)), p.r.IntN(3))
		switch p.r.IntN(6) {
		case 0:
			door := p.r.IntN(2)
			p.doors[door] = !p.doors[door]
		case 1:
			delete(p.hosts, host)
		case 2: // another version of something that is there
			if len(p.versions) > 0 {
				ids := sortedIDs(p.versions)
				p.versions[ids[p.r.IntN(len(ids))]] = p.version()
			}
		default:
			var clusters []int
			for range 1 + p.r.IntN(2) {
				clusters = append(clusters, p.r.IntN(4))
			}
			p.hosts[host] = clusters
			if id := (ir.ResourceID{Type: ir.TypeVirtualHost, Name: host}); p.versions[id] != "" {
				p.versions[id] = p.version()
			}
		}
	}
	p.apply(proxy)
}

func sortedIDs(m map[ir.ResourceID]string) []ir.ResourceID {
	ids := make([]ir.ResourceID, 0, len(m))
	for id := range m {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, ir.ResourceID.Compare)
	return ids
}

func (p *plan) apply(proxy *Proxy) {
	want := map[ir.ResourceID][]ir.ResourceID{}
	for i := range 2 {
		if p.doors[i] {
			t := ir.ResourceID{Type: ir.TypeRouteTable, Name: table(i)}
			want[t] = nil
			want[ir.ResourceID{Type: ir.TypeListener, Name: fmt.Sprintf("l%d", i)}] = []ir.ResourceID{t}
			want[ir.ResourceID{Type: ir.TypeVirtualHost, Name: table(i) + "/*"}] = nil
		}
	}
	for host, clusters := range p.hosts {
		if !p.doors[int(host[1]-'0')] {
			continue
		}
		var needs []ir.ResourceID
		for _, c := range clusters {
			e := ir.ResourceID{Type: ir.TypeEndpoints, Name: cluster(c)}
			id := ir.ResourceID{Type: ir.TypeCluster, Name: cluster(c)}
			want[e], want[id] = nil, []ir.ResourceID{e}
			needs = append(needs, id)
		}
		slices.SortFunc(needs, ir.ResourceID.Compare)
		want[ir.ResourceID{Type: ir.TypeVirtualHost, Name: host}] = slices.Compact(needs)
	}
	for _, id := range sortedIDs(p.versions) {
		if _, ok := want[id]; !ok {
			delete(p.versions, id)
			p.set(proxy, id, nil)
		}
	}
	for id, needs := range want {
		if p.versions[id] == "" {
			p.versions[id] = p.version()
		}
		p.set(proxy, id, &ir.Resource{ID: id, Version: p.versions[id], Needs: needs})
	}
}

func (p *plan) set(proxy *Proxy, id ir.ResourceID, r *ir.Resource) {
	if !p.world.Set(id, r) {
		return
	}
	version := ""
	if r != nil {
		version = r.Version
	}
	p.rejected.Forgive(id, version)
	proxy.Touch(id)
}

// stream is a proxy and a fake with messages on their way in both directions.
type stream struct {
	plan  *plan
	proxy *Proxy
	fake  *fakeEnvoy
	wire  []*Message
}

func (s *stream) connect() {
	before := s.proxy
	s.proxy, s.wire = NewProxy(s.plan.world), nil
	if before != nil {
		s.proxy.Inherit(before)
	}
	s.fake.connect()
}

// pump sends what may be sent.
func (s *stream) pump() bool {
	sent := false
	for _, t := range Order() {
		if m := s.proxy.Next(t); m != nil {
			for _, r := range m.Resources {
				if want := s.plan.world.Get(r.ID); want != r && (want == nil || !s.plan.rejected.Has(want.ID, want.Version)) {
					s.fake.fail("I4: %s is not what is wanted, and that was not refused", r.ID)
				}
			}
			s.wire = append(s.wire, m)
			sent = true
		}
	}
	return sent
}

// deliver takes one message to the fake.
func (s *stream) deliver() bool {
	if len(s.wire) == 0 {
		return false
	}
	m := s.wire[0]
	s.wire = s.wire[1:]
	s.fake.receive(m)
	return true
}

// answer takes one request to the proxy.
func (s *stream) answer() bool {
	if len(s.fake.out) == 0 {
		return false
	}
	r := s.fake.out[0]
	s.fake.out = s.fake.out[1:]
	if r.answers {
		if r.nack {
			s.proxy.Nack(r.t)
		} else {
			s.proxy.Ack(r.t)
		}
	}
	s.proxy.Request(r.t, r.subscribe, r.unsubscribe, r.initial)
	return true
}

// settle lets everything happen that is under way.
func (s *stream) settle() {
	for range 10_000 {
		moved := s.pump()
		moved = s.deliver() || moved
		moved = s.answer() || moved
		if !moved {
			return
		}
	}
	s.fake.fail("I6: the stream does not come to rest")
}

// checkRest checks what must hold when nothing is under way: I2, I5 and I6.
func (s *stream) checkRest() {
	f := s.fake
	if s.pump() {
		f.fail("I5: an unchanged world sends something")
	}
	if !s.proxy.Synced() {
		f.fail("not in sync at rest: %+v", s.proxy.types)
	}
	for name := range f.warming {
		if !f.refusedEndpoints(name) && !s.lost(name) {
			f.fail("I2: cluster %s waits for endpoints", name)
		}
	}
	s.checkHeld()
}

// checkHeld checks that the proxy holds what is wanted, refusals aside, and nothing else.
func (s *stream) checkHeld() {
	f := s.fake
	held := [ir.TypeCount]map[string]*ir.Resource{
		ir.TypeCluster: f.clusters, ir.TypeListener: f.listeners, ir.TypeRouteTable: f.tables, ir.TypeEndpoints: f.endpoints,
		ir.TypeVirtualHost: {},
	}
	for _, hosts := range f.hosts {
		maps.Copy(held[ir.TypeVirtualHost], hosts)
	}
	for id, version := range s.plan.versions {
		h := held[id.Type][id.Name]
		if warming := f.warming[id.Name]; warming != nil && id.Type == ir.TypeCluster {
			h = warming
		}
		if s.rejectedOnTheWay(id) {
			continue
		}
		if h == nil || h.Version != version {
			f.fail("I6: %s is %+v, want version %s", id, h, version)
		}
	}
	for t := range held {
		for name, h := range held[t] {
			if _, wanted := s.plan.versions[h.ID]; !wanted && !s.clung(h.ID) {
				f.fail("I6: %s %s is left over", ir.Type(t), name)
			}
		}
	}
}

// lost tells whether the endpoints of a cluster are refused and, after a reconnect, nobody knows what they were before.
// Envoy goes on without them after its initial fetch timeout.
func (s *stream) lost(cluster string) bool {
	id := ir.ResourceID{Type: ir.TypeEndpoints, Name: cluster}
	return s.plan.rejected.Has(id, s.plan.versions[id]) && s.proxy.types[ir.TypeEndpoints].have[cluster].resource == nil
}

// rejectedOnTheWay tells whether a resource cannot be there because it, or what leads to it, was refused.
func (s *stream) rejectedOnTheWay(id ir.ResourceID) bool {
	refused := func(id ir.ResourceID) bool { return s.plan.rejected.Has(id, s.plan.versions[id]) }
	switch id.Type {
	case ir.TypeEndpoints:
		return refused(id) || refused(ir.ResourceID{Type: ir.TypeCluster, Name: id.Name})
	case ir.TypeRouteTable:
		return refused(id) || refused(ir.ResourceID{Type: ir.TypeListener, Name: "l" + id.Name[1:]})
	case ir.TypeVirtualHost:
		t := ir.TableOf(id.Name)
		return refused(id) || s.rejectedOnTheWay(ir.ResourceID{Type: ir.TypeRouteTable, Name: t})
	default:
		return refused(id)
	}
}

// clung tells whether something unwanted rightly stays: a cluster that a host's older version, or its endpoints, need.
func (s *stream) clung(id ir.ResourceID) bool {
	if id.Type != ir.TypeCluster && id.Type != ir.TypeEndpoints {
		return false
	}
	for _, hosts := range s.fake.hosts {
		for _, h := range hosts {
			if slices.Contains(h.Needs, ir.ResourceID{Type: ir.TypeCluster, Name: id.Name}) {
				return true
			}
		}
	}
	return false
}

// run plays one random sequence and returns what went wrong.
func run(seed uint64, badness int) (failure string) {
	defer func() {
		if p := recover(); p != nil {
			failure = fmt.Sprintf("seed %d, badness %d: %v", seed, badness, p)
		}
	}()
	r := rand.New(rand.NewPCG(seed, uint64(badness)))
	p := newPlan(r, badness)
	s := &stream{plan: p, fake: newFake(func(format string, args ...any) { panic(fmt.Sprintf(format, args...)) })}
	s.connect()
	for range 40 {
		switch r.IntN(12) {
		case 0, 1, 2:
			p.edit(s.proxy)
		case 3, 4:
			s.pump()
		case 5, 6, 7:
			s.deliver()
		case 8, 9, 10:
			s.answer()
		default:
			if r.IntN(4) == 0 {
				s.connect()
			}
		}
	}
	s.settle()
	s.checkRest()
	s.connect()
	if messages := s.countMessages(); messages > 0 && badness == 0 {
		s.fake.fail("I5: a reconnect to an unchanged world sent %d resources", messages)
	}
	s.checkRest()
	return ""
}

// countMessages settles and counts the resources that were sent.
func (s *stream) countMessages() int {
	n := 0
	for range 1000 {
		moved := s.pump()
		for _, m := range s.wire {
			n += len(m.Resources) + len(m.Removed)
		}
		for s.deliver() {
			moved = true
		}
		moved = s.answer() || moved
		if !moved {
			break
		}
	}
	return n
}

func TestInvariantsHoldUnderRandomInterleavings(t *testing.T) {
	const sequences = 40_000
	failures := 0
	for seed := range uint64(sequences) {
		if failure := run(seed, []int{0, 0, 12, 4}[seed%4]); failure != "" {
			t.Error(failure)
			if failures++; failures > 5 {
				t.FailNow()
			}
		}
	}
	fmt.Printf("evidence: I1 to I6 held in %d random sequences\n", sequences)
}
