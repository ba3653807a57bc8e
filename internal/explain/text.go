package explain

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/cloverleaf-mesh/cloverleaf/internal/cli"
	"github.com/cloverleaf-mesh/cloverleaf/internal/envoysim"
)

// mostLost is how many losers are shown unless all are asked for.
const mostLost = 6

// row is a line: what it is about, an object, what is said of it, and where it stands.
type row struct{ label, object, words, place string }

// Print writes an explanation for people.
func (e *Explanation) Print(out io.Writer, style cli.Style, all bool) error {
	p := &printer{}
	if l := e.Listener; l != nil {
		p.add("listener", l.words(), fmt.Sprintf(":%d %s", l.Port, l.Words), l.place())
	}
	if h := e.Host; h != nil {
		words := ""
		if len(h.Beat) > 0 {
			words = "beat " + strings.Join(h.Beat, ", ")
		}
		p.add("host", domainWords(h.Domain), words, h.place())
	}
	for _, s := range e.Path {
		p.add("path", s.Path, s.What, "")
	}
	if e.Route != nil {
		p.add("route", e.Route.words(), e.Route.Match, e.Route.place())
	}
	p.losers(e, all)
	p.outcomes(e)
	if err := p.flush(out, style); err != nil {
		return err
	}
	return e.printEnd(out, style)
}

// printEnd writes the result, or what is missing.
func (e *Explanation) printEnd(out io.Writer, style cli.Style) error {
	mark, text := cli.OK, e.result()
	if !e.Served {
		mark, text = cli.Bad, e.Missing+" ("+e.result()+")"
	}
	if _, err := fmt.Fprintf(out, "%s %s\n", style.Mark(mark), text); err != nil {
		return err
	}
	for _, h := range e.Hints {
		line := h.Text
		if h.Object != "" {
			line = h.words() + ": " + line
		}
		if h.Code != "" {
			line = h.Code + " " + line
		}
		if place := h.place(); place != "" {
			line += "  " + style.Faint(place)
		}
		if _, err := fmt.Fprintf(out, "  %s\n", line); err != nil {
			return err
		}
	}
	for _, u := range e.Unknown {
		if _, err := fmt.Fprintf(out, "%s not looked at: %s\n", style.Mark(cli.Warn), u); err != nil {
			return err
		}
	}
	return nil
}

// result says in short what the client gets.
func (e *Explanation) result() string {
	var words []string
	for i := range e.Outcomes {
		o := &e.Outcomes[i]
		text := "sent to " + o.target()
		if o.Answer != nil {
			text = o.Answer.summary()
		}
		if len(e.Outcomes) > 1 {
			text = envoysim.Percent(o.Share) + " " + text
		}
		words = append(words, text)
	}
	if len(words) == 0 {
		return "the connection is not taken"
	}
	return strings.Join(words, ", ")
}

func (o *Outcome) target() string {
	if o.Backend == nil {
		return "nowhere"
	}
	return o.Backend.Cluster
}

// summary says what an answer of the proxy is.
func (m *Message) summary() string {
	if m.Status == 0 {
		return "the stream is closed"
	}
	text := fmt.Sprintf("answered with %d", m.Status)
	for _, h := range m.Headers {
		switch h.Name {
		case "location":
			text += ", Location " + h.Value
		case "grpc-status":
			text += ", gRPC status " + h.Value
		}
	}
	return text
}

// words names an object and its part.
func (s Source) words() string {
	switch {
	case s.Section == "":
		return s.Object
	case strings.HasPrefix(s.Section, "spec."):
		return s.Object + " " + s.Section
	case strings.HasPrefix(s.Object, "Gateway/"), strings.HasPrefix(s.Object, "ListenerSet/"):
		return s.Object + "#" + s.Section
	case strings.HasPrefix(s.Object, "Service/"):
		return s.Object + ":" + s.Section
	case strings.Trim(s.Section, "0123456789") == "":
		return s.Object + " rule[" + s.Section + "]"
	default:
		return s.Object + " rule " + s.Section
	}
}

func (s Source) place() string {
	if s.Line == 0 {
		return s.File
	}
	return fmt.Sprintf("%s:%d", s.File, s.Line)
}

// printer collects rows, so that columns can be as wide as they must.
type printer struct{ rows []row }

