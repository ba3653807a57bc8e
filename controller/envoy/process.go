package envoy

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	goruntime "runtime"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/cloverleaf-mesh/cloverleaf/translator/finding"
	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// Options are how an Envoy is run.
type Options struct {
	Binary Binary
	// Dir is a private folder for the sockets and the bootstrap. Its path must be short: a socket's has 107 bytes.
	Dir string
	// Concurrency is the number of worker threads; 0 means one for each CPU.
	Concurrency int
	// DrainTimeout is how long open requests may take after Stop.
	DrainTimeout time.Duration
	// AccessLog is Envoy's standard output, to which it writes the access log; nil for none.
	AccessLog *os.File
	Logger    *slog.Logger
	// Trouble is told when Envoy exits again and again. It may be nil.
	Trouble func(finding.Finding)
}

// Process is an Envoy that is kept running.
type Process struct {
	options Options
	admin   *Admin

	mu       sync.Mutex
	command  *exec.Cmd
	stopping bool
	pid      int
	done     chan struct{} // closed when nothing runs any more
	words    *tail
}

// fastExit is how soon an exit counts as one at once, and tooOften how many of them in a row are reported.
const (
	fastExit   = 3 * time.Second
	tooOften   = 3
	slowRetry  = 10 * time.Second
	firstRetry = 100 * time.Millisecond
)

// Start starts Envoy and keeps it running until Stop: it is started again when it exits, soon at first and slowly when it
// exits again and again. It dies with this process, whatever ends it.
func Start(o Options) (*Process, error) {
	if err := os.WriteFile(filepath.Join(o.Dir, bootstrap), Bootstrap(o.Dir, HeapLimit()), 0o600); err != nil {
		return nil, fmt.Errorf("writing Envoy's bootstrap: %w", err)
	}
	p := &Process{options: o, admin: NewAdmin(filepath.Join(o.Dir, adminSocket)), done: make(chan struct{}), words: &tail{}}
	go p.supervise()
	return p, nil
}

// Admin returns the client of Envoy's admin interface.
func (p *Process) Admin() *Admin { return p.admin }

// PID returns the process that runs now; 0 for none.
func (p *Process) PID() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.pid
}

// supervise runs on one thread for as long as Envoy shall run: the kernel kills a child with PR_SET_PDEATHSIG when the
// thread ends that started it, not the process.
func (p *Process) supervise() {
	goruntime.LockOSThread()
	defer goruntime.UnlockOSThread()
	defer close(p.done)
	fast := 0
	for !p.stopped() {
		began := time.Now()
		err := p.runOnce()
		if p.stopped() {
			return
		}
		if time.Since(began) < fastExit {
			fast++
		} else {
			fast = 0
		}
		retry := min(firstRetry<<fast, slowRetry)
		if fast >= tooOften {
			retry = slowRetry
		}
		p.options.Logger.Warn("Envoy exited", "error", err, "retry", retry)
		if fast == tooOften && p.options.Trouble != nil {
			p.options.Trouble(finding.New(finding.EnvoyExits, ir.Ref{}, "", fast, err, retry, p.words.String()))
		}
		p.sleep(retry)
	}
}

func (p *Process) sleep(d time.Duration) {
	for end := time.Now().Add(d); time.Now().Before(end) && !p.stopped(); {
		time.Sleep(min(50*time.Millisecond, time.Until(end)))
	}
}

func (p *Process) stopped() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stopping
}

func (p *Process) runOnce() error {
	_ = os.Remove(filepath.Join(p.options.Dir, adminSocket))
	args := []string{
		"-c", filepath.Join(p.options.Dir, bootstrap), "--disable-hot-restart", "--log-level", "warning",
		"--log-format", "%l %n %v", "--drain-strategy", "immediate", "--file-flush-interval-msec", "500",
	}
	if p.options.Concurrency > 0 {
		args = append(args, "--concurrency", fmt.Sprint(p.options.Concurrency))
	}
	c := exec.Command(p.options.Binary.Path, args...)
	// A group of its own, so that ^C in a terminal reaches only us, and Envoy drains.
	c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	if p.options.AccessLog != nil {
		c.Stdout = p.options.AccessLog
	}
	stderr, err := c.StderrPipe()
	if err != nil {
		return err
	}
	p.mu.Lock()
	if p.stopping {
		p.mu.Unlock()
		return nil
	}
	err = c.Start()
	if err == nil {
		p.command, p.pid = c, c.Process.Pid
	}
	p.mu.Unlock()
	if err != nil {
		return err
	}
	p.readLog(stderr)
	err = c.Wait()
	p.mu.Lock()
	p.command, p.pid = nil, 0
	p.mu.Unlock()
	if err == nil {
		err = errors.New("exit status 0")
	}
	return err
}

// readLog passes Envoy's warnings on until it exits.
func (p *Process) readLog(r io.Reader) {
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, 4096), 1<<20)
	for lines.Scan() {
		line := lines.Text()
		p.words.add(line)
		level, rest, _ := strings.Cut(line, " ")
		switch level {
		case "error", "critical":
			p.options.Logger.Error(rest, "component", "envoy")
		case "warning":
			p.options.Logger.Info(rest, "component", "envoy")
		}
	}
	_, _ = io.Copy(io.Discard, r)
}

// Stop lets open requests end, up to the drain timeout, and then ends Envoy. It reports how many connections were open
// when it began. Cancelling the context ends the wait.
func (p *Process) Stop(ctx context.Context) (open int) {
	open, _ = p.admin.ActiveConnections(ctx)
	if open > 0 {
		p.drain(ctx)
	}
	p.mu.Lock()
	p.stopping = true
	c := p.command
	p.mu.Unlock()
	if c != nil {
		_ = c.Process.Signal(syscall.SIGTERM)
		kill := time.AfterFunc(5*time.Second, func() { _ = c.Process.Kill() })
		defer kill.Stop()
	}
	<-p.done
	return open
}

func (p *Process) drain(ctx context.Context) {
	_ = p.admin.Post(ctx, "/healthcheck/fail")
	if p.admin.Post(ctx, "/drain_listeners?graceful&skip_exit") != nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, p.options.DrainTimeout)
	defer cancel()
	for {
		if n, err := p.admin.ActiveRequests(ctx); err != nil || n == 0 {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// tail keeps the last lines of a log.
type tail struct {
	mu    sync.Mutex
	lines []string
}

func (t *tail) add(line string) {
	const most = 5
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.lines = append(t.lines, line); len(t.lines) > most {
		t.lines = t.lines[1:]
	}
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.lines) == 0 {
		return "none"
	}
	return strings.Join(t.lines, " | ")
}
