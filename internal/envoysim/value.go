package envoysim

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	matcherv3 "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"
)

// test compares a value; words say what with, as in `=1` or ` ~ "a.*"`.
type test struct {
	ok    func(string) bool
	words string
}

// newTest compiles a string matcher.
func newTest(m *matcherv3.StringMatcher) (test, error) {
	fold := func(s string) string { return s }
	if m.GetIgnoreCase() {
		fold = strings.ToLower
	}
	compare := func(sign, want string, f func(value, want string) bool) test {
		want = fold(want)
		return test{func(v string) bool { return f(fold(v), want) }, sign + want}
	}
	switch p := m.GetMatchPattern().(type) {
	case *matcherv3.StringMatcher_Exact:
		return compare("=", p.Exact, func(v, want string) bool { return v == want }), nil
	case *matcherv3.StringMatcher_Prefix:
		return compare(" begins with ", p.Prefix, strings.HasPrefix), nil
	case *matcherv3.StringMatcher_Suffix:
		return compare(" ends with ", p.Suffix, strings.HasSuffix), nil
	case *matcherv3.StringMatcher_Contains:
		return compare(" contains ", p.Contains, strings.Contains), nil
	case *matcherv3.StringMatcher_SafeRegex:
		re, err := fullRegex(p.SafeRegex)
		if err != nil {
			return test{}, err
		}
		return test{re.MatchString, "~" + p.SafeRegex.GetRegex()}, nil
	default:
		return test{}, fmt.Errorf("string matcher %T is not understood", p)
	}
}

// fullRegex compiles an expression that must take a whole value. Go's syntax and meaning are RE2's.
func fullRegex(m *matcherv3.RegexMatcher) (*regexp.Regexp, error) {
	re, err := regexp.Compile(`\A(?:` + m.GetRegex() + `)\z`)
	if err != nil {
		return nil, fmt.Errorf("regular expression %q: %w", m.GetRegex(), err)
	}
	return re, nil
}

// headerTest compares a header of a request. A pseudo header is one, too.
type headerTest struct {
	name   string
	test   test
	invert bool
}

func newHeaderTest(m *routev3.HeaderMatcher) (headerTest, error) {
	h := headerTest{name: strings.ToLower(m.GetName()), invert: m.GetInvertMatch()}
	p, ok := m.GetHeaderMatchSpecifier().(*routev3.HeaderMatcher_StringMatch)
	if !ok {
		return h, fmt.Errorf("header matcher %T is not understood", m.GetHeaderMatchSpecifier())
	}
	var err error
	h.test, err = newTest(p.StringMatch)
	return h, err
}

// try compares each line of the header by itself; one that fits suffices. Lines that Envoy keeps as one are one
// value, joined by commas. It says why none fits.
func (h *headerTest) try(s *stream) (ok bool, why string) {
	values := s.header(h.name)
	switch fits := slices.ContainsFunc(values, h.test.ok); {
	case h.invert && len(values) > 0 && fits:
		return false, fmt.Sprintf("header %s is %q", h.name, strings.Join(values, `", "`))
	case h.invert:
		return len(values) > 0, ""
	case fits:
		return true, ""
	}
	if len(values) == 0 {
		return false, fmt.Sprintf("header %s is missing", h.name)
	}
	return false, fmt.Sprintf("header %s is %q, not %s%s", h.name, strings.Join(values, `", "`), h.name, h.test.words)
}

// queryTest compares a query parameter.
type queryTest struct {
	name string
	test test
}

func newQueryTest(m *routev3.QueryParameterMatcher) (queryTest, error) {
	q := queryTest{name: m.GetName()}
	p, ok := m.GetQueryParameterMatchSpecifier().(*routev3.QueryParameterMatcher_StringMatch)
	if !ok {
		return q, fmt.Errorf("query parameter matcher %T is not understood", m.GetQueryParameterMatchSpecifier())
	}
	var err error
	q.test, err = newTest(p.StringMatch)
	return q, err
}

// try compares the first value of the parameter, as it stands: Envoy decodes neither names nor values.
func (q *queryTest) try(s *stream) (ok bool, why string) {
	_, query, _ := strings.Cut(s.target, "?")
	for pair := range strings.SplitSeq(query, "&") {
		name, value, _ := strings.Cut(pair, "=")
		if name != q.name || pair == "" {
			continue
		}
		if q.test.ok(value) {
			return true, ""
		}
		return false, fmt.Sprintf("query parameter %s is %q, not %s%s", q.name, value, q.name, q.test.words)
	}
	return false, fmt.Sprintf("query parameter %s is missing", q.name)
}
