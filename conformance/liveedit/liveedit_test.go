// Package liveedit holds the test of live edits: a constant load on one route of a running `cloverleaf up` with a real
// Envoy, while its backends, its filters and everything around it change. Every answer must be 200 and right: by the
// version that was live before the edit or by the new one, and by the new one alone once that was reported live.
package liveedit

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cloverleaf-mesh/cloverleaf/conformance/updriver"
	"github.com/cloverleaf-mesh/cloverleaf/internal/echo"
)

var binary string

func TestMain(m *testing.M) { updriver.Main(m, &binary) }

func TestEditsUnderLoadNeverGiveAWrongAnswer(t *testing.T) {
	run(t, plan{port: 24900, edits: 500, crowd: 1000})
}

func TestEditsUnderLoadNeverGiveAWrongAnswerWithWholeRouteTables(t *testing.T) {
	run(t, plan{port: 24910, edits: 100, crowd: 200, args: []string{"--virtual-hosts", "inline"}})
}

// plan is the size of a run: that many edits, and routes that come in its first half and go in its second.
type plan struct {
	port, edits, crowd int
	args               []string
}

// session is a run on its way.
type session struct {
	t       *testing.T
	up      *updriver.Up
	world   *world
	history *history
	took    []time.Duration // of each edit, from its writing to its being reported live
	broken  int
}

func run(t *testing.T, p plan) {
	t.Helper()
	echoes := map[string]int{}
	for _, name := range []string{"one", "two", "three", "four"} {
		s, err := echo.Start(echo.Options{Name: name, Address: "127.0.0.1:0"})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		echoes[name] = s.Port()
	}
	s := &session{t: t, world: newWorld(p.port, echoes), history: &history{}}
	dir := t.TempDir()
	for _, file := range []string{"gateway.yaml", "services.yaml", "live.yaml", "siblings.yaml"} {
		updriver.Put(t, dir, file, s.world.file(file))
	}
	s.up = updriver.Start(t, binary, dir, append([]string{"--admin", ""}, p.args...)...)
	s.history.begin(s.world.state("start"))
	l := start(t, fmt.Sprintf("http://127.0.0.1:%d/", p.port), s.history)
	began := time.Now()
	s.edits(p)
	l.end(t)
	if e, refused := s.up.Problem(0, "CL05"); refused {
		t.Errorf("Envoy refused something: %+v", e.Problem)
	}
	if l.closed.Load() > 0 || l.overHTTP2.Load() != http2s {
		t.Errorf("edits closed %d connections, and clients opened %d HTTP/2 connections, not %d", l.closed.Load(), l.overHTTP2.Load(), http2s)
	}
	slices.Sort(s.took)
	fmt.Printf("evidence: live edit%s: %d requests (%d of them on new connections) during %d edits, %d broken ones and %d routes that came and went in %s: "+
		"%d wrong answers; an edit was live after %s (median), %s (95 of 100), %s (slowest)\n",
		strings.Join(append([]string{""}, p.args...), " "), l.requests.Load(), l.fresh.Load(), p.edits, s.broken, p.crowd,
		time.Since(began).Round(time.Second), l.wrong.Load(), s.percentile(50), s.percentile(95), s.percentile(100))
}

func (s *session) percentile(n int) time.Duration {
	return s.took[(len(s.took)-1)*n/100].Round(time.Millisecond)
}

// edits makes every kind of edit in turn. Between them come broken ones, and beside them a crowd of routes.
func (s *session) edits(p plan) {
	for i := range p.edits {
		if i%9 == 4 { // not every tenth: so that they come before every kind of edit
			s.breakIt(i / 9)
		}
		e := edits[i%len(edits)]
		file := e.make(s.world)
		crowd, text := s.crowd(p, i)
		from, began := s.up.Seen(), time.Now()
		s.history.begin(s.world.state(fmt.Sprintf("edit %d (%s)", i, e.name)))
		updriver.Put(s.t, s.up.Dir, file, s.world.file(file))
		if text != "" {
			updriver.Put(s.t, s.up.Dir, crowd, text)
		} else if err := os.Remove(filepath.Join(s.up.Dir, crowd)); err != nil {
			s.t.Fatal(err)
		}
		s.up.AwaitFile(s.t, from, file)
		s.history.live()
		s.took = append(s.took, time.Since(began))
		s.up.AwaitFile(s.t, from, crowd)
	}
}

// crowd returns a file of routes that come beside an edit, or that go: then its text is empty.
func (s *session) crowd(p plan, i int) (name, text string) {
	half, each := p.edits/2, 2*p.crowd/p.edits
	name = fmt.Sprintf("crowd-%03d.yaml", i%half)
	if i < half {
		text = s.world.crowd(i*each, each)
	}
	return name, text
}

// breakIt writes a broken version of the route's file, which must have no effect but its report.
func (s *session) breakIt(n int) {
	good := s.world.file("live.yaml")
	other := strings.Replace(good, `value: "`+fmt.Sprint(s.world.version), `value: "broken`, 1)
	from := s.up.Seen()
	code := "CL0101"
	switch n % 3 {
	case 0:
		code = "CL0104"
		updriver.Put(s.t, s.up.Dir, "live.yaml", strings.Replace(other, "backendRefs", "backendRef", 1))
	case 1:
		updriver.Put(s.t, s.up.Dir, "live.yaml", strings.Replace(other, "rules:", "rules: [", 1))
	case 2: // half written, in place
		if err := os.WriteFile(filepath.Join(s.up.Dir, "live.yaml"), []byte(other[:strings.Index(other, "backendRefs: [")+20]), 0o600); err != nil {
			s.t.Fatal(err)
		}
	}
	s.up.AwaitFile(s.t, from, "live.yaml")
	if _, reported := s.up.Problem(from, code); !reported {
		s.t.Errorf("broken edit %d: %s was not reported: %+v", n, code, s.up.Problems(from))
	}
	s.broken++
}
