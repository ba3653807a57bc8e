package liveedit

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// state is what the gateway may answer at a time: a version of the route's filter, and a backend of that version.
type state struct {
	version  string
	backends []string
	edit     string
	from     time.Time // right before it was written
	until    time.Time // when its successor was reported live; zero for the newest
}

// history knows what was right when. It is safe for concurrent use.
type history struct {
	mu     sync.Mutex
	states []state
}

// begin says that a state is about to be written: from now on it is right, and so is the one before.
func (h *history) begin(s state) {
	h.mu.Lock()
	defer h.mu.Unlock()
	s.from = time.Now()
	h.states = append(h.states, s)
}

// live says that the newest state was reported live: from now on only it is right.
func (h *history) live() {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := time.Now()
	for i := len(h.states) - 2; i >= 0 && h.states[i].until.IsZero(); i-- {
		h.states[i].until = now
	}
}

// right tells whether a request that was under way from one time to another may be answered so.
func (h *history) right(sent, received time.Time, version, backend string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, s := range slices.Backward(h.states) {
		if !s.until.IsZero() && s.until.Before(sent) {
			return false
		}
		if !s.from.After(received) && s.version == version && slices.Contains(s.backends, backend) {
			return true
		}
	}
	return false
}

// last describes the newest states, for the report of a wrong answer.
func (h *history) last(n int) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var out strings.Builder
	for _, s := range h.states[max(0, len(h.states)-n):] {
		fmt.Fprintf(&out, "    %s: version %s of %v, from %s", s.edit, s.version, s.backends, s.from.Format(stamp))
		if !s.until.IsZero() {
			fmt.Fprintf(&out, " until %s", s.until.Format(stamp))
		}
		out.WriteString("\n")
	}
	return out.String()
}

const stamp = "05.000000"
