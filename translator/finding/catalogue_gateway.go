package finding

// Codes CL02xx: GatewayClasses, Gateways and their listeners.
const (
	ClassParameters     Code = "CL0201"
	GatewayNoClass      Code = "CL0202"
	GatewayParameters   Code = "CL0203"
	GatewayAddresses    Code = "CL0204"
	FrontendFallback    Code = "CL0206"
	FrontendUnused      Code = "CL0207"
	FrontendNone        Code = "CL0208"
	GatewayAddressType  Code = "CL0209"
	ListenerProtocol    Code = "CL0210"
	ListenerKinds       Code = "CL0211"
	ListenerProtocols   Code = "CL0212"
	ListenerHostname    Code = "CL0213"
	ListenerPort        Code = "CL0214"
	ListenerPortTaken   Code = "CL0215"
	ListenerUnsupported Code = "CL0216"
	ListenerSelector    Code = "CL0217"
	ListenerOverlap     Code = "CL0218"
	ListenerOptions     Code = "CL0219"
	CertificateKind     Code = "CL0220"
	CertificateGrant    Code = "CL0221"
	CertificateMissing  Code = "CL0222"
	CertificateInvalid  Code = "CL0223"
	CertificateNone     Code = "CL0224"
	CertificateLocal    Code = "CL0225"
	ClientCertificate   Code = "CL0226"
	SetParentKind       Code = "CL0230"
	SetParentMissing    Code = "CL0231"
	SetNotAllowed       Code = "CL0232"
	SetParentRefused    Code = "CL0233"
	SetSelector         Code = "CL0234"
	SetClients          Code = "CL0235"
)

