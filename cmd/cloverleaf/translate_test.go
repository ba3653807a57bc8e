package main

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cloverleaf-mesh/cloverleaf/internal/cli"
)

// TestAGatewaysStatusesAreThoseThatBelongToIt, directly or through a ListenerSet, and not those of its neighbour.
func TestAGatewaysStatusesAreThoseThatBelongToIt(t *testing.T) {
	t.Chdir(t.TempDir())
	text := "apiVersion: gateway.networking.k8s.io/v1\nkind: GatewayClass\nmetadata: {name: c}\nspec: {controllerName: cloverleaf.dev/gateway}\n"
	object := func(kind, name, spec string) {
		text += "---\napiVersion: gateway.networking.k8s.io/v1\nkind: " + kind + "\nmetadata: {name: " + name + "}\nspec: {" + spec + "}\n"
	}
	for g, ports := range map[string][2]string{"one": {"81", "82"}, "two": {"83", "84"}} {
		object("Gateway", g, "gatewayClassName: c, allowedListeners: {namespaces: {from: Same}}, listeners: [{name: http, port: "+ports[0]+", protocol: HTTP}]")
		object("ListenerSet", g+"-set", "parentRef: {name: "+g+"}, listeners: [{name: http, port: "+ports[1]+", protocol: HTTP}]")
		object("HTTPRoute", g+"-http", "parentRefs: [{kind: ListenerSet, name: "+g+"-set}]")
		object("GRPCRoute", g+"-grpc", "parentRefs: [{name: "+g+"}]")
	}
	write(t, "all.yaml", text)
	out, stderr, code := execute(t, "cloverleaf translate . --format json --gateway default/one")
	var list struct {
		Items []struct{ Object struct{ Kind, Name string } }
	}
	if err := json.Unmarshal([]byte(out), &list); err != nil || code != cli.ExitFine {
		t.Fatalf("exit %d, %s, %v", code, stderr, err)
	}
	var got []string
	for _, item := range list.Items {
		got = append(got, item.Object.Kind+" "+item.Object.Name)
	}
	slices.Sort(got)
	want := []string{"GRPCRoute one-grpc", "Gateway one", "GatewayClass c", "HTTPRoute one-http", "ListenerSet one-set"}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("statuses (-want +got):\n%s", d)
	}
}