func (p *printer) add(label, object, words, place string) {
	p.rows = append(p.rows, row{label, object, words, place})
}

func (p *printer) losers(e *Explanation, all bool) {
	shown := e.Lost
	if !all {
		if e.Route != nil { // a rule for another path is no candidate
			shown = slices.DeleteFunc(slices.Clone(shown), func(r Route) bool { return r.Lost == "Path" })
		}
		shown = shown[:min(len(shown), mostLost)]
	}
	for _, r := range shown {
		p.add("  lost", r.words(), r.Detail, r.place())
	}
	if more := len(e.Lost) - len(shown); more > 0 {
		p.add("  lost", fmt.Sprintf("%d more: see --all", more), "", "")
	}
}

// outcomes writes what is done to requests and where they go. Effects that all outcomes have stand once.
func (p *printer) outcomes(e *Explanation) {
	if e.Route == nil {
		return
	}
	shared := func(f Effect) bool {
		return !slices.ContainsFunc(e.Outcomes, func(o Outcome) bool { return !slices.Contains(o.Effects, f) })
	}
	label := "filters"
	for _, f := range e.Outcomes[0].Effects {
		if shared(f) {
			p.add(label, f.What, "", "")
			label = ""
		}
	}
	label = "backends"
	for i := range e.Outcomes {
		o := &e.Outcomes[i]
		share := envoysim.Percent(o.Share)
		switch {
		case o.Backend != nil:
			p.add(label, share+" "+o.Backend.words(), o.Backend.health(), o.Backend.place())
			label = ""
		case o.Answer != nil && len(e.Outcomes) > 1:
			p.add(label, share+" "+o.Answer.summary(), "", "")
			label = ""
		}
		for _, f := range o.Effects {
			if !shared(f) {
				p.add("", "  "+f.What, "", "")
			}
		}
		if o.Backend != nil {
			for _, m := range o.Backend.Mirrors {
				p.add("", "  copies of "+envoysim.Percent(m.Share)+" to "+m.words(), "", m.place())
			}
		}
	}
	p.receives(e)
}

func (m *Mirror) words() string {
	if m.Object == "" {
		return m.Cluster
	}
	return m.Source.words()
}

func (b *Backend) words() string {
	if b.Object == "" {
		return b.Cluster
	}
	return b.Source.words()
}

func (b *Backend) health() string {
	if b.Resolved {
		return "resolved by DNS"
	}
	text := fmt.Sprintf("%d ready", b.Ready)
	if b.Draining > 0 {
		text += fmt.Sprintf(", %d draining", b.Draining)
	}
	return text
}

// receives writes what backends get, once for each that differs.
func (p *printer) receives(e *Explanation) {
	label := "receives"
	var told []string
	for i := range e.Outcomes {
		m := e.Outcomes[i].Receives
		if m == nil {
			continue
		}
		line := m.Method + " " + m.Path
		if slices.Contains(told, line+m.Host) {
			continue
		}
		told = append(told, line+m.Host)
		p.add(label, line, "Host "+m.Host, "")
		label = ""
	}
}

// widest is how wide a column may get before it only pushes its own line.
const widest = 44

func (p *printer) flush(out io.Writer, style cli.Style) error {
	var object, words int
	for _, r := range p.rows {
		if n := utf8.RuneCountInString(r.object); n <= widest && r.words+r.place != "" {
			object = max(object, n)
		}
		if n := utf8.RuneCountInString(r.words); n <= widest && r.place != "" {
			words = max(words, n)
		}
	}
	for _, r := range p.rows {
		line := fmt.Sprintf("%-10s %s", r.label, r.object)
		if r.words+r.place != "" {
			line = fmt.Sprintf("%-10s %s  %s", r.label, pad(r.object, object), r.words)
		}
		if r.place != "" {
			line = fmt.Sprintf("%-10s %s  %s  %s", r.label, pad(r.object, object), pad(r.words, words), style.Faint(r.place))
		}
		if _, err := fmt.Fprintln(out, strings.TrimRight(line, " ")); err != nil {
			return err
		}
	}
	return nil
}

func pad(s string, width int) string {
	return s + strings.Repeat(" ", max(width-utf8.RuneCountInString(s), 0))
}
