package input

import (
	"github.com/cloverleaf-mesh/cloverleaf/internal/memo"
	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// Facts: what the shell knows and the core must not find out by itself.
var (
	// SettingsOf is the process's own configuration, under the empty key.
	SettingsOf = memo.NewInput[struct{}]("Settings", memo.Same[Settings])
	// ListenerReports say how far the proxies of a class are with a listener.
	ListenerReports = memo.NewInput[ClassListener]("ListenerReport", memo.Same[ListenerReport])
	// Rejections are the resources that an Envoy refused.
	Rejections = memo.NewInput[ir.ResourceID]("Rejection", memo.Same[Rejection])
	// LocalCertificates are made by the local CA of `cloverleaf up` for Secrets that are missing.
	LocalCertificates = memo.NewInput[ir.Name]("LocalCertificate", memo.Equal[*Secret])
)

// ClassListener is the key of [ListenerReports].
type ClassListener struct {
	Class    ir.ProxyClass
	Listener ir.ListenerName
}

// Settings are the parts of the process's configuration that change what is translated.
type Settings struct {
	// Controller is the controllerName of GatewayClasses that are ours.
	Controller string
	// Standalone is `cloverleaf up`: one proxy for every Gateway, on this machine.
	Standalone Mode
	// Bind is the IP address that listeners bind.
	Bind string
	// PortOffset is added to ports below 1024. Standalone only.
	PortOffset int32
	// LocalCA serves HTTPS listeners whose Secret is missing from a local CA. Standalone only.
	LocalCA Mode
	// AccessLog makes proxies write a line for each request.
	AccessLog Mode
}

// Mode is on or off.
type Mode uint8

// The modes.
const (
	Off Mode = iota
	On
)

// ListenerReport says how far the proxies of a class are with one listener.
type ListenerReport struct {
	Version string // of the listener resource that the counts are about
	Proxies int    // connected proxies of the class
	Live    int    // those that accepted this version, its route tables and their first virtual hosts
	Refused int    // those whose newest answer refuses one of these
}

// Rejection is a resource that an Envoy refused.
type Rejection struct {
	Version string
	Message string
}
