package translator

import (
	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// PortKey names one port of a Gateway, which is one Envoy listener.
type PortKey struct {
	Gateway ir.Name
	Port    int32
}

// Name returns the name of the Envoy listener.
func (k PortKey) Name() ir.ListenerName { return ir.GatewayListener(k.Gateway, k.Port) }

// TableKey names a route table: that of the HTTP listeners of a port, or of its HTTPS listeners.
type TableKey struct {
	PortKey
	TLS bool
}

// Name returns the name of the RouteConfiguration.
func (k TableKey) Name() ir.RouteTableName {
	if k.TLS {
		return ir.HTTPSTable(k.Gateway, k.Port)
	}
	return ir.HTTPTable(k.Gateway, k.Port)
}

// HostKey names a virtual host.
type HostKey struct {
	Table TableKey
	Host  ir.Hostname
}

// Name returns the name of the virtual host.
func (k HostKey) Name() ir.VirtualHostName {
	return ir.VirtualHostName{Table: k.Table.Name(), Host: k.Host}
}
