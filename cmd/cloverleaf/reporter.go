package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
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
	"github.com/cloverleaf-mesh/cloverleaf/translator"
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
	doors   []translator.Entrance
	tries   []string
	demos   *demos
	caFile  string
}

// change is an update on its way to the proxy.
type change struct {
	files  []string
	at     time.Time
	pushed bool
}

func newReporter(c *cobra.Command, o *upOptions, style cli.Style) *reporter {
	return &reporter{
		out: c.OutOrStdout(), errors: c.ErrOrStderr(), json: o.output == "json", style: style,
		objects: map[ir.Ref]*manifest.Object{}, reports: map[ir.Ref]status.Report{}, told: map[string]manifest.Problem{},
		demos: newDemos(),
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
	r.say("step", map[string]any{"step": what, "text": text}, "%s %-10s %s", r.style.Mark(m), what, text)
}

func (r *reporter) envoy(b envoy.Binary) {
	mark, text := cli.OK, fmt.Sprintf("%s, found in %s", b.Version, b.Found)
	if f, old := b.Warning(); old {
		mark, text = cli.Warn, f.Message
	}
	r.step(mark, "envoy", text)
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
	text := p.String()
	if p.At.File == "" {
		text = string(p.Finding.Code) + " " + p.Finding.Level().String() + ": " + p.Finding.Message
	}
	fields := map[string]any{"problem": toJSON(p)}
	r.say("problem", fields, "%s %s", r.style.Mark(markOf(p.Finding.Level())), text)
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
			r.take(u, len(round.Delta.Resources) > 0)
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
		r.doors = round.Evaluator.Entrances()
		if !r.opened {
			r.tries = r.linesToTry(round.Evaluator)
			e, w := count(r.problems())
			r.step(markOfCounts(e, w), "manifests", fmt.Sprintf("%s: %s, %s, %s", r.dir, plural(r.count, "object"), plural(e, "error"), plural(w, "warning")))
		}
	}
	r.tellProblems()
	r.settle()
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

func (r *reporter) take(u file.Update, pushes bool) {
	for _, ref := range u.Removed {
		delete(r.objects, ref)
	}
	for _, o := range slices.Concat(u.Changed, u.Moved) {
		r.objects[o.Ref] = o
	}
	r.read, r.count = u.Problems, u.Objects
	r.waiting = append(r.waiting, change{files: u.Files, at: u.At, pushed: pushes})
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
		if c.pushed {
			kept = append(kept, c)
			continue
		}
		r.say("read", map[string]any{"files": c.files}, "%s %s", r.clock(), r.names(c.files)+"  nothing changes for the proxy")
	}
	r.waiting = kept
}

// inSync says that the proxy holds everything, and returns since when something was under way.
func (r *reporter) inSync(f xdsserver.InSync) (since time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	since = f.Since
	for _, c := range r.waiting {
		if c.at.Before(since) {
			since = c.at
		}
	}
	if !r.opened {
		r.open()
		r.waiting = nil
		return since
	}
	for _, c := range r.waiting {
		took := f.At.Sub(c.at).Round(time.Millisecond)
		r.say("live", map[string]any{"files": c.files, "milliseconds": took.Milliseconds()},
			"%s %s  live in %s", r.clock(), r.names(c.files), took)
	}
	r.waiting = nil
	return since
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

// open prints addresses and what to try, once the first configuration is live.
func (r *reporter) open() {
	r.opened = true
	for _, d := range r.doors {
		r.step(cli.OK, "listening", address(d)+r.style.Faint("   "+d.Listener.Gateway.String()+" "+d.Listener.Section))
	}
	if len(r.doors) == 0 {
		r.step(cli.Warn, "listening", "nothing: no Gateway of class controller "+controllerName+" has a listener that can be served")
	}
	if len(r.tries) > 0 {
		r.say("try", map[string]any{"commands": r.tries}, "try")
		if !r.json {
			for _, line := range r.tries {
				_, _ = fmt.Fprintf(r.errors, "  %s\n", line)
			}
		}
	}
	r.say("watching", map[string]any{"folder": r.dir}, "watching %s", r.dir)
}

func address(d translator.Entrance) string {
	scheme, host := "http", d.Address
	if d.TLS {
		scheme = "https"
	}
	if d.Hostname != ir.AnyHost {
		host = string(d.Hostname)
	}
	return scheme + "://" + net.JoinHostPort(host, strconv.Itoa(int(d.Port)))
}

func (r *reporter) draining() { r.say("draining", nil, "draining") }

func (r *reporter) bye(open int) {
	r.demos.stop()
	r.say("bye", map[string]any{"connections": open}, "%s were open; bye", plural(open, "connection"))
}
