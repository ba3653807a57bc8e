package rollout

import (
	"iter"
	"maps"
	"slices"
	"strconv"
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
	secrets   map[string]*ir.Resource
	noted     map[string]string // secret -> version that came last, taken or not
	listeners map[string]*ir.Resource
	tables    map[string]*ir.Resource
	hosts     map[string]map[string]*ir.Resource
	newest    map[ir.ResourceID]int  // newest generation accepted, for "versions never go back"
	refused   map[ir.ResourceID]bool // the newest version that came was refused
	subs      [ir.TypeCount]map[string]bool
	vhds      bool // asked for virtual hosts on this stream
	whole     bool // route tables bring their virtual hosts along, so it never asks for these

	out  []request
	late func() bool // whether the answer about clusters waits for the next message; nil for never
	held []request
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
		fail: fail, clusters: map[string]*ir.Resource{}, warming: map[string]*ir.Resource{}, endpoints: map[string]*ir.Resource{}, secrets: map[string]*ir.Resource{}, noted: map[string]string{},
		listeners: map[string]*ir.Resource{}, tables: map[string]*ir.Resource{}, hosts: map[string]map[string]*ir.Resource{},
		newest: map[ir.ResourceID]int{}, refused: map[ir.ResourceID]bool{},
	}
	for t := range f.subs {
		f.subs[t] = map[string]bool{}
	}
	return f
}

