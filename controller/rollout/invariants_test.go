package rollout

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

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
		s.proxy.Inherit(before.Waiting())
	}
	s.fake.connect()
}

// restart puts an Envoy that holds nothing in the place of the old one.
func (s *stream) restart() {
	before := s.fake
	s.proxy, s.wire = NewProxy(s.plan.world), nil
	s.fake = newFake(before.fail)
	s.fake.whole, s.fake.late = before.whole, before.late
	s.fake.refused = before.refused // what was refused once is not sent to the new one
	s.fake.connect()
}

// pump sends what may be sent.
func (s *stream) pump() bool {
	sent := false
	for _, t := range Order() {
		fresh := maps.Clone(s.proxy.fresh)
		m := s.proxy.Next(t)
		if m == nil {
			continue
		}
		for _, r := range m.Resources {
			if want := s.plan.world.Get(r.ID); want != r && (want == nil || !s.plan.refused(want.ID)) {
				s.fake.fail("I4: %s is not what is wanted, and that was not refused", r.ID)
			}
		}
		if t == ir.TypeVirtualHost {
			s.checkFirst(m, fresh)
		}
		s.wire = append(s.wire, m)
		sent = true
	}
	return sent
}

// checkFirst checks that the first virtual hosts of a route table go in one message, but for those that a message on its
// way had brought before.
func (s *stream) checkFirst(m *Message, fresh map[string]bool) {
	told := map[string]bool{}
	for _, r := range m.Resources {
		told[r.ID.Name] = true
	}
	for _, r := range m.Resources {
		table := ir.TableOf(r.ID.Name)
		for host := range s.plan.world.hosts[table] {
			id := ir.ResourceID{Type: ir.TypeVirtualHost, Name: host}
			version, _ := s.proxy.Held(id)
			if fresh[table] && !told[host] && !s.plan.refused(id) && version != s.plan.versions[id] {
				s.fake.fail("the first hosts of %s come without %s", table, host)
			}
		}
	}
}

// deliver takes one message to the fake.
func (s *stream) deliver() bool {
	if len(s.wire) == 0 {
		return false
	}
	m := s.wire[0]
	s.wire = s.wire[1:]
	if m.Type == ir.TypeSecret {
		// One that is wanted again before Envoy was told anything else is lost, too: a known weakness.
		maps.DeleteFunc(s.fake.noted, func(name, _ string) bool { return s.plan.forgiven[name] })
		clear(s.plan.forgiven)
	}
	s.fake.receive(m)
	return true
}

// answer takes one request to the proxy.
func (s *stream) answer() bool {
	r, ok := s.fake.next()
	if !ok {
		return false
	}
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

// settle lets everything happen that is under way. As in package xdsserver, something is sent only after a change of the
// world, which went before, or after a request.
func (s *stream) settle() {
	s.pump()
	for range 10_000 {
		moved := s.deliver()
		if s.answer() {
			s.pump()
			moved = true
		}
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
		f.fail("not in sync at rest: warming %v, %+v", s.proxy.warming, s.proxy.types)
	}
	for name := range f.warming {
		f.fail("I2: cluster %s waits for endpoints", name)
	}
	s.checkHeld()
}

// checkHeld checks that the proxy holds what is wanted, refusals aside, and nothing else.
func (s *stream) checkHeld() {
	f := s.fake
	held := [ir.TypeCount]map[string]*ir.Resource{
		ir.TypeCluster: f.clusters, ir.TypeListener: f.listeners, ir.TypeRouteTable: f.tables, ir.TypeEndpoints: f.endpoints,
		ir.TypeVirtualHost: {}, ir.TypeSecret: f.secrets,
	}
	for _, hosts := range f.hosts {
		maps.Copy(held[ir.TypeVirtualHost], hosts)
	}
	for id, version := range s.plan.rejected.versions {
		if !strings.HasSuffix(version, "!") {
			f.fail("%s %s is kept out, and nobody refused it", id, version)
		}
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

// rejectedOnTheWay tells whether a resource cannot be there because it, or what leads to it, was refused.
func (s *stream) rejectedOnTheWay(id ir.ResourceID) bool {
	refused := s.plan.refused
	switch id.Type {
	case ir.TypeEndpoints:
		return refused(id) || refused(ir.ResourceID{Type: ir.TypeCluster, Name: id.Name})
	case ir.TypeRouteTable, ir.TypeSecret:
		return refused(id) || refused(ir.ResourceID{Type: ir.TypeListener, Name: "l" + id.Name[1:]})
	case ir.TypeVirtualHost:
		t := ir.TableOf(id.Name)
		return refused(id) || s.rejectedOnTheWay(ir.ResourceID{Type: ir.TypeRouteTable, Name: t})
	default:
		return refused(id)
	}
}

// clung tells whether something unwanted rightly stays: a cluster that a host's older version needs, and the endpoints of
// a cluster's older version.
func (s *stream) clung(id ir.ResourceID) bool {
	if id.Type == ir.TypeEndpoints {
		c := s.fake.clusters[id.Name]
		return c != nil && warms(c)
	}
	for r := range s.fake.routing() {
		// Of a refused host or table nobody knows, after a reconnect, what its older version needs.
		if slices.Contains(r.Needs, id) || s.plan.refused(r.ID) && s.proxy.unknown > 0 {
			return true
		}
	}
	return false
}

// run plays one random sequence and returns what went wrong.
func run(seed uint64, badness int, whole bool) (failure string) {
	defer func() {
		if p := recover(); p != nil {
			failure = fmt.Sprintf("seed %d, badness %d, whole tables %t: %v", seed, badness, whole, p)
		}
	}()
	r := rand.New(rand.NewPCG(seed, uint64(badness)))
	p := newPlan(r, badness, whole)
	s := &stream{plan: p, fake: newFake(func(format string, args ...any) { panic(fmt.Sprintf(format, args...)) })}
	s.fake.whole = whole
	s.fake.late = func() bool { return r.IntN(4) == 0 }
	s.connect()
	for range 5 {
		p.edit(s.proxy)
		for range 4 + r.IntN(12) {
			s.step()
		}
		if r.IntN(2) == 0 { // what is in force is what the next edits act on
			s.settle()
			s.checkRest()
		}
	}
	s.settle()
	s.checkRest()
	s.connect()
	if messages := s.countMessages(); messages > 0 && len(p.rejected.versions) == 0 {
		s.fake.fail("I5: a reconnect to an unchanged world sent %d resources", messages)
	}
	s.checkRest()
	return ""
}

// step lets one thing happen.
func (s *stream) step() {
	switch r := s.plan.r; r.IntN(12) {
	case 0:
		s.plan.edit(s.proxy)
	case 1, 2, 3:
		s.pump()
	case 4, 5, 6, 7:
		s.deliver()
	case 8, 9, 10:
		s.answer()
	default:
		switch r.IntN(12) {
		case 0, 1, 2:
			s.connect()
		case 3:
			s.restart()
		}
	}
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
	sequences := 25_000
	if testing.Short() { // with the race detector
		sequences = 3_000
	}
	failures := 0
	for seed := range uint64(sequences) {
		if failure := run(seed, []int{0, 0, 12, 4}[seed%4], seed%5 == 4); failure != "" {
			t.Error(failure)
			if failures++; failures > 5 {
				t.FailNow()
			}
		}
	}
	fmt.Printf("evidence: I1 to I6 held in %d random sequences\n", sequences)
}
