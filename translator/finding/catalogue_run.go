package finding

// Codes CL06xx: running on a laptop. Their findings are made by cmd and by controller/envoy.
const (
	EnvoyMissing  Code = "CL0601"
	EnvoyExits    Code = "CL0602"
	EnvoyOld      Code = "CL0603"
	PortTaken     Code = "CL0604"
	EnvoyUnusable Code = "CL0605"
)

var runs = []Entry{
	{
		Code: EnvoyMissing, Level: Error, Title: "Envoy not found",
		Template: "there is no Envoy: looked at ENVOY_PATH, PATH and %s; run `make envoy` or set ENVOY_PATH",
		Meaning:  "`up` needs an Envoy binary. `check` and `translate` need none.",
		Example:  "cloverleaf up on a machine without Envoy",
		Fix:      "Run `make envoy`, install Envoy, or set ENVOY_PATH to its binary.",
	},
	{
		Code: EnvoyExits, Level: Error, Title: "Envoy exits at once",
		Template: "Envoy exited %d times in a row within seconds (%s); it is tried again every %s. Its last words: %s",
		Meaning:  "The binary does not run here, or its settings are refused. Nothing is served meanwhile.",
		Example:  "ENVOY_PATH=/bin/false",
		Fix:      "Read Envoy's words; try `envoy --version` with the same binary.",
	},
	{
		Code: EnvoyOld, Level: Warning, Title: "Envoy is old",
		Template: "Envoy %s is older than %s, which mends known security holes; use a newer one",
		Meaning:  "Older versions can be led around authorization rules.",
		Example:  "an Envoy 1.38 in PATH",
		Fix:      "Run `make envoy` and unset ENVOY_PATH, or install a newer Envoy.",
	},
	{
		Code: PortTaken, Level: Error, Title: "port in use",
		Template: "port %d of %s is in use by another process, so the listener cannot be served",
		Meaning:  "Envoy could not bind the port. Everything else is served. The listener is tried again when the port becomes free.",
		Example:  "a web server on port 10080",
		Fix:      "Stop the other process, or choose another port, --bind or --port-offset.",
	},
	{
		Code: EnvoyUnusable, Level: Error, Title: "no usable Envoy",
		Template: "%s (from %s) %s",
		Meaning:  "What ENVOY_PATH names, or the first envoy in PATH, does not run here or is something else. Nothing else is tried: it was asked for.",
		Example:  "ENVOY_PATH=/bin/ls",
		Fix:      "Correct or unset ENVOY_PATH; `make envoy` fetches one.",
	},
}
