package envoysim

import (
	"slices"
	"strings"
	"testing"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/known/durationpb"
)

// TestWhatIsNotUnderstoodIsTold: fields that nobody looks at, formats among header values, and messages inside others.
func TestWhatIsNotUnderstoodIsTold(t *testing.T) {
	vh := &routev3.VirtualHost{
		Name: "t/a", Domains: []string{"a"}, RequireTls: routev3.VirtualHost_ALL,
		Routes: []*routev3.Route{{
			RequestHeadersToAdd: []*corev3.HeaderValueOption{
				{Header: &corev3.HeaderValue{Key: "x", Value: "%REQ(y)%"}}, {Header: &corev3.HeaderValue{Key: "z", Value: "100%%"}},
			},
			Action: &routev3.Route_Route{Route: &routev3.RouteAction{IdleTimeout: durationpb.New(1)}},
		}},
	}
	want := []string{
		"envoy.config.core.v3.HeaderValueOption with a format", "envoy.config.route.v3.RouteAction.idle_timeout",
		"envoy.config.route.v3.VirtualHost.require_tls",
	}
	if got := unknownFields(vh); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// TestEveryKnownFieldExists keeps the table free of names that Envoy's messages do not have.
func TestEveryKnownFieldExists(t *testing.T) {
	for name, fields := range knownFields {
		found, err := protoregistry.GlobalTypes.FindMessageByName(protoreflect.FullName(name))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for f := range strings.FieldsSeq(fields) {
			if f != "*" && found.Descriptor().Fields().ByName(protoreflect.Name(f)) == nil {
				t.Errorf("%s has no field %s", name, f)
			}
		}
	}
}
