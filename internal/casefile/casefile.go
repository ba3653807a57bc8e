// Package casefile reads the cases of conformance/dataplane: objects, and requests with what must come of them, a line
// each. It decides how a case is written, and nothing about how its requests are made.
//
//	GET http://a.example/x [name=value ...] -> 200 [name=value ...]
//	MIRROR and SESSION are GET with counts of copies (copies:NAME=LOW-HIGH, copy:host= of one) and with kept cookies, or
//	a kept header (header=NAME): names=COUNT is how many backends answered.
//	GRPC h2c://a.example/shop.Cart/Add [name=value ...] -> OK [name=value ...]
//
// Before the arrow: h:NAME=VALUE sends a header, port=NUMBER goes to that port of the gateway, at=ADDRESS to that
// address, n=COUNT sends the request so often, server=NAME asks for that server name in the TLS handshake, cert=NAME shows a certificate: client is signed by
// the CA authority, impostor by stranger. The status "closed" is a connection that the gateway does not take, or ends
// without an answer.
//
// After it: backend=NAME, path=, host=, query=, proto= are what the backend received, sni= and client= what it saw of TLS
// (the server name, and the subject of the certificate that it was shown); req:NAME= and resp:NAME= are headers that the
// backend or the client received ("-" for none); location= is the header; fault= is the text of an answer that is no
// backend's own; served= is the subject of the gateway's certificate; share:NAME=LOW-HIGH counts backends (or status codes)
// of n requests.
package casefile

import (
	"cmp"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/tools/txtar"

	"github.com/cloverleaf-mesh/cloverleaf/internal/echo"
)

// File is one file of cases.
type File struct {
	Name    string // without its ending
	Objects string
	Lines   []string
}

// Load reads the cases of a folder, and the objects that all of them have.
func Load(dir string) (base string, files []File, err error) {
	text, err := os.ReadFile(filepath.Join(dir, "base.yaml"))
	if err != nil {
		return "", nil, err
	}
	paths, err := filepath.Glob(filepath.Join(dir, "*.txtar"))
	if err != nil || len(paths) == 0 {
		return "", nil, fmt.Errorf("no cases in %s", dir)
	}
	for _, path := range paths {
		archive, err := txtar.ParseFile(path)
		if err != nil {
			return "", nil, err
		}
		f := File{Name: strings.TrimSuffix(filepath.Base(path), ".txtar")}
		for _, section := range archive.Files {
			switch section.Name {
			case "objects.yaml":
				f.Objects = string(section.Data)
			case "requests":
				f.Lines = strings.Split(strings.TrimSpace(string(section.Data)), "\n")
			}
		}
		files = append(files, f)
	}
	return string(text), files, nil
}

// Case is one line.
type Case struct {
	Text        string
	Method      string // or MIRROR, SESSION, GRPC
	URL         string
	Headers     http.Header // as written
	Port        int         // of the gateway; 0 for that of the URL's scheme
	Address     string      // of the gateway
	Certificate string      // name of the one that the client shows
	ServerName  string      // of the TLS handshake; empty for the URL's host
	Times       int
	Keep        string // a header of answers that the next request sends
	Outcome     string // a status; "*" for any
	Wants       []Want
}

// Closed is the outcome of a connection that was refused or ended without an answer.
const Closed = "closed"

// Want is a value that must come.
type Want struct{ Key, Value string }

// Parse reads a line.
func Parse(line string) (Case, error) {
	left, right, ok := strings.Cut(line, " -> ")
	words, wants := strings.Fields(left), strings.Fields(right)
	if !ok || len(words) < 2 || len(wants) == 0 {
		return Case{}, fmt.Errorf("cannot read the case: %q", line)
	}
	c := Case{Text: line, Method: words[0], URL: words[1], Headers: http.Header{}, Address: "127.0.0.1", Times: 1, Outcome: wants[0]}
	for _, w := range words[2:] {
		key, value, _ := strings.Cut(w, "=")
		switch key {
		case "n":
			c.Times, _ = strconv.Atoi(value)
		case "header":
			c.Keep = value
		case "server":
			c.ServerName = value
		case "cert":
			c.Certificate = value
		case "port":
			c.Port, _ = strconv.Atoi(value)
		case "at":
			c.Address = value
		default:
			c.Headers.Add(strings.TrimPrefix(key, "h:"), value)
		}
	}
	for _, w := range wants[1:] {
		key, value, _ := strings.Cut(w, "=")
		c.Wants = append(c.Wants, Want{key, value})
	}
	return c, nil
}

// Answer is what came back.
type Answer struct {
	Status  int    // of HTTP
	Code    string // of gRPC; empty for HTTP
	Headers http.Header
	Echo    echo.Answer
	Text    string // of an answer that is not the echo backend's
	Served  string // subject of the gateway's certificate
}

// Outcome is the status of the answer as cases write it.
func (a Answer) Outcome() string {
	if a.Code != "" {
		return a.Code
	}
	return strconv.Itoa(a.Status)
}

// Value returns what a key of a case is about.
func (a Answer) Value(key string) string {
	joined := func(values []string) string {
		if len(values) == 0 {
			return "-"
		}
		return oneWord(strings.Join(values, ","))
	}
	kind, name, _ := strings.Cut(key, ":")
	switch kind {
	case "backend":
		return a.Echo.Name
	case "path":
		return a.Echo.Path
	case "query":
		return a.Echo.Query
	case "host":
		return a.Echo.Host
	case "proto":
		return a.Echo.Protocol
	case "sni":
		return cmp.Or(a.Echo.Secured().ServerName, "-")
	case "client":
		return cmp.Or(a.Echo.Secured().Client, "-")
	case "served":
		return a.Served
	case "fault":
		return oneWord(strings.TrimSpace(a.Text))
	case "location":
		return a.Headers.Get("Location")
	case "req":
		return joined(a.Echo.Headers[strings.ToLower(name)])
	case "resp":
		return joined(a.Headers.Values(name))
	default:
		return "unknown key " + key
	}
}

// oneWord makes a value one word, as cases write it.
func oneWord(s string) string { return strings.ReplaceAll(s, " ", "_") }

// Backends are the names of the cases' backends; objects write "$" before a name where its port must stand.
func Backends() []string { return []string{"one", "two", "three", "secure", "strict", "modern"} }

// Pairs are the names of certificates with their keys that cases have: client is what a gateway shows to backends, alpha
// is for alpha.example, beta for beta.example and *.beta.example.
func Pairs() []string { return []string{"client", "alpha", "beta"} }

// Fill puts the ports of backends, the certificates of CAs (PEM, by name) and certificates with their keys into objects.
// They stand there as "$" and their names.
func Fill(objects string, ports, authorities map[string]string, pairs map[string][2][]byte) string {
	for name, port := range ports {
		objects = strings.ReplaceAll(objects, "$"+name, port)
	}
	for name, cert := range authorities {
		objects = strings.ReplaceAll(objects, "$"+name, strconv.Quote(cert))
	}
	for name, pair := range pairs {
		objects = strings.ReplaceAll(objects, "$"+name, fmt.Sprintf("{tls.crt: %q, tls.key: %q}", pair[0], pair[1]))
	}
	return objects
}

// Matches compares a value with a wanted one, which may begin and end with a star.
func Matches(got, want string) bool {
	inner := strings.Trim(want, "*")
	return got == want || len(want) > 2 && len(inner) == len(want)-2 && strings.Contains(got, inner)
}
