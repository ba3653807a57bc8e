package finding

// Codes CL05xx: what Envoy says of its configuration.
const (
	RefusedHost     Code = "CL0501"
	RefusedListener Code = "CL0502"
	RefusedBackend  Code = "CL0503"
)

var dataplane = []Entry{
	{
		Code: RefusedHost, Level: Error, Title: "Envoy refused a virtual host",
		Template: "Envoy refused the configuration of host %s, so what it had before stays: %s",
		Meaning:  "The configuration of one host name passed every check here but Envoy refused it. Everything else is served. Envoy goes on with what it had for this host; a proxy that never had any answers 404.",
		Example:  "None known: checks before sending find what Envoy is known to refuse.",
		Fix:      "Change the route as Envoy's words say, and report it: the check should have found it.",
	},
	{
		Code: RefusedListener, Level: Error, Title: "Envoy refused a listener",
		Template: "Envoy refused port %d: %s",
		Meaning:  "The listener is not served, or with its older configuration. Often another process has the port.",
		Example:  "a port that another process listens on",
		Fix:      "Free the port, or choose another one or another --port-offset.",
	},
	{
		Code: RefusedBackend, Level: Error, Title: "Envoy refused a backend",
		Template: "Envoy refused the configuration of backend %s: %s",
		Meaning:  "The backend is not reached, or with its older configuration.",
		Example:  "None known: checks before sending find what Envoy is known to refuse.",
		Fix:      "Change the object as Envoy's words say.",
	},
}
