package simulation

import (
	"math"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/cloverleaf-mesh/cloverleaf/internal/echo"
	"github.com/cloverleaf-mesh/cloverleaf/internal/envoysim"
)

// caseHeader numbers the requests, so that backends tell which one they got a copy of.
const caseHeader = "x-case"

// copies compares what backends received with the mirrors that the simulator names.
type copies struct {
	mu       sync.Mutex
	received map[string][]echo.Answer // by case
	expected map[string][]envoysim.Outcome
}

func newCopies() *copies {
	return &copies{received: map[string][]echo.Answer{}, expected: map[string][]envoysim.Outcome{}}
}

func (c *copies) observe(a echo.Answer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, key := range a.Headers[caseHeader] {
		c.received[key] = append(c.received[key], a)
	}
}

// expect notes the outcomes that a request may have had, if any of them sends copies.
func (c *copies) expect(key string, like []envoysim.Outcome) {
	for _, o := range like {
		if o.Result.Verdict == envoysim.Forwarded && len(o.Result.Upstream.Mirrors) > 0 && readable(o.Result.Upstream.Target) {
			c.expected[key] = like
		}
	}
}

// bounds are how many requests backends get for one with these outcomes.
func bounds(like []envoysim.Outcome) (least, most int) {
	least = math.MaxInt
	for _, o := range like {
		low, high := 1, 1 // the request itself
		for _, share := range o.Copied {
			if share > 0 {
				high++
			}
			if share > 0.999 {
				low++
			}
		}
		least, most = min(least, low), max(most, high)
	}
	return least, most
}

// total counts all requests that backends received.
func (c *copies) total() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := 0
	for _, list := range c.received {
		n += len(list)
	}
	return n
}

// of returns what was received for a case.
func (c *copies) of(key string) []echo.Answer {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.received[key])
}

// check waits for the copies that must come, and returns how many came.
func (c *copies) check(t *testing.T, b *bench) int {
	t.Helper()
	limit := time.Now().Add(30 * time.Second)
	count := 0
	for key, like := range c.expected {
		least, most := bounds(like)
		for len(c.of(key)) < least && time.Now().Before(limit) {
			time.Sleep(time.Millisecond)
		}
		got := c.of(key)
		if len(got) < least || len(got) > most {
			t.Errorf("backends received %d requests, want %d to %d (%+v)", len(got), least, most, like[0].Result.Upstream)
		}
		for _, a := range got {
			if !slices.ContainsFunc(like, func(o envoysim.Outcome) bool { return b.gets(o, &a) }) {
				t.Errorf("a request went to %s with host %s and path %s, want %+v", a.Name, a.Host, a.Path, like[0].Result.Upstream)
			}
		}
		count += len(got) - 1
	}
	clear(c.expected)
	return count
}

// gets tells whether a request is one that the upstream of an outcome, or a mirror of it, gets.
func (b *bench) gets(o envoysim.Outcome, a *echo.Answer) bool {
	up := o.Result.Upstream
	names := slices.Clone(b.backends[up.Cluster.Name])
	for _, m := range up.Mirrors {
		names = append(names, b.backends[m.Cluster.Name]...)
	}
	return slices.Contains(names, a.Name) && a.Host == up.Authority
}
