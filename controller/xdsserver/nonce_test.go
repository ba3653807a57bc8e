package xdsserver

import (
	"strings"
	"testing"

	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/genproto/googleapis/rpc/status"

	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
	translate "github.com/cloverleaf-mesh/cloverleaf/translator/xds"
)

// TestOnlyTheNonceOfTheMessageOnItsWayAnswersIt: whatever else a proxy sends, the message stays unanswered, and nothing
// more is sent of its type until the right answer comes.
func TestOnlyTheNonceOfTheMessageOnItsWayAnswersIt(t *testing.T) {
	url := translate.TypeURL(ir.TypeVirtualHost)
	refusal := &status.Status{Code: 13, Message: "no"}
	for name, wrong := range map[string]*discoveryv3.DeltaDiscoveryRequest{
		"an acknowledgement of a response that was never sent": {TypeUrl: url, ResponseNonce: "4711"},
		"an acknowledgement of an older response":              {TypeUrl: url, ResponseNonce: "1"},
		"a refusal of a response that was never sent":          {TypeUrl: url, ResponseNonce: "4711", ErrorDetail: refusal},
		"a refusal without a nonce":                            {TypeUrl: url, ErrorDetail: refusal},
		"a request without a nonce":                            {TypeUrl: url},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, Options{})
			s.Apply(door("a"))
			c := s.connect("a")
			c.start()
			s.Apply([]ir.Change{host("a", "x.example", 1)})
			r := c.expect(ir.TypeVirtualHost, "t/x.example")
			s.Apply([]ir.Change{host("a", "x.example", 2)})
			c.send(wrong)
			c.quiet()
			c.ack(r)
			c.ack(c.expect(ir.TypeVirtualHost, "t/x.example"))
			c.quiet()
			if s.rejected.Has(ir.ResourceID{Type: ir.TypeVirtualHost, Name: "t/x.example"}, host("a", "x.example", 1).Resource.Version) {
				t.Error("a wrong refusal was believed")
			}
		})
	}
}

func TestANonceOfOneTypeDoesNotAnswerAnother(t *testing.T) {
	s := serve(t, Options{})
	s.Apply(door("a"))
	c := s.connect("a")
	c.ask(ir.TypeListener)
	r := c.expect(ir.TypeListener, "l")
	c.ask(ir.TypeRouteTable, "t")
	tables := c.expect(ir.TypeRouteTable, "t")
	c.send(&discoveryv3.DeltaDiscoveryRequest{TypeUrl: tables.GetTypeUrl(), ResponseNonce: r.GetNonce()})
	c.ask(ir.TypeVirtualHost) // which waits for the table
	c.quiet()
	c.ack(tables)
	c.ack(c.expect(ir.TypeVirtualHost, "t/*"))
}

func TestTheSameAnswerTwiceCountsOnce(t *testing.T) {
	s := serve(t, Options{})
	s.Apply(door("a"))
	c := s.connect("a")
	c.start()
	s.Apply([]ir.Change{host("a", "x.example", 1)})
	first := c.expect(ir.TypeVirtualHost, "t/x.example")
	s.Apply([]ir.Change{host("a", "x.example", 2)})
	c.ack(first)
	second := c.expect(ir.TypeVirtualHost, "t/x.example")
	s.Apply([]ir.Change{host("a", "x.example", 3)})
	c.ack(first) // again: it is no answer to the second
	c.quiet()
	c.ack(second)
	c.ack(c.expect(ir.TypeVirtualHost, "t/x.example"))
}

// TestTypesThatAreSentWholeAreSentWholeWhateverNamesAreAsked: clusters, listeners and virtual hosts of the class, without
// a wildcard, with one, when it is taken back, and when single names are asked for on demand.
func TestTypesThatAreSentWholeAreSentWholeWhateverNamesAreAsked(t *testing.T) {
	s := serve(t, Options{})
	s.Apply(door("a"))
	c := s.connect("a")
	c.start()
	for i, names := range [][]string{{"*"}, {"t/x.example"}, {"t/absent.example"}, {"*", "t/x.example"}} {
		c.ask(ir.TypeVirtualHost, names...)
		c.quiet()
		s.Apply([]ir.Change{host("a", "x.example", 2*i)})
		c.ack(c.expect(ir.TypeVirtualHost, "t/x.example"))
		c.leave(ir.TypeVirtualHost, names...)
		c.quiet()
		s.Apply([]ir.Change{host("a", "x.example", 2*i+1)})
		c.ack(c.expect(ir.TypeVirtualHost, "t/x.example"))
	}
}

// TestNamesAreAnsweredEachTimeTheyAreAskedFor: a proxy that asks waits for a word.
func TestNamesAreAnsweredEachTimeTheyAreAskedFor(t *testing.T) {
	s := serve(t, Options{})
	s.Apply([]ir.Change{must("a")(translate.Certificate("a/cert", []byte("chain"), []byte("key")))})
	c := s.connect("a")
	for range 3 {
		c.ask(ir.TypeSecret, "a/absent", "a/cert")
		c.ack(c.expect(ir.TypeSecret, "-a/absent"))
		c.ack(c.expect(ir.TypeSecret, "a/cert"))
		c.leave(ir.TypeSecret, "a/cert", "a/absent")
		s.Apply([]ir.Change{must("a")(translate.Certificate("a/cert", []byte("chain"), []byte("key")))})
		c.quiet()
	}
}

func TestARefusalNamesTheCulpritAndIsForgottenWhenItChanges(t *testing.T) {
	s := serve(t, Options{})
	s.Apply(door("a"))
	c := s.connect("a")
	c.start()
	s.Apply([]ir.Change{host("a", "x.example", 1), host("a", "y.example", 1)})
	c.nack(c.expect(ir.TypeVirtualHost, "t/x.example", "t/y.example"), "bad")
	c.ack(c.expect(ir.TypeVirtualHost, "t/x.example"))
	c.nack(c.expect(ir.TypeVirtualHost, "t/y.example"), "y is bad, "+strings.Repeat("é", 2000))
	got := s.rejection()
	if want := host("a", "y.example", 1); got.ID != want.ID || got.Version != want.Resource.Version || !strings.HasPrefix(got.Message, "y is bad, éé") {
		t.Errorf("got %+v", got)
	}
	if n := len(got.Message); n > 1024 || n < 1000 {
		t.Errorf("%d bytes of Envoy's words", n)
	}
	c.quiet()
	s.Apply([]ir.Change{host("a", "y.example", 2)})
	if got := s.rejection(); got.ID != host("a", "y.example", 1).ID || got.Version != "" {
		t.Errorf("got %+v", got)
	}
	c.ack(c.expect(ir.TypeVirtualHost, "t/y.example"))
}

// rejection waits for the next word about a refusal.
func (s *served) rejection() Rejection {
	s.t.Helper()
	for {
		if f := s.nextFacts(); len(f.Rejections) > 0 {
			return f.Rejections[0]
		}
	}
}
