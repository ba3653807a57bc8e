package envoysim

import (
	"cmp"
	"fmt"
	"slices"

	rbacv3 "github.com/envoyproxy/go-control-plane/envoy/config/rbac/v3"
	rbacfilterv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/rbac/v3"
)

// guard is an RBAC filter that denies: a request that one of its policies takes is answered with 403.
type guard struct{ policies []guardPolicy }

type guardPolicy struct {
	name  string
	takes []func(s *stream) bool // any of them
}

func newGuard(m *rbacfilterv3.RBAC) (*guard, error) {
	rules := m.GetRules()
	if rules.GetAction() != rbacv3.RBAC_DENY {
		return nil, fmt.Errorf("RBAC with action %s is not understood", rules.GetAction())
	}
	g := &guard{}
	for name, p := range rules.GetPolicies() {
		anyone := slices.ContainsFunc(p.GetPrincipals(), func(p *rbacv3.Principal) bool { return p.GetAny() })
		if !anyone {
			return nil, fmt.Errorf("RBAC policy %s: principals are not understood", name)
		}
		policy := guardPolicy{name: name}
		for _, permission := range p.GetPermissions() {
			f, err := newPermission(permission)
			if err != nil {
				return nil, fmt.Errorf("RBAC policy %s: %w", name, err)
			}
			policy.takes = append(policy.takes, f)
		}
		g.policies = append(g.policies, policy)
	}
	slices.SortFunc(g.policies, func(a, b guardPolicy) int { return cmp.Compare(a.name, b.name) })
	return g, nil
}

func newPermission(m *rbacv3.Permission) (func(*stream) bool, error) {
	switch p := m.GetRule().(type) {
	case *rbacv3.Permission_Header:
		t, err := newHeaderTest(p.Header)
		return func(s *stream) bool { ok, _ := t.try(s); return ok }, err
	case *rbacv3.Permission_UrlPath:
		t, err := newTest(p.UrlPath.GetPath())
		return func(s *stream) bool { return t.ok(s.path()) }, err
	default:
		return nil, fmt.Errorf("permission %T is not understood", p)
	}
}

// deny answers requests that a policy takes.
func (g *guard) deny(s *stream) bool {
	for _, p := range g.policies {
		if slices.ContainsFunc(p.takes, func(f func(*stream) bool) bool { return f(s) }) {
			s.result.Verdict, s.result.Why = Refused, refusalWords(p.name, s)
			s.local(403, "RBAC: access denied")
			return true
		}
	}
	return false
}

// refusalWords says what is wrong with a request that a policy of [filter.WellFormed] takes.
func refusalWords(policy string, s *stream) string {
	switch policy {
	case "malformed-host":
		return fmt.Sprintf("the host %q is not one name or address with a port", s.authority)
	case "malformed-path":
		return fmt.Sprintf("the path %q may be read as another one", s.path())
	default:
		return "the policy " + policy + " denies it"
	}
}
