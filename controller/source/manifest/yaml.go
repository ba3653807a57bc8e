package manifest

import (
	"encoding/json"
	"errors"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	yamlv2 "go.yaml.in/yaml/v2"
	yamlnode "go.yaml.in/yaml/v3"
	sjson "sigs.k8s.io/json"
	"sigs.k8s.io/yaml"

	"github.com/cloverleaf-mesh/cloverleaf/translator/finding"
	"github.com/cloverleaf-mesh/cloverleaf/translator/ir"
)

// parse reads the text of a document, with the libraries that kubectl and the API server use; nil when it cannot be read.
func (r *reader) parse(text string) map[string]any {
	if name := encoding([]byte(text)); name != "" {
		r.unreadable("it is encoded as "+name+"; save it as UTF-8", 1, 1)
		return nil
	}
	if !r.bounded(text) {
		return nil
	}
	raw, err := yaml.YAMLToJSONStrict([]byte(text))
	if err != nil && strings.Contains(err.Error(), "already set in map") {
		if r.duplicates(r.doc.tree()) {
			return nil
		}
		raw, err = yaml.YAMLToJSON([]byte(text)) // what a merge key brings may be given again
	}
	if err != nil && json.Valid([]byte(text)) {
		raw, err = []byte(text), nil // JSON has escapes that YAML 1.1 does not know
	}
	if err != nil {
		r.syntax(text, err)
		return nil
	}
	return r.mapping(text, raw)
}

func (r *reader) mapping(text string, raw []byte) map[string]any {
	var fields map[string]any
	twice, err := sjson.UnmarshalStrict(raw, &fields, sjson.DisallowDuplicateFields)
	if err != nil || fields == nil {
		r.unreadable("it is no mapping of fields to values", firstLine(text), 1)
		return nil
	}
	for _, e := range twice {
		line, column := r.doc.find(fieldPath(e))
		_, key := cut(fieldPath(e))
		r.twice(key, line, column)
		fields = nil
	}
	return fields
}

func (r *reader) unreadable(message string, line, column int) {
	r.doc.unnamed = true
	r.problem(finding.New(finding.NotYAML, ir.Ref{}, "", message), line, column)
}

func (r *reader) twice(key string, line, column int) {
	r.doc.unnamed = true
	r.problem(finding.New(finding.KeyDuplicate, ir.Ref{}, "", key), line, column)
}

func (r *reader) tooBig(size int, how string) {
	r.doc.unnamed = true
	r.problem(finding.New(finding.DocumentTooBig, ir.Ref{}, "", size, how, MaxDocument), firstLine(r.doc.text), 1)
}

// bounded refuses a document that is too large once its aliases are written out: a few lines can mean gigabytes.
func (r *reader) bounded(text string) bool {
	if !strings.Contains(text, "&") || !strings.Contains(text, "*") {
		return true
	}
	root, err := parseNodes(text)
	if err != nil { // how large it gets is not known
		if worse := yamlv2.Unmarshal([]byte(text), &struct{}{}); worse != nil { // parses all of it and decodes nothing
			err = worse
		}
		r.syntax(text, err)
		return false
	}
	if size := sizeOf(root, map[*yamlnode.Node]int{}); size > MaxDocument {
		r.tooBig(size, " with its aliases written out")
		return false
	}
	return true
}

// sizeOf returns about how many bytes a node has when it is written out.
func sizeOf(n *yamlnode.Node, known map[*yamlnode.Node]int) int {
	if n == nil {
		return 0
	}
	if size, ok := known[n]; ok {
		return size
	}
	known[n] = 0 // an alias within its own anchor is refused by the parser
	const most = 1 << 40
	size := len(n.Value)
	if n.Kind == yamlnode.AliasNode {
		size = sizeOf(n.Alias, known)
	}
	for _, c := range n.Content {
		size = min(size+sizeOf(c, known)+1, most)
	}
	known[n] = size
	return size
}

// duplicates reports the keys that stand twice in one mapping.
func (r *reader) duplicates(n *yamlnode.Node) (found bool) {
	if n == nil {
		return false
	}
	seen := map[string]bool{}
	for i, c := range n.Content {
		if n.Kind == yamlnode.MappingNode && i%2 == 0 && c.Kind == yamlnode.ScalarNode && c.Tag != "!!merge" {
			if seen[c.Value] {
				r.twice(c.Value, c.Line, c.Column)
				found = true
			}
			seen[c.Value] = true
		}
		found = r.duplicates(c) || found
	}
	return found
}

