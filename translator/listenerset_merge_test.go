package translator_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/cloverleaf-mesh/cloverleaf/translator/attach"
	"github.com/cloverleaf-mesh/cloverleaf/translator/input"
	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// owner is a Gateway or a ListenerSet of the reference, which walks the merged list from its beginning.
type owner struct {
	ref       ir.Ref
	created   int64
	listeners []gwv1.Listener
}

// merged is what a walk through the merged list has found so far.
type merged struct {
	protocols map[int32]map[gwv1.ProtocolType]bool // of ports that earlier owners have
	hosts     map[string]bool                      // and of host names
	open      []door                               // HTTPS listeners without conflict
	out       map[ir.Origin]string
}

// door is an HTTPS listener.
type door struct {
	at   ir.Origin
	port int32
	host ir.Hostname
}

// expected returns the reason of the conflict of each listener, or "overlaps" for an HTTPS listener that others of its port
// meet; owners come in the order of precedence.
func expected(owners []owner) map[ir.Origin]string {
	m := merged{protocols: map[int32]map[gwv1.ProtocolType]bool{}, hosts: map[string]bool{}, out: map[ir.Origin]string{}}
	for _, o := range owners {
		m.take(o)
	}
	for _, a := range m.open {
		meets := slices.ContainsFunc(m.open, func(b door) bool {
			_, common := attach.Intersect(a.host, b.host)
			return common && a.port == b.port && a.at != b.at
		})
		if meets {
			m.out[a.at] = "overlaps"
		}
	}
	return m.out
}

func placeOf(l gwv1.Listener) string { return fmt.Sprint(l.Port, input.ListenerHost(&l)) }

// take goes on with the listeners of an owner: what earlier ones have is lost, what the others quarrel about nobody gets,
// and all that they ask for is no longer there for later ones.
func (m *merged) take(o owner) {
	var kept []gwv1.Listener
	for _, l := range o.listeners {
		at, others := ir.Origin{Ref: o.ref, Section: string(l.Name)}, m.protocols[l.Port]
		switch {
		case len(others) > 1 || len(others) == 1 && !others[l.Protocol]:
			m.out[at] = "ProtocolConflict"
		case m.hosts[placeOf(l)]:
			m.out[at] = "HostnameConflict"
		default:
			kept = append(kept, l)
		}
	}
	for _, l := range kept {
		at := ir.Origin{Ref: o.ref, Section: string(l.Name)}
		if reason := quarrel(l, kept); reason != "" {
			m.out[at] = reason
		} else if l.Protocol == gwv1.HTTPSProtocolType {
			m.open = append(m.open, door{at, l.Port, input.ListenerHost(&l)})
		}
	}
	for _, l := range kept {
		if m.protocols[l.Port] == nil {
			m.protocols[l.Port] = map[gwv1.ProtocolType]bool{}
		}
		m.protocols[l.Port][l.Protocol], m.hosts[placeOf(l)] = true, true
	}
}

// quarrel is the conflict of a listener with the first of its owner's that it has one with.
func quarrel(l gwv1.Listener, all []gwv1.Listener) string {
	for _, other := range all {
		switch {
		case l.Name == other.Name || l.Port != other.Port:
		case l.Protocol != other.Protocol:
			return "ProtocolConflict"
		case placeOf(l) == placeOf(other):
			return "HostnameConflict"
		}
	}
	return ""
}

// conflictsOf returns the same of the statuses.
func conflictsOf(m *machine) map[ir.Origin]string {
	out := map[ir.Origin]string{}
	note := func(ref ir.Ref, name gwv1.SectionName, conditions []metav1.Condition) {
		for _, c := range conditions {
			switch {
			case c.Type == "Conflicted" && c.Status == "True":
				out[ir.Origin{Ref: ref, Section: string(name)}] = c.Reason
			case c.Type == "OverlappingTLSConfig":
				out[ir.Origin{Ref: ref, Section: string(name)}] = "overlaps"
			}
		}
	}
	for ref, r := range m.reports {
		switch s := r.Status.(type) {
		case *gwv1.GatewayStatus:
			for _, l := range s.Listeners {
				note(ref, l.Name, l.Conditions)
			}
		case *gwv1.ListenerSetStatus:
			for _, l := range s.Listeners {
				note(ref, l.Name, l.Conditions)
			}
		}
	}
	return out
}

// TestConflictsAreThoseOfTheMergedList holds the answers that are found through indexes against a walk through the list
// from its beginning.
func TestConflictsAreThoseOfTheMergedList(t *testing.T) {
	hosts := []gwv1.Hostname{"", "a.example", "b.example", "*.example", "x.a.example", "*.a.example", "org"}
	conflicts := 0
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 9))
		settings := settingsOf(1)
		m := newMachine(settings)
		put(t, m, base(t), "base.yaml")
		var owners []owner
		for i := range 1 + r.IntN(6) {
			o := owner{ref: ir.Ref{Kind: ir.KindListenerSet, Name: ir.Name{Namespace: []string{"default", "other"}[r.IntN(2)], Name: fmt.Sprint("s", i)}}}
			if i == 0 {
				o.ref = ir.Ref{Kind: ir.KindGateway, Name: ir.Name{Namespace: "default", Name: "edge"}}
			}
			o.created = int64(1000 + r.IntN(3))
			for n := range 1 + r.IntN(4) {
				host := hosts[r.IntN(len(hosts))]
				o.listeners = append(o.listeners, gwv1.Listener{
					Name: gwv1.SectionName(fmt.Sprint("l", n)), Port: []int32{443, 443, 444}[r.IntN(3)], Hostname: &host,
					Protocol: []gwv1.ProtocolType{"HTTPS", "HTTPS", "HTTPS", "HTTP"}[r.IntN(4)],
				})
			}
			owners = append(owners, o)
			m.store.Put(o.object())
		}
		m.refresh(t)
		slices.SortFunc(owners[1:], func(a, b owner) int { return cmp.Or(cmp.Compare(a.created, b.created), a.ref.Name.Compare(b.ref.Name)) })
		want, got := expected(owners), conflictsOf(m)
		conflicts += len(want)
		if fmt.Sprint(want) != fmt.Sprint(got) {
			t.Fatalf("seed %d: %+v\nwant %v\n got %v", seed, owners, want, got)
		}
	}
	if conflicts < 1000 {
		t.Errorf("only %d conflicts and overlaps", conflicts)
	}
	fmt.Printf("evidence: %d conflicts and overlaps are as in the merged list\n", conflicts)
}

func (o *owner) object() metav1.Object {
	meta := metav1.ObjectMeta{Namespace: o.ref.Namespace, Name: o.ref.Name.Name, CreationTimestamp: metav1.Unix(o.created, 0)}
	if o.ref.Kind == ir.KindGateway {
		all := gwv1.NamespacesFromAll
		return &gwv1.Gateway{ObjectMeta: meta, Spec: gwv1.GatewaySpec{
			GatewayClassName: "cloverleaf", Listeners: o.listeners,
			AllowedListeners: &gwv1.AllowedListeners{Namespaces: &gwv1.ListenerNamespaces{From: &all}},
		}}
	}
	namespace := gwv1.Namespace("default")
	set := &gwv1.ListenerSet{ObjectMeta: meta, Spec: gwv1.ListenerSetSpec{ParentRef: gwv1.ParentGatewayReference{Name: "edge", Namespace: &namespace}}}
	for _, l := range o.listeners {
		set.Spec.Listeners = append(set.Spec.Listeners, gwv1.ListenerEntry(l))
	}
	return set
}
