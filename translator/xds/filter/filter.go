// Package filter describes the HTTP filters, one file each, and holds the table that orders them. It decides which
// filters a listener's chain has and in which order; what a rule says to a filter is per-route configuration. Package xds
// puts both into Envoy's messages.
package filter

import (
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// Filter is an HTTP filter: what stands in every chain, and what a rule adds for itself. A filter that needs a rule's
// word does nothing without one, so that nothing in the listener changes with routes or policies.
type Filter struct {
	// Name is the name in the chain and the key of the per-route configuration.
	Name string
	// Config is the filter's configuration in the chain.
	Config func() proto.Message
	// Disabled leaves it out for rules that say nothing to it.
	Disabled bool
	// PerRoute returns what a rule with these features says to the filter; nil when it says nothing. A nil func is for
	// filters that no rule speaks to.
	PerRoute func(ir.Features) proto.Message
}

// All lists the filters in the order of the chain. It is the only place that does. Requested stands before them where
// there is an access log.
func All() []Filter { return []Filter{WellFormed, CORS, ExternalAuth, Session, Router} }

// Pack wraps a message, deterministically. Packing a message that was just made cannot fail.
func Pack(m proto.Message) *anypb.Any {
	body, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		panic(err)
	}
	return &anypb.Any{TypeUrl: "type.googleapis.com/" + string(m.ProtoReflect().Descriptor().FullName()), Value: body}
}
