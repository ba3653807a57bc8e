package main

import (
	"net"
	"strconv"
	"sync"

	discoveryv1 "k8s.io/api/discovery/v1"

	"github.com/cloverleaf-mesh/cloverleaf/api/v1alpha1"
	"github.com/cloverleaf-mesh/cloverleaf/controller/source/file"
	"github.com/cloverleaf-mesh/cloverleaf/internal/echo"
)

// demos are echo backends that stand in for applications that do not run.
type demos struct {
	mu      sync.Mutex
	servers map[string]*echo.Server // by address
}

func newDemos() *demos { return &demos{servers: map[string]*echo.Server{}} }

// start runs an echo backend for every loopback endpoint of the changed objects on which nothing listens, and says
// which.
func (d *demos) start(u file.Update) []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var lines []string
	for _, o := range u.Changed {
		for _, address := range loopback(o.Value) {
			if d.servers[address] != nil {
				continue
			}
			name := o.Value.GetName()
			if slice, ok := o.Value.(*discoveryv1.EndpointSlice); ok && slice.Labels[discoveryv1.LabelServiceName] != "" {
				name = slice.Labels[discoveryv1.LabelServiceName]
			}
			s, err := echo.Start(echo.Options{Name: name, Address: address})
			if err != nil {
				continue // something listens there: the application itself
			}
			d.servers[address] = s
			lines = append(lines, "echo backend "+name+" on "+address)
		}
	}
	return lines
}

func (d *demos) stop() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, s := range d.servers {
		_ = s.Close()
	}
}

// loopback lists the addresses of this machine that an object sends requests to.
func loopback(o any) []string {
	var out []string
	add := func(ip string, port *int32) {
		if parsed := net.ParseIP(ip); parsed != nil && parsed.IsLoopback() && port != nil {
			out = append(out, net.JoinHostPort(ip, strconv.Itoa(int(*port))))
		}
	}
	switch o := o.(type) {
	case *discoveryv1.EndpointSlice:
		for _, p := range o.Ports {
			for _, e := range o.Endpoints {
				for _, a := range e.Addresses {
					add(a, p.Port)
				}
			}
		}
	case *v1alpha1.Backend:
		for _, e := range o.Spec.Endpoints {
			if e.IP != nil {
				add(*e.IP, e.Port)
			}
		}
	}
	return out
}
