package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"
)

// report prints tables as they are measured, and keeps them and the gates for the end.
type report struct {
	out    io.Writer
	Tables []table `json:"tables"`
	Gates  []gate  `json:"gates"`
}

// table is one table of docs/benchmarks.md.
type table struct {
	Title string     `json:"title"`
	Head  []string   `json:"head"`
	Rows  [][]string `json:"rows"`
}

// gate is a goal and what was measured.
type gate struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
	Limit float64 `json:"limit"`
	Unit  string  `json:"unit"`
}

func newReport(out io.Writer) *report { return &report{out: out} }

func (g gate) met() bool { return g.Value <= g.Limit }

func (g gate) String() string {
	word := "ok  "
	if !g.met() {
		word = "MISS"
	}
	return fmt.Sprintf("%s  %s: %s %s of at most %s", word, g.Name, short(g.Value), g.Unit, short(g.Limit))
}

func short(v float64) string {
	text := fmt.Sprintf("%.2f", v)
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
}

// gate compares a figure with its goal.
func (r *report) gate(name string, value, limit float64, unit string) {
	r.Gates = append(r.Gates, gate{name, value, limit, unit})
}

// add prints a table in Markdown.
func (r *report) add(t table) {
	r.Tables = append(r.Tables, t)
	rule := make([]string, len(t.Head))
	for i := range rule {
		rule[i] = "---"
	}
	_, _ = fmt.Fprintf(r.out, "\n**%s**\n\n", t.Title)
	for _, row := range append([][]string{t.Head, rule}, t.Rows...) {
		_, _ = fmt.Fprintf(r.out, "| %s |\n", strings.Join(row, " | "))
	}
}

// save writes everything as JSON.
func (r *report) save(path string) error {
	if path == "" {
		return nil
	}
	text, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(text, '\n'), 0o644)
}

// verdict prints the gates; its error says which goals were missed.
func (r *report) verdict() error {
	_, _ = fmt.Fprintf(r.out, "\n")
	var missed []string
	for _, g := range r.Gates {
		_, _ = fmt.Fprintln(r.out, g)
		if !g.met() {
			missed = append(missed, g.Name)
		}
	}
	if len(missed) > 0 {
		return fmt.Errorf("%d of %d goals missed: %s", len(missed), len(r.Gates), strings.Join(missed, "; "))
	}
	return nil
}

// series are figures of one thing, measured several times.
type series []float64

func (s series) median() float64 {
	if len(s) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(s))
	return (sorted[(len(sorted)-1)/2] + sorted[len(sorted)/2]) / 2
}

// String returns the median with the least and the greatest, and how many there are.
func (s series) String() string {
	if len(s) == 0 {
		return "-"
	}
	return fmt.Sprintf("%s [%s-%s] N=%d", figure(s.median()), figure(slices.Min(s)), figure(slices.Max(s)), len(s))
}

// figure prints three digits or all before the point.
func figure(v float64) string {
	switch {
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	default:
		return fmt.Sprintf("%.2f", v)
	}
}

const (
	kB = 1000
	mB = 1000 * kB
)

// size prints a number of bytes.
func size(bytes int64) string {
	switch {
	case bytes >= mB:
		return figure(float64(bytes)/mB) + " MB"
	case bytes >= kB:
		return figure(float64(bytes)/kB) + " kB"
	default:
		return fmt.Sprintf("%d B", bytes)
	}
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
