package standalone

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	metricsv1 "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	tracev1 "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	resourcev1 "go.opentelemetry.io/proto/otlp/resource/v1"
	"google.golang.org/protobuf/proto"

	"github.com/cloverleaf-mesh/cloverleaf/conformance/updriver"
)

// scrape reads the metrics of a running `up`.
func scrape(t *testing.T, u *updriver.Up) map[string]*dto.MetricFamily {
	t.Helper()
	url := u.Await(t, "metrics", func(e updriver.Event) bool { return e.Step == "metrics" }).Text
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return families
}

// total adds up the series of a metric: values of counters and gauges, counts of histograms.
func total(f *dto.MetricFamily) (sum float64) {
	for _, m := range f.GetMetric() {
		sum += m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
	}
	return sum
}

// The metrics of part 10: what each measures, and whether it is above zero after a change that Envoy took.
var metrics = map[string]struct {
	kind  dto.MetricType
	above bool
}{
	"cloverleaf_config_propagation_seconds": {dto.MetricType_HISTOGRAM, true}, // event to ACK
	"cloverleaf_evaluate_seconds":           {dto.MetricType_HISTOGRAM, true},
	"cloverleaf_queries_total":              {dto.MetricType_COUNTER, true},
	"cloverleaf_xds_pushes_total":           {dto.MetricType_COUNTER, true},
	"cloverleaf_xds_push_bytes_total":       {dto.MetricType_COUNTER, true},
	"cloverleaf_xds_ack_seconds":            {dto.MetricType_HISTOGRAM, true},
	"cloverleaf_xds_nacks_total":            {dto.MetricType_COUNTER, false},
	"cloverleaf_oldest_unacked_seconds":     {dto.MetricType_GAUGE, false},
	"cloverleaf_xds_connected_proxies":      {dto.MetricType_GAUGE, true},
}

func TestMetricsAreServedForPrometheus(t *testing.T) {
	release := occupy(t, 24801)
	gateways := func(port int) string { return class + gateway(plain("http", 24800), plain("second", port)) }
	rest := service("s", backend(t, "s")) + route("r", "a.example", "s")
	dir := folder(t, gateways(24802), rest)
	u := updriver.Start(t, binary, dir)
	u.Write(t, "more.yaml", route("more", "b.example", "s"))
	families := scrape(t, u)
	for name, m := range metrics {
		f := families[name]
		if f == nil || f.GetType() != m.kind || f.GetHelp() == "" {
			t.Errorf("%s: %v", name, f)
			continue
		}
		if got := total(f); m.above != (got > 0) {
			t.Errorf("%s is %v", name, got)
		}
	}
	from := u.Seen()
	updriver.Put(t, dir, "all.yaml", gateways(24801)+rest) // Envoy refuses that
	u.AwaitProblem(t, from, "CL0604")
	if got := total(scrape(t, u)["cloverleaf_xds_nacks_total"]); got == 0 {
		t.Error("the NACK was not counted")
	}
	release()
}

func TestMetricsHaveNoSeriesPerRoute(t *testing.T) {
	dir := folder(t, class, gateway(plain("http", 24810)), service("s", backend(t, "s")), route("r", "a.example", "s"))
	u := updriver.Start(t, binary, dir)
	series := func() map[string]int {
		count := map[string]int{}
		for name, f := range scrape(t, u) {
			count[name] = len(f.GetMetric())
		}
		return count
	}
	write := func(routes int) {
		var manifests strings.Builder
		for i := range routes {
			manifests.WriteString(route(fmt.Sprint("more-", i), fmt.Sprintf("h%d.example", i), "s") + service(fmt.Sprint("s-", i), 1))
		}
		u.Write(t, "more.yaml", manifests.String()+"# "+fmt.Sprint(routes)+"\n")
	}
	write(1)
	few := series()
	write(200)
	many := series()
	for name, n := range many {
		if n != few[name] {
			t.Errorf("%s has %d series with 2 routes and %d with 201", name, few[name], n)
		}
	}
	fmt.Printf("evidence: %d metrics, %d series, with 2 routes and with 201\n", len(many), sum(slices.Collect(maps.Values(many))))
}

