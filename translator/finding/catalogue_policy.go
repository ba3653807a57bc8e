package finding

// Codes CL07xx: policies, and the CAs that they and Gateways refer to.
const (
	PolicyTargetKind    Code = "CL0701"
	PolicyTargetMissing Code = "CL0702"
	PolicyTargetPort    Code = "CL0703"
	PolicyConflict      Code = "CL0704"
	PolicyUDP           Code = "CL0705"
	PolicyUDPToo        Code = "CL0706"
	PolicyOptions       Code = "CL0707"
	PolicyAncestors     Code = "CL0708"
	PolicyUnused        Code = "CL0709"
	AuthorityKind       Code = "CL0720"
	AuthorityInvalid    Code = "CL0721"
	AuthorityNone       Code = "CL0722"
	AuthorityUnknown    Code = "CL0723"
	AuthorityGrant      Code = "CL0724"
)

var policies = []Entry{
	{
		Code: PolicyTargetKind, Level: Error, Title: "policy target of another kind",
		Template: "a BackendTLSPolicy must target a Service, not %s; the target is left out",
		Meaning:  "TLS to objects of this kind is not set up by BackendTLSPolicy. A Backend has TLS settings of its own.",
		Example:  "targetRefs: [{group: cloverleaf.dev, kind: Backend, name: a}]",
		Fix:      "Target the Service that routes send requests to.",
	},
	{
		Code: PolicyTargetMissing, Level: Error, Title: "policy target not found",
		Template: "there is no Service %s",
		Meaning:  "A policy targets Services of its own namespace. This one does not exist, so the policy changes nothing there.",
		Example:  "targetRefs: [{group: \"\", kind: Service, name: no-such-service}]",
		Fix:      "Correct the name, or move the policy to the Service's namespace.",
	},
	{
		Code: PolicyTargetPort, Level: Error, Title: "policy target has no such port",
		Template: "Service %s has no port named %q; it has %s",
		Meaning:  "sectionName is the name of a port of the Service. Without that port the policy changes nothing there.",
		Example:  "targetRefs: [{group: \"\", kind: Service, name: cart, sectionName: htps}]",
		Fix:      "Use the name of a port of the Service (spec.ports[].name), or leave out sectionName for all ports.",
	},
	{
		Code: PolicyConflict, Level: Error, Title: "another policy has the same target",
		Template: "BackendTLSPolicy %s has the same target %s and counts before this one, which changes nothing there",
		Meaning:  "Of several policies for one Service or port the oldest counts, then the first by name. The settings are never mixed.",
		Example:  "two BackendTLSPolicies with targetRefs: [{group: \"\", kind: Service, name: cart}]",
		Fix:      "Remove one of them, or give each a sectionName of its own.",
	},
	{
		Code: PolicyUDP, Level: Error, Title: "policy for UDP",
		Template: "Service %s speaks UDP there, and BackendTLSPolicy is for TCP alone",
		Meaning:  "TLS is spoken over TCP. The policy changes nothing there.",
		Example:  "a BackendTLSPolicy for a Service with spec: {ports: [{port: 53, protocol: UDP}]}",
		Fix:      "Target a port of protocol TCP.",
	},
	{
		Code: PolicyUDPToo, Level: Warning, Title: "policy for UDP and TCP",
		Template: "Service %s has ports of protocol UDP too, and the policy counts for those of TCP alone",
		Meaning:  "TLS is spoken over TCP. Ports of protocol UDP are reached as before.",
		Example:  "a BackendTLSPolicy without sectionName for a Service with a port of each protocol",
		Fix:      "Nothing, or name the port in sectionName.",
	},
	{
		Code: PolicyOptions, Level: Warning, Title: "policy option not known",
		Template: "option %q is not known and changes nothing",
		Meaning:  "Options are of one implementation each. There is none here yet.",
		Example:  "options: {example.com/min-version: \"1.3\"}",
		Fix:      "Remove the option, unless another controller reads it.",
	},
	{
		Code: PolicyAncestors, Level: Warning, Title: "too many Gateways use the policy's target",
		Template: "%d Gateways use the targets, and a status has room for %d; these are not in it: %s",
		Meaning:  "The policy counts for requests of all Gateways. Its status cannot name them all.",
		Example:  "a Service with a BackendTLSPolicy that routes of 17 Gateways send requests to",
		Fix:      "Nothing is lost but lines of a status.",
	},
	{
		Code: PolicyUnused, Level: Info, Title: "policy without use",
		Template: "no route that is attached to a Gateway here sends requests to what the policy targets",
		Meaning:  "Nothing is wrong. The policy counts as soon as a route uses the Service; until then it has no status.",
		Example:  "a BackendTLSPolicy for a Service that no route names",
		Fix:      "Nothing, or correct the name in targetRefs.",
	},
	{
		Code: AuthorityKind, Level: Error, Title: "CA of another kind",
		Template: "a CA must be a ConfigMap, not %s; the reference is left out",
		Meaning:  "Certificates of CAs are read from key ca.crt of ConfigMaps.",
		Example:  "caCertificateRefs: [{group: \"\", kind: Secret, name: ca}]",
		Fix:      "Put the CA's certificate in a ConfigMap, under ca.crt.",
	},
	{
		Code: AuthorityInvalid, Level: Error, Title: "CA not usable",
		Template: "%s; the reference is left out",
		Meaning:  "The ConfigMap is missing, or holds no PEM certificates under ca.crt.",
		Example:  "caCertificateRefs: [{group: \"\", kind: ConfigMap, name: no-such}]",
		Fix:      "Correct the name, or the contents of ca.crt.",
	},
	{
		Code: AuthorityNone, Level: Error, Title: "no CA is usable",
		Template: "no CA is usable, so requests to the targets are answered with 500, never sent without TLS",
		Meaning:  "Without a CA no certificate of the backend can be checked.",
		Example:  "caCertificateRefs: [{group: \"\", kind: ConfigMap, name: no-such}]",
		Fix:      "Correct the references to CAs.",
	},
	{
		Code: AuthorityUnknown, Level: Error, Title: "well-known CAs not known",
		Template: "wellKnownCACertificates %s is not known; use System; until then requests to the targets are answered with 500, never sent without TLS",
		Meaning:  "System stands for the trust store of the proxy's machine. Others are of other implementations.",
		Example:  "validation: {hostname: a.example, wellKnownCACertificates: example.com/own}",
		Fix:      "Use System, or caCertificateRefs.",
	},
	{
		Code: AuthorityGrant, Level: Error, Title: "CA reference not permitted",
		Template: "ConfigMap %s is in another namespace and no ReferenceGrant there lets Gateways of namespace %s use it; the reference is left out",
		Meaning:  "ConfigMaps of another namespace need its consent.",
		Example:  "caCertificateRefs: [{group: \"\", kind: ConfigMap, name: ca, namespace: certs}]",
		Fix:      "Add a ReferenceGrant in the ConfigMap's namespace, or use a ConfigMap of the Gateway's namespace.",
	},
}
