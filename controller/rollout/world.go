// Package rollout decides what may be told to a proxy next: make before break, as a pure state machine. It knows what a
// proxy asked for, what it acknowledged and what it refused; it knows no streams, no clocks and no encodings.
//
// What it relies on of Envoy (xds_protocol.rst; each was tried on 1.40): messages of one stream are taken in order; a
// cluster that was added or updated warms until its endpoints come again; a virtual host is kept only when its route
// table was taken before; a listener warms until its route table and that table's first virtual hosts came; an
// acknowledged message is in force.
package rollout

import (
	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// World is what the proxies of a class shall be told.
type World struct {
	wanted   [ir.TypeCount]map[string]*ir.Resource
	hosts    map[string]map[string]bool // route table -> names of its virtual hosts
	rejected *Rejections
	whole    bool // route tables bring their virtual hosts along
}

// NewWorld returns a world in which there is nothing. Rejections are shared by the worlds of all classes.
func NewWorld(rejected *Rejections) *World {
	w := &World{hosts: map[string]map[string]bool{}, rejected: rejected}
	for t := range w.wanted {
		w.wanted[t] = map[string]*ir.Resource{}
	}
	return w
}

// WholeTables says that route tables bring their virtual hosts along, so that none are told apart from them.
func (w *World) WholeTables() { w.whole = true }

// Set changes what is wanted under a name; nil wants nothing. It tells whether that is a change.
func (w *World) Set(id ir.ResourceID, r *ir.Resource) (changed bool) {
	before := w.wanted[id.Type][id.Name]
	if before == r || before != nil && r != nil && before.Version == r.Version {
		return false
	}
	if r == nil {
		delete(w.wanted[id.Type], id.Name)
	} else {
		w.wanted[id.Type][id.Name] = r
	}
	if id.Type == ir.TypeVirtualHost {
		w.index(id.Name, r != nil)
	}
	return true
}

func (w *World) index(host string, present bool) {
	table := ir.TableOf(host)
	if !present {
		delete(w.hosts[table], host)
		if len(w.hosts[table]) == 0 {
			delete(w.hosts, table)
		}
		return
	}
	if w.hosts[table] == nil {
		w.hosts[table] = map[string]bool{}
	}
	w.hosts[table][host] = true
}

// Get returns what is wanted under a name; nil for nothing.
func (w *World) Get(id ir.ResourceID) *ir.Resource { return w.wanted[id.Type][id.Name] }

// Len counts what is wanted of a type.
func (w *World) Len(t ir.Type) int { return len(w.wanted[t]) }

// Rejections are the resources that a proxy refused, by name and version: the same bytes would be refused everywhere.
type Rejections struct {
	versions map[ir.ResourceID]string
}

// NewRejections returns an empty set.
func NewRejections() *Rejections { return &Rejections{versions: map[ir.ResourceID]string{}} }

// Has tells whether a version of a resource was refused.
func (r *Rejections) Has(id ir.ResourceID, version string) bool {
	return len(r.versions) > 0 && r.versions[id] == version
}

// Add keeps a version of a resource out.
func (r *Rejections) Add(id ir.ResourceID, version string) { r.versions[id] = version }

// Forgive forgets a rejection unless it is of this version, and tells whether there was one to forget.
func (r *Rejections) Forgive(id ir.ResourceID, version string) bool {
	v, ok := r.versions[id]
	if !ok || v == version {
		return false
	}
	delete(r.versions, id)
	return true
}

// All returns what is wanted of a type, by name. The caller must not change it.
func (w *World) All(t ir.Type) map[string]*ir.Resource { return w.wanted[t] }
