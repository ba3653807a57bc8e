package manifest

import (
	"bytes"
	"iter"
)

// part is one document of a file.
type part struct {
	text []byte
	line int // of its first line in the file, from 1
}

const bom = "\ufeff"

// split cuts a file at its document markers. A line that begins with three dashes or three dots is one wherever it
// stands in YAML, also in block scalars (YAML 1.2, 9.1.2).
func split(data []byte) []part {
	data = bytes.TrimPrefix(data, []byte(bom))
	if encoding(data) != "" {
		return []part{{data, 1}}
	}
	var parts []part
	start, startLine, at := 0, 1, 0
	for number, line := range lines(data) {
		next := at + len(line)
		line = bytes.TrimPrefix(line, []byte(bom)) // files that were put one behind the other
		switch {
		case isMarker(line, "---"): // what follows the dashes on their line belongs to the document
			parts = append(parts, part{data[start:at], startLine})
			start, startLine = next, number+1
			if rest := line[len("---"):]; len(bytes.TrimSpace(rest)) > 0 {
				start, startLine = next-len(rest), number
			}
		case isMarker(line, "..."):
			parts = append(parts, part{data[start:at], startLine})
			start, startLine = next, number+1
		}
		at = next
	}
	return append(parts, part{data[start:], startLine})
}

// encoding names an encoding that is not UTF-8, which the mark at a text's beginning tells.
func encoding(text []byte) string {
	if bytes.HasPrefix(text, []byte{0xff, 0xfe}) || bytes.HasPrefix(text, []byte{0xfe, 0xff}) {
		return "UTF-16"
	}
	return ""
}

func isMarker(line []byte, marker string) bool {
	rest, ok := bytes.CutPrefix(line, []byte(marker))
	return ok && (len(rest) == 0 || rest[0] == ' ' || rest[0] == '\t' || breakLength(rest) > 0)
}

// blank tells whether a document holds nothing but comments and directives.
func blank(text []byte) bool {
	for _, line := range lines(text) {
		trimmed := bytes.TrimSpace(line)
		if len(trimmed) > 0 && trimmed[0] != '#' && line[0] != '%' {
			return false
		}
	}
	return true
}

// lines returns the lines of a text with their numbers, from 1, and their line breaks. What follows the last line break
// is a line, too.
func lines[T string | []byte](text T) iter.Seq2[int, T] {
	return func(yield func(int, T) bool) {
		number, start := 1, 0
		for at := 0; at < len(text); at++ {
			n := breakLength(text[at:])
			if n == 0 {
				continue
			}
			if !yield(number, text[start:at+n]) {
				return
			}
			start, number, at = at+n, number+1, at+n-1
		}
		yield(number, text[start:])
	}
}

// breakLength returns the length of the line break that a text begins with, or 0. The parser counts those of YAML 1.1,
// which has more of them than LF and CR; what it counts must be counted here, or places are wrong.
func breakLength[T string | []byte](text T) int {
	switch text[0] {
	case '\n':
		return 1
	case '\r':
		if len(text) > 1 && text[1] == '\n' {
			return 2
		}
		return 1
	case 0xc2, 0xe2:
		for _, b := range []string{"\u0085", "\u2028", "\u2029"} {
			if len(text) >= len(b) && string(text[:len(b)]) == b {
				return len(b)
			}
		}
	}
	return 0
}

// line returns a line of a text, or the last one for a number that is too large, and its number.
func line(text string, wanted int) (found string, is int) {
	for number, l := range lines(text) {
		found, is = l, number
		if number == wanted {
			break
		}
	}
	return found, is
}

// firstLine returns the number of the first line with something on it.
func firstLine(text string) int {
	for number, l := range lines(text) {
		if len(bytes.TrimSpace([]byte(l))) > 0 {
			return number
		}
	}
	return 1
}
