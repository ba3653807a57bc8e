package xdsserver

import (
	"context"
	"strings"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	serverv3 "github.com/envoyproxy/go-control-plane/pkg/server/v3"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/cloverleaf-mesh/cloverleaf/controller/rollout"
	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
	"github.com/cloverleaf-mesh/cloverleaf/translator/xds"
)

// stream is one proxy's stream.
type stream struct {
	ctx     context.Context
	handle  *handle
	class   *class // nil until the first request
	node    string // what the proxy calls itself; nothing but a key to find its last stream
	proxy   *rollout.Proxy
	watches [ir.TypeCount]watch
}

// watch is the library's way to say that a message of a type may be sent.
type watch struct {
	open      bool
	request   *discoveryv3.DeltaDiscoveryRequest
	responses chan<- response
	nonce     string
	sentAt    time.Time
}

func (s *Server) callbacks() serverv3.CallbackFuncs {
	return serverv3.CallbackFuncs{
		DeltaStreamOpenFunc: func(ctx context.Context, id int64, _ string) error {
			s.mu.Lock()
			defer s.mu.Unlock()
			h, _ := ctx.Value(handleKey{}).(*handle)
			s.streams[id] = &stream{ctx: ctx, handle: h}
			return nil
		},
		DeltaStreamClosedFunc: func(id int64, _ *corev3.Node) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.closed(id)
		},
		StreamDeltaRequestFunc: func(id int64, req *discoveryv3.DeltaDiscoveryRequest) error {
			s.mu.Lock()
			defer s.mu.Unlock()
			return s.request(s.streams[id], req)
		},
		StreamDeltaResponseFunc: func(id int64, req *discoveryv3.DeltaDiscoveryRequest, resp *discoveryv3.DeltaDiscoveryResponse) {
			s.mu.Lock()
			defer s.mu.Unlock()
			if t, ok := typeOf(req.GetTypeUrl()); ok {
				s.streams[id].watches[t].nonce = resp.GetNonce()
			}
		},
	}
}

func (s *Server) closed(id int64) {
	st := s.streams[id]
	delete(s.streams, id)
	if st == nil || st.class == nil {
		return
	}
	delete(st.class.streams, st)
	if waiting := st.proxy.Waiting(); len(waiting) > 0 {
		st.class.ended[st.node] = waiting
	}
	s.report(st.class)
	s.countStreams()
}

func (s *Server) countStreams() {
	if s.options.Hooks.Streams == nil {
		return
	}
	n := 0
	for _, c := range s.classes {
		n += len(c.streams)
	}
	s.options.Hooks.Streams(n)
}

// request takes in a request: an answer to what was sent, or a change of what the proxy asks for, or both.
func (s *Server) request(st *stream, req *discoveryv3.DeltaDiscoveryRequest) error {
	if st.class == nil {
		if err := s.admit(st, req.GetNode()); err != nil {
			return err
		}
	}
	t, ok := typeOf(req.GetTypeUrl())
	if !ok {
		return status.Errorf(codes.InvalidArgument, "%v: %s", errUnknownType, req.GetTypeUrl())
	}
	if nonce := req.GetResponseNonce(); nonce != "" && nonce == st.watches[t].nonce {
		s.answer(st, t, req)
	}
	st.proxy.Request(t, req.GetResourceNamesSubscribe(), req.GetResourceNamesUnsubscribe(), req.GetInitialResourceVersions())
	s.requests[req] = st
	return nil
}

func (s *Server) admit(st *stream, node *corev3.Node) error {
	id, err := s.options.Classify(st.ctx, node)
	if err != nil {
		return status.Errorf(codes.PermissionDenied, "not served: %v", err)
	}
	st.class = s.class(id)
	st.proxy = rollout.NewProxy(st.class.world)
	st.node = node.GetId()
	st.proxy.Inherit(st.class.ended[st.node])
	delete(st.class.ended, st.node)
	st.class.streams[st] = true
	s.countStreams()
	return nil
}

func (s *Server) answer(st *stream, t ir.Type, req *discoveryv3.DeltaDiscoveryRequest) {
	w := &st.watches[t]
	w.nonce = ""
	refusal := req.GetErrorDetail()
	if refusal == nil {
		if st.proxy.Ack(t) != nil && s.options.Hooks.Acked != nil {
			s.options.Hooks.Acked(t, time.Since(w.sentAt))
		}
		return
	}
	if s.options.Hooks.Nacked != nil {
		s.options.Hooks.Nacked(t)
	}
	if culprit := st.proxy.Nack(t); culprit != nil {
		message := limit(strings.TrimSpace(refusal.GetMessage()))
		s.options.Logger.Warn("Envoy refused a resource", "type", t, "name", culprit.ID.Name,
			"version", culprit.Version, "class", st.class.id, "error", message)
		s.facts.rejection(Rejection{ID: culprit.ID, Version: culprit.Version, Message: message})
	}
}

func limit(message string) string {
	const most = 1024
	if len(message) > most {
		message = strings.ToValidUTF8(message[:most], "")
	}
	return message
}

// watchStuck cuts streams whose proxies leave a message without an answer.
func (s *Server) watchStuck(ctx context.Context) {
	ticker := time.NewTicker(s.options.StuckAfter / 4)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			s.cutStuck()
		}
	}
}

func (s *Server) cutStuck() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, st := range s.streams {
		if st.class == nil || st.handle == nil || st.oldest() < s.options.StuckAfter {
			continue
		}
		select {
		case st.handle.cut <- status.Error(codes.DeadlineExceeded, "a message stayed without an answer for too long"):
			s.options.Logger.Warn("cut a stream that answers nothing", "class", st.class.id)
			if s.options.Hooks.Cut != nil {
				s.options.Hooks.Cut("stuck")
			}
		default: // cut already
		}
	}
}

// oldest returns the age of the oldest message without an answer.
func (st *stream) oldest() time.Duration {
	var age time.Duration
	for t := range st.watches {
		if st.proxy.InFlight(ir.Type(t)) {
			age = max(age, time.Since(st.watches[t].sentAt))
		}
	}
	return age
}

// OldestUnacked returns the age of the oldest message that waits for an answer, on any stream.
func (s *Server) OldestUnacked() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	var age time.Duration
	for _, st := range s.streams {
		if st.class != nil {
			age = max(age, st.oldest())
		}
	}
	return age
}

func typeOf(url string) (ir.Type, bool) {
	for t := range ir.TypeCount {
		if xds.TypeURL(t) == url {
			return t, true
		}
	}
	return 0, false
}
