package xds

import (
	"bytes"
	"testing"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// byLibrary says origins in the library's types.
func byLibrary(t *testing.T, origins []ir.Origin) *corev3.Metadata {
	t.Helper()
	list := make([]any, len(origins))
	for i, o := range origins {
		fields := map[string]any{"kind": string(o.Kind), "namespace": o.Namespace, "name": o.Name.Name}
		if o.Section != "" {
			fields["section"] = o.Section
		}
		list[i] = fields
	}
	s, err := structpb.NewStruct(map[string]any{"resources": list})
	if err != nil {
		t.Fatal(err)
	}
	return &corev3.Metadata{FilterMetadata: map[string]*structpb.Struct{metadataNamespace: s}}
}

func TestOriginsAreEncodedAsTheLibraryWould(t *testing.T) {
	one := ir.Origin{Ref: ir.Ref{Kind: ir.KindHTTPRoute, Name: ir.Name{Namespace: "default", Name: "r"}}, Section: "0"}
	cases := map[string][]ir.Origin{
		"one":          {one},
		"two":          {{Ref: ir.Ref{Kind: ir.KindGateway, Name: ir.Name{Namespace: "n", Name: "gateway"}}}, one},
		"cluster wide": {{Ref: ir.Ref{Kind: ir.KindGatewayClass, Name: ir.Name{Name: "class"}}}},
		"long names": {{Ref: ir.Ref{Kind: ir.KindHTTPRoute, Name: ir.Name{
			Namespace: "namespace-with-a-name-of-which-the-length-needs-two-bytes-when-it-stands-with-the-others", Name: string(bytes.Repeat([]byte("n"), 253)),
		}}, Section: string(bytes.Repeat([]byte("s"), 253))}},
	}
	for name, origins := range cases {
		t.Run(name, func(t *testing.T) {
			deterministic := proto.MarshalOptions{Deterministic: true}
			got, err := deterministic.Marshal(originMetadata(origins))
			if err != nil {
				t.Fatal(err)
			}
			want, err := deterministic.Marshal(byLibrary(t, origins))
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("got  %x\nwant %x", got, want)
			}
		})
	}
	if originMetadata(nil) != nil {
		t.Error("nothing has metadata")
	}
}
