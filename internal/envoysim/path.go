package envoysim

import (
	"slices"
	"strings"

	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
)

// PathStep is something that normalisation did to a path.
type PathStep struct {
	What string // as a person would say it
	Path string // the path (with its query) afterwards
}

// normalise changes a path as a connection manager does before anything looks at it, in Envoy's order: escaped
// slashes, then canonical form, then merged slashes (Envoy, HttpConnectionManager.normalize_path, merge_slashes and
// path_with_escaped_slashes_action). refusal says why the request is refused; it is empty when it is not.
func normalise(path string, m *hcmv3.HttpConnectionManager) (steps []PathStep, refusal string) {
	if strings.Contains(path, "#") {
		return nil, "the path has a fragment (#)"
	}
	step := func(what, before, after string) string {
		if before != after {
			steps = append(steps, PathStep{what, after})
		}
		return after
	}
	path, query, hasQuery := strings.Cut(path, "?")
	if hasQuery {
		query = "?" + query
	}
	if unescaped := slashEscapes.Replace(path); unescaped != path {
		switch m.GetPathWithEscapedSlashesAction() {
		case hcmv3.HttpConnectionManager_REJECT_REQUEST:
			return nil, "the path has an escaped slash or backslash (%2F or %5C)"
		case hcmv3.HttpConnectionManager_UNESCAPE_AND_FORWARD, hcmv3.HttpConnectionManager_UNESCAPE_AND_REDIRECT:
			path = step("escaped slashes decoded", path+query, unescaped+query)
			path = strings.TrimSuffix(path, query)
		default:
		}
	}
	if m.GetNormalizePath().GetValue() {
		bare := bareDots(path)
		step("parameters of dot segments dropped", path+query, bare+query)
		canonical, ok := canonicalPath(bare)
		path = bare
		if !ok {
			return nil, "the path has an escaped NUL (%00)"
		}
		step("dot segments, backslashes and needless escapes resolved", path+query, canonical+query)
		path = canonical
	}
	if m.GetMergeSlashes() {
		merged := mergeSlashes(path)
		step("adjacent slashes merged", path+query, merged+query)
	}
	return steps, ""
}

// bareDots drops the parameters of segments that are written as dots ("/..;x/"), which some servers resolve as dot
// segments.
func bareDots(path string) string {
	segments := strings.Split(path, "/")
	for i, s := range segments {
		for _, dots := range []string{"..", "."} {
			if strings.HasPrefix(s, dots+";") {
				segments[i] = dots
			}
		}
	}
	return strings.Join(segments, "/")
}

var slashEscapes = strings.NewReplacer("%2F", "/", "%2f", "/", "%5C", `\`, "%5c", `\`)

// mergeSlashes leaves a path of nothing but slashes at two, as Envoy does.
func mergeSlashes(path string) string {
	if !strings.Contains(path, "//") {
		return path
	}
	var parts []string
	for part := range strings.SplitSeq(path, "/") {
		if part != "" {
			parts = append(parts, part)
		}
	}
	out := strings.Join(parts, "/")
	if strings.HasPrefix(path, "/") {
		out = "/" + out
	}
	if strings.HasSuffix(path, "/") {
		out += "/"
	}
	return out
}

// unreserved are the characters whose escapes are decoded (RFC 3986, 2.3).
func unreserved(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("-._~", c) >= 0
}

// escaped are the characters that are written as escapes.
func escaped(c byte) bool { return c <= ' ' || c >= 0x7f || strings.IndexByte("\"#<>?^`{|}", c) >= 0 }

const hexDigits = "0123456789ABCDEF"

// canonicalPath resolves dot segments, turns backslashes to slashes, decodes escapes of unreserved characters and
// escapes what must be: the canonical form of the WHATWG URL standard's special schemes, as Envoy's library has it. It
// fails for an escaped NUL.
func canonicalPath(path string) (string, bool) {
	out := make([]byte, 0, len(path))
	stray := -1 // where out has the last % that begins no escape
	for i := 0; i < len(path); {
		c := path[i]
		if n := dot(path, i); n > 0 {
			var used int
			out, used = dotSegment(out, path, i, n)
			i += used
			if stray >= len(out) {
				stray = -1
			}
			continue
		}
		i++
		switch {
		case c == '\\':
			out = append(out, '/')
		case c != '%' && escaped(c):
			out = append(out, '%', hexDigits[c>>4], hexDigits[c&15])
		case c != '%':
			out = append(out, c)
		default:
			decoded, ok := unhex(path, i)
			switch {
			case !ok:
				stray = len(out)
				out = append(out, c)
				continue
			case decoded == 0:
				return "", false
			case unreserved(decoded):
				out = guardEscape(append(out, decoded), path[i+2:], stray)
			default:
				out = append(out, path[i-1:i+2]...)
			}
			i += 2
		}
	}
	return string(out), true
}

// guardEscape escapes a stray % where a character that was just decoded would complete an escape with it: %%32F must
// not become %2F.
func guardEscape(out []byte, rest string, stray int) []byte {
	tail := string(out[min(max(stray, 0), len(out)):])
	switch {
	case stray < 0 || stray < len(out)-3 || len(tail) < 2:
		return out
	case len(tail) == 2 && rest != "":
		tail += rest[:1]
	}
	if _, ok := unhex(tail, 1); !ok {
		return out
	}
	return slices.Insert(out, stray+1, '2', '5')
}

// dot returns the length of a dot, plain or escaped, at a place; 0 when there is none.
func dot(path string, i int) int {
	switch {
	case i < len(path) && path[i] == '.':
		return 1
	case i+2 < len(path) && path[i] == '%' && path[i+1] == '2' && path[i+2]|0x20 == 'e':
		return 3
	default:
		return 0
	}
}

// dotSegment handles a dot of n bytes at a place: it may be a segment that means here or up, or part of a name.
func dotSegment(out []byte, path string, i, n int) (result []byte, used int) {
	if len(out) == 0 || out[len(out)-1] != '/' {
		return append(out, '.'), n
	}
	after := i + n
	slash := func(at int) bool { return at < len(path) && (path[at] == '/' || path[at] == '\\') }
	switch {
	case after == len(path):
		return out, n
	case slash(after):
		return out, n + 1
	}
	second := dot(path, after)
	end := after + second
	if second == 0 || end != len(path) && !slash(end) {
		return append(out, '.'), n
	}
	if slash(end) {
		end++
	}
	if len(out) > 1 {
		up := len(out) - 2
		for up > 0 && out[up] != '/' {
			up--
		}
		out = out[:up+1]
	}
	return out, end - i
}

func unhex(path string, i int) (byte, bool) {
	if i+1 >= len(path) {
		return 0, false
	}
	high, low := strings.IndexByte("0123456789abcdef", path[i]|0x20), strings.IndexByte("0123456789abcdef", path[i+1]|0x20)
	if high < 0 || low < 0 {
		return 0, false
	}
	return byte(high<<4 | low), true //nolint:gosec // two digits
}
