// Package telemetry sets up logs, metrics and traces. It decides names and units; who measures what is decided where it
// happens. Metrics are served for Prometheus; OTLP is used for traces and metrics only when the OTEL_* variables of
// OpenTelemetry ask for it. No export ever blocks the control plane.
package telemetry

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.opentelemetry.io/contrib/exporters/autoexport"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	promexporter "go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/metric"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/cloverleaf-mesh/cloverleaf/internal/memo"
	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// Logger returns a logger: text, or JSON lines. Level is debug, info, warn or error.
func Logger(w io.Writer, level string, asJSON bool) (*slog.Logger, error) {
	var l slog.Level
	if err := l.UnmarshalText([]byte(level)); err != nil {
		return nil, fmt.Errorf("log level must be debug, info, warn or error, not %q", level)
	}
	options := &slog.HandlerOptions{Level: l}
	if asJSON {
		return slog.New(slog.NewJSONHandler(w, options)), nil
	}
	return slog.New(slog.NewTextHandler(w, options)), nil
}

// Telemetry is what a process measures itself with. Its methods are safe for concurrent use.
type Telemetry struct {
	registry *prometheus.Registry
	tracer   trace.Tracer
	meter    metric.Meter
	stops    []func(context.Context) error
	before   memo.Stats

	propagation metric.Float64Histogram
	evaluation  metric.Float64Histogram
	queries     metric.Int64Counter
	events      metric.Int64Counter
	pushes      metric.Int64Counter
	pushed      metric.Int64Counter
	acks        metric.Float64Histogram
	nacks       metric.Int64Counter
	cuts        metric.Int64Counter
	panics      metric.Int64Counter
	proxies     metric.Int64Gauge

	types [ir.TypeCount]metric.MeasurementOption // the attributes of each type of resource
}

// Start sets up telemetry. Call Stop at the end.
func Start(ctx context.Context, service, version string) (*Telemetry, error) {
	t := &Telemetry{registry: prometheus.NewRegistry()}
	for k := range ir.TypeCount {
		t.types[k] = metric.WithAttributeSet(attribute.NewSet(attribute.String("type", k.String())))
	}
	t.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	exporter, err := promexporter.New(promexporter.WithRegisterer(t.registry), promexporter.WithoutScopeInfo())
	if err != nil {
		return nil, err
	}
	who := resource.NewSchemaless(attribute.String("service.name", service), attribute.String("service.version", version))
	options := []sdkmetric.Option{sdkmetric.WithReader(exporter), sdkmetric.WithResource(who)}
	if asked("OTEL_METRICS_EXPORTER", "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT") {
		reader, err := autoexport.NewMetricReader(ctx)
		if err != nil {
			return nil, err
		}
		options = append(options, sdkmetric.WithReader(reader))
	}
	metrics := sdkmetric.NewMeterProvider(options...)
	t.stops = append(t.stops, metrics.Shutdown)
	t.meter = metrics.Meter("cloverleaf")
	otel.SetMeterProvider(metrics)
	if err := t.startTraces(ctx, who); err != nil {
		return nil, err
	}
	return t, t.instruments()
}

func (t *Telemetry) startTraces(ctx context.Context, who *resource.Resource) error {
	if asked("OTEL_TRACES_EXPORTER", "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") {
		exporter, err := autoexport.NewSpanExporter(ctx)
		if err != nil {
			return err
		}
		traces := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter), sdktrace.WithResource(who))
		t.stops = append(t.stops, traces.Shutdown)
		otel.SetTracerProvider(traces)
	}
	t.tracer = otel.Tracer("cloverleaf")
	return nil
}

func asked(names ...string) bool {
	for _, name := range names {
		if os.Getenv(name) != "" {
			return true
		}
	}
	return false
}

func (t *Telemetry) instruments() error {
	var errs [11]error
	seconds := metric.WithExplicitBucketBoundaries(.0005, .001, .002, .005, .01, .02, .05, .1, .2, .5, 1, 2, 5, 10, 30)
	t.propagation, errs[0] = t.meter.Float64Histogram("cloverleaf_config_propagation_seconds", seconds,
		metric.WithDescription("From a change being applied to every proxy of the class holding it"))
	t.evaluation, errs[1] = t.meter.Float64Histogram("cloverleaf_evaluate_seconds", seconds,
		metric.WithDescription("Time of one evaluation"))
	t.queries, errs[2] = t.meter.Int64Counter("cloverleaf_queries", metric.WithDescription("Queries computed, backdated, verified and marked"))
	t.events, errs[3] = t.meter.Int64Counter("cloverleaf_events", metric.WithDescription("Events taken in"))
	t.pushes, errs[4] = t.meter.Int64Counter("cloverleaf_xds_pushes", metric.WithDescription("Messages sent"))
	t.pushed, errs[5] = t.meter.Int64Counter("cloverleaf_xds_push_bytes", metric.WithDescription("Bytes of resources sent"))
	t.acks, errs[6] = t.meter.Float64Histogram("cloverleaf_xds_ack_seconds", seconds,
		metric.WithDescription("From a message being sent to its acknowledgement"))
	t.nacks, errs[7] = t.meter.Int64Counter("cloverleaf_xds_nacks", metric.WithDescription("Messages refused"))
	t.cuts, errs[8] = t.meter.Int64Counter("cloverleaf_xds_streams_cut", metric.WithDescription("Streams cut"))
	t.panics, errs[9] = t.meter.Int64Counter("cloverleaf_panics", metric.WithDescription("Evaluations that no query contained"))
	t.proxies, errs[10] = t.meter.Int64Gauge("cloverleaf_xds_connected_proxies", metric.WithDescription("Proxies with a stream"))
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	for _, kind := range t.types {
		t.nacks.Add(context.Background(), 0, kind) // "none yet" is to be seen, and the first one as an increase
	}
	return nil
}

