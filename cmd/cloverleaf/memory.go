package main

import (
	"runtime/debug"
	"sync/atomic"
)

// memory gives back to the system what a large change needed on its way: reading a folder takes several times of what is
// kept of it, and the runtime would keep that for a heap that grows by single edits from then on.
type memory struct {
	generation atomic.Uint64 // of the last large change; 0 when there is nothing to give back
}

// note takes note of a change. Those with many resources are large.
func (m *memory) note(resources int, generation uint64) {
	const many = 1000
	if resources > many {
		m.generation.Store(generation)
	}
}

// settled is told that the proxies hold a generation.
func (m *memory) settled(generation uint64) {
	if g := m.generation.Load(); g > 0 && generation >= g && m.generation.CompareAndSwap(g, 0) {
		debug.FreeOSMemory()
	}
}
