package rollout

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/cloverleaf-mesh/cloverleaf/internal/golden"
	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// TestStories: each file of testdata tells what happens to one proxy, a step in a line, and below it (indented) what the
// proxy is sent. Steps:
//
//	set TYPE NAME VERSION [needs TYPE NAME ...]   the world wants it
//	drop TYPE NAME                                the world no longer wants it
//	asks TYPE [NAME | NAME=VERSION ...]           Envoy subscribes; with a version, it holds that already
//	leaves TYPE NAME ...                          Envoy unsubscribes
//	acks TYPE, nacks TYPE                         Envoy answers the message on its way
//	reconnects                                    a new stream takes the place of the old one
//	serving LISTENER                              says how far the proxy is with it
//
// Several steps in a line, separated by " + ", happen before anything can be sent.
func TestStories(t *testing.T) {
	golden.Run(t, "testdata", func(t *testing.T, c golden.Case) map[string]string {
		t.Helper()
		rejected := NewRejections()
		world := NewWorld(rejected)
		s := &story{t: t, world: world, rejected: rejected, proxy: NewProxy(world)}
		for line := range strings.Lines(c.In["story"]) {
			if strings.HasPrefix(line, "  ") {
				continue // what came out
			}
			s.out.WriteString(line)
			for step := range strings.SplitSeq(strings.TrimSpace(line), " + ") {
				if words := strings.Fields(step); len(words) > 0 {
					s.step(words)
				}
			}
			s.pump()
		}
		return map[string]string{"story": s.out.String()}
	})
}

type story struct {
	t        *testing.T
	world    *World
	rejected *Rejections
	proxy    *Proxy
	out      strings.Builder
}

func typeNamed(t *testing.T, name string) ir.Type {
	t.Helper()
	for known := range ir.TypeCount {
		if known.String() == name {
			return known
		}
	}
	t.Fatalf("no type %q", name)
	return 0
}

func (s *story) step(words []string) {
	s.t.Helper()
	switch words[0] {
	case "reconnects":
		before := s.proxy
		s.proxy = NewProxy(s.world)
		s.proxy.Inherit(before.Waiting())
		return
	case "serving":
		live, refused := s.proxy.Serving(words[1])
		fmt.Fprintf(&s.out, "  live %t, refused %t, in sync %t\n", live, refused, s.proxy.Synced())
		return
	}
	kind, names := typeNamed(s.t, words[1]), words[2:]
	switch words[0] {
	case "set":
		r := &ir.Resource{ID: ir.ResourceID{Type: kind, Name: names[0]}, Version: names[1]}
		for i := 3; i+1 < len(names); i += 2 { // after the word "needs"
			r.Needs = append(r.Needs, ir.ResourceID{Type: typeNamed(s.t, names[i]), Name: names[i+1]})
		}
		s.set(r.ID, r)
	case "drop":
		s.set(ir.ResourceID{Type: kind, Name: names[0]}, nil)
	case "asks":
		held := map[string]string{}
		for i, name := range names {
			if bare, version, ok := strings.Cut(name, "="); ok {
				names[i], held[bare] = bare, version
			}
		}
		s.proxy.Request(kind, names, nil, held)
	case "leaves":
		s.proxy.Request(kind, nil, names, nil)
	case "acks":
		s.answers(kind, false)
		s.proxy.Ack(kind)
	case "nacks":
		s.answers(kind, true)
		if culprit := s.proxy.Nack(kind); culprit != nil {
			fmt.Fprintf(&s.out, "  kept out %s %s\n", culprit.ID, culprit.Version)
		}
	default:
		s.t.Fatalf("no step %q", words)
	}
}

// answers checks that a story is one that could happen: Envoy answers what is on its way, and refuses messages with a
// version that is called bad.
func (s *story) answers(kind ir.Type, refuses bool) {
	s.t.Helper()
	m := s.proxy.types[kind].inflight
	if m == nil {
		s.t.Fatalf("%s: there is nothing of %s to answer", s.out.String(), kind)
	}
	if has := slices.ContainsFunc(m.Resources, func(r *ir.Resource) bool { return r.Version == "bad" }); has != refuses {
		s.t.Fatalf("%s: Envoy would not answer so", s.out.String())
	}
}

// set does what package xdsserver does with a change.
func (s *story) set(id ir.ResourceID, r *ir.Resource) {
	if !s.world.Set(id, r) {
		return
	}
	version := ""
	if r != nil {
		version = r.Version
	}
	if s.rejected.Forgive(id, version) {
		fmt.Fprintf(&s.out, "  forgave %s\n", id)
	}
	s.proxy.Touch(id)
}

// pump writes down everything that may be sent.
func (s *story) pump() {
	for _, kind := range Order() {
		m := s.proxy.Next(kind)
		if m == nil {
			continue
		}
		var parts []string
		for _, r := range m.Resources {
			parts = append(parts, r.ID.Name+" "+r.Version)
		}
		for _, name := range m.Removed {
			parts = append(parts, "no "+name)
		}
		if len(parts) == 0 {
			parts = []string{"nothing"}
		}
		fmt.Fprintf(&s.out, "  %s: %s\n", kind, strings.Join(parts, ", "))
		if !slices.IsSortedFunc(m.Resources, func(a, b *ir.Resource) int { return a.ID.Compare(b.ID) }) || !slices.IsSorted(m.Removed) {
			s.t.Errorf("not sorted: %v", parts)
		}
	}
}
