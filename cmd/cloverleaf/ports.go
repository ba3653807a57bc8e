package main

import (
	"context"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/cloverleaf-mesh/cloverleaf/controller/xdsserver"
	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
	"github.com/cloverleaf-mesh/cloverleaf/translator/xds"
)

// portWatch waits for the ports of refused listeners to become free. Envoy does not try a listener again by itself, and
// nothing in the folder changes when another process ends.
type portWatch struct {
	mu    sync.Mutex
	taken map[ir.ResourceID]bool
}

const lookAtPorts = 500 * time.Millisecond

// note takes in what the proxy refused, or no longer does.
func (w *portWatch) note(rejections []xdsserver.Rejection) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, r := range rejections {
		if r.ID.Type == ir.TypeListener && strings.Contains(r.Message, xds.PortInUse) {
			w.taken[r.ID] = true
		} else {
			delete(w.taken, r.ID)
		}
	}
}

func (w *portWatch) list() []ir.ResourceID {
	w.mu.Lock()
	defer w.mu.Unlock()
	ids := make([]ir.ResourceID, 0, len(w.taken))
	for id := range w.taken {
		ids = append(ids, id)
	}
	return ids
}

// run lets listeners be tried again whose port can be listened on. Bound tells what a listener binds.
func (w *portWatch) run(ctx context.Context, bound func(ir.ListenerName) string, retry func(ir.ResourceID)) {
	look := time.NewTicker(lookAtPorts)
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-look.C:
		}
		for _, id := range w.list() {
			if address := bound(ir.ListenerName(id.Name)); address != "" && free(ctx, address) {
				retry(id)
			}
		}
	}
}

func free(ctx context.Context, address string) bool {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return false
	}
	_ = l.Close()
	return true
}
