// Package xdsdriver serves a real Envoy with the resources of a test: our xDS server on one side of it, requests on the
// other.
package xdsdriver

import (
	"context"
	"log/slog"
	"net"
	"os"
	"sync/atomic"
	"testing"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	"google.golang.org/grpc"

	"github.com/cloverleaf-mesh/cloverleaf/controller/envoy"
	"github.com/cloverleaf-mesh/cloverleaf/controller/xdsserver"
	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// Class is the class of the one proxy that is served.
var Class = ir.ProxyClass{Role: ir.ClassLocal}

// Driver is an xDS server, a real Envoy that it serves, and counts of what was sent.
type Driver struct {
	Server *xdsserver.Server
	Envoy  *envoy.Process
	// Pushed counts the resources that were sent, Nacks the messages that Envoy refused.
	Pushed, Nacks atomic.Int64
	// Refused are the rejections that were told of until InSync last returned.
	Refused []xdsserver.Rejection

	dir  string
	grpc *grpc.Server
}

// Start starts both for the time of a test.
func Start(t *testing.T) *Driver {
	t.Helper()
	binary, err := envoy.Find(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "xds") //nolint:usetesting // a test's own folder has a name too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	d := &Driver{dir: dir}
	d.Listen(t)
	d.Envoy, err = envoy.Start(envoy.Options{Binary: binary, Dir: dir, Concurrency: 1, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		d.Envoy.Stop(context.Background())
		d.Close()
	})
	return d
}

// Listen starts a server, or another one in place of the last that was closed.
func (d *Driver) Listen(t *testing.T) {
	t.Helper()
	d.Server = xdsserver.New(xdsserver.Options{
		Classify: func(context.Context, *corev3.Node) (ir.ProxyClass, error) { return Class, nil },
		Hooks: xdsserver.Hooks{
			Pushed: func(_ ir.Type, n, _ int) { d.Pushed.Add(int64(n)) },
			Nacked: func(ir.Type) { d.Nacks.Add(1) },
		},
	})
	_ = os.Remove(envoy.XDSSocket(d.dir))
	l, err := net.Listen("unix", envoy.XDSSocket(d.dir))
	if err != nil {
		t.Fatal(err)
	}
	d.grpc = grpc.NewServer(grpc.MaxRecvMsgSize(64 << 20))
	d.Server.Register(d.grpc)
	go func() { _ = d.grpc.Serve(l) }()
}

// Close stops the server; Envoy goes on with what it has.
func (d *Driver) Close() {
	d.grpc.Stop()
	d.Server.Close()
}

// Apply hands changes to the server and waits until Envoy holds everything that it takes.
func (d *Driver) Apply(t *testing.T, changes ...ir.Change) {
	t.Helper()
	d.Server.Apply(changes)
	d.InSync(t)
}

// InSync waits until Envoy holds everything that it takes.
func (d *Driver) InSync(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	for {
		facts, err := d.Server.NextFacts(ctx)
		if err != nil {
			t.Fatal("Envoy did not come in sync: ", err)
		}
		d.Refused = append(d.Refused, facts.Rejections...)
		if len(facts.InSync) > 0 {
			return
		}
	}
}

// Must unwraps an encoded resource as a change.
func Must(t testing.TB, r *ir.Resource, err error) ir.Change {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return ir.Change{Class: Class, ID: r.ID, Resource: r}
}
