package liveedit

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// load is a constant load of several clients on one route, each answer of which is judged as it comes.
type load struct {
	url     string
	history *history
	stop    context.CancelFunc
	running sync.WaitGroup

	requests, fresh, wrong atomic.Int64
	closed                 atomic.Int64 // connections that the gateway closed, or asked to close
	overHTTP2              atomic.Int64 // HTTP/2 connections: a client opens another only when it has to

	mu    sync.Mutex
	words []string // of the first wrong answers
}

const (
	keepAlive  = 4                    // clients that keep their HTTP/1.1 connection
	http2s     = 1                    // clients that keep an HTTP/2 connection
	newEach    = 2                    // clients that open a connection for every request
	pause      = 3 * time.Millisecond // between two requests of a client
	mostWords  = 10
	lastStates = 4
)

// start begins the load; end ends it.
func start(t *testing.T, url string, h *history) *load {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	l := &load{url: url, history: h, stop: stop}
	var kept atomic.Int64 // clients give up a connection of their own accord, too: when they are slow
	for range keepAlive {
		l.client(ctx, http1(), false, &kept)
	}
	for range http2s {
		l.client(ctx, http2(), false, &l.overHTTP2)
	}
	for range newEach {
		l.client(ctx, http1(), true, &l.fresh)
	}
	return l
}

func http1() *http.Protocols {
	p := &http.Protocols{}
	p.SetHTTP1(true)
	return p
}

func http2() *http.Protocols {
	p := &http.Protocols{}
	p.SetUnencryptedHTTP2(true)
	return p
}

// client sends requests until the context ends, on a connection of its own or a new one for each.
func (l *load) client(ctx context.Context, protocols *http.Protocols, fresh bool, connections *atomic.Int64) {
	transport := &http.Transport{
		Protocols: protocols, DisableKeepAlives: fresh,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			connections.Add(1)
			c, err := (&net.Dialer{}).DialContext(ctx, network, address)
			return &watched{Conn: c, load: l, fresh: fresh}, err
		},
	}
	l.running.Go(func() {
		defer transport.CloseIdleConnections()
		next := time.NewTicker(pause)
		defer next.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-next.C:
				l.ask(transport)
			}
		}
	})
}

// watched is a connection that notices when the other side closes it.
type watched struct {
	net.Conn
	load  *load
	fresh bool
	mine  atomic.Bool // closed by the client
}

// Read reads, and takes note of the end.
func (w *watched) Read(b []byte) (int, error) {
	n, err := w.Conn.Read(b)
	if err != nil && !w.fresh && !w.mine.Load() {
		w.load.closed.Add(1)
	}
	return n, err
}

// Close closes the connection.
func (w *watched) Close() error {
	w.mine.Store(true)
	return w.Conn.Close()
}

// ask sends one request and judges its answer.
func (l *load) ask(transport *http.Transport) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, l.url, http.NoBody)
	if err != nil {
		l.complain("%v", err)
		return
	}
	req.Host = host
	sent := time.Now()
	resp, err := transport.RoundTrip(req)
	if err == nil {
		_, err = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
	}
	received := time.Now()
	l.requests.Add(1)
	if err == nil && resp.Close && !transport.DisableKeepAlives {
		l.closed.Add(1)
	}
	if err != nil {
		l.complain("no answer: %v, from %s to %s", err, sent.Format(stamp), received.Format(stamp))
		return
	}
	version, backend := resp.Header.Get("X-Version"), resp.Header.Get("X-Echo-Name")
	if resp.StatusCode != http.StatusOK || !l.history.right(sent, received, version, backend) {
		l.complain("%s: version %s of %q, from %s to %s", resp.Status, version, backend, sent.Format(stamp), received.Format(stamp))
	}
}

func (l *load) complain(format string, args ...any) {
	l.wrong.Add(1)
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.words) < mostWords {
		l.words = append(l.words, fmt.Sprintf(format, args...)+"\n"+l.history.last(lastStates))
	}
}

// end stops the load and waits for its last answers.
func (l *load) end(t *testing.T) {
	t.Helper()
	l.stop()
	l.running.Wait()
	for _, words := range l.words {
		t.Error(words)
	}
}
