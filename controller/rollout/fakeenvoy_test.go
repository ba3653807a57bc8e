package rollout

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// fakeEnvoy stands in for an Envoy on the other end of a stream, with Envoy's rules of warming, of refusing whole
// messages and of dropping virtual hosts of route tables that it does not have. (conformance/xds tries the real one.)
type fakeEnvoy struct {
	fail func(format string, args ...any)

	clusters  map[string]*ir.Resource // in force
	warming   map[string]*ir.Resource // waiting for endpoints
	endpoints map[string]*ir.Resource
	listeners map[string]*ir.Resource
	tables    map[string]*ir.Resource
	hosts     map[string]map[string]*ir.Resource
	newest    map[ir.ResourceID]int // newest version accepted, for "versions never go back"
	sent      map[ir.ResourceID]bool
	subs      [ir.TypeCount]map[string]bool
	vhds      bool // asked for virtual hosts on this stream

	out []request
}

// request is what the fake sends: an answer, or a subscription, or both.
type request struct {
	t           ir.Type
	answers     bool
	nack        bool
	subscribe   []string
	unsubscribe []string
	initial     map[string]string
}

func newFake(fail func(string, ...any)) *fakeEnvoy {
	f := &fakeEnvoy{
		fail: fail, clusters: map[string]*ir.Resource{}, warming: map[string]*ir.Resource{}, endpoints: map[string]*ir.Resource{},
		listeners: map[string]*ir.Resource{}, tables: map[string]*ir.Resource{}, hosts: map[string]map[string]*ir.Resource{},
		newest: map[ir.ResourceID]int{}, sent: map[ir.ResourceID]bool{},
	}
	for t := range f.subs {
		f.subs[t] = map[string]bool{}
	}
	return f
}

// connect opens a stream: everything that is held is named with its version.
func (f *fakeEnvoy) connect() {
	f.out, f.vhds = nil, false
	f.send(request{t: ir.TypeCluster, initial: versions(f.clusters, f.warming)})
	if len(f.subs[ir.TypeEndpoints]) > 0 {
		f.send(request{t: ir.TypeEndpoints, subscribe: names(f.subs[ir.TypeEndpoints]), initial: versions(f.endpoints)})
	}
	f.send(request{t: ir.TypeListener, initial: versions(f.listeners)})
	if len(f.hosts) > 0 { // Envoy asks for virtual hosts before route tables when it holds some
		f.vhds = true
		held := map[string]string{}
		for _, hosts := range f.hosts {
			maps.Copy(held, versions(hosts))
		}
		f.send(request{t: ir.TypeVirtualHost, initial: held})
	}
	if len(f.subs[ir.TypeRouteTable]) > 0 {
		f.send(request{t: ir.TypeRouteTable, subscribe: names(f.subs[ir.TypeRouteTable]), initial: versions(f.tables)})
	}
}

func (f *fakeEnvoy) send(r request) { f.out = append(f.out, r) }

func names(set map[string]bool) []string { return slices.Sorted(maps.Keys(set)) }

func versions(sets ...map[string]*ir.Resource) map[string]string {
	out := map[string]string{}
	for _, set := range sets {
		for name, r := range set {
			out[name] = r.Version
		}
	}
	return out
}

// bad tells whether the fake refuses a resource.
func bad(r *ir.Resource) bool { return strings.HasSuffix(r.Version, "!") }

func number(r *ir.Resource) int {
	var n int
	_, _ = fmt.Sscanf(r.Version, "%d", &n)
	return n
}

// receive takes in a message and answers it.
func (f *fakeEnvoy) receive(m *Message) {
	seen := map[string]bool{}
	for _, r := range m.Resources {
		if seen[r.ID.Name] {
			f.fail("%s stands twice in one message", r.ID)
		}
		seen[r.ID.Name] = true
		if number(r) < f.newest[r.ID] {
			f.fail("I4: %s went back from %d to %s", r.ID, f.newest[r.ID], r.Version)
		}
		f.sent[r.ID] = true
	}
	if slices.ContainsFunc(m.Resources, bad) {
		f.send(request{t: m.Type, answers: true, nack: true})
		return
	}
	f.send(request{t: m.Type, answers: true})
	for _, r := range m.Resources {
		f.newest[r.ID] = number(r)
		f.take(r)
	}
	for _, name := range m.Removed {
		f.drop(m.Type, name)
	}
	f.checkHosts()
}

