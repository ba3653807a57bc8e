package main

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/spf13/cobra"

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
		Args:    cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			threshold, err := levelOf(failOn)
			if err != nil {
				return err
			}
			e, err := evaluate(args, standalone())
			if err != nil {
				return err
			}
			style, err := g.style(c.OutOrStdout())
			if err != nil {
				return err
			}
			problems := e.problems()
			switch output {
			case "text":
				printProblems(c.OutOrStdout(), style, problems)
				printSummary(c.ErrOrStderr(), e.update.Objects, problems)
			case "json":
				if err := printReport(c.OutOrStdout(), e.update.Objects, problems); err != nil {
					return err
				}
			default:
				return cli.Fail(cli.ExitUsage, "-o must be text or json, not %q", output)
			}
			return verdict(problems, threshold)
		},
	}
	c.Flags().StringVarP(&output, "output", "o", "text", "text or json")
	c.Flags().StringVar(&failOn, "fail-on", "error", "lowest level that fails: error, warning or info")
	return c
}

func levelOf(name string) (finding.Level, error) {
	for _, l := range []finding.Level{finding.Error, finding.Warning, finding.Info} {
		if l.String() == name {
			return l, nil
		}
	}
	return 0, cli.Fail(cli.ExitUsage, "--fail-on must be error, warning or info, not %q", name)
}

// verdict turns problems into an exit code. Text that is no YAML outweighs the rest.
func verdict(problems []manifest.Problem, threshold finding.Level) error {
	code := cli.ExitFine
	for _, p := range problems {
		if p.Finding.Code == finding.NotYAML || p.Finding.Code == finding.KeyDuplicate || p.Finding.Code == finding.FileUnreadable {
			return &cli.Error{Code: cli.ExitInput}
		}
		if p.Finding.Level() <= threshold {
			code = cli.ExitFindings
		}
	}
	if code == cli.ExitFine {
		return nil
	}
	return &cli.Error{Code: code}
}

func printProblems(w io.Writer, style cli.Style, problems []manifest.Problem) {
	for _, p := range problems {
		if p.Finding.Level() == finding.Info {
			continue
		}
		_, _ = fmt.Fprintf(w, "%s %s\n", style.Mark(markOf(p.Finding.Level())), p)
		_, _ = fmt.Fprintf(w, "  %s\n", style.Faint("fix: "+finding.Lookup(p.Finding.Code).Fix))
	}
}

func markOf(l finding.Level) cli.Mark {
	switch l {
	case finding.Error:
		return cli.Bad
	case finding.Warning:
		return cli.Warn
	default:
		return cli.OK
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

func printSummary(w io.Writer, objects int, problems []manifest.Problem) {
	e, n := count(problems)
	_, _ = fmt.Fprintf(w, "%s, %s, %s\n", plural(objects, "object"), plural(e, "error"), plural(n, "warning"))
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
	j := jsonProblem{
		Code: string(p.Finding.Code), Level: p.Finding.Level().String(), Field: p.Finding.Field, File: p.At.File,
		Line: p.At.Line, Column: p.At.Column, Message: p.Finding.Message, Fix: finding.Lookup(p.Finding.Code).Fix,
	}
	if p.Finding.Object.Kind != "" {
		j.Object = p.Finding.Object.String()
	}
	return j
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
	return enc.Encode(map[string]any{
		"apiVersion": apiVersion, "kind": "CheckReport", "objects": objects, "errors": e, "warnings": n, "problems": list,
	})
}
