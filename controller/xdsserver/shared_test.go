package xdsserver

import (
	"context"
	"fmt"
	"runtime"
	"testing"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"

	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
	translate "github.com/cloverleaf-mesh/cloverleaf/translator/xds"
)

// proxy is a stream without gRPC and without the library's goroutines: the library's part is played by hand.
type proxy struct {
	server    *Server
	id        int64
	responses chan response
}

func (s *served) plug(id int64) *proxy {
	s.t.Helper()
	if err := s.callbacks().OnDeltaStreamOpen(context.WithValue(s.t.Context(), handleKey{}, &handle{}), id, ""); err != nil {
		s.t.Fatal(err)
	}
	return &proxy{server: s.Server, id: id, responses: make(chan response, 10)}
}

// say plays what the library does with a request, and accepts everything that comes of it.
func (p *proxy) say(t ir.Type, names ...string) {
	request := func(req *discoveryv3.DeltaDiscoveryRequest) {
		if err := p.server.callbacks().OnStreamDeltaRequest(p.id, req); err != nil {
			panic(err)
		}
		if _, err := (&cache{p.server}).CreateDeltaWatch(req, nil, p.responses); err != nil {
			panic(err)
		}
	}
	request(&discoveryv3.DeltaDiscoveryRequest{TypeUrl: translate.TypeURL(t), ResourceNamesSubscribe: names, Node: &corev3.Node{Id: "a"}})
	for len(p.responses) > 0 {
		r := (<-p.responses).(*deltaResponse)
		r.message.Nonce = fmt.Sprint(t)
		p.server.callbacks().OnStreamDeltaResponse(p.id, r.request, r.message)
		request(&discoveryv3.DeltaDiscoveryRequest{TypeUrl: r.message.GetTypeUrl(), ResponseNonce: r.message.GetNonce()})
	}
}

// TestOneMoreStreamCostsNoCopyOfTheBytes counts what a change of a host of a megabyte allocates for 1 and for 101
// streams, up to where the messages are handed to the library.
func TestOneMoreStreamCostsNoCopyOfTheBytes(t *testing.T) {
	allocated := func(streams int) uint64 {
		s := serve(t, Options{})
		s.Apply(append(door("a"), big(0)))
		for i := range streams {
			p := s.plug(int64(i))
			p.say(ir.TypeListener)
			p.say(ir.TypeRouteTable, "t")
			p.say(ir.TypeVirtualHost)
		}
		change := big(1)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		s.Apply([]ir.Change{change})
		runtime.ReadMemStats(&after)
		for _, st := range s.streams {
			if !st.proxy.InFlight(ir.TypeVirtualHost) {
				t.Fatal("a stream was sent nothing")
			}
		}
		return after.TotalAlloc - before.TotalAlloc
	}
	one, many := allocated(1), allocated(101)
	perStream := (int64(many) - int64(one)) / 100
	fmt.Printf("evidence: a change of 1 MB allocates %d bytes for one stream and %d more for each further one\n", one, perStream)
	if perStream > 4<<10 || one > 64<<10 {
		t.Errorf("%d bytes for one stream, %d for each further one", one, perStream)
	}
}

func TestMessagesShareTheEncodedBytes(t *testing.T) {
	s := serve(t, Options{})
	s.Apply(append(door("a"), big(0)))
	body := big(0).Resource.Body
	s.mu.Lock()
	wanted := s.classes[classOf("a")].world.Get(ir.ResourceID{Type: ir.TypeVirtualHost, Name: "t/x.example"})
	s.mu.Unlock()
	for i := range 2 {
		p := s.plug(int64(i))
		p.say(ir.TypeListener)
		p.say(ir.TypeRouteTable, "t")
		req := &discoveryv3.DeltaDiscoveryRequest{TypeUrl: translate.TypeURL(ir.TypeVirtualHost)}
		if err := s.callbacks().OnStreamDeltaRequest(p.id, req); err != nil {
			t.Fatal(err)
		}
		if _, err := (&cache{s.Server}).CreateDeltaWatch(req, nil, p.responses); err != nil {
			t.Fatal(err)
		}
		m, err := (<-p.responses).GetDeltaDiscoveryResponse()
		if err != nil {
			t.Fatal(err)
		}
		got := m.GetResources()[1].GetResource().GetValue()
		if len(got) != len(body) || &got[0] != &wanted.Body[0] {
			t.Error("the message has bytes of its own")
		}
	}
}
