package ir

import (
	"strconv"
	"strings"
)

// Names of Envoy resources come from the identity of the objects, never from a position in a list. They double as
// stat prefixes. They are made here and taken apart here, and nowhere else.

// ListenerName names an Envoy listener: one bound port of a Gateway ("gw/<ns>/<gateway>/<port>").
type ListenerName string

// RouteTableName names an Envoy RouteConfiguration.
type RouteTableName string

// BackendName names an Envoy cluster and its endpoints: "<ns>/<service>/<port>", or "Backend/<ns>/<name>", perhaps
// with variants behind it ("/h2c", "/as/<ns>/<secret>").
type BackendName string

// SecretName names a secret that Envoy fetches by SDS: "<ns>/<name>", or that of [ClientAuthority].
type SecretName string

// Hostname is a lower-case DNS name, "*.suffix", or "*" for every name.
type Hostname string

// AnyHost stands for every host name.
const AnyHost Hostname = "*"

// VirtualHostName names the virtual host of one host name in one route table.
type VirtualHostName struct {
	Table RouteTableName
	Host  Hostname
}

// String is the name of the VHDS resource: Envoy takes the part before the last slash as the route table's name.
func (n VirtualHostName) String() string { return string(n.Table) + "/" + string(n.Host) }

// TableOf is String backwards: the route table of the virtual host with this resource name.
func TableOf(host string) string { return host[:max(strings.LastIndexByte(host, '/'), 0)] }

// GatewayListener names the Envoy listener of a Gateway's port.
func GatewayListener(gateway Name, port int32) ListenerName {
	return ListenerName("gw/" + gateway.Namespace + "/" + gateway.Name + "/" + strconv.Itoa(int(port)))
}

// OfGateway tells whether a listener, route table or virtual host is named after a Gateway ("namespace/name").
func OfGateway(resource, gateway string) bool { return strings.HasPrefix(resource, "gw/"+gateway+"/") }

// HTTPTable names the route table that the plaintext HTTP listeners of a Gateway's port share.
func HTTPTable(gateway Name, port int32) RouteTableName {
	return RouteTableName("gw/" + gateway.Namespace + "/" + gateway.Name + "/http-" + strconv.Itoa(int(port)))
}

// HTTPSTable names the route table that the HTTPS listeners of a Gateway's port share.
func HTTPSTable(gateway Name, port int32) RouteTableName {
	return RouteTableName("gw/" + gateway.Namespace + "/" + gateway.Name + "/https-" + strconv.Itoa(int(port)))
}

// HTTPChain is the filter chain that the HTTP listeners of a port share.
const HTTPChain = "http"

// TLSChain names the filter chain of an HTTPS listener of a Gateway, unique on its port: by its section or, when it is a
// ListenerSet's, "<ns>/<set>/<section>".
func TLSChain(listener Origin) string {
	if listener.Kind == KindListenerSet {
		return listener.Namespace + "/" + listener.Name.Name + "/" + listener.Section
	}
	return listener.Section
}

// TLSListener is TLSChain backwards, for a chain of an Envoy listener or route table of a Gateway.
func TLSListener(resource, chain string) Origin {
	if words := strings.Split(chain, "/"); len(words) == 3 {
		return Origin{Ref{KindListenerSet, Name{words[0], words[1]}}, words[2]}
	}
	words := strings.SplitN(resource, "/", 4)
	if len(words) < 4 {
		return Origin{}
	}
	return Origin{Ref{KindGateway, Name{words[1], words[2]}}, chain}
}

// ClientAuthority names the secret with the CAs that the clients of a Gateway's port are checked against.
func ClientAuthority(gateway Name, port int32) SecretName {
	return SecretName(string(GatewayListener(gateway, port)) + "/clients")
}

// ServiceBackend names the cluster of a Service's port.
func ServiceBackend(service Name, port int32) BackendName {
	return BackendName(service.Namespace + "/" + service.Name + "/" + strconv.Itoa(int(port)))
}

// ObjectBackend names the cluster of a Backend object. The capital letter keeps it apart from any namespace.
func ObjectBackend(backend Name) BackendName {
	return BackendName("Backend/" + backend.Namespace + "/" + backend.Name)
}

// Variants of a backend's cluster stand behind its name: object names have no slashes, and a name without variant has two.
const (
	h2cVariant = "h2c" // spoken to in HTTP/2 because a route asks for it, whatever the backend itself says
	asVariant  = "as"  // shown a certificate: "as/<ns>/<secret>"
)

// H2C names the variant of a backend that is spoken to in HTTP/2.
func (n BackendName) H2C() BackendName { return n + "/" + h2cVariant }

// As names the variant of a backend that the proxy shows a certificate to.
func (n BackendName) As(secret Name) BackendName {
	return n + "/" + asVariant + "/" + BackendName(secret.Namespace+"/"+secret.Name)
}

// BackendParts is a backend's name, taken apart.
type BackendParts struct {
	Object Name
	Port   int32 // 0 for a Backend object
	H2C    bool  // a route asks for HTTP/2
	Shown  Name  // the Secret of the certificate that is shown; empty for none
}

// Parts takes a name apart.
func (n BackendName) Parts() BackendParts {
	words := strings.Split(string(n), "/")
	base, rest := words[:3], words[3:]
	p := BackendParts{Object: Name{Namespace: base[0], Name: base[1]}}
	if base[0] == string(KindBackend) {
		p.Object = Name{Namespace: base[1], Name: base[2]}
	} else {
		port, _ := strconv.ParseInt(base[2], 10, 32)
		p.Port = int32(port)
	}
	if len(rest) > 0 && rest[0] == h2cVariant {
		p.H2C, rest = true, rest[1:]
	}
	if len(rest) == 3 && rest[0] == asVariant {
		p.Shown = Name{Namespace: rest[1], Name: rest[2]}
	}
	return p
}

// SecretOf names the SDS secret of a Secret object.
func SecretOf(secret Name) SecretName { return SecretName(secret.Namespace + "/" + secret.Name) }

// Object returns the Secret object of an SDS secret.
func (n SecretName) Object() Name {
	namespace, name, _ := strings.Cut(string(n), "/")
	return Name{Namespace: namespace, Name: name}
}
