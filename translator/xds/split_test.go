package xds_test

import (
	"math"
	"testing"

	"github.com/cloverleaf-mesh/cloverleaf/internal/envoysim"
	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
	"github.com/cloverleaf-mesh/cloverleaf/translator/xds"
)

// outcomes loads a rule alone and lists what may happen to a request.
func outcomes(t *testing.T, rule ir.Rule) []envoysim.Outcome {
	t.Helper()
	var all []*ir.Resource
	add := func(r *ir.Resource, err error) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, r)
	}
	add(xds.Listener(ir.Listener{Name: "l", Bind: ir.Port{Address: "127.0.0.1", Port: 80}, Chains: []ir.Chain{{Name: "http", Layer: ir.HTTP{Table: "t"}}}}))
	add(xds.RouteTable(ir.RouteTable{Name: "t"}))
	add(xds.VirtualHost(ir.VirtualHost{Name: ir.VirtualHostName{Table: "t", Host: ir.AnyHost}, Rules: []ir.Rule{rule}}))
	for _, name := range []ir.BackendName{"n/one/80", "n/two/80", "n/copy/80"} {
		add(xds.Cluster(ir.Backend{Name: name}))
		add(xds.Endpoints(ir.Endpoints{Backend: name, Localities: []ir.Locality{{Endpoints: []ir.Endpoint{{Address: "10.0.0.1", Port: 80}}}}}))
	}
	config, err := envoysim.New(all)
	if err != nil {
		t.Fatal(err)
	}
	return config.Outcomes(envoysim.Request{Port: 80, Method: "GET", Authority: "a", Target: "/"})
}

// TestAMirrorOfAShareGetsItsFraction: Envoy compares one number with the fractions of routes and of mirrors. A mirror of
// half of the requests got all of the first backend's, and none of the second's.
func TestAMirrorOfAShareGetsItsFraction(t *testing.T) {
	half := []ir.Mirror{{Backend: "n/copy/80", PerMillion: 500_000}}
	cases := map[string]ir.Forward{
		"mirrors of backends": {Failure: 500, Split: []ir.Weighted{
			{Weight: 1, Backend: "n/one/80", Own: &ir.Filters{Mirrors: half}}, {Weight: 1, Backend: "n/two/80", Own: &ir.Filters{Mirrors: half}},
		}},
		"a mirror of a rule with an invalid share": {Failure: 500, Mirrors: half, Split: []ir.Weighted{
			{Weight: 1, Backend: "n/one/80"}, {Weight: 1, Invalid: true},
		}},
	}
	for name, forward := range cases {
		t.Run(name, func(t *testing.T) {
			copied := 0
			for _, o := range outcomes(t, ir.Rule{Name: "r", Match: ir.Match{Path: ir.PathMatch{Value: "/"}}, Action: forward}) {
				for _, share := range o.Copied {
					copied++
					if math.Abs(share-0.5) > 0.001 {
						t.Errorf("%s: %.3f of the requests are copied, want a half", o.Result.Route.Name, share)
					}
				}
			}
			if copied == 0 {
				t.Error("nothing is copied")
			}
		})
	}
}

// TestTheHostOfABackendCountsBeforeItsRules: where a weighted cluster carried it, the rule's host replaced it.
func TestTheHostOfABackendCountsBeforeItsRules(t *testing.T) {
	rule := ir.Rule{Name: "r", Match: ir.Match{Path: ir.PathMatch{Value: "/"}}, Action: ir.Forward{
		Failure: 500, Rewrite: ir.Rewrite{Hostname: "rule.example"}, Split: []ir.Weighted{
			{Weight: 1, Backend: "n/one/80", Own: &ir.Filters{Rewrite: ir.Rewrite{Hostname: "backend.example"}}}, {Weight: 1, Backend: "n/two/80"},
		},
	}}
	want := map[string]string{"n/one/80": "backend.example", "n/two/80": "rule.example"}
	for _, o := range outcomes(t, rule) {
		if up := o.Result.Upstream; up.Authority != want[up.Cluster.Name] {
			t.Errorf("%s gets host %s, want %s", up.Cluster.Name, up.Authority, want[up.Cluster.Name])
		}
	}
}
