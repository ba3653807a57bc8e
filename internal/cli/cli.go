// Package cli holds what all commands have in common: streams, colours, marks, tables and exit codes. It decides how
// something is said on a terminal, and nothing about what.
package cli

import (
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"golang.org/x/term"
)

// Exit codes, the same for every command.
const (
	ExitFine     = 0
	ExitFindings = 1 // findings at or above --fail-on, or documents that were left out
	ExitUsage    = 2
	ExitInput    = 3 // input that cannot be read
	ExitReach    = 4 // something that cannot be reached, started or written
	ExitInternal = 5
)

// Error is an error with an exit code.
type Error struct {
	Code int
	Err  error
}

// Error returns the text of the error, empty when everything was said already.
func (e *Error) Error() string {
	if e.Err == nil {
		return ""
	}
	return e.Err.Error()
}

// Unwrap returns the error itself.
func (e *Error) Unwrap() error { return e.Err }

// Fail wraps an error with an exit code.
func Fail(code int, format string, args ...any) error {
	return &Error{code, fmt.Errorf(format, args...)}
}

// Style says how lines are dressed.
type Style struct {
	Colour bool
	ASCII  bool
}

// NewStyle reads the wish of a --color flag ("auto", "always" or "never") for a stream. NO_COLOR and TERM=dumb switch
// colours off unless they are wished for.
func NewStyle(wish string, w io.Writer, ascii bool) (Style, error) {
	s := Style{ASCII: ascii}
	switch wish {
	case "always":
		s.Colour = true
	case "never":
	case "auto":
		s.Colour = os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" && Terminal(w)
	default:
		return s, Fail(ExitUsage, "--color must be auto, always or never, not %q", wish)
	}
	return s, nil
}

// Terminal tells whether a stream is a terminal.
func Terminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// Mark is the sign at the beginning of a line.
type Mark uint8

// The marks.
const (
	OK Mark = iota
	Warn
	Bad
)

// Mark returns the sign of a mark, dressed.
func (s Style) Mark(m Mark) string {
	sign := [...]string{"√", "‼", "×"}[m]
	if s.ASCII {
		sign = [...]string{"ok", "warn", "FAIL"}[m]
	}
	return s.paint(sign, [...]string{"32", "33", "31"}[m])
}

// Faint dresses what matters less.
func (s Style) Faint(text string) string { return s.paint(text, "2") }

// Bold dresses what matters more.
func (s Style) Bold(text string) string { return s.paint(text, "1") }

func (s Style) paint(text, code string) string {
	if !s.Colour {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

// Table writes rows under upper-case headers, columns three spaces apart, without trailing spaces.
func Table(w io.Writer, headers []string, rows [][]string) error {
	width := make([]int, len(headers))
	all := append([][]string{headers}, rows...)
	for _, row := range all {
		for i, cell := range row {
			width[i] = max(width[i], utf8.RuneCountInString(cell))
		}
	}
	for n, row := range all {
		var line strings.Builder
		for i, cell := range row {
			if n == 0 {
				cell = strings.ToUpper(cell)
			}
			line.WriteString(cell + strings.Repeat(" ", width[i]-utf8.RuneCountInString(cell)+3))
		}
		if _, err := fmt.Fprintln(w, strings.TrimRight(line.String(), " ")); err != nil {
			return err
		}
	}
	return nil
}
