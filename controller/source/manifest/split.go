package manifest

import "bytes"

// part is one document of a file.
type part struct {
	text []byte
	line int // of its first line in the file, from 1
}

// split cuts a file at its document separators. A line that begins with three dashes ends a document wherever it
// stands in YAML, also in block scalars (YAML 1.2, 9.1.2).
func split(data []byte) []part {
	var parts []part
	start, startLine, line := 0, 1, 1
	for at := 0; at < len(data); {
		end := bytes.IndexByte(data[at:], '\n')
		next := len(data)
		if end >= 0 {
			next = at + end + 1
		}
		if isSeparator(data[at:next]) {
			parts = append(parts, part{data[start:at], startLine})
			start, startLine = at+3, line // what follows the dashes on their line belongs to the document
		}
		at = next
		line++
	}
	parts = append(parts, part{data[start:], startLine})
	return parts
}

func isSeparator(line []byte) bool {
	if !bytes.HasPrefix(line, []byte("---")) {
		return false
	}
	return len(line) == 3 || line[3] == '\n' || line[3] == '\r' || line[3] == ' ' || line[3] == '\t'
}

// blank tells whether a document holds nothing but comments.
func blank(text []byte) bool {
	for line := range bytes.Lines(text) {
		trimmed := bytes.TrimSpace(line)
		if len(trimmed) > 0 && trimmed[0] != '#' && !bytes.HasPrefix(trimmed, []byte("%YAML")) && !bytes.Equal(trimmed, []byte("...")) {
			return false
		}
	}
	return true
}
