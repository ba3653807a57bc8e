package explain

import (
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/cloverleaf-mesh/cloverleaf/controller/source/manifest"
	"github.com/cloverleaf-mesh/cloverleaf/internal/envoysim"
	"github.com/cloverleaf-mesh/cloverleaf/translator/attach"
	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// World is what an explanation is made of: the configuration, and the objects that it came from.
type World struct {
	Config   *envoysim.Config
	Objects  map[ir.Ref]*manifest.Object
	Problems []manifest.Problem
}

// source finds a field of an object.
func (w *World) source(o ir.Origin, field string) Source {
	s := Source{Object: o.String(), Section: o.Section}
	if object := w.Objects[o.Ref]; object != nil {
		at := object.Position(field)
		s.File, s.Line = at.File, at.Line
	}
	return s
}

// at finds the part of an object that an origin names.
func (w *World) at(o ir.Origin) Source { return w.source(o, w.field(o)) }

// field returns the path of the part of an object that an origin names.
func (w *World) field(o ir.Origin) string {
	object := w.Objects[o.Ref]
	if object == nil || o.Section == "" {
		return ""
	}
	switch v := object.Value.(type) {
	case *gwv1.Gateway, *gwv1.ListenerSet:
		return element("spec.listeners", slices.IndexFunc(w.listeners(o.Ref), func(l gwv1.Listener) bool { return string(l.Name) == o.Section }))
	case *gwv1.HTTPRoute:
		return element("spec.rules", section(o.Section, len(v.Spec.Rules), func(i int) *gwv1.SectionName { return v.Spec.Rules[i].Name }))
	case *gwv1.GRPCRoute:
		return element("spec.rules", section(o.Section, len(v.Spec.Rules), func(i int) *gwv1.SectionName { return v.Spec.Rules[i].Name }))
	case *corev1.Service:
		return element("spec.ports", slices.IndexFunc(v.Spec.Ports, func(p corev1.ServicePort) bool { return strconv.Itoa(int(p.Port)) == o.Section }))
	default:
		return ""
	}
}

func element(list string, index int) string {
	if index < 0 {
		return ""
	}
	return list + "[" + strconv.Itoa(index) + "]"
}

// section finds a rule by its name or, without one, by its number.
func section(name string, rules int, nameOf func(int) *gwv1.SectionName) int {
	for i := range rules {
		if n := nameOf(i); n != nil && string(*n) == name {
			return i
		}
	}
	if i, err := strconv.Atoi(name); err == nil && i < rules {
		return i
	}
	return -1
}

// ruleAt finds the match of a rule that a route of Envoy came from: its number stands behind the rule in the name.
func (w *World) ruleAt(p envoysim.Part) Source {
	o := p.Origins[0]
	field := w.field(o)
	if field == "" {
		return w.at(o)
	}
	rest := strings.TrimPrefix(p.Name, o.String()+"/"+o.Section+"/")
	number, _, _ := strings.Cut(rest, "/")
	return w.source(o, field+".matches["+number+"]")
}

// listeners returns the listeners of a Gateway or ListenerSet.
func (w *World) listeners(ref ir.Ref) []gwv1.Listener {
	switch v := w.Objects[ref].Value.(type) {
	case *gwv1.Gateway:
		return v.Spec.Listeners
	case *gwv1.ListenerSet:
		list := make([]gwv1.Listener, len(v.Spec.Listeners))
		for i, l := range v.Spec.Listeners {
			list[i] = gwv1.Listener(l)
		}
		return list
	default:
		return nil
	}
}

// hostnames returns the host names of a route.
func (w *World) hostnames(ref ir.Ref) []ir.Hostname {
	object := w.Objects[ref]
	if object == nil {
		return nil
	}
	var raw []gwv1.Hostname
	switch v := object.Value.(type) {
	case *gwv1.HTTPRoute:
		raw = v.Spec.Hostnames
	case *gwv1.GRPCRoute:
		raw = v.Spec.Hostnames
	default:
		return nil
	}
	hosts := make([]ir.Hostname, len(raw))
	for i, h := range raw {
		hosts[i] = ir.Hostname(strings.ToLower(string(h)))
	}
	return hosts
}

// narrowest finds the host name of a route that takes a host most exactly; -1 and [ir.AnyHost] when it names none.
func (w *World) narrowest(ref ir.Ref, host ir.Hostname) (int, ir.Hostname) {
	at, best := -1, ir.AnyHost
	for i, h := range w.hostnames(ref) {
		if _, meets := attach.Intersect(h, host); meets && attach.Specificity(h) > attach.Specificity(best) {
			at, best = i, h
		}
	}
	return at, best
}
