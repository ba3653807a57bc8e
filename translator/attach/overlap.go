package attach

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/cloverleaf-mesh/cloverleaf/internal/memo"
	"github.com/cloverleaf-mesh/cloverleaf/translator/finding"
	"github.com/cloverleaf-mesh/cloverleaf/translator/input"
	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// Overlaps reports an HTTPS listener whose host names other HTTPS listeners of the port take, too: a browser that has a
// connection to one sends requests for the other over it, as far as the certificate goes (GEP-3567). A listener of an exact
// name looks for the few names that are wider; one of a wildcard finds the narrower ones side by side in a sorted list.
var Overlaps = memo.NewQuery("Overlaps", func(c *memo.Ctx, key ListenerKey) []finding.Problem {
	l := ListenerOf(c, key)
	if l == nil || l.Protocol != gwv1.HTTPSProtocolType || !l.Usable() {
		return nil
	}
	port := input.GatewayPort{Gateway: key.Gateway, Port: l.Port}
	var o overlap
	for _, wider := range Wider(l.Hostname) {
		if other := ListenerAt(c, input.ListenerPlace{GatewayPort: port, Host: wider}); other != nil {
			o.add(l, other.Key)
		}
	}
	if strings.HasPrefix(string(l.Hostname), "*") {
		for _, n := range narrower(namesOn.Get(c, port), l.Hostname) {
			o.add(l, n.Key)
		}
	}
	if len(o.seen)+o.more == 0 {
		return nil
	}
	return []finding.Problem{finding.Under(finding.OverlappingTLS, gwv1.ListenerReasonOverlappingHostnames,
		finding.New(finding.ListenerOverlap, l.Ref(), l.Field()+".hostname", o.words(l)))}
}, memo.Equal)

// overlap are the listeners that a listener overlaps with: those that it may know of, and how many more there are.
type overlap struct {
	seen []ListenerKey
	more int
}

// mostListed is how many listeners a message names.
const mostListed = 5

func (o *overlap) add(l *Listener, other ListenerKey) {
	if l.mayKnow(other.Parent()) {
		o.seen = append(o.seen, other)
	} else {
		o.more++
	}
}

// distance is 0 for a listener of the same object.
func (l *Listener) distance(other ListenerKey) int {
	if other.Parent() == l.Ref() {
		return 0
	}
	return 1
}

// words names the first by name, those of the same object before all others.
func (o *overlap) words(l *Listener) string {
	slices.SortFunc(o.seen, func(a, b ListenerKey) int {
		return cmp.Or(l.distance(a)-l.distance(b), CompareKeys(a, b))
	})
	var names []string
	for _, key := range o.seen[:min(len(o.seen), mostListed)] {
		name := key.Section
		if key.Parent() != l.Ref() {
			name = words(key.Parent()) + "#" + name
		}
		names = append(names, name)
	}
	if more := o.more + len(o.seen) - len(names); more > 0 {
		names = append(names, "others: "+strconv.Itoa(more))
	}
	return strings.Join(names, ", ")
}

// reversedName is the host name of an HTTPS listener, back to front: the names under a suffix are side by side.
type reversedName struct {
	Name string
	Key  ListenerKey
}

// namesOn lists the host names of the HTTPS listeners of a port that are usable, sorted.
var namesOn = memo.NewQuery("namesOn", func(c *memo.Ctx, port input.GatewayPort) []reversedName {
	var names []reversedName
	for _, parent := range ParentsOn(c, port) {
		for _, l := range Listeners.Get(c, parent) {
			if l.Port == port.Port && l.Protocol == gwv1.HTTPSProtocolType && l.Usable() {
				names = append(names, reversedName{reverse(string(l.Hostname)), l.Key})
			}
		}
	}
	slices.SortFunc(names, func(a, b reversedName) int { return cmp.Compare(a.Name, b.Name) })
	return names
}, memo.Equal)

// narrower finds the names that a wildcard covers, itself apart.
func narrower(names []reversedName, wild ir.Hostname) []reversedName {
	suffix, _ := strings.CutPrefix(string(wild), "*")
	prefix := reverse(suffix)
	first, _ := slices.BinarySearchFunc(names, prefix, func(n reversedName, p string) int { return cmp.Compare(n.Name, p) })
	var found []reversedName
	for _, n := range names[first:] {
		if !strings.HasPrefix(n.Name, prefix) {
			break
		}
		if n.Name != prefix+"*" {
			found = append(found, n)
		}
	}
	return found
}

func reverse(s string) string {
	b := []byte(s)
	slices.Reverse(b)
	return string(b)
}
