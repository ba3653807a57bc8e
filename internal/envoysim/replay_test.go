package envoysim_test

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/cloverleaf-mesh/cloverleaf/controller/localca"
	"github.com/cloverleaf-mesh/cloverleaf/controller/source/manifest"
	"github.com/cloverleaf-mesh/cloverleaf/controller/store"
	"github.com/cloverleaf-mesh/cloverleaf/internal/casefile"
	"github.com/cloverleaf-mesh/cloverleaf/internal/echo"
	"github.com/cloverleaf-mesh/cloverleaf/internal/envoysim"
	"github.com/cloverleaf-mesh/cloverleaf/internal/memo"
	"github.com/cloverleaf-mesh/cloverleaf/translator"
	"github.com/cloverleaf-mesh/cloverleaf/translator/input"
	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// offset is what the cases' expectations add to ports.
const offset = 21000

// backends are the ports of the cases' backends.
var backends = map[string]string{
	"one": "3001", "two": "3002", "three": "3003", "secure": "3004", "strict": "3005", "modern": "3006",
}

// TestTheDataPlaneCasesHoldForTheSimulator replays the cases that a real Envoy answers in conformance/dataplane.
func TestTheDataPlaneCasesHoldForTheSimulator(t *testing.T) {
	base, files, err := casefile.Load("../../conformance/dataplane/testdata")
	if err != nil {
		t.Fatal(err)
	}
	replayed, left := 0, 0
	for _, f := range files {
		t.Run(f.Name, func(t *testing.T) {
			config := load(t, base+"\n---\n"+f.Objects)
			for _, line := range f.Lines {
				c, err := casefile.Parse(line)
				if err != nil {
					t.Fatal(err)
				}
				if !decided(&c) {
					left++
					continue
				}
				replayed++
				t.Run(line, func(t *testing.T) { replay(t, config, &c) })
			}
		})
	}
	fmt.Printf("evidence: %d lines of data-plane cases replayed by the simulator, %d left out that count or wait\n", replayed, left)
	if replayed < 3*left {
		t.Error("most cases are left out")
	}
}

// decided tells whether a case has one outcome, and none that hangs on time, on what a backend does or on certificates.
func decided(c *casefile.Case) bool {
	waits := c.Headers.Get("X-Echo-Delay") != "" || c.Headers.Get("X-Echo-Fail") != "" || c.Headers.Get("X-Echo-Slow") != ""
	hangs := slices.ContainsFunc(c.Wants, func(w casefile.Want) bool { // a session's cookie begins with an address that is drawn
		return slices.Contains([]string{"resp:set-cookie", "client", "fault", "served"}, w.Key)
	})
	hangs = hangs || c.Certificate != "" || c.Outcome == casefile.Closed
	return c.Times == 1 && !hangs && c.Method != "MIRROR" && c.Method != "SESSION" && !waits
}

// load evaluates objects and gives the resources to the simulator.
func load(t *testing.T, text string) *envoysim.Config {
	t.Helper()
	p, err := pair()
	if err != nil {
		t.Fatal(err)
	}
	authority := string(p[0]) // it signs nothing here
	pairs := map[string][2][]byte{}
	for _, name := range casefile.Pairs() {
		pairs[name] = p
	}
	text = casefile.Fill(text, backends, map[string]string{"authority": authority, "stranger": authority}, pairs)
	table := memo.New()
	s := store.New(table, input.Settings{Controller: "cloverleaf.dev/gateway", Standalone: input.On, Bind: "127.0.0.1", PortOffset: offset, LocalCA: input.On})
	f := manifest.NewDecoder().Decode("case.yaml", []byte(text))
	for _, p := range f.Problems {
		t.Fatalf("the case's own objects are wrong: %s", p)
	}
	for _, o := range f.Objects {
		s.Put(o.Value)
	}
	evaluator := translator.NewEvaluator(table)
	delta := evaluator.Refresh()
	if len(delta.Wants) > 0 {
		certify(t, s, delta.Wants)
	}
	resources := map[ir.ResourceID]*ir.Resource{}
	for _, ch := range append(delta.Resources, evaluator.Refresh().Resources...) {
		resources[ch.ID] = ch.Resource
	}
	var list []*ir.Resource
	for _, r := range resources {
		if r != nil {
			list = append(list, r)
		}
	}
	config, err := envoysim.New(list)
	if err != nil {
		t.Fatal(err)
	}
	if unknown := config.Unknown(); len(unknown) > 0 {
		t.Errorf("what we send is not understood: %s", strings.Join(unknown, ", "))
	}
	return config
}

