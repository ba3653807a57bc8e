package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cloverleaf-mesh/cloverleaf/internal/cli"
	"github.com/cloverleaf-mesh/cloverleaf/translator/finding"
)

const exitCodes = `0  fine
1  findings at or above --fail-on, documents that translate left out, or a request that nothing serves
2  usage: the command line is wrong
3  input that cannot be read
4  something that cannot be reached, started or written, such as Envoy
5  internal error
`

// newHelp is help for commands, for exit codes and for the codes of findings.
func newHelp(root *cobra.Command) *cobra.Command {
	return &cobra.Command{
		Use:     "help [COMMAND | CODE | codes | exit-codes]",
		Short:   "Help about a command, about a finding's code, or about exit codes",
		Example: "  cloverleaf help CL0401\n  cloverleaf help exit-codes\n  cloverleaf help up",
		RunE: func(c *cobra.Command, args []string) error {
			out := c.OutOrStdout()
			root.InitDefaultHelpFlag() // as --help does
			if len(args) == 0 {
				return root.Help()
			}
			switch topic := strings.ToUpper(args[0]); {
			case args[0] == "exit-codes":
				_, err := io.WriteString(out, exitCodes)
				return err
			case args[0] == "codes":
				return printCodes(out)
			case strings.HasPrefix(topic, "CL"):
				return printCode(out, finding.Code(topic))
			}
			found, _, err := root.Find(args)
			if err != nil || found == root {
				return cli.Fail(cli.ExitUsage, "no help on %q", strings.Join(args, " "))
			}
			found.SetOut(out)
			found.InitDefaultHelpFlag()
			return found.Help()
		},
	}
}

func printCodes(out io.Writer) error {
	var rows [][]string
	for _, e := range finding.Catalogue() {
		rows = append(rows, []string{string(e.Code), e.Level.String(), e.Title})
	}
	return cli.Table(out, []string{"code", "level", "title"}, rows)
}

func printCode(out io.Writer, code finding.Code) error {
	for _, e := range finding.Catalogue() {
		if e.Code == code {
			_, err := fmt.Fprintf(out, "%s  %s: %s\n\n%s\n\nExample:\n  %s\n\nFix:\n  %s\n", e.Code, e.Level, e.Title, e.Meaning, e.Example, e.Fix)
			return err
		}
	}
	return cli.Fail(cli.ExitUsage, "there is no code %s; see 'cloverleaf help codes'", code)
}
