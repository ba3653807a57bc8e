package envoysim

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"time"

	sessionv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/stateful_session/v3"
	cookiev3 "github.com/envoyproxy/go-control-plane/envoy/extensions/http/stateful_session/cookie/v3"
	headerv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/http/stateful_session/header/v3"
	"google.golang.org/protobuf/encoding/protowire"
)

// sessionRule is what a route says to the stateful session filter.
type sessionRule struct {
	header bool // kept by a header; by a cookie otherwise
	name   string
	path   string // of the cookie
}

func newSession(m *sessionv3.StatefulSessionPerRoute) (*sessionRule, error) {
	state := m.GetStatefulSession().GetSessionState().GetTypedConfig()
	if m.GetStatefulSession().GetStrict() {
		return nil, fmt.Errorf("strict sessions are not understood")
	}
	var cookie cookiev3.CookieBasedSessionState
	var header headerv3.HeaderBasedSessionState
	switch {
	case state.MessageIs(&cookie):
		err := state.UnmarshalTo(&cookie)
		return &sessionRule{name: cookie.GetCookie().GetName(), path: cookie.GetCookie().GetPath()}, err
	case state.MessageIs(&header):
		err := state.UnmarshalTo(&header)
		return &sessionRule{header: true, name: strings.ToLower(header.GetName())}, err
	default:
		return nil, fmt.Errorf("session state %s is not understood", state.GetTypeUrl())
	}
}

// covers tells whether a cookie's path takes a request's.
func (r *sessionRule) covers(path string) bool {
	if r.header || r.path == "" || r.path == "/" || path == r.path {
		return true
	}
	return strings.HasPrefix(path, r.path) && (strings.HasSuffix(r.path, "/") || path[len(r.path)] == '/')
}

// address reads the address that a request says its session is on; empty for none.
func (r *sessionRule) address(s *stream) string {
	if r.header {
		raw, err := base64.StdEncoding.DecodeString(s.headers.first(r.name))
		if err != nil {
			return ""
		}
		return string(raw)
	}
	raw, err := base64.StdEncoding.DecodeString(strings.Trim(s.cookie(r.name), `"`))
	if err != nil {
		return ""
	}
	address, expires := readCookie(raw)
	if expires != 0 && !s.now.IsZero() && !s.now.Before(time.Unix(int64(expires), 0)) { //nolint:gosec // seconds
		return ""
	}
	return address
}

// readCookie reads Envoy's message of a cookie (envoy/extensions/http/stateful_session/cookie): address and expiry.
func readCookie(raw []byte) (address string, expires uint64) {
	for len(raw) > 0 {
		number, kind, n := protowire.ConsumeTag(raw)
		if n < 0 {
			return "", 0
		}
		raw = raw[n:]
		switch {
		case number == 1 && kind == protowire.BytesType:
			v, n := protowire.ConsumeBytes(raw)
			if n < 0 {
				return "", 0
			}
			address, raw = string(v), raw[n:]
		case number == 2 && kind == protowire.VarintType:
			v, n := protowire.ConsumeVarint(raw)
			if n < 0 {
				return "", 0
			}
			expires, raw = v, raw[n:]
		default:
			return "", 0
		}
	}
	return address, expires
}

// cookie returns the value of a cookie; empty for none.
func (s *stream) cookie(name string) string {
	for _, line := range s.headers.values("cookie") {
		for pair := range strings.SplitSeq(line, ";") {
			if n, v, ok := strings.Cut(strings.TrimSpace(pair), "="); ok && n == name {
				return v
			}
		}
	}
	return ""
}

// sessionState is where a session is.
type sessionState struct {
	rule   *sessionRule
	pinned string // the address that was asked for and is there
}

// filterSession notes the address that the request asks for.
func (s *stream) filterSession() {
	rule := s.route.session
	path, _, _ := strings.Cut(s.target, "?")
	if rule == nil || s.route.shares == nil || !rule.covers(path) {
		return
	}
	kept := "cookie "
	if rule.header {
		kept = "header "
	}
	state := &sessionState{rule: rule}
	if wanted := rule.address(s); wanted != "" {
		state.pinned = wanted
		s.effect(sessionFilter, "the session's "+kept+rule.name+" asks for "+wanted)
	} else {
		s.effect(sessionFilter, "the answer begins a session with "+kept+rule.name)
	}
	s.result.session = state
}

// pin returns the address of a session if the cluster has it: otherwise the session moves.
func (s *stream) pin(e Endpoints) string {
	state := s.result.session
	if state == nil || !slices.Contains(e.Addresses, state.pinned) {
		return ""
	}
	return state.pinned
}
