package filter_test

import (
	"testing"

	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
	"github.com/cloverleaf-mesh/cloverleaf/translator/xds/filter"
)

func TestFiltersAreNamedOnceAndTheRouterIsTheLast(t *testing.T) {
	all := filter.All()
	seen := map[string]bool{}
	for _, f := range all {
		if seen[f.Name] {
			t.Errorf("%s stands twice in the chain", f.Name)
		}
		seen[f.Name] = true
	}
	if last := all[len(all)-1].Name; last != filter.Router.Name {
		t.Errorf("the last filter is %s", last)
	}
}

func TestAFilterIsValidAndSaysNothingOfARuleWithoutFeatures(t *testing.T) {
	for _, f := range filter.All() {
		if m, ok := f.Config().(interface{ ValidateAll() error }); !ok || m.ValidateAll() != nil {
			t.Errorf("%s: %v", f.Name, f.Config())
		}
		if f.PerRoute != nil && f.PerRoute(ir.Features{}) != nil {
			t.Errorf("%s speaks to a rule that asks for nothing", f.Name)
		}
	}
}
