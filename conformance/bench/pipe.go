package main

import (
	"context"
	"io"
	"sync"
	"sync/atomic"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
)

// pipe is a stream without a network: what the server sends is encoded, as gRPC would, and counted; that is where bytes
// are handed to the stream.
type pipe struct {
	grpc.ServerStream

	ctx             context.Context
	up              chan *request
	down            chan *response
	bytes, messages atomic.Int64

	mu   sync.Mutex
	sent func() // told of every message when its bytes are there; nil for nobody
}

func newPipe(ctx context.Context) *pipe {
	return &pipe{ctx: ctx, up: make(chan *request, 16), down: make(chan *response, 16)}
}

func (p *pipe) measure(sent func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sent = sent
}

// Context, Send and Recv are the stream as the server sees it.
func (p *pipe) Context() context.Context { return p.ctx }

// Send encodes a message and hands it to the client.
func (p *pipe) Send(m *response) error {
	body, err := proto.Marshal(m)
	if err != nil {
		return err
	}
	p.bytes.Add(int64(len(body)))
	p.messages.Add(1)
	p.mu.Lock()
	if p.sent != nil {
		p.sent()
	}
	p.mu.Unlock()
	select {
	case p.down <- m:
		return nil
	case <-p.ctx.Done():
		return io.EOF
	}
}

// Recv returns what the client said next.
func (p *pipe) Recv() (*request, error) {
	select {
	case q := <-p.up:
		return q, nil
	case <-p.ctx.Done():
		return nil, io.EOF
	}
}

// connect serves a client that takes everything.
func (p *pipe) connect(l *line) {
	go func() { _ = l.server.DeltaAggregatedResources(p) }()
	c := newClient(func(q *request) error {
		select {
		case p.up <- q:
			return nil
		case <-p.ctx.Done():
			return io.EOF
		}
	})
	go func() {
		_ = c.run(func() (*response, error) {
			select {
			case m := <-p.down:
				return m, nil
			case <-p.ctx.Done():
				return nil, io.EOF
			}
		})
	}()
}
