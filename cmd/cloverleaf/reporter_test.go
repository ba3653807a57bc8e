package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/cloverleaf-mesh/cloverleaf/controller/loop"
	"github.com/cloverleaf-mesh/cloverleaf/controller/source/file"
	"github.com/cloverleaf-mesh/cloverleaf/controller/source/manifest"
	"github.com/cloverleaf-mesh/cloverleaf/controller/xdsserver"
	"github.com/cloverleaf-mesh/cloverleaf/internal/memo"
	"github.com/cloverleaf-mesh/cloverleaf/translator"
	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
	"github.com/cloverleaf-mesh/cloverleaf/translator/status"
)

// newTestReporter returns a reporter and what it printed.
func newTestReporter() (*reporter, *bytes.Buffer) {
	var out bytes.Buffer
	return &reporter{
		errors: &out, objects: map[ir.Ref]*manifest.Object{}, reports: map[ir.Ref]status.Report{},
		told: map[string]manifest.Problem{}, demos: newDemos(), doors: newDoors(), dir: "d",
	}, &out
}

func roundOf(generation uint64, files ...string) loop.Round {
	return loop.Round{
		Events:     []loop.Event{{Tag: file.Update{Files: files, At: time.Now()}}},
		Generation: generation, Evaluator: translator.NewEvaluator(memo.New()),
	}
}

func TestAChangeIsReportedLiveAlsoWhenTheProxyWasFasterThanTheLoop(t *testing.T) {
	r, out := newTestReporter()
	r.inSync(xdsserver.InSync{Generation: 1, At: time.Now()})
	if out.Len() > 0 {
		t.Errorf("reported before anything was taken in: %s", out)
	}
	r.round(roundOf(1, "d/first.yaml"))
	if !strings.Contains(out.String(), "watching d") {
		t.Fatalf("the start is not reported: %s", out)
	}
	out.Reset()
	r.inSync(xdsserver.InSync{Generation: 2, At: time.Now()})
	r.round(roundOf(2, "d/second.yaml"))
	if !strings.Contains(out.String(), "second.yaml  live in") {
		t.Errorf("the change is not reported: %q", out)
	}
}

func TestAChangeIsNotReportedLiveBeforeTheProxyHoldsIt(t *testing.T) {
	r, out := newTestReporter()
	r.round(roundOf(1, "d/first.yaml"))
	r.inSync(xdsserver.InSync{Generation: 1, At: time.Now()})
	out.Reset()
	r.round(roundOf(2, "d/second.yaml"))
	r.round(roundOf(0, "d/notes.yaml"))
	r.inSync(xdsserver.InSync{Generation: 1, At: time.Now()})
	if strings.Contains(out.String(), "live") || !strings.Contains(out.String(), "notes.yaml  nothing changes") {
		t.Errorf("reported: %q", out)
	}
}
