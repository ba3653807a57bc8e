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

// rule completes a rule. One whose authorization server is not reached fails: nobody could allow its requests.
func (s shower) rule(r ir.Rule) ir.Rule {
	auth, ok := s.auth(r.Features.Auth)
	if !ok {
		r.Action, r.Features = ir.Respond{Status: 500}, ir.Features{}
		return r
	}
	r.Action, r.Features.Auth = s.action(r.Action), auth
	return r
}

func (s shower) auth(auth *ir.ExternalAuth) (*ir.ExternalAuth, bool) {
	if auth == nil || !s.cert.Asked {
		return auth, true
	}
	name, ok := s.backend(auth.Backend)
	shown := *auth
	shown.Backend = name
	return &shown, ok
}

func (s shower) action(action ir.Action) ir.Action {
	f, ok := action.(ir.Forward)
	if !ok || !s.cert.Asked {
		return action
	}
	f.Split = slices.Clone(f.Split)
	reached := false
	for i := range f.Split {
		if w := &f.Split[i]; !w.Invalid {
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
	own := w.Filters()
	auth, allowed := s.auth(own.Features.Auth)
	name, reached := s.backend(w.Backend)
	switch {
	case !allowed || !reached && own.Redirect == nil:
		return ir.Weighted{Weight: w.Weight, Invalid: true}
	case reached:
		w.Backend = name
	}
	if w.Own != nil {
		own.Features.Auth, own.Mirrors = auth, s.mirrors(own.Mirrors)
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
