package main

import (
	"context"
	"sync"
	"time"

	"github.com/cloverleaf-mesh/cloverleaf/controller/localca"
	"github.com/cloverleaf-mesh/cloverleaf/controller/loop"
	"github.com/cloverleaf-mesh/cloverleaf/translator"
	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// certificates makes what the core wants of the local CA, and renews it at half of its life.
type certificates struct {
	ca   *localca.CA
	mu   sync.Mutex
	list []translator.Want
	wake chan struct{}
}

func newCertificates(ca *localca.CA) *certificates {
	return &certificates{ca: ca, wake: make(chan struct{}, 1)}
}

// want takes over what is wanted now.
func (c *certificates) want(list []translator.Want) {
	c.mu.Lock()
	c.list = list
	c.mu.Unlock()
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

func (c *certificates) run(ctx context.Context, events chan<- loop.Event) {
	if c.ca == nil {
		return
	}
	renew := time.NewTicker(localca.LeafLife / 2)
	defer renew.Stop()
	made := map[ir.Name]string{} // hosts that the present certificate of a Secret is for
	for {
		select {
		case <-ctx.Done():
			return
		case <-renew.C:
			clear(made)
		case <-c.wake:
		}
		e := c.make(made)
		if len(e.Certificates) == 0 {
			continue
		}
		select {
		case events <- e:
		case <-ctx.Done():
			return
		}
	}
}

// make makes the certificates that are wanted and not made.
func (c *certificates) make(made map[ir.Name]string) loop.Event {
	c.mu.Lock()
	list := c.list
	c.mu.Unlock()
	e := loop.Event{At: time.Now()}
	for _, w := range list {
		hosts := []string{"localhost", "127.0.0.1", "::1"}
		for _, h := range w.Hosts {
			hosts = append(hosts, string(h))
		}
		key := ""
		for _, h := range hosts {
			key += h + " "
		}
		if made[w.Secret] == key {
			continue
		}
		cert, private, err := c.ca.Leaf(hosts, time.Now())
		if err != nil {
			continue // the listener says that it has no certificate
		}
		made[w.Secret] = key
		e.Certificates = append(e.Certificates, loop.CertificateFact{Secret: w.Secret, Cert: cert, Key: private})
	}
	return e
}
