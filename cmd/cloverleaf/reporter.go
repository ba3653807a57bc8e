package main

import (
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/cloverleaf-mesh/cloverleaf/controller/envoy"
	"github.com/cloverleaf-mesh/cloverleaf/controller/localca"
	"github.com/cloverleaf-mesh/cloverleaf/controller/loop"
	"github.com/cloverleaf-mesh/cloverleaf/controller/source/file"
	"github.com/cloverleaf-mesh/cloverleaf/controller/source/manifest"
	"github.com/cloverleaf-mesh/cloverleaf/controller/xdsserver"
	"github.com/cloverleaf-mesh/cloverleaf/internal/cli"
	"github.com/cloverleaf-mesh/cloverleaf/translator/finding"
	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
	"github.com/cloverleaf-mesh/cloverleaf/translator/status"
)

// reporter says what up does: prose for people on stderr, or one JSON object a line on stdout. Its methods are safe for
// concurrent use.
type reporter struct {
	out, errors io.Writer
	json        bool
	style       cli.Style

	mu      sync.Mutex
	dir     string
	bind    string
	objects map[ir.Ref]*manifest.Object
	count   int
	read    []manifest.Problem          // of the newest update
	reports map[ir.Ref]status.Report    // of objects with findings
	told    map[string]manifest.Problem // problems that were printed and last
	opened  bool                        // the first configuration is live
	waiting []change                    // updates that are not live yet
	synced  xdsserver.InSync            // what was last said of the proxy
	doors   doors
	tries   [][]try
	tried   bool // they were printed
	demos   *demos
	caFile  string
}

// change is an update on its way to the proxy.
type change struct {
	files      []string
	at         time.Time
	generation uint64 // of the xDS server; 0 when there is nothing to tell the proxy
}

func newReporter(c *cobra.Command, o *upOptions, style cli.Style) *reporter {
	if o.output == "json" {
		style = cli.Style{} // what is in an event is no terminal's
	}
	return &reporter{
		out: c.OutOrStdout(), errors: c.ErrOrStderr(), json: o.output == "json", style: style,
		objects: map[ir.Ref]*manifest.Object{}, reports: map[ir.Ref]status.Report{}, told: map[string]manifest.Problem{},
		demos: newDemos(), doors: newDoors(),
	}
}

// say prints a line for people, or an event for machines.
func (r *reporter) say(event string, fields map[string]any, format string, args ...any) {
	if !r.json {
		_, _ = fmt.Fprintf(r.errors, format+"\n", args...)
		return
	}
	if fields == nil {
		fields = map[string]any{}
	}
	fields["event"], fields["time"] = event, time.Now().Format(time.RFC3339Nano)
	text, err := json.Marshal(fields)
	if err == nil {
		_, _ = fmt.Fprintf(r.out, "%s\n", text)
	}
}

// step prints one of the lines of the start.
func (r *reporter) step(m cli.Mark, what, text string) {
	r.event(m, what, text, map[string]any{})
}

// event is step with further fields for machines.
func (r *reporter) event(m cli.Mark, what, text string, fields map[string]any) {
	fields["step"], fields["text"] = what, text
	r.say("step", fields, "%s %-10s %s", r.style.Mark(m), what, text)
}

func (r *reporter) envoy(b envoy.Binary) {
	mark := cli.OK
	warning, old := b.Warning()
	if old {
		mark = cli.Warn
	}
	r.step(mark, "envoy", b.Version+", found in "+b.Found)
	if old {
		r.trouble(warning)
	}
}

func (r *reporter) localCA(ca *localca.CA) {
	r.caFile = ca.Path()
	r.step(cli.OK, "local CA", fmt.Sprintf("valid until %s; certificates live 24 h and are renewed; trust it: %s",
		ca.NotAfter().Format(time.DateOnly), ca.Path()))
}

func (r *reporter) admin(address string) { r.step(cli.OK, "metrics", "http://"+address+"/metrics") }

func (r *reporter) start(dir string, o *upOptions) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.dir, r.bind = dir, o.bind
}

// trouble prints a finding that is about no object.
func (r *reporter) trouble(f finding.Finding) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.problem(manifest.Problem{Finding: f})
}

func (r *reporter) problem(p manifest.Problem) {
	r.say("problem", map[string]any{"problem": toJSON(p)}, "%s %s", r.style.Mark(markOf(p.Finding.Level())), p)
}

// demo starts backends for addresses of this machine on which nothing listens.
func (r *reporter) demo(u file.Update) {
	for _, line := range r.demos.start(u) {
		r.step(cli.OK, "demo", line)
	}
}