var gateways = []Entry{
	{
		Code: ClassParameters, Level: Error, Title: "GatewayClass parameters not supported",
		Template: "parametersRef is not supported yet; remove it",
		Meaning:  "Settings for proxies cannot be read yet. The class is not accepted, and its Gateways are not served.",
		Example:  "spec: {controllerName: cloverleaf.dev/gateway, parametersRef: {group: example.com, kind: Settings, name: a}}",
		Fix:      "Remove spec.parametersRef.",
	},
	{
		Code: GatewayNoClass, Level: Warning, Title: "GatewayClass not found",
		Template: "there is no GatewayClass %q, so nobody serves this Gateway; create it with controllerName %s",
		Meaning:  "A Gateway is served by the controller that its class names. Without the class nobody does.",
		Example:  "spec: {gatewayClassName: cloverleef}",
		Fix:      "Correct gatewayClassName, or add the GatewayClass.",
	},
	{
		Code: GatewayParameters, Level: Error, Title: "Gateway parameters not supported",
		Template: "infrastructure.parametersRef is not supported yet; remove it",
		Meaning:  "Settings for the proxies of one Gateway cannot be read yet. The Gateway is not accepted.",
		Example:  "spec: {infrastructure: {parametersRef: {group: example.com, kind: Settings, name: a}}}",
		Fix:      "Remove spec.infrastructure.parametersRef.",
	},
	{
		Code: GatewayAddresses, Level: Error, Title: "Gateway address not usable",
		Template: "the address %q is not used: listeners bind %s",
		Meaning:  "On a laptop a Gateway can have one loopback address of its own, or that of `--bind`. It is served on the address that the message names.",
		Example:  "spec: {addresses: [{type: IPAddress, value: 203.0.113.7}]}",
		Fix:      "Remove the address, choose one such as 127.0.0.2, or use `cloverleaf up --bind`.",
	},
	{
		Code: FrontendFallback, Level: Warning, Title: "client certificates are not required",
		Template: "clients are let in without a certificate, and with one that fails the check; use AllowValidOnly to refuse them",
		Meaning:  "Mode AllowInsecureFallback leaves it to the backends to tell clients apart. It is meant for tests and for the time of a change.",
		Example:  "validation: {mode: AllowInsecureFallback, caCertificateRefs: [{group: \"\", kind: ConfigMap, name: ca}]}",
		Fix:      "Set mode AllowValidOnly as soon as every client has a certificate.",
	},
	{
		Code: FrontendUnused, Level: Warning, Title: "port without HTTPS listener",
		Template: "no HTTPS listener has port %d, so this setting changes nothing",
		Meaning:  "Certificates of clients are checked by HTTPS listeners alone.",
		Example:  "tls: {frontend: {default: {}, perPort: [{port: 80, tls: {validation: {caCertificateRefs: [{group: \"\", kind: ConfigMap, name: ca}]}}}]}}",
		Fix:      "Use the port of an HTTPS listener.",
	},
	{
		Code: FrontendNone, Level: Error, Title: "no CA for client certificates",
		Template: "no CA is usable, so the HTTPS listeners that check the certificates of clients by it are closed",
		Meaning:  "Without a CA nobody's certificate can be checked, and nobody is let in unchecked. The Gateway's other ports are served.",
		Example:  "tls: {frontend: {default: {validation: {caCertificateRefs: [{group: \"\", kind: ConfigMap, name: no-such}]}}}}",
		Fix:      "Correct the references to CAs.",
	},
	{
		Code: GatewayAddressType, Level: Error, Title: "Gateway address of an unknown type",
		Template: "addresses of type %q are not supported; use IPAddress",
		Meaning:  "Only addresses of type IPAddress can be asked for. The Gateway is not accepted, so that nobody takes it for reachable where it is not.",
		Example:  "spec: {addresses: [{type: Hostname, value: shop.example.com}]}",
		Fix:      "Remove the address, or give an IP address.",
	},
	{
		Code: ListenerProtocol, Level: Error, Title: "protocol not supported",
		Template: "protocol %s is not supported; use HTTP or HTTPS",
		Meaning:  "The listener is not served. The Gateway's other listeners are.",
		Example:  "listeners: [{name: db, port: 5432, protocol: TCP}]",
		Fix:      "Use protocol HTTP or HTTPS.",
	},
	{
		Code: ListenerKinds, Level: Error, Title: "route kind not supported",
		Template: "routes of kind %s cannot attach to a listener of protocol %s; allowed: %s",
		Meaning:  "The kind is left out; routes of the other kinds can still attach.",
		Example:  "allowedRoutes: {kinds: [{kind: TCPRoute}]}",
		Fix:      "Remove the kind from allowedRoutes.kinds.",
	},
	{
		Code: ListenerProtocols, Level: Error, Title: "protocols conflict on a port",
		Template: "%s has another protocol on the same port %d; give them different ports",
		Meaning:  "One port speaks either HTTP or HTTPS. Of one object, none of the listeners of that port is served. Between a Gateway and its ListenerSets the port is the Gateway's, then that of the oldest ListenerSet that asks for it, then of the first by name.",
		Example:  "listeners: [{name: a, port: 80, protocol: HTTP}, {name: b, port: 80, protocol: HTTPS}]",
		Fix:      "Change the port of one of them.",
	},
	{
		Code: ListenerHostname, Level: Error, Title: "host names conflict on a port",
		Template: "%s has the same port %d, protocol and hostname; change one of them",
		Meaning:  "A request could not be given to one of the listeners. Of one object, none of them is served. Between a Gateway and its ListenerSets the host name is the Gateway's, then that of the oldest ListenerSet that asks for it, then of the first by name.",
		Example:  "listeners: [{name: a, port: 80, protocol: HTTP}, {name: b, port: 80, protocol: HTTP}]",
		Fix:      "Give the listeners different hostnames or ports.",
	},
	{
		Code: ListenerPort, Level: Error, Title: "ports collide after the offset",
		Template: "port %d is bound as %d, which is %s; choose another --port-offset or port",
		Meaning:  "Ports below 1024 are bound with an offset on a laptop, and another listener has that port already.",
		Example:  "listeners: [{name: a, port: 80, protocol: HTTP}, {name: b, port: 10080, protocol: HTTP}]",
		Fix:      "Use another `--port-offset`, `--port-offset 0` as root, or another port.",
	},
	{
		Code: ListenerPortTaken, Level: Error, Title: "port is another Gateway's",
		Template: "port %d of this machine is served by %s; give the listener another port",
		Meaning:  "All Gateways of a folder share this machine's address, so a port belongs to one of them: the oldest, then the first by name.",
		Example:  "two Gateways, each with a listener on port 80",
		Fix:      "Change the port, or use one Gateway with two listeners.",
	},
	{
		Code: ListenerUnsupported, Level: Error, Title: "listener field not supported",
		Template: "%s is not supported yet, so the listener is refused rather than served without it; remove it",
		Meaning:  "The field guards requests. Serving the listener without it would be less safe than was asked for.",
		Example:  "listeners: [{name: a, port: 80, protocol: HTTP, filters: {requests: [{type: ExternalAuth}]}}]",
		Fix:      "Remove the field.",
	},
	{
		Code: ListenerSelector, Level: Error, Title: "namespace selector invalid",
		Template: "the namespace selector cannot be used, so no route attaches: %s",
		Meaning:  "The listener is served, but no route can attach to it until the selector is valid.",
		Example:  "allowedRoutes: {namespaces: {from: Selector, selector: {matchExpressions: [{key: a, operator: In}]}}}",
		Fix:      "Correct the selector.",
	},
	{
		Code: ListenerOverlap, Level: Info, Title: "host names of HTTPS listeners overlap",
		Template: "these listeners of the port take host names of this one, too: %s; requests that come over a connection to the wrong one are answered with 421",
		Meaning:  "Browsers send requests for several host names over one HTTP/2 connection when its certificate carries them. A host belongs to the most specific listener; a request for it that comes over another's connection is answered with 421 (Misdirected Request), and browsers try again over a new one.",
		Example:  "listeners: [{name: a, port: 443, protocol: HTTPS, hostname: \"*.example.com\"}, {name: b, port: 443, protocol: HTTPS, hostname: a.example.com}]",
		Fix:      "Nothing. To spare browsers the second attempt, give the listeners certificates that carry none of the other's names.",
	},
	{
		Code: ListenerOptions, Level: Warning, Title: "TLS option not known",
		Template: "TLS option %q is not known and changes nothing",
		Meaning:  "Options are of one implementation each. There is none here yet.",
		Example:  "tls: {certificateRefs: [{name: cert}], options: {example.com/min-version: \"1.3\"}}",
		Fix:      "Remove the option.",
	},
	{
		Code: CertificateKind, Level: Error, Title: "certificate reference of another kind",
		Template: "a certificate must be a Secret, not %s",
		Meaning:  "The reference is left out. A listener without any valid certificate is not served.",
		Example:  "tls: {certificateRefs: [{kind: ConfigMap, name: a}]}",
		Fix:      "Refer to a Secret of type kubernetes.io/tls.",
	},
	{
		Code: CertificateGrant, Level: Error, Title: "certificate reference not permitted",
		Template: "Secret %s is in another namespace and no ReferenceGrant there lets a %s of namespace %s use it",
		Meaning:  "Secrets of another namespace need its consent, for Gateways and for ListenerSets apart. The reference is left out.",
		Example:  "tls: {certificateRefs: [{name: cert, namespace: certs}]}",
		Fix:      "Add a ReferenceGrant in the Secret's namespace, or use a Secret of the same namespace.",
	},
	{
		Code: CertificateMissing, Level: Error, Title: "certificate Secret not found",
		Template: "there is no Secret %s",
		Meaning:  "The reference is left out. A listener without any valid certificate is not served.",
		Example:  "tls: {certificateRefs: [{name: no-such-secret}]}",
		Fix:      "Add the Secret, or use `cloverleaf up --local-ca` on a laptop.",
	},
	{
		Code: CertificateInvalid, Level: Error, Title: "certificate does not parse",
		Template: "Secret %s holds no usable certificate: %s",
		Meaning:  "Envoy would refuse it, so the reference is left out.",
		Example:  "data: {tls.crt: bm90IGEgY2VydA==, tls.key: bm90IGEga2V5}",
		Fix:      "Put a PEM certificate chain in tls.crt and its private key in tls.key.",
	},
	{
		Code: CertificateNone, Level: Error, Title: "listener without certificate",
		Template: "an HTTPS listener needs tls.certificateRefs with at least one Secret",
		Meaning:  "The listener is not served. The Gateway's other listeners are.",
		Example:  "listeners: [{name: a, port: 443, protocol: HTTPS}]",
		Fix:      "Name a Secret in tls.certificateRefs.",
	},
	{
		Code: CertificateLocal, Level: Info, Title: "certificate of the local CA",
		Template: "Secret %s is missing; a certificate of the local CA stands in for it",
		Meaning:  "`cloverleaf up --local-ca` made a certificate for the listener's host names. Clients must trust the local CA.",
		Example:  "cloverleaf up --local-ca with a listener whose Secret is not in the folder",
		Fix:      "Nothing on a laptop. Elsewhere, add the Secret.",
	},
	{
		Code: ClientCertificate, Level: Error, Title: "client certificate not usable",
		Template: "no certificate can be shown to backends: %s; requests to Services that are reached by TLS are answered with 500",
		Meaning:  "The Gateway shall show a certificate to backends with a BackendTLSPolicy, and has none. Without it they would take the proxy for somebody else, so they are not reached through this Gateway.",
		Example:  "spec: {tls: {backend: {clientCertificateRef: {name: no-such-secret}}}}",
		Fix:      "Correct the reference, add a ReferenceGrant, or put a PEM certificate and its key in the Secret.",
	},
	{
		Code: SetParentKind, Level: Warning, Title: "parent of a ListenerSet is no Gateway",
		Template: "the parent is a %s; a ListenerSet gives its listeners to a Gateway alone",
		Meaning:  "Nobody serves the listeners, and no controller writes a status.",
		Example:  "spec: {parentRef: {kind: Service, name: edge}}",
		Fix:      "Name a Gateway in spec.parentRef.",
	},
	{
		Code: SetParentMissing, Level: Warning, Title: "Gateway of a ListenerSet not found",
		Template: "there is no Gateway %s, so nobody serves these listeners; create it or correct the parentRef",
		Meaning:  "The listeners of a ListenerSet are served by the Gateway that it names. No controller writes a status without one.",
		Example:  "spec: {parentRef: {name: egde}}",
		Fix:      "Correct the name or namespace of the parentRef.",
	},
	{
		Code: SetNotAllowed, Level: Error, Title: "ListenerSet not allowed",
		Template: "Gateway %s lets in no ListenerSet of namespace %s; see its allowedListeners",
		Meaning:  "A Gateway says from which namespaces ListenerSets may add listeners to it; by default from none. None of the listeners is served.",
		Example:  "spec: {parentRef: {name: edge}}, and a Gateway without allowedListeners",
		Fix:      "Set allowedListeners.namespaces.from of the Gateway to Same, Selector or All.",
	},
	{
		Code: SetParentRefused, Level: Error, Title: "Gateway of a ListenerSet not accepted",
		Template: "Gateway %s is not accepted, so none of these listeners is served",
		Meaning:  "The Gateway itself is refused, for instance because of parameters that are not supported; its status says why.",
		Example:  "spec: {parentRef: {name: edge}}, and a Gateway with infrastructure.parametersRef",
		Fix:      "See the status of the Gateway.",
	},
	{
		Code: SetSelector, Level: Error, Title: "selector of ListenerSets invalid",
		Template: "the namespace selector cannot be used, so no ListenerSet is let in: %s",
		Meaning:  "The Gateway is served with its own listeners alone until the selector is valid.",
		Example:  "allowedListeners: {namespaces: {from: Selector, selector: {matchExpressions: [{key: a, operator: In}]}}}",
		Fix:      "Correct the selector.",
	},
	{
		Code: SetClients, Level: Error, Title: "port closed for want of a CA",
		Template: "Gateway %s has the clients of port %d checked and no CA to check them by, so the listener is closed",
		Meaning:  "The Gateway's tls.frontend is about all HTTPS listeners of a port, those of ListenerSets included. Nobody is let in unchecked.",
		Example:  "an HTTPS listener on port 443, and a Gateway with tls.frontend and a caCertificateRef that leads nowhere",
		Fix:      "Correct the Gateway's references to CAs, or use another port.",
	},
}
