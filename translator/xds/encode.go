// Package xds turns the IR into Envoy's messages, one file per resource, and encodes each once. It decides how
// something is said to Envoy, and nothing about what is to be said.
package xds

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
	"github.com/cloverleaf-mesh/cloverleaf/translator/xds/filter"
)

// validated is an Envoy message with the checks that Envoy itself makes before it looks at the meaning
// (protoc-gen-validate).
type validated interface {
	proto.Message
	ValidateAll() error
}

// Resource makes a resource of an encoded message. Its version is the hash of its bytes, so the same objects give the
// same version everywhere. It may reorder what the resource needs.
func Resource(id ir.ResourceID, body []byte, needs []ir.ResourceID) *ir.Resource {
	slices.SortFunc(needs, ir.ResourceID.Compare)
	sum := sha256.Sum256(body)
	return &ir.Resource{ID: id, Version: hex.EncodeToString(sum[:12]), Body: body, Needs: slices.Compact(needs)}
}

// encode validates a message and makes a resource of it.
func encode(id ir.ResourceID, m validated, needs []ir.ResourceID) (*ir.Resource, error) {
	if err := m.ValidateAll(); err != nil {
		return nil, fmt.Errorf("%s: %w", id, err)
	}
	return encodeChecked(id, m, needs)
}

// encodeChecked makes a resource of a message that is validated already.
func encodeChecked(id ir.ResourceID, m proto.Message, needs []ir.ResourceID) (*ir.Resource, error) {
	body, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", id, err)
	}
	return Resource(id, body, needs), nil
}

func pack(m proto.Message) *anypb.Any { return filter.Pack(m) }

// ads is the stream that brought the resource which says it.
func ads() *corev3.ConfigSource {
	return &corev3.ConfigSource{
		ResourceApiVersion:    corev3.ApiVersion_V3,
		ConfigSourceSpecifier: &corev3.ConfigSource_Ads{Ads: &corev3.AggregatedConfigSource{}},
	}
}

// TypeURL returns the type URL of a type of resource.
func TypeURL(t ir.Type) string { return typeURLs[t] }

const urlPrefix = "type.googleapis.com/"

var typeURLs = [...]string{
	ir.TypeSecret:      urlPrefix + "envoy.extensions.transport_sockets.tls.v3.Secret",
	ir.TypeCluster:     urlPrefix + "envoy.config.cluster.v3.Cluster",
	ir.TypeEndpoints:   urlPrefix + "envoy.config.endpoint.v3.ClusterLoadAssignment",
	ir.TypeListener:    urlPrefix + "envoy.config.listener.v3.Listener",
	ir.TypeRouteTable:  urlPrefix + "envoy.config.route.v3.RouteConfiguration",
	ir.TypeVirtualHost: urlPrefix + "envoy.config.route.v3.VirtualHost",
}
