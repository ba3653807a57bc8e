package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"
	"sigs.k8s.io/yaml"

	"github.com/cloverleaf-mesh/cloverleaf/internal/cli"
	"github.com/cloverleaf-mesh/cloverleaf/translator/finding"
	"github.com/cloverleaf-mesh/cloverleaf/translator/input"
	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
	"github.com/cloverleaf-mesh/cloverleaf/translator/status"
	"github.com/cloverleaf-mesh/cloverleaf/translator/xds"
)

func newTranslate(g *globals) *cobra.Command {
	var output, format, gateway string
	c := &cobra.Command{
		Use:   "translate PATH...",
		Short: "Print what manifests become: statuses, the intermediate representation, or Envoy's resources",
		Long: "Translate reads folders and files and prints what becomes of them. What cannot be read, or would be refused by a\n" +
			"cluster, is left out and told on stderr; what else is wrong stands in the statuses, and 'cloverleaf check' says it.",
		Example: "  cloverleaf translate ./gateway -o status\n" +
			"  cloverleaf translate ./gateway -o xds --gateway default/edge",
		Args: anyPaths,
		RunE: func(c *cobra.Command, args []string) error {
			style, err := g.style(c.ErrOrStderr())
			if err := errors.Join(err, oneOf("-o", output, "status", "ir", "xds"), oneOf("--format", format, "yaml", "json")); err != nil {
				return err
			}
			e, err := evaluate(args, standalone())
			if err != nil {
				return err
			}
			if err := e.knows(gateway); err != nil {
				return err
			}
			result, err := e.translation(output, gateway)
			if err != nil {
				return err
			}
			if err := emit(c.OutOrStdout(), format, result); err != nil {
				return err
			}
			err = printProblems(c.ErrOrStderr(), style, e.update.Problems, finding.Warning)
			return cmp.Or(err, verdict(e.update.Problems, finding.Error))
		},
	}
	c.Flags().StringVarP(&output, "output", "o", "status", "status, ir or xds")
	c.Flags().StringVar(&format, "format", "yaml", "yaml or json")
	c.Flags().StringVar(&gateway, "gateway", "", "only what belongs to this Gateway (namespace/name)")
	return c
}

// knows refuses a Gateway that there is none of: printing nothing would look as if nothing came of it.
func (e *evaluated) knows(gateway string) error {
	var all []string
	for ref := range e.objects {
		if ref.Kind == ir.KindGateway {
			all = append(all, ref.Name.String())
		}
	}
	if gateway == "" || slices.Contains(all, gateway) {
		return nil
	}
	slices.Sort(all)
	return cli.Fail(cli.ExitUsage, "--gateway: there is no Gateway %q; there are: %s", gateway, cmp.Or(strings.Join(all, ", "), "none"))
}

func (e *evaluated) translation(output, gateway string) (any, error) {
	switch output {
	case "ir":
		return intermediate(e, gateway), nil
	case "xds":
		return resources(e, gateway)
	default:
		return statuses(e, gateway), nil
	}
}

func emit(w io.Writer, format string, v any) error {
	text, err := withoutNulls(v)
	if err != nil {
		return err
	}
	if format == "yaml" {
		if text, err = yaml.JSONToYAML(text); err != nil {
			return err
		}
	} else {
		text = append(text, '\n')
	}
	_, err = w.Write(text)
	return err
}

// withoutNulls writes JSON without what is not there: statuses have no times, and most lists are empty.
func withoutNulls(v any) ([]byte, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil, err
	}
	return json.MarshalIndent(prune(value), "", "  ")
}

func prune(value any) any {
	switch v := value.(type) {
	case map[string]any:
		maps.DeleteFunc(v, func(_ string, field any) bool { return field == nil })
		for name, field := range v {
			v[name] = prune(field)
		}
	case []any:
		for i, entry := range v {
			v[i] = prune(entry)
		}
	}
	return value
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
		if r.Status == nil || gateway != "" && !e.belongs(r, gateway) {
			continue
		}
		out.Items = append(out.Items, map[string]any{
			"object": map[string]string{"kind": string(r.Object.Kind), "namespace": r.Object.Namespace, "name": r.Object.Name.Name},
			"status": r.Status,
		})
	}
	return out
}

