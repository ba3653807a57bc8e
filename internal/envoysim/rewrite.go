package envoysim

import (
	"fmt"
	"regexp"
	"strings"

	matcherv3 "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"
)

// newRewrite reads what a redirect or a forwarding route does to the path.
func newRewrite(prefix string, m interface {
	GetRegexRewrite() *matcherv3.RegexMatchAndSubstitute
},
) (rewrite, error) {
	out := rewrite{prefix: prefix}
	if re := m.GetRegexRewrite(); re != nil {
		var err error
		if out.regex, err = regexp.Compile(re.GetPattern().GetRegex()); err != nil {
			return out, fmt.Errorf("regular expression %q: %w", re.GetPattern().GetRegex(), err)
		}
		out.substitution = goTemplate(re.GetSubstitution())
	}
	return out, nil
}

// goTemplate turns RE2's notation of a substitution (\1, \\) into Go's (${1}, $$).
func goTemplate(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '$':
			b.WriteString("$$")
		case s[i] != '\\' || i+1 == len(s):
			b.WriteByte(s[i])
		case '0' <= s[i+1] && s[i+1] <= '9':
			b.WriteString("${" + s[i+1:i+2] + "}")
			i++
		default:
			i++
			b.WriteByte(s[i])
		}
	}
	return b.String()
}

// apply returns the target after the rewrite of a route with this match. Only the path is looked at; the query stays.
func (w *rewrite) apply(target string, m *matcher) string {
	path, query, hasQuery := strings.Cut(target, "?")
	if hasQuery {
		query = "?" + query
	}
	switch {
	case w.regex != nil:
		return w.regex.ReplaceAllString(path, w.substitution) + query
	case w.prefix == "":
		return target
	case m.kind == byPrefix:
		return w.prefix + path[len(m.path):] + query
	default: // of an exact path or an expression all is what the match took
		return w.prefix + query
	}
}

// String says what the rewrite does.
func (w *rewrite) words(m *matcher) string {
	switch {
	case w.regex != nil:
		return fmt.Sprintf("rewrite path by %s to %q", w.regex, w.substitution)
	case w.prefix != "" && m.kind == byPrefix:
		return fmt.Sprintf("rewrite path prefix %s to %s", m.path, w.prefix)
	case w.prefix != "":
		return "rewrite path to " + w.prefix
	default:
		return ""
	}
}
