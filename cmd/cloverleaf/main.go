// Command cloverleaf is a Gateway API gateway on Envoy: on a laptop from a folder of manifests (`up`), and tools to
// look at what manifests mean (`check`, `explain`, `translate`).
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/cloverleaf-mesh/cloverleaf/internal/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // the second signal ends what does not listen, as a command that reads a pipe
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run executes a command line and returns its exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) (code int) {
	defer func() {
		if p := recover(); p != nil {
			_, _ = fmt.Fprintf(stderr, "cloverleaf: internal error, please report it: %v\n%s", p, debug.Stack())
			code = cli.ExitInternal
		}
	}()
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
		_, _ = fmt.Fprintf(stderr, "cloverleaf: %s\nRun 'cloverleaf help' for the commands.\n", strings.TrimSpace(err.Error()))
		return cli.ExitUsage
	}
}

// coded gives the errors of commands an exit code, which tells them from those of the command line.
func coded(commands ...*cobra.Command) {
	for _, c := range commands {
		do := c.RunE
		c.RunE = func(c *cobra.Command, args []string) error {
			err := do(c, args)
			var known *cli.Error
			var system *fs.PathError
			switch {
			case err == nil || errors.As(err, &known):
				return err
			case errors.As(err, &system): // such as a full disk
				return cli.Fail(cli.ExitReach, "%w", err)
			default:
				return cli.Fail(cli.ExitInternal, "internal error, please report it: %w", err)
			}
		}
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
	root.AddCommand(newUp(g), newCheck(g), newExplain(g), newTranslate(g), newEcho(), newVersion())
	help := newHelp(root)
	root.SetHelpCommand(help)
	coded(append(root.Commands(), help)...)
	root.InitDefaultCompletionCmd()
	for _, c := range root.Commands() {
		if c.Name() == "completion" {
			c.Example = "  cloverleaf completion bash\n  cloverleaf completion zsh"
		}
	}
	return root
}

// anyPaths refuses a command line without a path, in the words of the command.
func anyPaths(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return cli.Fail(cli.ExitUsage, "%s needs a folder or a file, as in '%s ./gateway'", c.Name(), c.CommandPath())
	}
	return nil
}

// oneOf refuses a flag's value that is none of those allowed.
func oneOf(flag, value string, allowed ...string) error {
	if slices.Contains(allowed, value) {
		return nil
	}
	last := len(allowed) - 1
	return cli.Fail(cli.ExitUsage, "%s must be %s or %s, not %q", flag, strings.Join(allowed[:last], ", "), allowed[last], value)
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
