package translator

import (
	"slices"

	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// withPorts completes a redirect with the port that its Location names: the given one; or the scheme's when there is a
// scheme; or the listener's (Gateway API, HTTPRequestRedirectFilter.port). Where ports are bound with an offset the
// client is sent to the bound port, because the other one is not there. The scheme's default port is left out.
func withPorts(action ir.Action, table TableKey, ports []boundPort) ir.Action {
	switch a := action.(type) {
	case ir.Redirect:
		return redirectPort(a, table, ports)
	case ir.Forward:
		if !slices.ContainsFunc(a.Split, func(w ir.Weighted) bool { return w.Filters().Redirect != nil }) {
			return a
		}
		a.Split = slices.Clone(a.Split)
		for i := range a.Split {
			if f := a.Split[i].Filters(); f.Redirect != nil {
				r := redirectPort(*f.Redirect, table, ports)
				f.Redirect = &r
				a.Split[i].Own = &f
			}
		}
		return a
	default:
		return action
	}
}

func redirectPort(r ir.Redirect, table TableKey, ports []boundPort) ir.Redirect {
	scheme := r.Scheme
	if scheme == "" {
		scheme = "http"
		if table.TLS {
			scheme = "https"
		}
	}
	wellKnown := map[string]uint32{"http": 80, "https": 443}[scheme]
	port := r.Port
	switch r.PortMode {
	case ir.PortKeep:
		port = uint32(table.Port) //nolint:gosec // the schema bounds ports
	case ir.PortStrip:
		port = wellKnown
	case ir.PortSet:
	}
	for _, p := range ports {
		if uint32(p.Port) == port { //nolint:gosec // the schema bounds ports
			port = p.Bound
			break
		}
	}
	r.Port, r.PortMode = port, ir.PortSet
	if port == wellKnown {
		r.Port, r.PortMode = 0, ir.PortStrip
	}
	return r
}
