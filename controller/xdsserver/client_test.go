package xdsserver

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/test/bufconn"

	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
	translate "github.com/cloverleaf-mesh/cloverleaf/translator/xds"
)

// patience is how long a test waits for what must come.
const patience = 20 * time.Second

// TestMain fails when anything of the servers is left running.
func TestMain(m *testing.M) {
	code := m.Run()
	if left := leftOver(); left != "" {
		fmt.Fprintln(os.Stderr, "left running after all tests:\n"+left)
		code = 1
	}
	os.Exit(code)
}

// leftOver returns the stacks of goroutines of this package and of the library that stay.
func leftOver() string {
	stacks := make([]byte, 1<<20)
	for deadline := time.Now().Add(patience); ; runtime.Gosched() {
		var left []string
		for stack := range strings.SplitSeq(string(stacks[:runtime.Stack(stacks, true)]), "\n\n") {
			if !strings.Contains(stack, "xdsserver.TestMain") && !strings.Contains(stack, "xdsserver.leftOver") &&
				(strings.Contains(stack, "controller/xdsserver") || strings.Contains(stack, "go-control-plane/pkg/server")) {
				left = append(left, stack)
			}
		}
		if len(left) == 0 || time.Now().After(deadline) {
			return strings.Join(left, "\n\n")
		}
	}
}

// served is a server behind an in-memory listener.
type served struct {
	*Server
	t        *testing.T
	listener *bufconn.Listener
	grpc     *grpc.Server
}

// serve starts a server. A node's identifier is the namespace of its class's Gateway; "nobody" is refused.
func serve(t *testing.T, o Options) *served {
	t.Helper()
	o.Classify = func(_ context.Context, node *corev3.Node) (ir.ProxyClass, error) {
		if node.GetId() == "nobody" {
			return ir.ProxyClass{}, errors.New("not known")
		}
		return classOf(node.GetId()), nil
	}
	s := &served{Server: New(o), t: t, listener: bufconn.Listen(1 << 20), grpc: grpc.NewServer()}
	s.Register(s.grpc)
	go func() { _ = s.grpc.Serve(s.listener) }()
	t.Cleanup(func() {
		s.Close()
		s.grpc.Stop()
	})
	return s
}

func classOf(node string) ir.ProxyClass {
	return ir.ProxyClass{Role: ir.ClassGateway, Name: ir.Name{Namespace: node, Name: "edge"}}
}

// await waits until something holds of the server's state.
func (s *served) await(holds func() bool) {
	s.t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); runtime.Gosched() {
		s.mu.Lock()
		ok := holds()
		s.mu.Unlock()
		if ok {
			return
		}
	}
	s.t.Fatal("what must come did not")
}

// client is one stream of a proxy.
type client struct {
	t         *testing.T
	node      string
	stream    discoveryv3.AggregatedDiscoveryService_DeltaAggregatedResourcesClient
	responses chan *discoveryv3.DeltaDiscoveryResponse
	ended     chan error
	barriers  int
	said      bool // who it is
}

// dial connects to the server.
func (s *served) dial() discoveryv3.AggregatedDiscoveryServiceClient {
	s.t.Helper()
	conn, err := grpc.NewClient("passthrough:///bufconn",
		grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(64<<20)),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return s.listener.DialContext(ctx) }))
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = conn.Close() })
	return discoveryv3.NewAggregatedDiscoveryServiceClient(conn)
}

// open opens a stream whose responses are not read.
func (s *served) open(node string) *client {
	s.t.Helper()
	stream, err := s.dial().DeltaAggregatedResources(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	return &client{t: s.t, node: node, stream: stream, responses: make(chan *discoveryv3.DeltaDiscoveryResponse, 10_000), ended: make(chan error, 1)}
}

// connect opens a stream and reads it.
func (s *served) connect(node string) *client {
	s.t.Helper()
	c := s.open(node)
	go c.read()
	return c
}

func (c *client) read() {
	for {
		r, err := c.stream.Recv()
		if err != nil {
			c.ended <- err
			return
		}
		c.responses <- r
	}
}

func (c *client) send(req *discoveryv3.DeltaDiscoveryRequest) {
	if !c.said {
		c.said, req.Node = true, &corev3.Node{Id: c.node}
	}
	_ = c.stream.Send(req) // when the stream is at its end the reader sees why
}

func (c *client) ask(t ir.Type, names ...string) {
	c.send(&discoveryv3.DeltaDiscoveryRequest{TypeUrl: translate.TypeURL(t), ResourceNamesSubscribe: names})
}

func (c *client) leave(t ir.Type, names ...string) {
	c.send(&discoveryv3.DeltaDiscoveryRequest{TypeUrl: translate.TypeURL(t), ResourceNamesUnsubscribe: names})
}

func (c *client) ack(r *discoveryv3.DeltaDiscoveryResponse) {
	c.send(&discoveryv3.DeltaDiscoveryRequest{TypeUrl: r.GetTypeUrl(), ResponseNonce: r.GetNonce()})
}

func (c *client) nack(r *discoveryv3.DeltaDiscoveryResponse, words string) {
	c.send(&discoveryv3.DeltaDiscoveryRequest{
		TypeUrl: r.GetTypeUrl(), ResponseNonce: r.GetNonce(), ErrorDetail: &status.Status{Code: 13, Message: words},
	})
}

// next returns the next response, whatever its type.
func (c *client) next() *discoveryv3.DeltaDiscoveryResponse {
	c.t.Helper()
	select {
	case r := <-c.responses:
		return r
	case err := <-c.ended:
		c.t.Fatalf("the stream ended: %v", err)
	case <-time.After(patience):
		c.t.Fatal("no response came")
	}
	return nil
}

// expect returns the next response, which must be of a type and carry these: "name" or "-name" for one that is gone.
func (c *client) expect(t ir.Type, want ...string) *discoveryv3.DeltaDiscoveryResponse {
	c.t.Helper()
	r := c.next()
	if got := contents(r); r.GetTypeUrl() != translate.TypeURL(t) || got != strings.Join(want, " ") {
		c.t.Fatalf("got %s %q, want %s %q", r.GetTypeUrl(), got, t, want)
	}
	return r
}

func contents(r *discoveryv3.DeltaDiscoveryResponse) string {
	var names []string
	for _, res := range r.GetResources() {
		names = append(names, res.GetName())
	}
	for _, name := range r.GetRemovedResources() {
		names = append(names, "-"+name)
	}
	return strings.Join(names, " ")
}

// quiet checks that nothing was sent until now: it asks for a secret that nobody has, and the next word must be about
// that. Requests of a stream are taken in order, and so are its responses.
func (c *client) quiet() {
	c.t.Helper()
	c.barriers++
	name := fmt.Sprintf("barrier-%d", c.barriers)
	c.ask(ir.TypeSecret, name)
	c.ack(c.expect(ir.TypeSecret, "-"+name))
}

// end waits for the end of the stream and returns why.
func (c *client) end() error {
	c.t.Helper()
	for deadline := time.After(patience); ; {
		select {
		case err := <-c.ended:
			return err
		case <-c.responses:
		case <-deadline:
			c.t.Fatal("the stream does not end")
		}
	}
}
