package upstream

import (
	"os"
	"os/exec"
	"regexp"
	"testing"
	"time"

	"sigs.k8s.io/gateway-api/conformance/utils/config"
)

// A test of the suite that fails, fails whatever it is run in: so those that are known to fail run in a process of their
// own, which is told by this variable to run nothing else.
const failingOnly = "UPSTREAM_FAILING_ONLY"

// TestKnownFailuresFail runs the tests that are known to fail. One that passes is good news that the list has to tell.
func TestKnownFailuresFail(t *testing.T) {
	if os.Getenv(failingOnly) != "" || len(failing) == 0 {
		return
	}
	again := exec.Command(os.Args[0], "-test.run=^TestUpstream$", "-test.v", "-test.timeout=10m")
	again.Env = append(os.Environ(), failingOnly+"=1")
	out, err := again.CombinedOutput()
	if err == nil {
		t.Errorf("all of it passes:\n%s", out)
	}
	for name := range failing {
		result := regexp.MustCompile(`(?m)^    --- (\w+): TestUpstream/` + name + ` `).FindSubmatch(out)
		switch {
		case result == nil:
			t.Errorf("%s was not run:\n%s", name, out)
		case string(result[1]) == "PASS":
			t.Errorf("%s passes: take it off the list of those that fail", name)
		}
	}
}

// timeouts are those of the suite, which looks often. Of tests that are known to fail nobody waits for the end.
func timeouts() config.TimeoutConfig {
	all := config.DefaultTimeoutConfig()
	if os.Getenv(failingOnly) != "" {
		const short = time.Second
		all.GatewayMustHaveAddress, all.GatewayMustHaveCondition, all.GatewayStatusMustHaveListeners = short, short, short
		all.GatewayListenersMustHaveConditions, all.ListenerSetMustHaveCondition = short, short
		all.ListenerSetListenersMustHaveConditions, all.HTTPRouteMustNotHaveParents = short, short
		all.HTTPRouteMustHaveCondition, all.RouteMustHaveParents, all.MaxTimeToConsistency = short, short, short
		all.LatestObservedGenerationSet, all.DefaultTestTimeout = short, short
	}
	all.DefaultPollInterval = 20 * time.Millisecond
	return all
}
