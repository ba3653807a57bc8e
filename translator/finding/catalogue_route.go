package finding

// Codes CL03xx: where routes attach; CL04xx: what their rules say and refer to.
const (
	ParentMissing      Code = "CL0301"
	ParentNoListener   Code = "CL0302"
	ParentNotAllowed   Code = "CL0303"
	ParentHostname     Code = "CL0304"
	ParentDefault      Code = "CL0305"
	ParentKind         Code = "CL0306"
	ParentNotAttached  Code = "CL0307"
	BackendMissing     Code = "CL0401"
	BackendKind        Code = "CL0402"
	BackendGrant       Code = "CL0403"
	BackendPort        Code = "CL0404"
	BackendProtocol    Code = "CL0405"
	BackendExternal    Code = "CL0406"
	BackendNoEndpoints Code = "CL0407"
	BackendUnsafe      Code = "CL0408"
	BackendTLS         Code = "CL0409"
	BackendWeights     Code = "CL0410"
	BackendPlaintext   Code = "CL0411"
	RuleRegex          Code = "CL0420"
	RuleUnsupported    Code = "CL0421"
	RuleFilters        Code = "CL0422"
	RuleRewrite        Code = "CL0423"
	RuleHeader         Code = "CL0424"
	RuleTimeouts       Code = "CL0425"
	RuleRefused        Code = "CL0426"
	RuleNoBackend      Code = "CL0427"
)