// syntax reports text that cannot be read, where the parser stumbled.
func (r *reader) syntax(text string, err error) {
	message, number := complaint(err)
	if at := offender(text, message); at >= 0 {
		line, column := placeOf(text, at)
		r.unreadable(message, line, column)
		return
	}
	l, number := line(text, number)
	if clearer := unfinished(message, strings.TrimSpace(l) == ""); clearer != "" {
		// It is noticed far behind what it is about; the parser of the nodes says where that begins.
		if _, err := parseNodes(text); err != nil {
			_, number = complaint(err)
			l, number = line(text, number)
		}
		for number > 1 && strings.TrimSpace(l) == "" {
			l, number = line(text, number-1)
		}
		message = clearer
	}
	indent := l[:len(l)-len(strings.TrimLeft(l, " \t"))]
	if tab := strings.IndexByte(indent, '\t'); tab >= 0 {
		r.unreadable("a tab stands where only spaces indent", number, tab+1)
		return
	}
	r.unreadable(message, number, len(indent)+1)
}

// unfinished says in clearer words that something was begun and not ended.
func unfinished(message string, atEnd bool) string {
	switch {
	case message == "found unexpected end of stream":
		return "a quote that begins here is not closed"
	case message == "could not find expected ':'":
		return "a key without a colon"
	case atEnd && strings.HasPrefix(message, "did not find expected"):
		return "what begins here is not ended: " + message
	default:
		return ""
	}
}

var (
	yamlLine = regexp.MustCompile(`^(?:yaml: )?(?:line (\d+): )?`)
	// grammatical are complaints of the parser's grammar, whose lines count from 0; those of its scanner count from 1.
	grammatical = regexp.MustCompile(`^did not find expected ('|key|node content|<document start>)|undefined tag handle|^found (duplicate|incompatible)`)
	yamlAnchor  = regexp.MustCompile(`anchor '([^']+)' (referenced|value contains)`)
)

// complaint cuts a parser's error into its words and the line that it is about, from 1.
func complaint(err error) (message string, number int) {
	message = err.Error()
	m := yamlLine.FindStringSubmatch(message)
	message, _, _ = strings.Cut(message[len(m[0]):], "\n")
	number, _ = strconv.Atoi(m[1])
	if m[1] != "" && grammatical.MatchString(message) {
		number++
	}
	return message, max(number, 1)
}

// offender finds what a complaint without a line is about: an alias by its name, or bytes that YAML does not allow. It
// returns -1 for other complaints.
func offender(text, message string) int {
	if m := yamlAnchor.FindStringSubmatch(message); m != nil {
		return strings.Index(text, "*"+m[1])
	}
	if !strings.Contains(message, "UTF-8") && !strings.Contains(message, "control characters") {
		return -1
	}
	for at, c := range text {
		_, size := utf8.DecodeRuneInString(text[at:])
		if c == utf8.RuneError && size == 1 || c < ' ' && !strings.ContainsRune("\t\n\r", c) || c == 0x7f {
			return at
		}
	}
	return -1
}

// placeOf returns line and column of an offset.
func placeOf(text string, at int) (number, column int) {
	for n, l := range lines(text) {
		number, column = n, utf8.RuneCountInString(l[:min(at, len(l))])+1
		if at < len(l) {
			break
		}
		at -= len(l)
	}
	return number, column
}

// parseNodes parses a text into nodes that know their places.
func parseNodes(text string) (*yamlnode.Node, error) {
	var root yamlnode.Node
	err := yamlnode.Unmarshal([]byte(text), &root)
	if err != nil && json.Valid([]byte(text)) { // escapes that only JSON knows are masked, which moves nothing
		err = yamlnode.Unmarshal(jsonEscape.ReplaceAll([]byte(text), []byte("..")), &root)
	}
	if err != nil {
		return nil, err
	}
	if len(root.Content) == 0 {
		return nil, errors.New("an empty document")
	}
	return root.Content[0], nil
}

var jsonEscape = regexp.MustCompile(`\\.`)
