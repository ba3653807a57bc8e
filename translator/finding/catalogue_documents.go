package finding

// Codes CL00xx (internal) and CL01xx: reading documents. Their findings are made by controller/source.
const (
	// Internal is a panic that was contained to one object.
	Internal Code = "CL0001"
)

var documents = []Entry{
	{
		Code: Internal, Level: Error, Title: "internal error",
		Template: "an internal error was contained to this object: %s; please report it",
		Meaning:  "Evaluating this object ended in a bug of Cloverleaf. Everything else goes on; this object is answered with 500.",
		Example:  "None: this should never happen.",
		Fix:      "Report it with the object. Until it is mended, change the object or take it out.",
	},
}
