package memo

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// A toy control plane with a switch for each bug that has bitten the field. The comparison with a fresh world must catch
// every one of them; if it ever does not, it proves nothing about the real translator either.

type sabotage string

const (
	honest         sabotage = "nothing"
	bypass         sabotage = "a read bypasses the recorder"
	unrecorded     sabotage = "an absent object is not recorded"
	forgetful      sabotage = "equality forgets a field"
	mapOrder       sabotage = "map order leaks into the output"
	hiddenClock    sabotage = "a hidden clock"
	mutation       sabotage = "a query changes its input"
	staleBucket    sabotage = "an index bucket is not refreshed"
	shallowCompare sabotage = "the store compares too few fields"
)

type toyRoute struct {
	Host, Backend string
	Tags          []string
}

// toy is a store, its index and its queries, sabotaged or not.
type toy struct {
	bug     sabotage
	table   *Table
	routes  map[string]*toyRoute // what the store was given
	clock   int
	route   *Input[string, *toyRoute]
	service *Input[string, string]
	byHost  *Input[string, []string]
	host    *Query[string, string]
	backend *Query[string, string]
}

func newToy(bug sabotage) *toy {
	w := &toy{bug: bug, table: New(), routes: map[string]*toyRoute{}}
	w.route = NewInput[string]("route", w.equalRoutes)
	w.service = NewInput[string]("service", func(a, b string) bool { return a == b })
	w.byHost = NewInput[string]("byHost", slices.Equal[[]string])
	w.backend = NewQuery("backend", w.computeBackend, w.equalBackends)
	w.host = NewQuery("host", w.computeHost, func(a, b string) bool { return a == b })
	return w
}

func (w *toy) equalRoutes(a, b *toyRoute) bool {
	if w.bug == shallowCompare {
		return a.Host == b.Host && a.Backend == b.Backend
	}
	return a.Host == b.Host && a.Backend == b.Backend && slices.Equal(a.Tags, b.Tags)
}

func (w *toy) equalBackends(a, b string) bool {
	if w.bug == forgetful { // the address after the name is forgotten
		return strings.SplitN(a, "=", 2)[0] == strings.SplitN(b, "=", 2)[0]
	}
	return a == b
}

func (w *toy) computeBackend(c *Ctx, name string) string {
	if w.bug == unrecorded {
		if _, ok := w.service.Lookup(w.table, name); !ok {
			return "none"
		}
	}
	address, ok := w.service.Read(c, name)
	if !ok {
		return "none"
	}
	return name + "=" + address
}

func (w *toy) computeHost(c *Ctx, host string) string {
	names, _ := w.byHost.Read(c, host)
	var lines []string
	for _, name := range names {
		r, ok := w.routes[name], w.routes[name] != nil
		if w.bug != bypass {
			r, ok = w.route.Read(c, name)
		}
		if !ok {
			continue
		}
		tags := r.Tags
		if w.bug == mapOrder {
			set := map[string]bool{}
			for _, tag := range tags {
				set[tag] = true
			}
			tags = slices.Collect(maps.Keys(set))
		}
		line := name + ":" + w.backend.Get(c, r.Backend) + ":" + strings.Join(tags, ",")
		if w.bug == hiddenClock {
			line += fmt.Sprint(w.clock / 7)
		}
		if w.bug == mutation && len(r.Tags) > 0 {
			r.Tags[0] = strings.ToUpper(r.Tags[0])
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, ";")
}

func (w *toy) put(name string, r *toyRoute) {
	if before, ok := w.route.Lookup(w.table, name); ok && before.Host != r.Host {
		w.bucket(before.Host, name, false)
	}
	w.route.Set(w.table, name, r)
	w.routes[name] = r
	w.bucket(r.Host, name, true)
}

func (w *toy) bucket(host, name string, in bool) {
	if w.bug == staleBucket && !in {
		return
	}
	list, _ := w.byHost.Lookup(w.table, host)
	list = slices.DeleteFunc(slices.Clone(list), func(n string) bool { return n == name })
	if in {
		list = append(list, name)
		slices.Sort(list)
	}
	w.byHost.Set(w.table, host, list)
}

func (w *toy) output() string {
	var b strings.Builder
	for _, host := range []string{"h0", "h1", "h2"} {
		w.clock++
		fmt.Fprintf(&b, "%s{%s}\n", host, w.host.Root(w.table, host))
	}
	return b.String()
}

// hunt edits a toy at random and compares it with fresh ones; it returns the first difference.
func hunt(bug sabotage, seed uint64) string {
	r := rand.New(rand.NewPCG(seed, 11))
	w := newToy(bug)
	routes, services, texts := map[string]*toyRoute{}, map[string]string{}, map[string]string{}
	for step := range 200 {
		if r.IntN(3) == 0 {
			name := fmt.Sprintf("s%d", r.IntN(3))
			services[name] = fmt.Sprint(r.IntN(3))
			w.service.Set(w.table, name, services[name])
		} else {
			name := fmt.Sprintf("r%d", r.IntN(4))
			o := &toyRoute{Host: fmt.Sprintf("h%d", r.IntN(3)), Backend: fmt.Sprintf("s%d", r.IntN(3))}
			for range r.IntN(4) {
				o.Tags = append(o.Tags, fmt.Sprintf("t%d", r.IntN(9)))
			}
			slices.Sort(o.Tags)
			routes[name], texts[name] = o, fmt.Sprint(*o)
			w.put(name, o)
		}
		got := w.output()
		f := newToy(bug)
		names := slices.Sorted(maps.Keys(routes))
		r.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
		for _, name := range names {
			c := *routes[name]
			c.Tags = slices.Clone(c.Tags)
			f.put(name, &c)
		}
		for name, address := range services {
			f.service.Set(f.table, name, address)
		}
		if want := f.output(); got != want {
			return fmt.Sprintf("step %d:\nremembered\n%sfresh\n%s", step, got, want)
		}
		for name, o := range routes {
			if text := fmt.Sprint(*o); text != texts[name] {
				return fmt.Sprintf("step %d: input %s was changed", step, name)
			}
		}
	}
	return ""
}

func TestTheFreshWorldCatchesPlantedBugs(t *testing.T) {
	for _, bug := range []sabotage{bypass, unrecorded, forgetful, mapOrder, hiddenClock, mutation, staleBucket, shallowCompare} {
		t.Run(string(bug), func(t *testing.T) {
			for seed := range uint64(20) {
				if hunt(bug, seed) != "" {
					return
				}
			}
			t.Error("not caught")
		})
	}
	t.Run(string(honest), func(t *testing.T) {
		for seed := range uint64(20) {
			if found := hunt(honest, seed); found != "" {
				t.Fatalf("seed %d: an honest world differs: %s", seed, found)
			}
		}
	})
}