func (f *fakeEnvoy) take(r *ir.Resource) {
	name := r.ID.Name
	switch r.ID.Type {
	case ir.TypeCluster:
		f.warming[name] = r
		f.subscribe(ir.TypeEndpoints, name)
	case ir.TypeEndpoints:
		if !f.subs[ir.TypeEndpoints][name] {
			return // its cluster went meanwhile
		}
		f.endpoints[name] = r
		if c := f.warming[name]; c != nil {
			f.clusters[name] = c
			delete(f.warming, name)
		}
	case ir.TypeListener:
		f.listeners[name] = r
		f.followTables()
	case ir.TypeRouteTable:
		if !f.subs[ir.TypeRouteTable][name] {
			return
		}
		if f.tables[name] == nil {
			f.hosts[name] = map[string]*ir.Resource{}
		}
		f.tables[name] = r
		if !f.vhds {
			f.vhds = true
			f.send(request{t: ir.TypeVirtualHost})
		}
	case ir.TypeVirtualHost:
		if hosts := f.hosts[ir.TableOf(name)]; hosts != nil {
			hosts[name] = r
		}
	case ir.TypeSecret, ir.TypeCount:
	}
}

func (f *fakeEnvoy) subscribe(t ir.Type, name string) {
	if !f.subs[t][name] {
		f.subs[t][name] = true
		f.send(request{t: t, subscribe: []string{name}})
	}
}

func (f *fakeEnvoy) drop(t ir.Type, name string) {
	switch t {
	case ir.TypeCluster:
		for _, hosts := range f.hosts {
			for _, h := range hosts {
				if slices.Contains(h.Needs, ir.ResourceID{Type: ir.TypeCluster, Name: name}) {
					f.fail("I3: cluster %s was removed while %s needs it", name, h.ID)
				}
			}
		}
		delete(f.clusters, name)
		delete(f.warming, name)
		delete(f.endpoints, name)
		delete(f.subs[ir.TypeEndpoints], name)
		f.send(request{t: ir.TypeEndpoints, unsubscribe: []string{name}})
	case ir.TypeListener:
		delete(f.listeners, name)
		f.followTables()
	case ir.TypeVirtualHost:
		delete(f.hosts[ir.TableOf(name)], name)
	case ir.TypeEndpoints:
		delete(f.endpoints, name)
		if c := f.warming[name]; c != nil { // an answer, if a bad one
			f.clusters[name] = c
			delete(f.warming, name)
		}
	case ir.TypeSecret, ir.TypeRouteTable, ir.TypeCount:
	}
}

// followTables subscribes to the tables of the listeners and forgets the others.
func (f *fakeEnvoy) followTables() {
	wanted := map[string]bool{}
	for _, l := range f.listeners {
		for _, need := range l.Needs {
			wanted[need.Name] = true
		}
	}
	for _, name := range names(f.subs[ir.TypeRouteTable]) {
		if !wanted[name] {
			delete(f.subs[ir.TypeRouteTable], name)
			delete(f.tables, name)
			delete(f.hosts, name)
			f.send(request{t: ir.TypeRouteTable, unsubscribe: []string{name}})
		}
	}
	for _, name := range names(wanted) {
		f.subscribe(ir.TypeRouteTable, name)
	}
}

// checkHosts is I1: no virtual host in force names a cluster that is not.
func (f *fakeEnvoy) checkHosts() {
	for _, hosts := range f.hosts {
		for _, h := range hosts {
			for _, need := range h.Needs {
				if f.clusters[need.Name] == nil && !f.sent[need] {
					f.fail("I1: %s needs %s, which was never sent", h.ID, need)
				}
				if f.clusters[need.Name] == nil && f.warming[need.Name] != nil && !bad(f.warming[need.Name]) && !f.refusedEndpoints(need.Name) {
					f.fail("I1: %s needs %s, which is not warm", h.ID, need)
				}
			}
		}
	}
}

// refusedEndpoints tells whether a cluster warms because its endpoints were refused.
func (f *fakeEnvoy) refusedEndpoints(cluster string) bool {
	return f.endpoints[cluster] == nil && f.sent[ir.ResourceID{Type: ir.TypeEndpoints, Name: cluster}]
}
