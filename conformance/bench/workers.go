package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"

	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// largest is the largest message that is taken: a first message names everything.
const largest = 1 << 30

// worker is a worker process as the asking process sees it.
type worker struct {
	job
	birth cost // of making what it works on
	worth cost // when the client held everything
	cmd   *exec.Cmd
	in    io.WriteCloser
	out   *bufio.Scanner
	stop  context.CancelFunc
	conn  *grpc.ClientConn
}

// hire starts a worker and, unless it only decodes, a client of it, and waits until the client holds everything.
func hire(ctx context.Context, kind string, n int) (*worker, error) {
	dir, err := os.MkdirTemp("", "bench-")
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	w := &worker{job: job{kind, n, filepath.Join(dir, "ads")}, stop: func() {
		cancel()
		_ = os.RemoveAll(dir)
	}}
	if err := w.start(ctx); err != nil {
		w.dismiss()
		return nil, fmt.Errorf("worker %s with %d routes: %w", kind, n, err)
	}
	return w, nil
}

func (w *worker) start(ctx context.Context) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	w.cmd = exec.Command(self)
	w.cmd.Env = append(os.Environ(), envKind+"="+w.kind, envRoutes+"="+strconv.Itoa(w.n), envSocket+"="+w.socket)
	w.cmd.Stderr = os.Stderr
	w.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if w.in, err = w.cmd.StdinPipe(); err != nil {
		return err
	}
	out, err := w.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	w.out = bufio.NewScanner(out)
	if err := w.cmd.Start(); err != nil {
		return err
	}
	if err := w.hear(&w.birth); err != nil || w.kind == kindDecode {
		return err
	}
	if err := w.connect(ctx); err != nil {
		return err
	}
	return w.hear(&w.worth)
}

func (w *worker) connect(ctx context.Context) error {
	var err error
	w.conn, err = grpc.NewClient("unix:"+w.socket, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(largest), grpc.WaitForReady(true)))
	if err != nil {
		return err
	}
	stream, err := discoveryv3.NewAggregatedDiscoveryServiceClient(w.conn).DeltaAggregatedResources(ctx)
	if err != nil {
		return err
	}
	c := newClient(stream.Send)
	if w.kind == kindFloor { // it has nothing but virtual hosts
		c.first = []ir.Type{ir.TypeVirtualHost}
	}
	go func() { _ = c.run(stream.Recv) }()
	return nil
}

// hear reads the worker's next line.
func (w *worker) hear(into any) error {
	if !w.out.Scan() {
		return fmt.Errorf("it ended without a word: %w", w.out.Err())
	}
	return json.Unmarshal(w.out.Bytes(), into)
}

// ask has the worker run cycles.
func (w *worker) ask(o order) (map[string]*spent, error) {
	text, err := json.Marshal(o)
	if err != nil {
		return nil, err
	}
	if _, err := w.in.Write(append(text, '\n')); err != nil {
		return nil, err
	}
	total := map[string]*spent{}
	return total, w.hear(&total)
}

// dismiss ends the worker.
func (w *worker) dismiss() {
	if w.conn != nil {
		_ = w.conn.Close()
	}
	if w.cmd != nil && w.cmd.Process != nil {
		_ = w.cmd.Process.Kill()
		_ = w.cmd.Wait()
	}
	w.stop()
}