// pair is a certificate chain and its key, which is all that these tests ask of one.
var pair = sync.OnceValues(func() ([2][]byte, error) {
	dir, err := os.MkdirTemp("", "envoysim")
	if err != nil {
		return [2][]byte{}, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	ca, err := localca.Open(dir)
	if err != nil {
		return [2][]byte{}, err
	}
	chain, key, err := ca.Leaf([]string{"localhost"}, time.Now())
	return [2][]byte{chain, key}, err
})

func certify(t *testing.T, s *store.Store, wants []translator.Want) {
	t.Helper()
	p, err := pair()
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range wants {
		s.SetLocalCertificate(w.Secret, p[0], p[1])
	}
}

func replay(t *testing.T, config *envoysim.Config, c *casefile.Case) {
	t.Helper()
	outcomes := config.Outcomes(request(t, c))
	if len(outcomes) != 1 {
		t.Fatalf("%d outcomes", len(outcomes))
	}
	got := answer(outcomes[0].Result, c)
	if c.Outcome != "*" && got.Outcome() != c.Outcome {
		t.Errorf("status %s, want %s (%+v)", got.Outcome(), c.Outcome, outcomes[0].Result)
	}
	for _, w := range c.Wants {
		if v := got.Value(w.Key); !casefile.Matches(v, w.Value) {
			t.Errorf("%s = %q, want %q", w.Key, v, w.Value)
		}
	}
}

func request(t *testing.T, c *casefile.Case) envoysim.Request {
	t.Helper()
	u, err := url.Parse(c.URL)
	if err != nil {
		t.Fatal(err)
	}
	scheme, rest, _ := strings.Cut(c.URL, "://")
	_, path, _ := strings.Cut(rest, "/")
	q := envoysim.Request{
		Address: c.Address, Port: 80, TLS: scheme == "https", HTTP2: scheme != "http", Method: c.Method, Authority: u.Host, Target: "/" + path, Peer: "127.0.0.1",
	}
	if q.TLS {
		q.Port, q.SNI = 443, cmp.Or(c.ServerName, u.Hostname())
	}
	if c.Port != 0 {
		q.Port = uint32(c.Port)
	}
	for name, values := range c.Headers {
		for _, v := range values {
			q.Headers = append(q.Headers, envoysim.Header{Name: name, Value: v})
		}
	}
	if c.Method == "GRPC" {
		q.Method, q.HTTP2 = http.MethodPost, true
		q.Headers = append(q.Headers, envoysim.Header{Name: "content-type", Value: "application/grpc"}, envoysim.Header{Name: "te", Value: "trailers"})
	}
	q.Port += offset
	return q
}

// answer makes of a result what a client would get from the echo backends.
func answer(r *envoysim.Result, c *casefile.Case) casefile.Answer {
	a := casefile.Answer{Headers: http.Header{}}
	var headers []envoysim.Header
	switch {
	case r.Verdict == envoysim.Forwarded:
		a.Status = http.StatusOK
		if code, err := strconv.Atoi(c.Headers.Get("X-Echo-Status")); err == nil {
			a.Status = code
		}
		if c.Method == "GRPC" {
			a.Code = codes.OK.String()
		}
		fillEcho(&a, r)
		answered := []envoysim.Header{{Name: "x-echo-name", Value: a.Echo.Name}}
		for _, line := range c.Headers.Values("X-Echo-Header") {
			name, value, _ := strings.Cut(line, ":")
			answered = append(answered, envoysim.Header{Name: strings.TrimSpace(name), Value: strings.TrimSpace(value)})
		}
		headers = r.Response(answered)
	case r.Answer != nil:
		a.Status, headers = int(r.Answer.Status), r.Answer.Headers
	}
	for _, h := range headers {
		a.Headers.Add(h.Name, h.Value)
	}
	if status := a.Headers.Get("Grpc-Status"); c.Method == "GRPC" && status != "" {
		n, _ := strconv.ParseUint(status, 10, 32)
		a.Code = codes.Code(n).String()
	}
	return a
}

func fillEcho(a *casefile.Answer, r *envoysim.Result) {
	up := r.Upstream
	e := &a.Echo
	for name, port := range backends {
		for _, address := range up.Endpoints.Addresses {
			if strings.HasSuffix(address, ":"+port) {
				e.Name = name
			}
		}
	}
	e.Path, e.Query, _ = strings.Cut(up.Target, "?")
	e.Method, e.Host, e.Protocol, e.Headers = up.Method, up.Authority, up.Speaks.Protocol, map[string][]string{}
	if up.Speaks.TLS {
		e.TLS = &echo.TLS{ServerName: up.Speaks.SNI}
	}
	if e.Protocol == "HTTP/2" || e.Protocol == "" { // which is what the backends negotiate
		e.Protocol = "HTTP/2.0" // as Go calls it
	}
	for _, h := range up.Headers {
		e.Headers[h.Name] = append(e.Headers[h.Name], h.Value)
	}
}
