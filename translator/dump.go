package translator

import (
	"maps"
	"slices"

	"github.com/cloverleaf-mesh/cloverleaf/internal/memo"
	"github.com/cloverleaf-mesh/cloverleaf/translator/attach"
	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// IR is everything that the proxies of a class are told, before it becomes Envoy's.
type IR struct {
	Class        ir.ProxyClass
	Listeners    []ir.Listener
	Tables       []ir.RouteTable
	VirtualHosts []ir.VirtualHost
	Backends     []ir.Backend
	Endpoints    []ir.Endpoints
	Secrets      []ir.SecretName
}

// IR returns the intermediate representation of every class, sorted. It is for people and tests: it walks everything.
func (e *Evaluator) IR() []IR {
	byClass := map[ir.ProxyClass]*IR{}
	for class := range e.told.classes {
		byClass[class] = &IR{Class: class}
	}
	keys := e.told.resources()
	slices.SortFunc(keys, func(a, b ResourceKey) int { return a.ID().Compare(b.ID()) })
	for _, key := range keys {
		for _, h := range e.told.holdersOf(key) {
			e.dump(byClass[h.class.id], key)
		}
	}
	out := make([]IR, 0, len(byClass))
	for _, d := range byClass {
		out = append(out, *d)
	}
	slices.SortFunc(out, func(a, b IR) int { return compareClasses(a.Class, b.Class) })
	return out
}

// resources lists everything that is told to anybody.
func (t *told) resources() []ResourceKey {
	keys := slices.Collect(maps.Keys(t.others))
	for table, s := range t.tables {
		for host := range s.hosts {
			keys = append(keys, hostResource(table, host))
		}
	}
	for backend, s := range t.clusters {
		keys = append(keys, backendResource(ir.TypeCluster, backend))
		for _, id := range needsOf(s.resource) {
			if id.Type == ir.TypeEndpoints {
				keys = append(keys, keyOf(id))
			}
		}
	}
	return keys
}

// What is only ever read on its way to being encoded is not remembered: these queries are for dumps alone.
var (
	dumpHost      = memo.NewQuery("dumpHost", virtualHostOf, memo.Equal)
	dumpBackend   = memo.NewQuery("dumpBackend", attach.Backend, memo.Equal)
	dumpEndpoints = memo.NewQuery("dumpEndpoints", attach.Endpoints, memo.Equal)
)

func (e *Evaluator) dump(d *IR, key ResourceKey) {
	switch key.Type {
	case ir.TypeListener:
		d.Listeners = append(d.Listeners, listenerOf.Root(e.table, key.Table.PortKey))
	case ir.TypeRouteTable:
		d.Tables = append(d.Tables, ir.RouteTable{Name: key.Table.Name()})
	case ir.TypeVirtualHost:
		d.VirtualHosts = append(d.VirtualHosts, dumpHost.Root(e.table, HostKey{key.Table, key.host().Host}))
	case ir.TypeCluster:
		if b := dumpBackend.Root(e.table, key.backend()); b != nil {
			d.Backends = append(d.Backends, *b)
		}
	case ir.TypeEndpoints:
		d.Endpoints = append(d.Endpoints, dumpEndpoints.Root(e.table, key.backend()))
	case ir.TypeSecret:
		d.Secrets = append(d.Secrets, ir.SecretName(key.ID().Name))
	case ir.TypeCount:
	}
}