var routes = []Entry{
	{
		Code: ParentMissing, Level: Warning, Title: "parent not found",
		Template: "there is no %s, so nobody serves this route there; create it or correct the parentRef",
		Meaning:  "A route is served by the Gateways and ListenerSets that it names. No controller writes a status for a parent that does not exist.",
		Example:  "parentRefs: [{name: egde}]",
		Fix:      "Correct the name or namespace of the parentRef.",
	},
	{
		Code: ParentNoListener, Level: Error, Title: "no such listener",
		Template: "%s has no listener%s; it has %s",
		Meaning:  "The parentRef's sectionName or port matches no listener, so the route is not served through it. A Gateway's listeners are its own alone: those of a ListenerSet are reached by a parentRef to the ListenerSet.",
		Example:  "parentRefs: [{name: edge, sectionName: htttp}]",
		Fix:      "Correct sectionName or port, or leave them out to attach to every listener that allows it.",
	},
	{
		Code: ParentNotAllowed, Level: Error, Title: "listeners do not allow the route",
		Template: "no listener of %s allows a %s of namespace %s; see allowedRoutes",
		Meaning:  "Listeners say which kinds and namespaces may attach; by default only the namespace of the Gateway or ListenerSet that has the listener.",
		Example:  "a route in namespace shop, and a listener without allowedRoutes in namespace infra",
		Fix:      "Set allowedRoutes.namespaces of the listener to All or to a selector, or move the route.",
	},
	{
		Code: ParentHostname, Level: Error, Title: "no listener with such a hostname",
		Template: "none of the route's hostnames matches a listener of %s (%s)",
		Meaning:  "The host names of route and listener have no name in common, so no request could arrive.",
		Example:  "hostnames: [a.example.org] and a listener with hostname *.example.com",
		Fix:      "Correct the hostnames of the route, or the listener's hostname.",
	},
	{
		Code: ParentDefault, Level: Warning, Title: "default Gateways not supported",
		Template: "useDefaultGateways is not supported yet; name the Gateway in parentRefs",
		Meaning:  "The field is ignored. The route attaches only to the parents that it names.",
		Example:  "spec: {useDefaultGateways: All}",
		Fix:      "Name the Gateway in parentRefs.",
	},
	{
		Code: ParentKind, Level: Warning, Title: "parent kind not supported",
		Template: "parents of kind %s are not supported yet; nobody here serves the route through it",
		Meaning:  "Only Gateways and ListenerSets are parents today.",
		Example:  "parentRefs: [{group: \"\", kind: Service, name: cart}]",
		Fix:      "Refer to a Gateway or a ListenerSet.",
	},
	{
		Code: ParentNotAttached, Level: Error, Title: "ListenerSet is not attached",
		Template: "ListenerSet %s is not allowed by Gateway %s, so it has no listener that serves this route",
		Meaning:  "The route is served as soon as the Gateway allows the ListenerSet; until then there is nothing to attach to.",
		Example:  "parentRefs: [{kind: ListenerSet, name: shop}], and a Gateway without allowedListeners",
		Fix:      "Set allowedListeners.namespaces.from of the Gateway to Same, Selector or All.",
	},
	{
		Code: BackendMissing, Level: Error, Title: "backend not found",
		Template: "there is no %s; its share of the requests is answered with 500",
		Meaning:  "A backendRef names something that does not exist. Other backends of the rule get their own shares.",
		Example:  "backendRefs: [{name: no-such-service, port: 80}]",
		Fix:      "Correct the name or namespace, or add the Service.",
	},
	{
		Code: BackendKind, Level: Error, Title: "backend of another kind",
		Template: "a backend must be a Service or a Backend, not %s; its share of the requests is answered with 500",
		Meaning:  "A backendRef names a kind that cannot receive requests.",
		Example:  "backendRefs: [{group: example.com, kind: Bucket, name: a}]",
		Fix:      "Refer to a Service (group \"\") or a Backend (group cloverleaf.dev).",
	},
	{
		Code: BackendGrant, Level: Error, Title: "backend reference not permitted",
		Template: "%s is in another namespace and no ReferenceGrant there lets a %s of namespace %s use it; its share is answered with 500",
		Meaning:  "Backends of another namespace need its consent.",
		Example:  "backendRefs: [{name: cart, namespace: shop, port: 80}] in a route of another namespace",
		Fix:      "Add a ReferenceGrant in the backend's namespace.",
	},
	{
		Code: BackendPort, Level: Error, Title: "backend has no such port",
		Template: "%s has no port %d; it has %s; its share of the requests is answered with 500",
		Meaning:  "A backendRef must name a port of its Service.",
		Example:  "backendRefs: [{name: cart, port: 8081}]",
		Fix:      "Use a port of the Service (spec.ports[].port, not targetPort).",
	},
	{
		Code: BackendProtocol, Level: Error, Title: "backend protocol not supported",
		Template: "port %d of %s has appProtocol %q, which is not supported; its share of the requests is answered with 500",
		Meaning:  "Understood are no appProtocol, http, https, kubernetes.io/h2c, kubernetes.io/ws, kubernetes.io/wss and the like.",
		Example:  "ports: [{port: 80, appProtocol: example.com/custom}]",
		Fix:      "Remove appProtocol, or use one of the known ones.",
	},
	{
		Code: BackendExternal, Level: Error, Title: "Service of type ExternalName refused",
		Template: "%s is of type ExternalName, which could reach any address and is refused; its share is answered with 500",
		Meaning:  "Whoever may write such a Service could send requests into places that the proxy can reach and they cannot.",
		Example:  "spec: {type: ExternalName, externalName: internal.example}",
		Fix:      "Use a Backend of type ExternalHostname.",
	},
	{
		Code: BackendNoEndpoints, Level: Warning, Title: "backend without endpoints",
		Template: "%s has no ready endpoint; its share of the requests is answered with 503",
		Meaning:  "No EndpointSlice gives an address for the port.",
		Example:  "a Service whose EndpointSlice is missing or has no ready endpoint",
		Fix:      "Add an EndpointSlice labelled kubernetes.io/service-name, and see that its port name is the Service port's.",
	},
	{
		Code: BackendUnsafe, Level: Error, Title: "Backend not allowed here",
		Template: "%s cannot be used in a cluster: %s; its share of the requests is answered with 500",
		Meaning:  "A Backend can point anywhere; loopback addresses and Unix sockets are for `cloverleaf up` alone.",
		Example:  "spec: {type: Endpoints, endpoints: [{unix: /run/app.sock}]} in a cluster",
		Fix:      "Use a Service.",
	},
	{
		Code: BackendTLS, Level: Error, Title: "Backend TLS not usable",
		Template: "TLS of %s cannot be set up: %s; its share of the requests is answered with 500, never sent without TLS",
		Meaning:  "A certificate or CA that the Backend, or the BackendTLSPolicy of the Service, refers to is missing or does not parse.",
		Example:  "tls: {mode: ServerOnly, hostname: a.example, caCertificateRefs: [{kind: ConfigMap, name: no-such}]}",
		Fix:      "Correct the reference or its contents (ca.crt).",
	},
	{
		Code: BackendPlaintext, Level: Error, Title: "backend speaks TLS, and nothing says how",
		Template: "port %d of %s has appProtocol %q, which is TLS, and no BackendTLSPolicy says how its certificate is checked; its share of the requests is answered with 500",
		Meaning:  "TLS whose certificate nobody checks protects nothing, and without TLS the backend would not understand the requests.",
		Example:  "ports: [{port: 443, appProtocol: https}] without a BackendTLSPolicy for the Service",
		Fix:      "Add a BackendTLSPolicy that targets the Service, or remove appProtocol.",
	},
	{
		Code: BackendWeights, Level: Warning, Title: "all weights are 0",
		Template: "all backendRefs have weight 0; the rule's requests are answered with 500",
		Meaning:  "Weights are shares, and every share is nothing.",
		Example:  "backendRefs: [{name: a, port: 80, weight: 0}]",
		Fix:      "Give a backend a weight above 0.",
	},
	{
		Code: RuleRegex, Level: Error, Title: "regular expression invalid",
		Template: "%q is not a regular expression that Envoy takes (%s); the match is left out",
		Meaning:  "Envoy matches with RE2, byte by byte. A match with an invalid expression is left out, the rest of the route goes on.",
		Example:  "path: {type: RegularExpression, value: \"/a(\"}",
		Fix:      "Correct the expression. RE2 has no back-references and no look-around.",
	},
	{
		Code: RuleUnsupported, Level: Error, Title: "field not supported",
		Template: "%s is not supported yet; requests that match it are answered with 500",
		Meaning:  "A rule is never served without what it asks for. The other rules go on.",
		Example:  "filters: [{type: CORS, cors: {}}]",
		Fix:      "Remove the field (see the feature table of the README).",
	},
	{
		Code: RuleFilters, Level: Error, Title: "filters contradict each other",
		Template: "%s; requests that match it are answered with 500",
		Meaning:  "A rule cannot redirect and rewrite, nor redirect and forward.",
		Example:  "filters: [{type: RequestRedirect, requestRedirect: {}}, {type: URLRewrite, urlRewrite: {}}]",
		Fix:      "Keep one of the filters.",
	},
	{
		Code: RuleRewrite, Level: Error, Title: "prefix replaced without a prefix match",
		Template: "ReplacePrefixMatch needs a match of type PathPrefix; requests that match it are answered with 500",
		Meaning:  "There is no prefix that could be replaced.",
		Example:  "matches: [{path: {type: Exact, value: /a}}] with path: {type: ReplacePrefixMatch, replacePrefixMatch: /b}",
		Fix:      "Use a PathPrefix match, or ReplaceFullPath.",
	},
	{
		Code: RuleHeader, Level: Error, Title: "header cannot be changed",
		Template: "header %q cannot be changed by a filter; requests that match it are answered with 500",
		Meaning:  "Host and the headers that begin with a colon decide where a request goes. Content-Length, Transfer-Encoding, Connection and the like say where a message ends and belong to one connection: changed, they let one request be read as two.",
		Example:  "requestHeaderModifier: {set: [{name: Host, value: a}]}",
		Fix:      "Use urlRewrite.hostname, or another header.",
	},
	{
		Code: RuleTimeouts, Level: Error, Title: "timeouts invalid",
		Template: "%s; requests that match it are answered with 500",
		Meaning:  "The durations cannot be used together, or not at all.",
		Example:  "timeouts: {request: 1s, backendRequest: 2s}",
		Fix:      "Make backendRequest at most as long as request.",
	},
	{
		Code: RuleRefused, Level: Error, Title: "rule refused before sending",
		Template: "Envoy would refuse this rule (%s); requests that match it are answered with 500",
		Meaning:  "The rule passed the API's schema, but Envoy's own validation refuses its translation.",
		Example:  "a value that is too long for Envoy",
		Fix:      "Change the value that the message names.",
	},
	{
		Code: RuleNoBackend, Level: Warning, Title: "rule without backends",
		Template: "the rule has no backendRefs and no redirect; its requests are answered with 500",
		Meaning:  "There is nowhere to send the requests.",
		Example:  "rules: [{matches: [{path: {value: /a}}]}]",
		Fix:      "Add backendRefs or a RequestRedirect filter.",
	},
}
