package upstream

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/gateway-api/conformance/tests"
	"sigs.k8s.io/gateway-api/conformance/utils/suite"
	"sigs.k8s.io/gateway-api/pkg/consts"
	"sigs.k8s.io/gateway-api/pkg/features"
)

// Every test of the suite is run unless it is named here, by itself or by a feature that it needs.

// unserved says why tests that need a feature are not run.
var unserved = map[features.FeatureName]string{
	features.SupportTLSRoute: "TLSRoute is not served yet",
	features.SupportTCPRoute: "TCPRoute is not served yet",
	features.SupportUDPRoute: "UDPRoute is not served yet",
	features.SupportMesh:     "there is no mesh yet",
}

const (
	noWriter   = "it is about whoever writes statuses into a cluster, which nothing does yet; here the harness writes them"
	noProvider = "it is about what is made in a cluster for a Gateway; nothing is made for one process"
)

// notRun says why further tests are not run.
var notRun = map[string]string{
	"BackendTLSPolicyPreserveForeignStatus": noWriter,
	"GatewayPreserveForeignConditions":      noWriter,
	"HTTPRoutePreserveForeignStatus":        noWriter,
	"GatewayInfrastructureMetadata":         noProvider,
}

// failing says why tests fail that are run all the same. One that passes has to be taken out of here.
var failing = map[string]string{}

// outcome is what is known of a test of the suite.
type outcome string

const (
	passes outcome = "passes"
	fails  outcome = "fails"
	left   outcome = "not run"
)

// expected says what comes of a test, and why if it does not pass.
func expected(test *suite.ConformanceTest) (outcome, string) {
	for _, f := range test.Features {
		if why := unserved[f]; why != "" {
			return left, why
		}
	}
	if why := notRun[test.ShortName]; why != "" {
		return left, why
	}
	if why := failing[test.ShortName]; why != "" {
		return fails, why
	}
	return passes, ""
}

// withOutcome lists the tests with an outcome.
func withOutcome(o outcome) []suite.ConformanceTest {
	var list []suite.ConformanceTest
	for _, test := range tests.ConformanceTests {
		if got, _ := expected(&test); got == o {
			list = append(list, test)
		}
	}
	return list
}

func TestTheListsNameTestsAndFeaturesOfTheSuite(t *testing.T) {
	names, needed := map[string]bool{}, map[features.FeatureName]bool{}
	for _, test := range tests.ConformanceTests {
		names[test.ShortName] = true
		for _, f := range test.Features {
			needed[f] = true
		}
	}
	for f := range unserved {
		if !needed[f] {
			t.Errorf("no test of the suite needs %s", f)
		}
	}
	for _, list := range []map[string]string{notRun, failing} {
		for name := range list {
			if !names[name] {
				t.Errorf("the suite has no test %s", name)
			}
		}
	}
	for _, test := range tests.ConformanceTests {
		_, why := expected(&test)
		for _, list := range []map[string]string{notRun, failing} {
			if said := list[test.ShortName]; said != "" && said != why {
				t.Errorf("%s is named twice: %s; %s", test.ShortName, said, why)
			}
		}
	}
}

func TestAtLeastSixtyTestsOfRoutesAndPoliciesPass(t *testing.T) {
	kinds := []features.FeatureName{
		features.SupportHTTPRoute, features.SupportGRPCRoute, features.SupportListenerSet, features.SupportBackendTLSPolicy,
	}
	n := 0
	for _, test := range withOutcome(passes) {
		if slices.ContainsFunc(test.Features, func(f features.FeatureName) bool { return slices.Contains(kinds, f) }) {
			n++
		}
	}
	if n < 60 {
		t.Errorf("only %d of them are run", n)
	}
}

var update = flag.Bool("update", false, "write the list of tests into the docs")

const page = "../../docs/reference/upstream-tests.md"

func TestTheListInTheDocsIsOurs(t *testing.T) {
	want := pageText()
	if *update {
		if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("%s is not what the lists say; write it with -update", page)
	}
}

// pageText is the page of the docs.
func pageText() string {
	all := slices.Clone(tests.ConformanceTests)
	slices.SortFunc(all, func(a, b suite.ConformanceTest) int { return strings.Compare(a.ShortName, b.ShortName) })
	counts := map[outcome]int{}
	var rows strings.Builder
	for _, test := range all {
		o, why := expected(&test)
		counts[o]++
		fmt.Fprintf(&rows, "| %s | %s | %s |\n", test.ShortName, o, why)
	}
	return fmt.Sprintf(`# Tests of the Gateway API's conformance suite

Written by the test that runs them (`+"`conformance/upstream`"+`, with -update); do not edit. The tests are those of the suite
%s, as they are: its manifests, its requests and checks, its backends. They run against the standalone core and a real Envoy;
the cluster around these is fake (an API in memory, addresses of this machine, EndpointSlices, a writer of statuses). So this is
no conformance report: that needs a cluster.

Of %d tests %d pass, %d fail and %d are not run.

| test | outcome | why |
|---|---|---|
%s`, consts.BundleVersion, len(all), counts[passes], counts[fails], counts[left], rows.String())
}

func TestTheReadmeGivesTheRightNumbers(t *testing.T) {
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf("%d of %d", len(withOutcome(passes)), len(tests.ConformanceTests))
	if !strings.Contains(string(text), want) {
		t.Errorf("the README does not say %q", want)
	}
}
