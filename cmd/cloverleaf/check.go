package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cloverleaf-mesh/cloverleaf/controller/source/file"
	"github.com/cloverleaf-mesh/cloverleaf/controller/source/manifest"
	"github.com/cloverleaf-mesh/cloverleaf/internal/cli"
	"github.com/cloverleaf-mesh/cloverleaf/translator/finding"
)

func newCheck(g *globals) *cobra.Command {
	var output, failOn string
	c := &cobra.Command{
		Use:   "check PATH...",
		Short: "Find what is wrong with manifests",
		Long: "Check reads folders and files as a cluster would, evaluates them together, and prints each problem with its\n" +
			"place and what to do. It needs no Envoy and no network.",
		Example: "  cloverleaf check ./gateway\n  cloverleaf check ./gateway -o json --fail-on warning",
		Args:    anyPaths,
		RunE: func(c *cobra.Command, args []string) error {
			style, err := g.style(c.OutOrStdout())
			if err := errors.Join(err, oneOf("-o", output, "text", "json"), oneOf("--fail-on", failOn, "error", "warning", "info")); err != nil {
				return err
			}
			e, err := evaluate(args, standalone())
			if err != nil {
				return err
			}
			problems, threshold := e.problems(), levelOf(failOn)
			if output == "json" {
				err = printReport(c.OutOrStdout(), e.update.Objects, problems)
			} else {
				err = printProblems(c.OutOrStdout(), style, problems, max(threshold, finding.Warning))
				printSummary(c.ErrOrStderr(), e.update, args, problems)
			}
			return cmp.Or(err, verdict(problems, threshold))
		},
	}
	c.Flags().StringVarP(&output, "output", "o", "text", "text or json")
	c.Flags().StringVar(&failOn, "fail-on", "error", "lowest level that fails: error, warning or info")
	return c
}

func levelOf(name string) finding.Level {
	for _, l := range []finding.Level{finding.Error, finding.Warning} {
		if l.String() == name {
			return l
		}
	}
	return finding.Info
}

// verdict turns problems into an exit code. What could not even be read outweighs the rest.
func verdict(problems []manifest.Problem, threshold finding.Level) error {
	code := cli.ExitFine
	for _, p := range problems {
		switch {
		case slices.Contains([]finding.Code{finding.NotYAML, finding.KeyDuplicate, finding.FileUnreadable, finding.FolderGone}, p.Finding.Code):
			return &cli.Error{Code: cli.ExitInput}
		case p.Finding.Level() <= threshold:
			code = cli.ExitFindings
		}
	}
	if code == cli.ExitFine {
		return nil
	}
	return &cli.Error{Code: code}
}

// printProblems prints the problems down to a level, each with what to do.
func printProblems(w io.Writer, style cli.Style, problems []manifest.Problem, down finding.Level) error {
	var failed error
	for _, p := range problems {
		if p.Finding.Level() <= down {
			_, err := fmt.Fprintf(w, "%s %s\n  %s\n", style.Mark(markOf(p.Finding.Level())), p, style.Faint("fix: "+finding.Lookup(p.Finding.Code).Fix))
			failed = cmp.Or(failed, err)
		}
	}
	return failed
}

func markOf(l finding.Level) cli.Mark {
	switch l {
	case finding.Error:
		return cli.Bad
	default: // what is only worth knowing is printed when it counts
		return cli.Warn
	}
}

func count(problems []manifest.Problem) (errors, warnings int) {
	for _, p := range problems {
		switch p.Finding.Level() {
		case finding.Error:
			errors++
		case finding.Warning:
			warnings++
		case finding.Info:
		}
	}
	return errors, warnings
}

// printSummary says what was looked at. Objects of other kinds are counted, so that nobody thinks that they were checked.
func printSummary(w io.Writer, u file.Update, paths []string, problems []manifest.Problem) {
	if len(u.Files) == 0 {
		_, _ = fmt.Fprintf(w, "nothing to read in %s: manifests end in .yaml, .yml or .json\n", strings.Join(paths, ", "))
		return
	}
	e, n := count(problems)
	text := plural(u.Objects, "object") + ", " + plural(e, "error") + ", " + plural(n, "warning")
	others := 0
	for _, p := range problems {
		if p.Finding.Code == finding.KindIgnored {
			others++
		}
	}
	if others > 0 {
		text += "; " + plural(others, "object") + " of other kinds not looked at"
	}
	_, _ = fmt.Fprintln(w, text)
}

func plural(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return fmt.Sprintf("%d %ss", n, word)
}

// jsonProblem is a problem as -o json prints it.
type jsonProblem struct {
	Code    string `json:"code"`
	Level   string `json:"level"`
	Object  string `json:"object,omitempty"`
	Field   string `json:"field,omitempty"`
	File    string `json:"file,omitempty"`
	Line    int    `json:"line,omitempty"`
	Column  int    `json:"column,omitempty"`
	Message string `json:"message"`
	Fix     string `json:"fix"`
}

func toJSON(p manifest.Problem) jsonProblem {
	return jsonProblem{
		Code: string(p.Finding.Code), Level: p.Finding.Level().String(), Object: p.Object(), Field: p.Finding.Field, File: p.At.File,
		Line: p.At.Line, Column: p.At.Column, Message: p.Finding.Message, Fix: finding.Lookup(p.Finding.Code).Fix,
	}
}

// report is what -o json prints.
type report struct {
	APIVersion string        `json:"apiVersion"`
	Kind       string        `json:"kind"`
	Objects    int           `json:"objects"`
	Errors     int           `json:"errors"`
	Warnings   int           `json:"warnings"`
	Problems   []jsonProblem `json:"problems"`
}

func printReport(w io.Writer, objects int, problems []manifest.Problem) error {
	list := []jsonProblem{}
	for _, p := range problems {
		list = append(list, toJSON(p))
	}
	e, n := count(problems)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(report{apiVersion, "CheckReport", objects, e, n, list})
}
