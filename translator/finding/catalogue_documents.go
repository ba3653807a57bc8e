package finding

// Codes CL00xx (internal) and CL01xx: reading documents. Their findings are made by controller/source.
const (
	Internal        Code = "CL0001"
	NotYAML         Code = "CL0101"
	KindIgnored     Code = "CL0102"
	KindUnknown     Code = "CL0103"
	FieldUnknown    Code = "CL0104"
	FieldType       Code = "CL0105"
	FieldInvalid    Code = "CL0106"
	RuleBroken      Code = "CL0107"
	ObjectDuplicate Code = "CL0108"
	DocumentTooBig  Code = "CL0109"
	FileUnreadable  Code = "CL0110"
	NameMissing     Code = "CL0111"
	LastGood        Code = "CL0112"
	FolderGone      Code = "CL0113"
	KeyDuplicate    Code = "CL0114"
	KindUnsupported Code = "CL0115"
)

var documents = []Entry{
	{
		Code: Internal, Level: Error, Title: "internal error",
		Template: "an internal error was contained to this object: %v; please report it",
		Meaning:  "Evaluating this object ended in a bug of Cloverleaf. Everything else goes on.",
		Example:  "None: this should never happen.",
		Fix:      "Report it with the object. Until it is mended, change the object or take it out.",
	},
	{
		Code: NotYAML, Level: Error, Title: "not YAML",
		Template: "the document is not valid YAML: %s",
		Meaning:  "The text cannot be read at all. While `up` runs, the objects that it held before stay as they were.",
		Example:  "spec: {listeners: [",
		Fix:      "Correct the syntax at the given place.",
	},
	{
		Code: KindIgnored, Level: Info, Title: "kind ignored",
		Template: "objects of kind %s are not read here",
		Meaning:  "The folder may hold other manifests; they do no harm.",
		Example:  "apiVersion: apps/v1, kind: Deployment",
		Fix:      "Nothing.",
	},
	{
		Code: KindUnknown, Level: Error, Title: "kind or version not known",
		Template: "there is no kind %s; %s",
		Meaning:  "The group is one that is read here, but the kind or its version is not.",
		Example:  "apiVersion: gateway.networking.k8s.io/v1, kind: HttpRoute",
		Fix:      "Correct apiVersion or kind.",
	},
	{
		Code: FieldUnknown, Level: Error, Title: "unknown field",
		Template: "there is no field %q here%s",
		Meaning:  "A field that does not exist would be dropped silently by a cluster, so the object is refused.",
		Example:  "rules: [{backendRef: [{name: a}]}]",
		Fix:      "Correct the name or the indentation.",
	},
	{
		Code: FieldType, Level: Error, Title: "wrong type",
		Template: "%s",
		Meaning:  "A value is of another type than the field.",
		Example:  "port: \"80\"",
		Fix:      "Write the value as the message says.",
	},
	{
		Code: FieldInvalid, Level: Error, Title: "invalid value",
		Template: "%s",
		Meaning:  "A cluster's API server refuses the value: it is missing, too long, out of range or not one of those allowed.",
		Example:  "port: 70000",
		Fix:      "Correct the value as the message says.",
	},
	{
		Code: RuleBroken, Level: Error, Title: "validation rule broken",
		Template: "%s",
		Meaning:  "A cluster's API server refuses this combination of fields (a CEL rule of the kind's schema).",
		Example:  "a RequestRedirect filter together with backendRefs",
		Fix:      "Correct the fields that the message names.",
	},
	{
		Code: ObjectDuplicate, Level: Error, Title: "object defined twice",
		Template: "%s is defined already at %s; this one is left out",
		Meaning:  "One of two objects of the same kind, namespace and name counts: the first by file name and place.",
		Example:  "the same Service in two files",
		Fix:      "Remove or rename one of them.",
	},
	{
		Code: DocumentTooBig, Level: Error, Title: "document too large",
		Template: "the document has %d bytes%s; at most %d are read",
		Meaning:  "A cluster could not store the object either.",
		Example:  "a ConfigMap of 4 MB",
		Fix:      "Split it.",
	},
	{
		Code: FileUnreadable, Level: Error, Title: "file cannot be read",
		Template: "the file cannot be read: %s",
		Meaning:  "While `up` runs, the objects that it held before stay as they were.",
		Example:  "a file without read permission",
		Fix:      "Correct its permissions, or what it leads to.",
	},
	{
		Code: NameMissing, Level: Error, Title: "name missing or invalid",
		Template: "the name %s",
		Meaning:  "An object needs a valid name. While `up` runs, what the file defined before and no longer shows stays as it was.",
		Example:  "metadata: {}",
		Fix:      "Set metadata.name to a DNS name in lower case.",
	},
	{
		Code: LastGood, Level: Warning, Title: "last good version kept",
		Template: "the newest version cannot be read; still serving the version of %s",
		Meaning:  "The file is broken now. Its objects stay as they were when it could be read last.",
		Example:  "a file saved half-way through an edit",
		Fix:      "Correct the file.",
	},
	{
		Code: FolderGone, Level: Error, Title: "folder gone",
		Template: "the folder cannot be read: %s",
		Meaning:  "Everything stays as it was when the folder could be read last. It is read again when it comes back.",
		Example:  "rm -r on the folder that `up` watches",
		Fix:      "Put the folder back.",
	},
	{
		Code: KeyDuplicate, Level: Error, Title: "key given twice",
		Template: "the key %q is given twice in one mapping",
		Meaning:  "Which of the two values counts could not be told.",
		Example:  "metadata: {name: a, name: b}",
		Fix:      "Remove one of them.",
	},
	{
		Code: KindUnsupported, Level: Error, Title: "kind not supported",
		Template: "objects of kind %s are not supported yet; nothing is done with this one",
		Meaning:  "The kind belongs to the Gateway API, and what it asks for does not happen here.",
		Example:  "apiVersion: gateway.networking.k8s.io/v1, kind: TLSRoute",
		Fix:      "Take it out of the folder, or wait for its support (see the feature table of the README).",
	},
}
