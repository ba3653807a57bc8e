package envoy

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Admin is a client of Envoy's admin interface on a Unix socket, which nobody else can reach. It is safe for concurrent
// use.
type Admin struct{ client *http.Client }

// NewAdmin returns a client of the interface on a socket.
func NewAdmin(socket string) *Admin {
	return &Admin{&http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", socket)
		},
	}}}
}

// Get returns the answer to a GET request for a path.
func (a *Admin) Get(ctx context.Context, path string) (string, error) {
	return a.do(ctx, http.MethodGet, path)
}

// Post sends a POST request to a path.
func (a *Admin) Post(ctx context.Context, path string) error {
	_, err := a.do(ctx, http.MethodPost, path)
	return err
}

func (a *Admin) do(ctx context.Context, method, path string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, method, "http://envoy"+path, http.NoBody)
	if err != nil {
		return "", err
	}
	resp, err := a.client.Do(req)
	if err != nil {
		return "", err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("envoy admin %s: %s", path, resp.Status)
	}
	return string(body), err
}

// ActiveConnections counts the clients' connections.
func (a *Admin) ActiveConnections(ctx context.Context) (int, error) {
	return a.sum(ctx, "downstream_cx_active")
}

// ActiveRequests counts the requests that are under way.
func (a *Admin) ActiveRequests(ctx context.Context) (int, error) {
	return a.sum(ctx, "downstream_rq_active")
}

func (a *Admin) sum(ctx context.Context, stat string) (int, error) {
	text, err := a.Get(ctx, "/stats?usedonly&filter=^http\\..*"+stat)
	if err != nil {
		return 0, err
	}
	total := 0
	for line := range strings.Lines(text) {
		name, value, ok := strings.Cut(strings.TrimSpace(line), ": ")
		if !ok || strings.HasPrefix(name, "http.admin.") {
			continue
		}
		n, _ := strconv.Atoi(value)
		total += n
	}
	return total, nil
}