// belongs tells whether a status is that of a Gateway, of its class or of a ListenerSet that names it, or of an object one
// of whose parents or ancestors it is.
func (e *evaluated) belongs(r status.Report, gateway string) bool {
	switch s := r.Status.(type) {
	case *gwv1.GatewayStatus, *gwv1.ListenerSetStatus:
		return e.gatewayOf(r.Object) == gateway
	case *gwv1.GatewayClassStatus:
		for ref, o := range e.objects {
			if g, ok := o.Value.(*gwv1.Gateway); ok && ref.Name.String() == gateway {
				return string(g.Spec.GatewayClassName) == r.Object.Name.Name
			}
		}
	case *gwv1.HTTPRouteStatus:
		return e.isParent(r.Object, s.Parents, gateway)
	case *gwv1.GRPCRouteStatus:
		return e.isParent(r.Object, s.Parents, gateway)
	case *gwv1.PolicyStatus:
		return slices.ContainsFunc(s.Ancestors, func(a gwv1.PolicyAncestorStatus) bool {
			parent, ok := input.ParentOf(a.AncestorRef, r.Object.Namespace)
			return ok && e.gatewayOf(parent) == gateway
		})
	}
	return false
}

func (e *evaluated) isParent(route ir.Ref, parents []gwv1.RouteParentStatus, gateway string) bool {
	return slices.ContainsFunc(parents, func(p gwv1.RouteParentStatus) bool {
		parent, ok := input.ParentOf(p.ParentRef, route.Namespace)
		return ok && e.gatewayOf(parent) == gateway
	})
}

// gatewayOf names the Gateway that an object with listeners is, or names as its parent.
func (e *evaluated) gatewayOf(parent ir.Ref) string {
	if parent.Kind == ir.KindGateway {
		return parent.Name.String()
	}
	if o, ok := e.objects[parent]; ok {
		if set, ok := o.Value.(*gwv1.ListenerSet); ok {
			name, _ := input.SetParent(set.Spec.ParentRef, parent.Namespace)
			return name.String()
		}
	}
	return ""
}

func intermediate(e *evaluated, gateway string) list {
	out := list{apiVersion, "IRList", []any{}}
	wanted := needed(e, gateway)
	for _, class := range e.evaluator.IR() {
		class.Listeners = slices.DeleteFunc(class.Listeners, func(l ir.Listener) bool { return wanted.without(ir.TypeListener, string(l.Name)) })
		class.Tables = slices.DeleteFunc(class.Tables, func(t ir.RouteTable) bool { return wanted.without(ir.TypeRouteTable, string(t.Name)) })
		class.VirtualHosts = slices.DeleteFunc(class.VirtualHosts, func(v ir.VirtualHost) bool { return wanted.without(ir.TypeVirtualHost, v.Name.String()) })
		class.Backends = slices.DeleteFunc(class.Backends, func(b ir.Backend) bool { return wanted.without(ir.TypeCluster, string(b.Name)) })
		class.Endpoints = slices.DeleteFunc(class.Endpoints, func(p ir.Endpoints) bool { return wanted.without(ir.TypeEndpoints, string(p.Backend)) })
		class.Secrets = slices.DeleteFunc(class.Secrets, func(n ir.SecretName) bool { return wanted.without(ir.TypeSecret, string(n)) })
		out.Items = append(out.Items, class)
	}
	return out
}

// resources prints what is sent, in the order of types; with a Gateway, what that Gateway's listeners need.
func resources(e *evaluated, gateway string) (list, error) {
	out := list{apiVersion, "ResourceList", []any{}}
	wanted := needed(e, gateway)
	for _, ch := range e.delta.Resources {
		if ch.Resource == nil || wanted.without(ch.ID.Type, ch.ID.Name) {
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

// selection are the resources to print; nil means all of them.
type selection map[ir.ResourceID]bool

// without tells whether a resource is not among them.
func (s selection) without(t ir.Type, name string) bool {
	return s != nil && !s[ir.ResourceID{Type: t, Name: name}]
}

// needed finds what belongs to a Gateway, and what that needs; nil for everything.
func needed(e *evaluated, gateway string) selection {
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
	found := selection{}
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
