package finding

// Problem is a finding that a condition of the object's status reports.
type Problem struct {
	Finding
	Condition string // type of the condition, as in "Accepted"; empty when no condition reports it
	Reason    string // reason of that condition
}

// Text is what a status message says of it: the code and the sentence.
func (p Problem) Text() string { return string(p.Code) + ": " + p.Message }
