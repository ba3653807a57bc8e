package rollout

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"

	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// plan is a small world: listeners with a table and a secret each, hosts with the clusters that they need. Versions come
// back, as hashes of content do.
type plan struct {
	r          *rand.Rand
	badness    int // one in so many new versions is refused; 0 for none
	counter    int // of stamps
	generation int // of resources, for "versions never go back"
	world      *World
	rejected   *Rejections
	hosts      map[string][]int           // host -> clusters
	doors      map[int]bool               // listeners that there are
	resolved   map[int]bool               // clusters that need no endpoints
	whole      bool                       // route tables bring their virtual hosts along
	stamps     map[ir.ResourceID]string   // of what is wanted; with its needs they are its version
	earlier    map[ir.ResourceID][]string // stamps that there were
	versions   map[ir.ResourceID]string   // of what is wanted
	forgiven   map[string]bool            // names that were refused in another version than is wanted
}

func newPlan(r *rand.Rand, badness int, whole bool) *plan {
	rejected := NewRejections()
	world := NewWorld(rejected)
	if whole {
		world.WholeTables()
	}
	return &plan{
		r: r, badness: badness, whole: whole, world: world, rejected: rejected, hosts: map[string][]int{}, doors: map[int]bool{},
		resolved: map[int]bool{}, stamps: map[ir.ResourceID]string{}, earlier: map[ir.ResourceID][]string{},
		versions: map[ir.ResourceID]string{}, forgiven: map[string]bool{},
	}
}

// renew gives a resource another version: a new one, or one that it had before.
func (p *plan) renew(id ir.ResourceID) {
	if old := p.earlier[id]; len(old) > 0 && p.r.IntN(3) == 0 {
		p.stamps[id] = old[p.r.IntN(len(old))]
		return
	}
	p.counter++
	stamp := strconv.Itoa(p.counter)
	if p.badness > 0 && p.r.IntN(p.badness) == 0 {
		stamp += "!"
	}
	p.stamps[id] = stamp
	p.earlier[id] = append(p.earlier[id], stamp)
}

func table(i int) string { return fmt.Sprintf("t%d", i) }

func tableID(i int) ir.ResourceID { return ir.ResourceID{Type: ir.TypeRouteTable, Name: table(i)} }

func clusterID(i int) ir.ResourceID {
	return ir.ResourceID{Type: ir.TypeCluster, Name: fmt.Sprintf("c%d", i)}
}

// edit changes the plan at random and applies the difference to the world, telling a proxy.
func (p *plan) edit(proxy *Proxy) {
	for range 1 + p.r.IntN(3) {
		host := fmt.Sprintf("%s/h%d", table(p.r.IntN(2)), p.r.IntN(3))
		switch p.r.IntN(8) {
		case 0:
			door := p.r.IntN(2)
			p.doors[door] = !p.doors[door]
		case 1:
			delete(p.hosts, host)
		case 2, 3: // another version of something that is there
			if len(p.stamps) > 0 {
				ids := sortedIDs(p.stamps)
				p.renew(ids[p.r.IntN(len(ids))])
			}
		case 4: // a cluster gets its addresses another way
			i := p.r.IntN(4)
			p.resolved[i] = !p.resolved[i]
			if p.stamps[clusterID(i)] != "" {
				p.renew(clusterID(i))
			}
		default:
			var clusters []int
			for range 1 + p.r.IntN(2) {
				clusters = append(clusters, p.r.IntN(4))
			}
			p.hosts[host] = clusters
			if id := (ir.ResourceID{Type: ir.TypeVirtualHost, Name: host}); p.stamps[id] != "" {
				p.renew(id)
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

// wanted lists what there shall be, and what each needs.
func (p *plan) wanted() map[ir.ResourceID][]ir.ResourceID {
	want := map[ir.ResourceID][]ir.ResourceID{}
	for i := range 2 {
		if p.doors[i] {
			secret := ir.ResourceID{Type: ir.TypeSecret, Name: fmt.Sprintf("s%d", i)}
			want[tableID(i)], want[secret] = nil, nil
			want[ir.ResourceID{Type: ir.TypeListener, Name: fmt.Sprintf("l%d", i)}] = []ir.ResourceID{secret, tableID(i)}
			if !p.whole {
				want[ir.ResourceID{Type: ir.TypeVirtualHost, Name: table(i) + "/*"}] = nil
			}
		}
	}
	for host, clusters := range p.hosts {
		if !p.doors[int(host[1]-'0')] {
			continue
		}
		var needs []ir.ResourceID
		for _, c := range clusters {
			id := clusterID(c)
			want[id] = nil
			if !p.resolved[c] {
				endpoints := ir.ResourceID{Type: ir.TypeEndpoints, Name: id.Name}
				want[endpoints], want[id] = nil, []ir.ResourceID{endpoints}
			}
			needs = append(needs, id)
		}
		id := ir.ResourceID{Type: ir.TypeVirtualHost, Name: host}
		if p.whole {
			id = tableID(int(host[1] - '0'))
			needs = append(needs, want[id]...)
		}
		slices.SortFunc(needs, ir.ResourceID.Compare)
		want[id] = slices.Compact(needs)
	}
	return want
}

func (p *plan) apply(proxy *Proxy) {
	want := p.wanted()
	for _, id := range sortedIDs(p.versions) {
		if _, ok := want[id]; !ok {
			delete(p.versions, id)
			delete(p.stamps, id)
			p.set(proxy, id, nil)
		}
	}
	ids := make([]ir.ResourceID, 0, len(want))
	for id := range want {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, ir.ResourceID.Compare)
	for _, id := range ids {
		if p.stamps[id] == "" {
			p.renew(id)
		}
		p.versions[id] = fmt.Sprintf("%v %s", want[id], p.stamps[id])
		p.generation++
		p.set(proxy, id, &ir.Resource{ID: id, Version: p.versions[id], Body: []byte(strconv.Itoa(p.generation)), Needs: want[id]})
	}
}

// set does what package xdsserver does with a change.
func (p *plan) set(proxy *Proxy, id ir.ResourceID, r *ir.Resource) {
	if !p.world.Set(id, r) {
		return
	}
	version := ""
	if r != nil {
		version = r.Version
	}
	if p.rejected.Forgive(id, version) {
		p.forgiven[id.Name] = true
	}
	proxy.Touch(id)
}

// refused tells whether what is wanted of a resource was refused.
func (p *plan) refused(id ir.ResourceID) bool { return p.rejected.Has(id, p.versions[id]) }
