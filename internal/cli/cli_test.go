package cli_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cloverleaf-mesh/cloverleaf/internal/cli"
)

// terminal returns the near end of a pseudo terminal.
func terminal(t *testing.T) io.Writer {
	t.Helper()
	f, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

// TestColoursNeedATerminalAndNoObjection: NO_COLOR and TERM=dumb object, and a wish outweighs both.
func TestColoursNeedATerminalAndNoObjection(t *testing.T) {
	file, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		wish, noColor, term string
		to                  io.Writer
		want                bool
	}{
		{"auto", "", "xterm", terminal(t), true},
		{"auto", "1", "xterm", terminal(t), false},
		{"auto", "", "dumb", terminal(t), false},
		{"auto", "", "xterm", file, false},
		{"auto", "", "xterm", &bytes.Buffer{}, false},
		{"never", "", "xterm", terminal(t), false},
		{"always", "1", "dumb", &bytes.Buffer{}, true},
	} {
		t.Setenv("NO_COLOR", c.noColor)
		t.Setenv("TERM", c.term)
		style, err := cli.NewStyle(c.wish, c.to, false)
		if err != nil || style.Colour != c.want || strings.Contains(style.Mark(cli.Bad), "\x1b") != c.want {
			t.Errorf("%+v: %+v, %v", c, style, err)
		}
	}
	var coded *cli.Error
	if _, err := cli.NewStyle("blue", io.Discard, false); !errors.As(err, &coded) || coded.Code != cli.ExitUsage {
		t.Errorf("another wish: %v", err)
	}
}

// TestMarksAreTheSameWithAndWithoutColour: colour alone says nothing.
func TestMarksAreTheSameWithAndWithoutColour(t *testing.T) {
	for _, m := range []cli.Mark{cli.OK, cli.Warn, cli.Bad} {
		for _, ascii := range []bool{true, false} {
			plain, coloured := cli.Style{ASCII: ascii}.Mark(m), cli.Style{ASCII: ascii, Colour: true}.Mark(m)
			if !strings.Contains(coloured, plain) || ascii != (strings.Trim(plain, "abcdefghijklmnopqrstuvwxyzFAIL") == "") {
				t.Errorf("mark %d: %q and %q", m, plain, coloured)
			}
		}
	}
}

// TestATableHasColumnsThreeSpacesApart, counted in characters and not in bytes.
func TestATableHasColumnsThreeSpacesApart(t *testing.T) {
	var out bytes.Buffer
	err := cli.Table(&out, []string{"code", "level", "title"}, [][]string{{"CL0101", "", "√√√"}, {"a", "warning", ""}})
	want := "CODE     LEVEL     TITLE\nCL0101             √√√\na        warning\n"
	if d := cmp.Diff(want, out.String()); d != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, d)
	}
}

// TestAnErrorSaysItsTextOnce, and nothing when everything was said.
func TestAnErrorSaysItsTextOnce(t *testing.T) {
	err := cli.Fail(cli.ExitInput, "reading: %w", io.ErrUnexpectedEOF)
	if err.Error() != "reading: unexpected EOF" || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("%v", err)
	}
	if said := (&cli.Error{Code: cli.ExitFindings}).Error(); said != "" {
		t.Errorf("it says %q", said)
	}
}
