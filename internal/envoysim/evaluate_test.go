package envoysim_test

import (
	"fmt"
	"testing"

	"github.com/cloverleaf-mesh/cloverleaf/internal/envoysim"
	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
	"github.com/cloverleaf-mesh/cloverleaf/translator/xds"
)

// configOf makes a configuration of one listener on port 80 with these hosts, which send to n/s/80.
func configOf(tb testing.TB, hosts map[ir.Hostname][]ir.Rule) *envoysim.Config {
	tb.Helper()
	var all []*ir.Resource
	add := func(r *ir.Resource, err error) {
		if err != nil {
			tb.Fatal(err)
		}
		all = append(all, r)
	}
	add(xds.Listener(ir.Listener{Name: "l", Bind: ir.Port{Address: "127.0.0.1", Port: 80}, Chains: []ir.Chain{{Name: "http", Layer: ir.HTTP{Table: "t"}}}}))
	add(xds.RouteTable(ir.RouteTable{Name: "t"}))
	add(xds.Cluster(ir.Backend{Name: "n/s/80"}))
	add(xds.Endpoints(ir.Endpoints{Backend: "n/s/80", Localities: []ir.Locality{{Endpoints: []ir.Endpoint{{Address: "10.0.0.1", Port: 80}}}}}))
	for host, rules := range hosts {
		add(xds.VirtualHost(ir.VirtualHost{Name: ir.VirtualHostName{Table: "t", Host: host}, Rules: rules}))
	}
	config, err := envoysim.New(all)
	if err != nil {
		tb.Fatal(err)
	}
	return config
}

func ruleOf(name string, path ir.PathMatch) ir.Rule {
	return ir.Rule{Name: name, Match: ir.Match{Path: path}, Action: ir.Forward{Split: []ir.Weighted{{Weight: 1, Backend: "n/s/80"}}}}
}

// TestALongListAndItsTreeTellTheSame: every rule of a host is told of, in the order of precedence, whether Envoy has a
// list or a tree.
func TestALongListAndItsTreeTellTheSame(t *testing.T) {
	var rules []ir.Rule
	for i := range 40 { // more than a list may have
		rules = append(rules, ruleOf(fmt.Sprint(i), ir.PathMatch{Type: ir.PathExact, Value: fmt.Sprintf("/p/%02d", 39-i)}))
	}
	rules = append(rules, ruleOf("40", ir.PathMatch{Value: "/p"}), ruleOf("41", ir.PathMatch{Value: "/"}))
	config := configOf(t, map[ir.Hostname][]ir.Rule{"a.example": rules})
	r := config.Evaluate(envoysim.Request{Port: 80, Method: "GET", Authority: "a.example", Target: "/p/07"})
	if r.Route.Name != "32" || len(r.Routes) != len(rules)+1 {
		t.Fatalf("route %s of %d", r.Route.Name, len(r.Routes))
	}
	place := map[string]int{}
	for i, trial := range r.Routes {
		place[trial.Name] = i
		switch {
		case trial.Taken != (trial.Name == "32"):
			t.Errorf("%s: taken %t", trial.Name, trial.Taken)
		case trial.Name == "40" && trial.Lost != envoysim.LostPathType, trial.Name == "0" && trial.Lost != envoysim.LostPath:
			t.Errorf("%s lost by %s: %s", trial.Name, trial.Lost, trial.Detail)
		}
	}
	if place["32"] > place["40"] || place["40"] > place["41"] || place["41"] > place["404"] {
		t.Errorf("not in the order of precedence: %v", place)
	}
}

func BenchmarkAmong5000Hosts(b *testing.B) {
	hosts := map[ir.Hostname][]ir.Rule{}
	for i := range 5000 {
		hosts[ir.Hostname(fmt.Sprintf("h%d.example", i))] = []ir.Rule{ruleOf("r", ir.PathMatch{Value: "/"})}
	}
	benchmark(b, configOf(b, hosts), "h4000.example", "/")
}

func BenchmarkAmong5000RulesOfAHost(b *testing.B) {
	var rules []ir.Rule
	for i := range 5000 {
		rules = append(rules, ruleOf(fmt.Sprint(i), ir.PathMatch{Value: fmt.Sprintf("/p%d", i)}))
	}
	benchmark(b, configOf(b, map[ir.Hostname][]ir.Rule{"a.example": rules}), "a.example", "/p4000")
}

func benchmark(b *testing.B, config *envoysim.Config, host, path string) {
	b.Helper()
	b.ReportAllocs()
	for b.Loop() {
		outcomes := config.Outcomes(envoysim.Request{Port: 80, Method: "GET", Authority: host, Target: path})
		if outcomes[0].Result.Verdict != envoysim.Forwarded {
			b.Fatal(outcomes[0].Result.Verdict)
		}
	}
}
