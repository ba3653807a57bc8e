// Package echo is a backend for the quick start and for tests: it answers every request with what it received. It
// speaks HTTP/1.1, HTTP/2 with and without TLS, gRPC and WebSocket.
package echo

import (
	"cmp"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"
)

// Options are what a server is started with.
type Options struct {
	// Name is what the server calls itself, in the answer and in the header x-echo-name.
	Name string
	// Address is host:port, or an absolute path for a Unix socket.
	Address string
	// TLS is nil for plaintext.
	TLS *tls.Config
	// Observe is told of every request but WebSockets. It may be nil; it is called from many goroutines.
	Observe func(Answer)
}

// Server is a running echo server.
type Server struct {
	name string
	http *http.Server
	at   net.Addr
	done chan error

	observe func(Answer)
	mu      sync.Mutex
	tries   map[string]int // by x-echo-fail-key
}

// Start listens and serves until Close.
func Start(o Options) (*Server, error) {
	network := "tcp"
	if strings.HasPrefix(o.Address, "/") {
		network = "unix"
	}
	listener, err := net.Listen(network, o.Address)
	if err != nil {
		return nil, fmt.Errorf("echo: %w", err)
	}
	s := &Server{name: o.Name, at: listener.Addr(), done: make(chan error, 1), observe: o.Observe, tries: map[string]int{}}
	protocols := &http.Protocols{}
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(true)
	protocols.SetUnencryptedHTTP2(true)
	s.http = &http.Server{Handler: http.HandlerFunc(s.serve), Protocols: protocols, TLSConfig: o.TLS, ReadHeaderTimeout: 30 * time.Second}
	go func() {
		if o.TLS != nil {
			s.done <- s.http.ServeTLS(listener, "", "")
			return
		}
		s.done <- s.http.Serve(listener)
	}()
	return s, nil
}

// Address returns where the server listens.
func (s *Server) Address() string { return s.at.String() }

// Port returns the TCP port; 0 for a Unix socket.
func (s *Server) Port() int {
	if a, ok := s.at.(*net.TCPAddr); ok {
		return a.Port
	}
	return 0
}

// Close stops at once. Shutdown lets requests end first.
func (s *Server) Close() error { return s.http.Close() }

// Shutdown stops taking connections and waits for open requests.
func (s *Server) Shutdown(ctx context.Context) error { return s.http.Shutdown(ctx) }

// Wait blocks until the server ends; nil after Close.
func (s *Server) Wait() error {
	if err := <-s.done; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// Answer is what a request is answered with, as JSON.
type Answer struct {
	Name     string              `json:"name"`
	Method   string              `json:"method"`
	Path     string              `json:"path"` // as on the wire
	Query    string              `json:"query,omitempty"`
	Host     string              `json:"host"`
	Protocol string              `json:"protocol"`
	Headers  map[string][]string `json:"headers"` // names in lower case
	Remote   string              `json:"remote"`
	Bytes    int64               `json:"bytes"` // of the request's body
	TLS      *TLS                `json:"tls,omitempty"`
}

// Secured is what the server saw of TLS; nothing when it was reached without.
func (a Answer) Secured() TLS {
	if a.TLS == nil {
		return TLS{}
	}
	return *a.TLS
}

// TLS is what the server saw of TLS.
type TLS struct {
	ServerName string `json:"serverName"`
	Protocol   string `json:"protocol"` // negotiated by ALPN
	Client     string `json:"client,omitempty"`
}

// serve answers. Headers of the request may ask for another answer: x-echo-status (a code), x-echo-delay (a duration),
// x-echo-header ("name: value", repeatable), and by the number of requests with the same x-echo-fail-key: x-echo-fail
// makes that many fail with x-echo-fail-status (503), x-echo-slow makes x-echo-delay count for that many alone.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Echo-Name", s.name)
	if strings.EqualFold(r.Header.Get("Upgrade"), "websocket") {
		s.webSocket(w, r)
		return
	}
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/grpc") {
		s.grpc(w, r)
		return
	}
	n, _ := io.Copy(io.Discard, r.Body)
	try := s.count(r)
	answer := s.answer(r, n)
	if s.observe != nil {
		s.observe(answer)
	}
	if !wait(r, try) {
		return
	}
	for _, line := range r.Header.Values("X-Echo-Header") {
		if name, value, ok := strings.Cut(line, ":"); ok {
			w.Header().Add(strings.TrimSpace(name), strings.TrimSpace(value))
		}
	}
	w.Header().Set("Content-Type", "application/json")
	if try > 0 {
		w.Header().Set("X-Echo-Tries", strconv.Itoa(try))
	}
	if fail, err := strconv.Atoi(r.Header.Get("X-Echo-Fail")); err == nil && try <= fail {
		r.Header.Set("X-Echo-Status", cmp.Or(r.Header.Get("X-Echo-Fail-Status"), "503"))
	}
	if code, err := strconv.Atoi(r.Header.Get("X-Echo-Status")); err == nil && code >= 200 && code < 600 {
		w.WriteHeader(code)
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	_ = enc.Encode(answer)
}

