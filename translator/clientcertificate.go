package translator

import (
	"slices"

	"github.com/cloverleaf-mesh/cloverleaf/internal/memo"
	"github.com/cloverleaf-mesh/cloverleaf/translator/attach"
	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// shower completes the actions of a Gateway's rules with the certificate that the Gateway shows to backends. While there
// is none that it could show, backends that would be shown it are not reached: without it they would take the proxy for
// somebody else.
type shower struct {
	c    *memo.Ctx
	cert attach.ClientCertificate
}

func (s shower) action(action ir.Action) ir.Action {
	f, ok := action.(ir.Forward)
	if !ok || !s.cert.Asked {
		return action
	}
	f.Split = slices.Clone(f.Split)
	reached := false
	for i := range f.Split {
		if w := &f.Split[i]; !w.Invalid && w.Filters().Redirect == nil {
			*w = s.share(*w)
		}
		reached = reached || !f.Split[i].Invalid && f.Split[i].Weight > 0
	}
	f.Mirrors = s.mirrors(f.Mirrors)
	if !reached {
		return ir.Respond{Status: f.Failure}
	}
	return f
}

func (s shower) share(w ir.Weighted) ir.Weighted {
	name, ok := s.backend(w.Backend)
	if !ok {
		return ir.Weighted{Weight: w.Weight, Invalid: true}
	}
	w.Backend = name
	if own := w.Filters(); len(own.Mirrors) > 0 {
		own.Mirrors = s.mirrors(own.Mirrors)
		w.Own = &own
	}
	return w
}

// mirrors leaves out the copies for backends that are not reached.
func (s shower) mirrors(list []ir.Mirror) []ir.Mirror {
	var out []ir.Mirror
	for _, m := range list {
		if name, ok := s.backend(m.Backend); ok {
			m.Backend = name
			out = append(out, m)
		}
	}
	return out
}

// backend returns the variant of a backend that is shown the certificate; false when it is not reached.
func (s shower) backend(name ir.BackendName) (ir.BackendName, bool) {
	switch {
	case !s.cert.Asked || !attach.TakesCertificate(s.c, name):
		return name, true
	case s.cert.Secret == (ir.Name{}):
		return "", false
	default:
		return name.As(s.cert.Secret), true
	}
}