// connect opens a stream: everything that is held is named with its version.
func (f *fakeEnvoy) connect() {
	// A refusal that its stream took along is lost for good: a known weakness, which is not what is tested here.
	maps.DeleteFunc(f.noted, func(name, version string) bool { return f.secrets[name] == nil || f.secrets[name].Version != version })
	f.out, f.held, f.vhds = nil, nil, false
	f.send(request{t: ir.TypeCluster, initial: versions(f.clusters, f.warming)})
	if len(f.subs[ir.TypeEndpoints]) > 0 {
		f.send(request{t: ir.TypeEndpoints, subscribe: names(f.subs[ir.TypeEndpoints]), initial: versions(f.endpoints)})
	}
	f.send(request{t: ir.TypeListener, initial: versions(f.listeners)})
	if len(f.subs[ir.TypeSecret]) > 0 {
		f.send(request{t: ir.TypeSecret, subscribe: names(f.subs[ir.TypeSecret]), initial: versions(f.secrets)})
	}
	if len(f.hosts) > 0 && !f.whole { // Envoy asks for virtual hosts before route tables when it holds some
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

// answer answers a message. Envoy's answer about clusters can come after its answer about endpoints that were sent later.
func (f *fakeEnvoy) answer(r request) {
	if r.t == ir.TypeCluster && f.late != nil && f.late() {
		f.held = append(f.held, r)
		return
	}
	f.send(r)
}

// next takes what the fake says next.
func (f *fakeEnvoy) next() (r request, ok bool) {
	if len(f.out) == 0 {
		f.out, f.held = f.held, nil
	}
	if len(f.out) == 0 {
		return request{}, false
	}
	r, f.out = f.out[0], f.out[1:]
	return r, true
}

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

// generation says when a resource came to be wanted.
func generation(r *ir.Resource) int {
	n, err := strconv.Atoi(string(r.Body))
	if err != nil {
		panic(err) // plans make them
	}
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
		if generation(r) < f.newest[r.ID] {
			f.fail("I4: %s went back from %d to %s", r.ID, f.newest[r.ID], r.Body)
		}
	}
	if m.Type == ir.TypeSecret {
		told := *m
		m = &told
		m.Resources = slices.DeleteFunc(slices.Clone(m.Resources), f.seems)
	}
	if slices.ContainsFunc(m.Resources, bad) {
		for _, r := range m.Resources {
			f.refused[r.ID] = true // Envoy takes all of a message or nothing
		}
		f.answer(request{t: m.Type, answers: true, nack: true})
		return
	}
	f.answer(request{t: m.Type, answers: true})
	for _, r := range m.Resources {
		f.newest[r.ID], f.refused[r.ID] = generation(r), false
		f.take(r)
	}
	for _, name := range m.Removed {
		f.drop(m.Type, name)
	}
}

// seems tells whether a secret seems unchanged: Envoy notes the bytes of each before it checks them.
func (f *fakeEnvoy) seems(r *ir.Resource) bool {
	if !f.subs[ir.TypeSecret][r.ID.Name] {
		return false
	}
	known := f.noted[r.ID.Name] == r.Version
	f.noted[r.ID.Name] = r.Version
	return known
}

func (f *fakeEnvoy) take(r *ir.Resource) {
	name := r.ID.Name
	switch r.ID.Type {
	case ir.TypeCluster:
		f.takeCluster(r)
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
		if f.subs[ir.TypeRouteTable][name] {
			f.takeTable(r)
		}
	case ir.TypeVirtualHost:
		if hosts := f.hosts[ir.TableOf(name)]; hosts != nil {
			hosts[name] = r
			f.checkHost(r)
		}
	case ir.TypeSecret:
		if f.subs[ir.TypeSecret][name] {
			f.secrets[name] = r
		}
	case ir.TypeCount:
	}
}

// takeTable puts a route table in force, and asks for virtual hosts when it is the first one.
func (f *fakeEnvoy) takeTable(r *ir.Resource) {
	name := r.ID.Name
	if f.tables[name] == nil {
		f.hosts[name] = map[string]*ir.Resource{}
	}
	f.tables[name] = r
	f.checkHost(r)
	if !f.vhds && !f.whole {
		f.vhds = true
		f.send(request{t: ir.TypeVirtualHost})
	}
}

// takeCluster puts a cluster in force when it needs no endpoints; otherwise it waits until they come, and its older
// version stays in force meanwhile.
func (f *fakeEnvoy) takeCluster(r *ir.Resource) {
	name := r.ID.Name
	if warms(r) {
		f.warming[name] = r
		f.subscribe(ir.TypeEndpoints, name)
		return
	}
	f.clusters[name] = r
	delete(f.warming, name)
	f.leaveEndpoints(name)
}

func (f *fakeEnvoy) leaveEndpoints(cluster string) {
	if f.subs[ir.TypeEndpoints][cluster] {
		delete(f.endpoints, cluster)
		delete(f.subs[ir.TypeEndpoints], cluster)
		f.send(request{t: ir.TypeEndpoints, unsubscribe: []string{cluster}})
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
		for r := range f.routing() {
			if slices.Contains(r.Needs, ir.ResourceID{Type: ir.TypeCluster, Name: name}) {
				f.fail("I3: cluster %s was removed while %s needs it", name, r.ID)
			}
		}
		delete(f.clusters, name)
		delete(f.warming, name)
		f.leaveEndpoints(name)
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
	case ir.TypeSecret:
		delete(f.secrets, name)
		delete(f.noted, name)
	case ir.TypeRouteTable, ir.TypeCount:
	}
}

// followTables subscribes to the tables and secrets of the listeners and forgets the others.
func (f *fakeEnvoy) followTables() {
	wanted, secrets := map[string]bool{}, map[string]bool{}
	for _, l := range f.listeners {
		for _, need := range l.Needs {
			if need.Type == ir.TypeSecret {
				secrets[need.Name] = true
			} else {
				wanted[need.Name] = true
			}
		}
	}
	for _, name := range names(f.subs[ir.TypeSecret]) {
		if !secrets[name] {
			delete(f.subs[ir.TypeSecret], name)
			delete(f.secrets, name)
			delete(f.noted, name)
			f.send(request{t: ir.TypeSecret, unsubscribe: []string{name}})
		}
	}
	for _, name := range names(secrets) {
		f.subscribe(ir.TypeSecret, name)
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

// routing goes through the virtual hosts and route tables in force.
func (f *fakeEnvoy) routing() iter.Seq[*ir.Resource] {
	return func(yield func(*ir.Resource) bool) {
		for _, r := range f.tables {
			if !yield(r) {
				return
			}
		}
		for _, hosts := range f.hosts {
			for _, r := range hosts {
				if !yield(r) {
					return
				}
			}
		}
	}
}

// checkHost is I1: a virtual host, or a route table with its own, comes into force when the clusters that it names are. One that was refused is not waited
// for.
func (f *fakeEnvoy) checkHost(host *ir.Resource) {
	for _, need := range host.Needs {
		if f.clusters[need.Name] == nil && !f.refused[need] {
			f.fail("I1: %s needs %s, which is not in force", host.ID, need)
		}
	}
}