// Handler serves the metrics for Prometheus.
func (t *Telemetry) Handler() http.Handler {
	return promhttp.HandlerFor(t.registry, promhttp.HandlerOpts{})
}

// Stop exports what is left, for at most two seconds.
func (t *Telemetry) Stop() {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	for _, stop := range t.stops {
		_ = stop(ctx) // telemetry that cannot be delivered is lost, and nothing else
	}
}

// OldestUnacked makes the age of the oldest message without an answer a gauge.
func (t *Telemetry) OldestUnacked(age func() time.Duration) {
	_, err := t.meter.Float64ObservableGauge("cloverleaf_oldest_unacked_seconds",
		metric.WithDescription("Age of the oldest message that waits for an answer"),
		metric.WithFloat64Callback(func(_ context.Context, o metric.Float64Observer) error {
			o.Observe(age().Seconds())
			return nil
		}))
	if err != nil {
		panic(err) // a fixed, valid name
	}
}

// Propagated takes note of a change that every proxy holds.
func (t *Telemetry) Propagated(after time.Duration) {
	t.propagation.Record(context.Background(), after.Seconds())
}

// Evaluation is one evaluation of the core.
type Evaluation struct {
	Events   int // taken in before it
	Duration time.Duration
	Stats    memo.Stats // of the table, after it
	// Resources and Reports count what it changed.
	Resources, Reports int
	Panicked           bool // it ended in a bug that no query contained
}

// Evaluated takes note of an evaluation, and makes a span of it. It is for the loop's goroutine alone.
func (t *Telemetry) Evaluated(e Evaluation) {
	ctx := context.Background()
	t.evaluation.Record(ctx, e.Duration.Seconds())
	t.events.Add(ctx, int64(e.Events))
	if e.Panicked {
		t.panics.Add(ctx, 1)
	}
	counts := []struct {
		outcome       string
		before, after uint64
	}{
		{"computed", t.before.Computed, e.Stats.Computed},
		{"backdated", t.before.Backdated, e.Stats.Backdated},
		{"verified", t.before.Verified, e.Stats.Verified},
		{"marked", t.before.Marked, e.Stats.Marked},
	}
	end := time.Now()
	_, span := t.tracer.Start(ctx, "evaluate", trace.WithTimestamp(end.Add(-e.Duration)))
	for _, c := range counts {
		n := int64(c.after - c.before) //nolint:gosec // far below
		t.queries.Add(ctx, n, metric.WithAttributes(attribute.String("outcome", c.outcome)))
		span.SetAttributes(attribute.Int64("queries."+c.outcome, n))
	}
	span.SetAttributes(attribute.Int("resources", e.Resources), attribute.Int("reports", e.Reports))
	span.End(trace.WithTimestamp(end))
	t.before = e.Stats
}

// Pushed takes note of a message that was sent.
func (t *Telemetry) Pushed(k ir.Type, _, bytes int) {
	t.pushes.Add(context.Background(), 1, t.types[k])
	t.pushed.Add(context.Background(), int64(bytes), t.types[k])
}

// Acked takes note of a message that was acknowledged.
func (t *Telemetry) Acked(k ir.Type, after time.Duration) {
	t.acks.Record(context.Background(), after.Seconds(), t.types[k])
}

// Nacked takes note of a message that was refused.
func (t *Telemetry) Nacked(k ir.Type) { t.nacks.Add(context.Background(), 1, t.types[k]) }

// Connected takes note of how many proxies have a stream.
func (t *Telemetry) Connected(proxies int) { t.proxies.Record(context.Background(), int64(proxies)) }

// Cut takes note of a stream that was cut.
func (t *Telemetry) Cut(reason string) {
	t.cuts.Add(context.Background(), 1, metric.WithAttributes(attribute.String("reason", reason)))
}
