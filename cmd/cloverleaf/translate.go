package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"
	"sigs.k8s.io/yaml"

	"github.com/cloverleaf-mesh/cloverleaf/internal/cli"
	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
	"github.com/cloverleaf-mesh/cloverleaf/translator/xds"
)

func newTranslate() *cobra.Command {
	var output, format, gateway string
	c := &cobra.Command{
		Use:   "translate PATH...",
		Short: "Print what manifests become: statuses, the intermediate representation, or Envoy's resources",
		Example: "  cloverleaf translate ./gateway -o status\n" +
			"  cloverleaf translate ./gateway -o xds --gateway default/edge",
		Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			e, err := evaluate(args, standalone())
			if err != nil {
				return err
			}
			var result any
			switch output {
			case "status":
				result = statuses(e, gateway)
			case "ir":
				result = intermediate(e, gateway)
			case "xds":
				result, err = resources(e, gateway)
			default:
				return cli.Fail(cli.ExitUsage, "-o must be status, ir or xds, not %q", output)
			}
			if err != nil {
				return err
			}
			return emit(c.OutOrStdout(), format, result)
		},
	}
	c.Flags().StringVarP(&output, "output", "o", "status", "status, ir or xds")
	c.Flags().StringVar(&format, "format", "yaml", "yaml or json")
	c.Flags().StringVar(&gateway, "gateway", "", "only what belongs to this Gateway (namespace/name)")
	return c
}

func emit(w io.Writer, format string, v any) error {
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	switch format {
	case "json":
		text = append(text, '\n')
	case "yaml":
		if text, err = yaml.JSONToYAML(text); err != nil {
			return err
		}
	default:
		return cli.Fail(cli.ExitUsage, "--format must be yaml or json, not %q", format)
	}
	_, err = w.Write(text)
	return err
}

// list is what -o status, ir and xds print.
type list struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Items      []any  `json:"items"`
}

func statuses(e *evaluated, gateway string) list {
	out := list{apiVersion, "StatusList", []any{}}
	for _, r := range e.delta.Reports {
		if r.Status == nil || gateway != "" && r.Object.Kind == ir.KindGateway && r.Object.Name.String() != gateway {
			continue
		}
		out.Items = append(out.Items, map[string]any{
			"object": map[string]string{"kind": string(r.Object.Kind), "namespace": r.Object.Namespace, "name": r.Object.Name.Name},
			"status": r.Status,
		})
	}
	return out
}

func intermediate(e *evaluated, gateway string) list {
	out := list{apiVersion, "IRList", []any{}}
	for _, class := range e.evaluator.IR() {
		keep := func(name string) bool { return gateway == "" || ir.OfGateway(name, gateway) }
		class.Listeners = slices.DeleteFunc(class.Listeners, func(l ir.Listener) bool { return !keep(string(l.Name)) })
		class.Tables = slices.DeleteFunc(class.Tables, func(t ir.RouteTable) bool { return !keep(string(t.Name)) })
		class.VirtualHosts = slices.DeleteFunc(class.VirtualHosts, func(v ir.VirtualHost) bool { return !keep(string(v.Name.Table) + "/") })
		out.Items = append(out.Items, class)
	}
	return out
}

// resources prints what is sent, in the order of types; with a Gateway, what that Gateway's listeners need.
func resources(e *evaluated, gateway string) (list, error) {
	out := list{apiVersion, "ResourceList", []any{}}
	wanted := needed(e, gateway)
	for _, ch := range e.delta.Resources {
		if ch.Resource == nil || wanted != nil && !wanted[ch.ID] {
			continue
		}
		body, err := xds.JSON(ch.Resource)
		if err != nil {
			return out, err
		}
		out.Items = append(out.Items, map[string]any{
			"type": xds.TypeURL(ch.ID.Type), "name": ch.ID.Name, "version": ch.Resource.Version, "resource": json.RawMessage(body),
		})
	}
	for _, f := range e.delta.Faults {
		return out, fmt.Errorf("%s could not be encoded: %s", f.ID, f.Message)
	}
	return out, nil
}

// needed finds what belongs to a Gateway, and what that needs; nil for everything.
func needed(e *evaluated, gateway string) map[ir.ResourceID]bool {
	if gateway == "" {
		return nil
	}
	needs := map[ir.ResourceID][]ir.ResourceID{}
	var todo []ir.ResourceID
	for _, ch := range e.delta.Resources {
		needs[ch.ID] = ch.Resource.Needs
		if ir.OfGateway(ch.ID.Name, gateway) {
			todo = append(todo, ch.ID)
		}
	}
	found := map[ir.ResourceID]bool{}
	for len(todo) > 0 {
		id := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if !found[id] {
			found[id] = true
			todo = append(todo, needs[id]...)
		}
	}
	return found
}
