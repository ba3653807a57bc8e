package main

import (
	"slices"
	"strings"

	"github.com/cloverleaf-mesh/cloverleaf/controller/source/file"
	"github.com/cloverleaf-mesh/cloverleaf/controller/source/manifest"
	"github.com/cloverleaf-mesh/cloverleaf/controller/store"
	"github.com/cloverleaf-mesh/cloverleaf/internal/cli"
	"github.com/cloverleaf-mesh/cloverleaf/internal/memo"
	"github.com/cloverleaf-mesh/cloverleaf/translator"
	"github.com/cloverleaf-mesh/cloverleaf/translator/finding"
	"github.com/cloverleaf-mesh/cloverleaf/translator/input"
	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// controllerName is the controllerName of our GatewayClasses.
const controllerName = "cloverleaf.dev/gateway"

// standalone are the settings of commands that take a folder for the world.
func standalone() input.Settings {
	return input.Settings{Controller: controllerName, Standalone: input.On, Bind: "127.0.0.1", PortOffset: 10000}
}

// evaluated is a folder, read and evaluated once.
type evaluated struct {
	update    file.Update
	objects   map[ir.Ref]*manifest.Object
	store     *store.Store
	evaluator *translator.Evaluator
	delta     translator.Delta
}

func evaluate(dirs []string, settings input.Settings) (*evaluated, error) {
	if err := paths(dirs); err != nil {
		return nil, err
	}
	update, err := file.Load(dirs...)
	if err != nil {
		return nil, cli.Fail(cli.ExitInput, "%w", err)
	}
	table := memo.New()
	s := store.New(table, settings)
	e := &evaluated{update: update, objects: map[ir.Ref]*manifest.Object{}, store: s, evaluator: translator.NewEvaluator(table)}
	for _, o := range update.Changed {
		e.objects[o.Ref] = o
		s.Put(o.Value)
	}
	e.delta = e.evaluator.Refresh()
	return e, nil
}

// problems joins what was found reading with what was found evaluating, sorted by place.
func (e *evaluated) problems() []manifest.Problem {
	all := slices.Clone(e.update.Problems)
	for _, r := range e.delta.Reports {
		for _, f := range r.Findings {
			all = append(all, place(f, e.objects))
		}
	}
	sortPlaces(all)
	return all
}

// place finds where a finding of the core stands.
func place(f finding.Finding, objects map[ir.Ref]*manifest.Object) manifest.Problem {
	p := manifest.Problem{Finding: f}
	if o := objects[f.Object]; o != nil {
		p.At = o.Position(f.Field)
	}
	return p
}

func comparePlaces(a, b manifest.Problem) int {
	if c := strings.Compare(a.At.File, b.At.File); c != 0 {
		return c
	}
	if a.At.Line != b.At.Line {
		return a.At.Line - b.At.Line
	}
	return finding.Compare(a.Finding, b.Finding)
}