func sum(list []int) (n int) {
	for _, i := range list {
		n += i
	}
	return n
}

// collector is an OTLP receiver.
type collector struct {
	*httptest.Server
	mu      sync.Mutex
	spans   map[string]int
	metrics map[string]int
	service string
}

func newCollector(t *testing.T) *collector {
	t.Helper()
	c := &collector{spans: map[string]int{}, metrics: map[string]int{}}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil {
			err = c.take(r.URL.Path, body)
		}
		if err != nil {
			t.Error(r.URL.Path, err)
		}
		w.Header().Set("Content-Type", "application/x-protobuf")
	}))
	t.Cleanup(c.Close)
	return c
}

func (c *collector) take(path string, body []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch path {
	case "/v1/traces":
		var m tracev1.ExportTraceServiceRequest
		if err := proto.Unmarshal(body, &m); err != nil {
			return err
		}
		for _, r := range m.GetResourceSpans() {
			c.named(r.GetResource())
			for _, s := range r.GetScopeSpans() {
				for _, span := range s.GetSpans() {
					c.spans[span.GetName()]++
				}
			}
		}
	case "/v1/metrics":
		var m metricsv1.ExportMetricsServiceRequest
		if err := proto.Unmarshal(body, &m); err != nil {
			return err
		}
		for _, r := range m.GetResourceMetrics() {
			c.named(r.GetResource())
			for _, s := range r.GetScopeMetrics() {
				for _, metric := range s.GetMetrics() {
					c.metrics[metric.GetName()]++
				}
			}
		}
	default:
		return fmt.Errorf("a request for %s", path)
	}
	return nil
}

func (c *collector) named(r *resourcev1.Resource) {
	for _, a := range r.GetAttributes() {
		if a.GetKey() == "service.name" {
			c.service = a.GetValue().GetStringValue()
		}
	}
}

func TestTracesAndMetricsArriveByOTLPWhenAskedFor(t *testing.T) {
	c := newCollector(t)
	env := []string{"OTEL_EXPORTER_OTLP_ENDPOINT=" + c.URL, "OTEL_METRIC_EXPORT_INTERVAL=200", "OTEL_BSP_SCHEDULE_DELAY=200"}
	dir := folder(t, class, gateway(plain("http", 24820)), service("s", backend(t, "s")), route("r", "a.example", "s"))
	u := updriver.Command(t, env, binary, "up", dir, "-o", "json")
	u.Await(t, "watching", func(e updriver.Event) bool { return e.Event == "watching" })
	updriver.Eventually(t, "spans and metrics arrive while it runs", func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		return c.spans["evaluate"] > 0 && c.metrics["cloverleaf_config_propagation_seconds"] > 0
	})
	if code := u.Stop(t); code != 0 {
		t.Errorf("exit code %d\n%s", code, u.Log())
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.service != "cloverleaf" {
		t.Errorf("they come from service %q", c.service)
	}
	fmt.Printf("evidence: OTLP brought spans %v and %d kinds of metrics\n", slices.Sorted(maps.Keys(c.spans)), len(c.metrics))
}

func TestACollectorThatHangsHoldsNothingUp(t *testing.T) {
	s := newSlow(t)
	env := []string{fmt.Sprintf("OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:%d/slow", s.port), "OTEL_METRIC_EXPORT_INTERVAL=100", "OTEL_BSP_SCHEDULE_DELAY=100"}
	dir := folder(t, class, gateway(plain("http", 24830)), service("s", backend(t, "s")), route("r", "a.example", "s"))
	u := updriver.Command(t, env, binary, "up", dir, "-o", "json")
	u.Dir = dir
	u.Await(t, "watching", func(e updriver.Event) bool { return e.Event == "watching" })
	u.Write(t, "more.yaml", route("more", "b.example", "s"))
	want(t, get(t, 24830, "b.example", "/"), "200 s")
	if code := u.Stop(t); code != 0 {
		t.Errorf("exit code %d\n%s", code, u.Log())
	}
}