// round takes note of what a round of the loop took in and changed.
func (r *reporter) round(round loop.Round) {
	r.mu.Lock()
	defer r.mu.Unlock()
	updated := false
	for _, e := range round.Events {
		if u, ok := e.Tag.(file.Update); ok {
			r.take(u, round.Generation)
			updated = true
		}
	}
	for _, report := range round.Delta.Reports {
		if report.Gone || len(report.Findings) == 0 {
			delete(r.reports, report.Object)
		} else {
			r.reports[report.Object] = report
		}
	}
	if updated {
		r.doors.set(round.Evaluator.Entrances())
		if !r.tried {
			r.tries = r.linesToTry(round.Evaluator)
		}
		if !r.opened {
			e, w := count(r.problems())
			r.step(markOfCounts(e, w), "manifests", fmt.Sprintf("%s: %s, %s, %s", r.dir, plural(r.count, "object"), plural(e, "error"), plural(w, "warning")))
		}
	}
	r.tellProblems()
	r.settle()
	r.live()
}

func markOfCounts(e, w int) cli.Mark {
	switch {
	case e > 0:
		return cli.Bad
	case w > 0:
		return cli.Warn
	default:
		return cli.OK
	}
}

func (r *reporter) take(u file.Update, generation uint64) {
	for _, ref := range u.Removed {
		delete(r.objects, ref)
	}
	for _, o := range slices.Concat(u.Changed, u.Moved) {
		r.objects[o.Ref] = o
	}
	r.read, r.count = u.Problems, u.Objects
	r.waiting = append(r.waiting, change{files: u.Files, at: u.At, generation: generation})
}

// problems joins what reading and evaluating found.
func (r *reporter) problems() []manifest.Problem {
	all := append([]manifest.Problem{}, r.read...)
	for _, report := range r.reports {
		for _, f := range report.Findings {
			all = append(all, place(f, r.objects))
		}
	}
	return all
}

// tellProblems prints the problems that are new, and says when the last one is gone.
func (r *reporter) tellProblems() {
	now := map[string]manifest.Problem{}
	var fresh []manifest.Problem
	for _, p := range r.problems() {
		if p.Finding.Level() == finding.Info {
			continue
		}
		key := fmt.Sprint(p.Finding.Code, p.Finding.Object, p.Finding.Field, p.Finding.Message, p.At.File)
		now[key] = p
		if _, known := r.told[key]; !known {
			fresh = append(fresh, p)
		}
	}
	sortPlaces(fresh)
	for _, p := range fresh {
		r.problem(p)
	}
	if len(now) == 0 && len(r.told) > 0 {
		r.say("fine", nil, "%s no problem left", r.style.Mark(cli.OK))
	}
	r.told = now
}

// settle ends changes that have nothing to tell the proxy.
func (r *reporter) settle() {
	if !r.opened {
		return
	}
	kept := r.waiting[:0]
	for _, c := range r.waiting {
		if c.generation > 0 {
			kept = append(kept, c)
			continue
		}
		r.say("read", map[string]any{"files": c.files}, "%s %s", r.clock(), r.names(c.files)+"  nothing changes for the proxy")
	}
	r.waiting = kept
}

// refused takes note of what the proxy refused, or no longer does.
func (r *reporter) refused(rejections []xdsserver.Rejection) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, rejection := range rejections {
		r.doors.refuse(rejection)
	}
}

// inSync says that the proxy holds a generation, and returns since when something of it was under way. The proxy can be
// faster than the loop: what it holds may be taken in only afterwards.
func (r *reporter) inSync(f xdsserver.InSync) (since time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.synced = f
	since = f.Since
	for _, c := range r.live() {
		if c.at.Before(since) {
			since = c.at
		}
	}
	if r.opened {
		r.announce()
	}
	return since
}

// live ends the changes that the proxy holds, and returns them.
func (r *reporter) live() []change {
	var done []change
	kept := r.waiting[:0]
	for _, c := range r.waiting {
		if c.generation > 0 && c.generation <= r.synced.Generation {
			done = append(done, c)
		} else {
			kept = append(kept, c)
		}
	}
	r.waiting = kept
	switch {
	case len(done) == 0:
	case r.opened:
		for _, c := range done {
			took := r.synced.At.Sub(c.at).Round(time.Millisecond)
			r.say("live", map[string]any{"files": c.files, "milliseconds": took.Milliseconds()},
				"%s %s  live in %s", r.clock(), r.names(c.files), took)
		}
	default:
		r.opened = true
		r.announce()
		if len(r.doors.all) == 0 {
			r.step(cli.Warn, "listening", "nothing: no Gateway of class controller "+controllerName+" has a listener that can be served")
		}
		r.say("watching", map[string]any{"folder": r.dir}, "watching %s", r.dir)
		r.settle()
	}
	return done
}

func (r *reporter) clock() string { return r.style.Faint(time.Now().Format(time.TimeOnly)) }

func (r *reporter) names(files []string) string {
	switch len(files) {
	case 0:
		return r.dir
	case 1:
		if rel, err := filepath.Rel(r.dir, files[0]); err == nil {
			return rel
		}
		return files[0]
	default:
		return strconv.Itoa(len(files)) + " files"
	}
}

func (r *reporter) draining() { r.say("draining", nil, "draining") }

func (r *reporter) bye(open int) {
	r.demos.stop()
	r.say("bye", map[string]any{"connections": open}, "%s were open; bye", plural(open, "connection"))
}
