package dataplane

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/cloverleaf-mesh/cloverleaf/internal/casefile"
	"github.com/cloverleaf-mesh/cloverleaf/internal/echo"
)

// copyHeader names the line of a case that a request belongs to, so that copies of it are known.
const copyHeader = "x-copy-of"

// seen counts what backends received for a line of a case.
type seen struct {
	mu      sync.Mutex
	answers map[string][]echo.Answer // by line
	main    map[string]map[string]int
}

var copies = &seen{answers: map[string][]echo.Answer{}, main: map[string]map[string]int{}}

func (s *seen) observe(a echo.Answer) {
	if line := a.Headers[copyHeader]; len(line) == 1 {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.answers[line[0]] = append(s.answers[line[0]], a)
	}
}

// count is how many requests of a line a backend received beyond those that it answered.
func (s *seen) count(line, name string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := -s.main[line][name]
	for _, a := range s.answers[line] {
		if a.Name == name {
			n++
		}
	}
	return n
}

// await waits until a backend received the least number of copies that is wanted: they come when they come.
func (s *seen) await(line, name, want string) int {
	low, _, _ := strings.Cut(want, "-")
	least, _ := strconv.Atoi(low)
	key := keyOf(line)
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end) && s.count(key, name) < least; {
		time.Sleep(5 * time.Millisecond)
	}
	return s.count(key, name)
}

// host returns the Host header that all requests of a line had.
func (s *seen) host(line string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	host := ""
	for _, a := range s.answers[keyOf(line)] {
		if host != "" && host != a.Host {
			return host + " and " + a.Host
		}
		host = a.Host
	}
	return host
}

var rounds struct {
	sync.Mutex
	keys map[string]string
}

// keyOf returns a header value for a line, another one each time that the line is begun.
func keyOf(line string) string {
	rounds.Lock()
	defer rounds.Unlock()
	return rounds.keys[line]
}

func begin(line string) string {
	rounds.Lock()
	defer rounds.Unlock()
	if rounds.keys == nil {
		rounds.keys = map[string]string{}
	}
	rounds.keys[line] = fmt.Sprintf("%d-%d", len(rounds.keys), time.Now().UnixNano())
	return rounds.keys[line]
}

// sendCopied sends requests that are recognised at every backend that they reach.
func sendCopied(line string) sender {
	key := begin(line)
	return func(ctx context.Context, c *casefile.Case) (casefile.Answer, error) {
		get := *c
		get.Method, get.Headers = http.MethodGet, c.Headers.Clone()
		get.Headers.Set(copyHeader, key)
		a, err := sendHTTP(ctx, &get)
		copies.mu.Lock()
		defer copies.mu.Unlock()
		if copies.main[key] == nil {
			copies.main[key] = map[string]int{}
		}
		copies.main[key][a.Echo.Name]++
		return a, err
	}
}

// sendSession sends requests as one client that keeps cookies, or a header of the answers.
func sendSession() sender {
	jar := map[string]string{}
	kept := ""
	return func(ctx context.Context, c *casefile.Case) (casefile.Answer, error) {
		headers := c.Headers.Clone()
		for name, value := range jar {
			headers.Add("Cookie", name+"="+value)
		}
		if kept != "" {
			headers.Set(c.Keep, kept)
		}
		if cookies := headers.Values("Cookie"); len(cookies) > 0 {
			headers.Set("Cookie", strings.Join(cookies, "; "))
		}
		get := *c
		get.Method, get.Headers = http.MethodGet, headers
		a, err := sendHTTP(ctx, &get)
		for _, cookie := range (&http.Response{Header: a.Headers}).Cookies() {
			jar[cookie.Name] = cookie.Value
		}
		if c.Keep != "" && a.Headers.Get(c.Keep) != "" {
			kept = a.Headers.Get(c.Keep)
		}
		return a, err
	}
}

// backends counts the names of backends among the counts of a line.
func backends(counts map[string]int) int {
	n := 0
	for _, name := range []string{"one", "two", "three"} {
		if counts[name] > 0 {
			n++
		}
	}
	return n
}
