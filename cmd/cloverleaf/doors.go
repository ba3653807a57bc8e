package main

import (
	"net"
	"strconv"

	"github.com/cloverleaf-mesh/cloverleaf/controller/xdsserver"
	"github.com/cloverleaf-mesh/cloverleaf/internal/cli"
	"github.com/cloverleaf-mesh/cloverleaf/translator"
	"github.com/cloverleaf-mesh/cloverleaf/translator/attach"
	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// doors are the listeners that the manifests ask for, and how far each is.
type doors struct {
	all       []translator.Entrance
	refused   map[ir.ListenerName]bool // by Envoy
	announced map[translator.Entrance]bool
}

func newDoors() doors {
	return doors{refused: map[ir.ListenerName]bool{}, announced: map[translator.Entrance]bool{}}
}

// set takes over the listeners that there are. One that goes and comes back is announced again.
func (d *doors) set(all []translator.Entrance) {
	d.all = all
	announced := map[translator.Entrance]bool{}
	for _, door := range all {
		announced[door] = d.announced[door]
	}
	d.announced = announced
}

// refuse takes note of a listener that Envoy refused, or no longer refuses.
func (d *doors) refuse(r xdsserver.Rejection) {
	if r.ID.Type == ir.TypeListener {
		d.refused[ir.ListenerName(r.ID.Name)] = r.Version != ""
	}
}

// find returns the listener of a key; nil when there is none.
func (d *doors) find(key attach.ListenerKey) *translator.Entrance {
	for i := range d.all {
		if d.all[i].Listener == key {
			return &d.all[i]
		}
	}
	return nil
}

// bound returns what an Envoy listener binds, as host:port; empty when nobody asks for it.
func (r *reporter) bound(name ir.ListenerName) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, door := range r.doors.all {
		if door.Name == name {
			return net.JoinHostPort(door.Address, strconv.Itoa(int(door.Port)))
		}
	}
	return ""
}

// announce prints the addresses of listeners that are served and were not printed yet and, once, what to try.
func (r *reporter) announce() {
	for _, door := range r.doors.all {
		if r.doors.announced[door] || r.doors.refused[door.Name] {
			continue
		}
		r.doors.announced[door] = true
		url := address(door)
		parent := door.Listener.Parent().Name.String()
		text := url + r.style.Faint("   "+parent+" "+door.Listener.Section)
		r.event(cli.OK, "listening", text, map[string]any{"address": url, "listener": parent + "/" + door.Listener.Section})
	}
	r.announceTries()
}

func address(d translator.Entrance) string {
	scheme, host := "http", d.Address
	if d.TLS {
		scheme = "https"
	}
	if d.Hostname != ir.AnyHost {
		host = string(d.Hostname)
	}
	return scheme + "://" + net.JoinHostPort(host, strconv.Itoa(int(d.Port)))
}
