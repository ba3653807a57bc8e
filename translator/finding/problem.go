package finding

// Condition is the type of a status condition.
type Condition string

// The conditions that report problems.
const (
	Accepted         Condition = "Accepted"
	Conflicted       Condition = "Conflicted"
	Programmed       Condition = "Programmed"
	ResolvedRefs     Condition = "ResolvedRefs"
	PartiallyInvalid Condition = "PartiallyInvalid"
	InsecureClients  Condition = "InsecureFrontendValidationMode"
	OverlappingTLS   Condition = "OverlappingTLSConfig"
)

// Problem is a finding that a condition of the object's status reports.
type Problem struct {
	Finding
	Condition Condition // empty when no condition reports it
	Reason    string    // reason of that condition
}

// Under makes a problem of a finding: this condition reports it, for this reason of the Gateway API.
func Under[R ~string](condition Condition, reason R, f Finding) Problem {
	return Problem{Finding: f, Condition: condition, Reason: string(reason)}
}

// Text is what a status message says of it: the code and the sentence.
func (p Problem) Text() string { return string(p.Code) + ": " + p.Message }
