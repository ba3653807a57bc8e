// Package upstream runs the tests of the Gateway API's own conformance suite (v1.7.0), as they are, against the standalone
// core and a real Envoy. Manifests, requests and checks are the suite's, taken from its module; so are the backends. What
// stands in for a cluster is of this package and says so in its names: see fakeAPI and fakeCluster. It is no conformance
// run: that needs a cluster, and a status writer that shares objects with others.
package upstream

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"google.golang.org/grpc/resolver"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"
	"sigs.k8s.io/gateway-api/conformance"
	"sigs.k8s.io/gateway-api/conformance/tests"
	"sigs.k8s.io/gateway-api/conformance/utils/roundtripper"
	"sigs.k8s.io/gateway-api/conformance/utils/suite"
	"sigs.k8s.io/gateway-api/pkg/features"
)

// patience is how long conditions may take to come true. It is generous: machines that run tests are busy.
const patience = 60 * time.Second

var echoBinary string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "upstream")
	if err == nil && os.Getenv("ENVOY_PATH") == "" {
		err = fmt.Errorf("ENVOY_PATH is not set: these tests need a real Envoy; run them by `make test` or `make dataplane`")
	}
	if err == nil {
		echoBinary = filepath.Join(dir, "echo-basic")
		var out []byte
		if out, err = exec.Command("go", "build", "-o", echoBinary, "sigs.k8s.io/gateway-api-conformance-images/echo-basic").CombinedOutput(); err != nil {
			err = fmt.Errorf("building the suite's backend: %w\n%s", err, out)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// TestUpstream runs the tests of the suite, each under its own name.
func TestUpstream(t *testing.T) {
	list := withOutcome(passes)
	if os.Getenv(failingOnly) != "" {
		list = withOutcome(fails)
	}
	c := startCluster(t, echoBinary)
	s := newSuite(t, c)
	for _, test := range list {
		t.Run(test.ShortName, func(t *testing.T) {
			defer func() {
				for _, fault := range c.core.takeFaults() {
					t.Error(fault)
				}
			}()
			test.Run(t, s)
		})
	}
}

func newSuite(t *testing.T, c *fakeCluster) *suite.ConformanceTestSuite {
	t.Helper()
	class := &gwv1.GatewayClass{
		ObjectMeta: metav1.ObjectMeta{Name: "gateway-conformance"}, Spec: gwv1.GatewayClassSpec{ControllerName: controllerName},
	}
	if err := c.api.Create(context.Background(), class); err != nil {
		t.Fatal(err)
	}
	timeouts := timeouts()
	ip := gwv1.IPAddressType
	s, err := suite.NewConformanceTestSuite(suite.ConformanceOptions{
		Client: c.api, Clientset: c.kubelet.logs(t),
		RoundTripper:    &roundTripper{roundtripper.DefaultRoundTripper{TimeoutConfig: timeouts}},
		WebSocketDialer: webSocketDialer{},
		ManifestFS:      []fs.FS{&conformance.Manifests},
		ConfigurableOptions: suite.ConfigurableOptions{
			GatewayClassName: class.Name, EnableAllSupportedFeatures: true, TimeoutConfig: timeouts, CleanupTestResources: true,
			AllowCRDsMismatch:        true, // no CRD is installed anywhere
			UsableNetworkAddresses:   []gwv1.GatewaySpecAddress{{Type: &ip, Value: usableAddress}},
			UnusableNetworkAddresses: []gwv1.GatewaySpecAddress{{Type: &ip, Value: unusableAddress}},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	s.SupportedFeatures.Delete(features.SupportMesh) // its pods would be set up
	resolver.Register(translating{})
	resolver.SetDefaultScheme(translating{}.Scheme())
	s.Setup(t, tests.ConformanceTests)
	return s
}