// wait delays the answer as the request asks; false when the client went away meanwhile.
func wait(r *http.Request, try int) bool {
	slow, err := strconv.Atoi(r.Header.Get("X-Echo-Slow"))
	hurry := err == nil && try > slow
	d, err := time.ParseDuration(r.Header.Get("X-Echo-Delay"))
	if err != nil || hurry {
		return true
	}
	select {
	case <-time.After(d):
		return true
	case <-r.Context().Done():
		return false
	}
}

// count returns how many requests with the same x-echo-fail-key came, this one included; 0 without such a key.
func (s *Server) count(r *http.Request) int {
	key := r.Header.Get("X-Echo-Fail-Key")
	if key == "" {
		return 0
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tries[key]++
	return s.tries[key]
}

func (s *Server) answer(r *http.Request, body int64) Answer {
	path, query, _ := strings.Cut(r.RequestURI, "?")
	a := Answer{
		Name: s.name, Method: r.Method, Path: path, Query: query, Host: r.Host, Protocol: r.Proto,
		Headers: map[string][]string{}, Remote: r.RemoteAddr, Bytes: body,
	}
	for name, values := range r.Header {
		a.Headers[strings.ToLower(name)] = values
	}
	if r.TLS != nil {
		a.TLS = &TLS{ServerName: r.TLS.ServerName, Protocol: r.TLS.NegotiatedProtocol}
		if len(r.TLS.PeerCertificates) > 0 {
			a.TLS.Client = r.TLS.PeerCertificates[0].Subject.String()
		}
	}
	return a
}

// webSocket sends every message back.
func (s *Server) webSocket(w http.ResponseWriter, r *http.Request) {
	c, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true})
	if err != nil {
		return
	}
	defer func() { _ = c.CloseNow() }()
	for {
		kind, message, err := c.Read(r.Context())
		if err != nil {
			return
		}
		if err := c.Write(r.Context(), kind, message); err != nil {
			return
		}
	}
}

// grpc sends every message of any method back, as it comes, and ends with status OK, or with the number that the header
// x-echo-grpc-status gives. What it received stands in the header x-echo-answer, as JSON.
func (s *Server) grpc(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", r.Header.Get("Content-Type"))
	if answer, err := json.Marshal(s.answer(r, 0)); err == nil {
		w.Header().Set("X-Echo-Answer", string(answer))
	}
	w.Header().Set("Trailer", "Grpc-Status")
	w.WriteHeader(http.StatusOK)
	control := http.NewResponseController(w)
	_ = control.Flush()
	buffer := make([]byte, 32<<10)
	for {
		n, err := r.Body.Read(buffer)
		if n > 0 {
			if _, werr := w.Write(buffer[:n]); werr != nil {
				return
			}
			_ = control.Flush()
		}
		if err != nil {
			break
		}
	}
	status := r.Header.Get("X-Echo-Grpc-Status")
	if status == "" {
		status = "0"
	}
	w.Header().Set("Grpc-Status", status)
}

// Name returns a name for a server that was given none: the machine's.
func Name() string {
	if host, err := os.Hostname(); err == nil {
		return host
	}
	return "echo"
}
