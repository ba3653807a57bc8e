package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// plane is the data plane as a client sees it.
type plane struct {
	address string
	client  *http.Client
}

func newPlane(address string) *plane {
	return &plane{address, &http.Client{Timeout: 5 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}}}
}

// answer is what came of a request; code 0 means that nothing did.
type answer struct {
	code   int
	header http.Header
	err    error
}

// get asks for a path of a host.
func (p *plane) get(ctx context.Context, host, path string) answer {
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+p.address+path, nil) //nolint:gosec // what is measured is named by who measures
	if err != nil {
		return answer{err: err}
	}
	q.Host = host
	r, err := p.client.Do(q) //nolint:gosec // as above
	if err != nil {
		return answer{err: err}
	}
	_, _ = io.Copy(io.Discard, r.Body)
	_ = r.Body.Close()
	return answer{code: r.StatusCode, header: r.Header}
}

// await asks a host until the answer is as wished.
func (p *plane) await(ctx context.Context, host string, limit time.Duration, wished func(answer) bool) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	for {
		last := p.get(ctx, host, "/api/x")
		if last.code == http.StatusOK && wished(last) {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: not as wished within %s; last answer %d %v: %w", host, limit, last.code, last.header, errors.Join(ctx.Err(), last.err))
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// serveBackends answers on two ports, each with its port in a header.
func serveBackends(ctx context.Context, ports [2]int) error {
	for _, port := range ports {
		listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:"+strconv.Itoa(port))
		if err != nil {
			return err
		}
		server := &http.Server{
			ReadHeaderTimeout: 10 * time.Second,
			Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("x-backend", strconv.Itoa(port))
				_, _ = io.WriteString(w, "ok")
			}),
		}
		go func() { _ = server.Serve(listener) }()
		context.AfterFunc(ctx, func() { _ = server.Close() })
	}
	return nil
}

// fetch reads a page. Its address may begin with unix:GLOB: instead of a host; the glob names one socket.
func fetch(ctx context.Context, address, path string) (string, error) {
	client := &http.Client{Timeout: 60 * time.Second}
	base := address
	if glob, ok := strings.CutPrefix(address, "unix:"); ok {
		sockets, err := filepath.Glob(glob)
		if err != nil || len(sockets) != 1 {
			return "", fmt.Errorf("%s names %d sockets, not one", glob, len(sockets))
		}
		client.Transport = &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", sockets[0])
		}}
		base = "http://envoy"
	}
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, base+path, nil) //nolint:gosec // as above
	if err != nil {
		return "", err
	}
	r, err := client.Do(q) //nolint:gosec // as above
	if err != nil {
		return "", err
	}
	defer func() { _ = r.Body.Close() }()
	text, err := io.ReadAll(r.Body)
	if err == nil && r.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", path, r.Status)
	}
	return string(text), err
}

var totalAlloc = regexp.MustCompile(`(?m)^# TotalAlloc = (\d+)$`)

// allocatedBy asks a Go program's pprof how much it ever allocated.
func allocatedBy(ctx context.Context, pprof string) (int64, error) {
	text, err := fetch(ctx, pprof, "/heap?debug=1")
	if err != nil {
		return 0, err
	}
	m := totalAlloc.FindStringSubmatch(text)
	if m == nil {
		return 0, fmt.Errorf("%s/heap has no TotalAlloc", pprof)
	}
	return strconv.ParseInt(m[1], 10, 64)
}

// xdsReceived asks Envoy's admin interface for the bytes that it received from a cluster.
func xdsReceived(ctx context.Context, admin, cluster string) (int64, error) {
	text, err := fetch(ctx, admin, `/stats?filter=^cluster\.`+cluster+`\.upstream_cx_rx_bytes_total$`)
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(text)
	if len(fields) == 0 {
		return 0, fmt.Errorf("no bytes of cluster %s are counted by Envoy", cluster)
	}
	return strconv.ParseInt(fields[len(fields)-1], 10, 64)
}
