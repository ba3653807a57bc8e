// Command cloverleaf is a Gateway API gateway on Envoy: on a laptop from a folder of manifests (`up`), and tools to
// look at what manifests mean (`check`, `translate`).
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/cloverleaf-mesh/cloverleaf/internal/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run executes a command line and returns its exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	root := newRoot()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	var coded *cli.Error
	switch {
	case err == nil:
		return cli.ExitFine
	case errors.As(err, &coded):
		if coded.Error() != "" {
			_, _ = fmt.Fprintln(stderr, "cloverleaf:", coded)
		}
		return coded.Code
	default: // cobra's own errors are about the command line
		_, _ = fmt.Fprintf(stderr, "cloverleaf: %v\nRun 'cloverleaf help' for the commands.\n", err)
		return cli.ExitUsage
	}
}

// globals are the flags of every command.
type globals struct {
	colour string
	ascii  bool
}

func (g *globals) style(w io.Writer) (cli.Style, error) { return cli.NewStyle(g.colour, w, g.ascii) }

func newRoot() *cobra.Command {
	g := &globals{}
	root := &cobra.Command{
		Use:           "cloverleaf",
		Short:         "A Gateway API gateway on Envoy",
		Long:          "Cloverleaf serves Gateway API manifests with Envoy: from a folder on this machine, without Kubernetes.",
		SilenceErrors: true,
		SilenceUsage:  true,
		Example:       "  cloverleaf up ./gateway\n  cloverleaf check ./gateway",
	}
	root.PersistentFlags().StringVar(&g.colour, "color", "auto", "auto, always or never")
	root.PersistentFlags().BoolVar(&g.ascii, "ascii", false, "marks in plain letters")
	root.AddCommand(newUp(g), newCheck(g), newTranslate(), newEcho(), newVersion())
	root.SetHelpCommand(newHelp(root))
	return root
}

// paths checks the arguments that name folders or files.
func paths(args []string) error {
	for _, path := range args {
		if _, err := os.Stat(path); err != nil {
			return cli.Fail(cli.ExitInput, "%s", strings.TrimPrefix(err.Error(), "stat "))
		}
	}
	return nil
}
