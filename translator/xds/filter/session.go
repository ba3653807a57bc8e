package filter

import (
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	sessionv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/stateful_session/v3"
	cookiev3 "github.com/envoyproxy/go-control-plane/envoy/extensions/http/stateful_session/cookie/v3"
	headerv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/http/stateful_session/header/v3"
	typev3 "github.com/envoyproxy/go-control-plane/envoy/type/http/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// Session keeps the requests of a session on one endpoint. When that endpoint is gone the session moves to another: the
// API asks for persistence, not for errors.
var Session = Filter{
	Name:   "envoy.filters.http.stateful_session",
	Config: func() proto.Message { return &sessionv3.StatefulSession{} },
	PerRoute: func(f ir.Features) proto.Message {
		if f.Session == nil {
			return nil
		}
		return &sessionv3.StatefulSessionPerRoute{Override: &sessionv3.StatefulSessionPerRoute_StatefulSession{
			StatefulSession: &sessionv3.StatefulSession{SessionState: sessionState(f.Session)},
		}}
	},
}

func sessionState(s *ir.Session) *corev3.TypedExtensionConfig {
	if s.Type == ir.SessionHeader {
		return &corev3.TypedExtensionConfig{
			Name: "envoy.http.stateful_session.header", TypedConfig: Pack(&headerv3.HeaderBasedSessionState{Name: s.Name}),
		}
	}
	return &corev3.TypedExtensionConfig{
		Name: "envoy.http.stateful_session.cookie",
		TypedConfig: Pack(&cookiev3.CookieBasedSessionState{Cookie: &typev3.Cookie{
			Name: s.Name, Path: s.Path, Ttl: durationpb.New(s.Life),
		}}),
	}
}
