package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/cloverleaf-mesh/cloverleaf/controller/localca"
	"github.com/cloverleaf-mesh/cloverleaf/controller/source/manifest"
	"github.com/cloverleaf-mesh/cloverleaf/internal/cli"
	"github.com/cloverleaf-mesh/cloverleaf/internal/envoysim"
	"github.com/cloverleaf-mesh/cloverleaf/internal/explain"
	"github.com/cloverleaf-mesh/cloverleaf/translator"
	"github.com/cloverleaf-mesh/cloverleaf/translator/input"
	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
	"github.com/cloverleaf-mesh/cloverleaf/translator/status"
)

// explainFlags are what a request is explained with.
type explainFlags struct {
	headers []string
	output  string
	all     bool
	localCA bool
}

func newExplain(g *globals) *cobra.Command {
	f := &explainFlags{}
	c := &cobra.Command{
		Use:   "explain REQUEST PATH...",
		Short: "Say what becomes of a request, and which object decides it",
		Long: "Explain reads folders and files, makes Envoy's configuration of them, and says what Envoy does with a request:\n" +
			"listener, host, rule, filters and backends, each with the object and the line that it came from, and for every\n" +
			"other rule on what it lost. Where nothing takes the request it says what is missing. It needs no Envoy and no\n" +
			"network, and sends nothing.\n\n" +
			"REQUEST is 'METHOD URL'. A port is that of the Gateway's listener, or the one that `up` binds, and an IP address\n" +
			"that of the Gateway, if it has one of its own. h2c:// is HTTP/2 without TLS, and GRPC in place of a method is a\n" +
			"call of /service/method.",
		Example: "  cloverleaf explain 'GET http://shop.localhost/cart/7' -H 'x-beta: 1' ./gateway\n" +
			"  cloverleaf explain 'GRPC h2c://shop.localhost/shop.Cart/Add' ./gateway -o json",
		Args: cobra.MinimumNArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			if !strings.Contains(args[0], " ") && len(args) > 2 && strings.Contains(args[1], "://") { // METHOD URL without quotes
				args = append([]string{args[0] + " " + args[1]}, args[2:]...)
			}
			return f.run(c, g, args[0], args[1:])
		},
	}
	c.Flags().StringArrayVarP(&f.headers, "header", "H", nil, "'name: value', as often as needed")
	c.Flags().StringVarP(&f.output, "output", "o", "text", "text or json")
	c.Flags().BoolVar(&f.all, "all", false, "every rule that lost, not only those that come near")
	c.Flags().BoolVar(&f.localCA, "local-ca", false, "take missing certificates as made, as 'up --local-ca' does")
	return c
}

func (f *explainFlags) run(c *cobra.Command, g *globals, request string, dirs []string) error {
	q, err := explain.Parse(request, f.headers)
	if err != nil {
		return cli.Fail(cli.ExitUsage, "%w", err)
	}
	style, err := g.style(c.OutOrStdout())
	if err != nil {
		return err
	}
	result, err := f.explain(q, dirs, c.ErrOrStderr())
	if err != nil {
		return err
	}
	switch f.output {
	case "text":
		err = result.Print(c.OutOrStdout(), style, f.all)
	case "json":
		enc := json.NewEncoder(c.OutOrStdout())
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		err = enc.Encode(result)
	default:
		return cli.Fail(cli.ExitUsage, "-o must be text or json, not %q", f.output)
	}
	if err == nil && !result.Served {
		return &cli.Error{Code: cli.ExitFindings}
	}
	return err
}

// explain takes ports as the manifests write them and, if none of them is asked for, as `up` binds them.
func (f *explainFlags) explain(q envoysim.Request, dirs []string, errors io.Writer) (*explain.Explanation, error) {
	written := standalone()
	written.PortOffset = 0
	first, err := f.with(written, q, dirs)
	if err != nil {
		return nil, err
	}
	if first.explanation.Verdict == envoysim.NoListener.String() {
		bound, err := f.with(standalone(), q, dirs)
		if err != nil {
			return nil, err
		}
		if bound.explanation.Verdict != envoysim.NoListener.String() {
			first = bound
		}
	}
	if n, _ := count(first.problems); n > 0 {
		_, _ = fmt.Fprintf(errors, "%s in the manifests: see 'cloverleaf check %s'\n", plural(n, "error"), strings.Join(dirs, " "))
	}
	return first.explanation, nil
}

// explained is an explanation and what was found reading and evaluating.
type explained struct {
	explanation *explain.Explanation
	problems    []manifest.Problem
}

func (f *explainFlags) with(settings input.Settings, q envoysim.Request, dirs []string) (explained, error) {
	if f.localCA {
		settings.LocalCA = input.On
	}
	e, err := evaluate(dirs, settings)
	if err != nil {
		return explained{}, err
	}
	resources := map[ir.ResourceID]*ir.Resource{}
	hold := func(d translator.Delta) {
		for _, ch := range d.Resources {
			resources[ch.ID] = ch.Resource
		}
	}
	hold(e.delta)
	if len(e.delta.Wants) > 0 {
		if err := e.certify(); err != nil {
			return explained{}, err
		}
		hold(e.delta)
	}
	var list []*ir.Resource
	for _, r := range resources {
		if r != nil {
			list = append(list, r)
		}
	}
	config, err := envoysim.New(list)
	if err != nil {
		return explained{}, fmt.Errorf("what is sent to Envoy is not understood: %w", err)
	}
	w := &explain.World{Config: config, Objects: e.objects, Problems: e.problems()}
	return explained{w.Explain(q, apiVersion), w.Problems}, nil
}

// certify makes the certificates that are wanted of a local CA, of one that nobody keeps, and evaluates again.
func (e *evaluated) certify() error {
	dir, err := os.MkdirTemp("", "cloverleaf")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	ca, err := localca.Open(dir)
	if err != nil {
		return err
	}
	chain, key, err := ca.Leaf([]string{"localhost"}, time.Now())
	if err != nil {
		return err
	}
	for _, w := range e.delta.Wants {
		e.store.SetLocalCertificate(w.Secret, chain, key)
	}
	reports := e.delta.Reports
	e.delta = e.evaluator.Refresh()
	e.delta.Reports = newest(reports, e.delta.Reports)
	return nil
}

// newest joins reports, of which later ones replace earlier ones.
func newest(before, after []status.Report) []status.Report {
	for _, r := range after {
		i := slices.IndexFunc(before, func(b status.Report) bool { return b.Object == r.Object })
		if i < 0 {
			before = append(before, r)
		} else {
			before[i] = r
		}
	}
	return before
}
