// Package loop is the heart of the control plane: one goroutine that takes in what happened, evaluates what it
// reaches, and hands out what changed. It decides the order of these steps and nothing else.
package loop

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cloverleaf-mesh/cloverleaf/controller/store"
	"github.com/cloverleaf-mesh/cloverleaf/internal/memo"
	"github.com/cloverleaf-mesh/cloverleaf/translator"
	"github.com/cloverleaf-mesh/cloverleaf/translator/input"
	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// Event is something that happened in the world. Its parts are applied in the order of the fields.
type Event struct {
	Delete []ir.Ref
	Put    []metav1.Object // never changed afterwards by anybody

	Listeners    []ListenerFact
	Rejections   []RejectionFact
	Certificates []CertificateFact

	// Tag is handed back with the round that took the event in.
	Tag any
	// At is when the event was noticed.
	At time.Time
}

// ListenerFact says how far the proxies of a class are with a listener.
type ListenerFact struct {
	Key    input.ClassListener
	Report input.ListenerReport
}

// RejectionFact says that an Envoy refused a resource; without a version, that it no longer does.
type RejectionFact struct {
	ID        ir.ResourceID
	Rejection input.Rejection
}

// CertificateFact is a certificate of the local CA, in PEM.
type CertificateFact struct {
	Secret    ir.Name
	Cert, Key []byte
}

// Round is one turn of the loop: what it took in and what that changed.
type Round struct {
	Events []Event
	Delta  translator.Delta
	// Generation is what the xDS server made of the Delta's resources; 0 when there were none.
	Generation uint64
	Duration   time.Duration // of the evaluation
	Stats      memo.Stats    // of the table, after the round
	// Evaluator may be asked for what people want to see. Only during Observe.
	Evaluator *translator.Evaluator
	// Panic is set when the evaluation ended in a bug that no query contained. The round's Delta is empty then; what it
	// should have changed is tried again with the next event.
	Panic error
}

// Config says what a loop is connected to.
type Config struct {
	Settings input.Settings
	Events   <-chan Event
	// Publish hands resources to the xDS server, and returns the generation that they make up there. It must not block.
	Publish func([]ir.Change) (generation uint64)
	// Observe is told of every round, on the loop's goroutine, after Publish.
	Observe func(Round)
}

// Run evaluates until the context ends or Events is closed. Events that wait are taken in together: while one round
// runs, the next one collects.
func Run(ctx context.Context, cfg Config) {
	table := memo.New()
	l := &loop{cfg: cfg, store: store.New(table, cfg.Settings), evaluator: translator.NewEvaluator(table), table: table}
	for {
		select {
		case <-ctx.Done():
			return
		case e, ok := <-cfg.Events:
			if !ok {
				return
			}
			l.round(l.collect(e))
		}
	}
}

type loop struct {
	cfg       Config
	table     *memo.Table
	store     *store.Store
	evaluator *translator.Evaluator
}

// collect takes in the events that wait already.
func (l *loop) collect(first Event) []Event {
	events := []Event{first}
	for {
		select {
		case e, ok := <-l.cfg.Events:
			if !ok {
				return events
			}
			events = append(events, e)
		default:
			return events
		}
	}
}

func (l *loop) round(events []Event) {
	start := time.Now()
	for i := range events {
		l.commit(&events[i])
	}
	r := Round{Events: events, Evaluator: l.evaluator}
	r.Delta, r.Panic = l.evaluate()
	r.Duration, r.Stats = time.Since(start), l.table.Stats()
	if len(r.Delta.Resources) > 0 {
		r.Generation = l.cfg.Publish(r.Delta.Resources)
	}
	l.cfg.Observe(r)
}

func (l *loop) commit(e *Event) {
	for _, ref := range e.Delete {
		l.store.Delete(ref)
	}
	for _, o := range e.Put {
		l.store.Put(o)
	}
	for _, f := range e.Listeners {
		l.store.SetListenerReport(f.Key, f.Report)
	}
	for _, f := range e.Rejections {
		l.store.SetRejection(f.ID, f.Rejection)
	}
	for _, f := range e.Certificates {
		l.store.SetLocalCertificate(f.Secret, f.Cert, f.Key)
	}
}

// evaluate contains what no query contained: a bug must not take the process down, proxies go on with what they have.
func (l *loop) evaluate() (delta translator.Delta, err error) {
	defer func() {
		if p := recover(); p != nil {
			delta, err = translator.Delta{}, fmt.Errorf("evaluation: %v\n%s", p, debug.Stack())
		}
	}()
	return l.evaluator.Refresh(), nil
}
