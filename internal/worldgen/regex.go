package worldgen

import "strings"

// Regex makes a regular expression, often valid, with what RE2 and Go's syntax have and some of what only one of them
// has.
func (m *Maker) Regex() string {
	if m.Choose.Pick(12) == 0 {
		return m.atom()
	}
	return "/" + m.expression(m.Choose.Pick(5))
}

func (m *Maker) expression(depth int) string {
	if depth == 0 {
		return m.atom()
	}
	inner := m.expression(depth - 1)
	switch m.Choose.Pick(8) {
	case 0, 1:
		return inner + m.expression(depth-1)
	case 2:
		return inner + "|" + m.atom()
	case 3:
		return "(" + inner + ")"
	case 4:
		return "(?:" + inner + ")" + of(m, []string{"*", "+", "?", "*?", "+?", "??"})
	case 5:
		return "(?:" + inner + ")" + of(m, []string{"{2}", "{1,3}", "{0,2}", "{3,}", "{0}", "{0,}", "{7,9}?", "{40}", "{999}", "{1001}"})
	case 6:
		return "(?P<n" + strings.Repeat("n", depth) + ">" + inner + ")"
	default:
		return of(m, []string{"(?i)", "(?s)", "(?U)", "(?m)", "(?i-s)", "(?x)"}) + inner
	}
}

func (m *Maker) atom() string {
	return of(m, []string{
		"a", "k", "s", "/", ".", "-", "é", "ſ", "日本", `\d`, `\W`, `\pL`, `\PN`, `\p{Greek}`, `\p{^Lu}`, `\p{Letter}`, `\p{Any}`,
		`\p{greek}`, `\p{Garay}`, `\p{ASCII}`, "[a-c]", "[^a-z]", "[é-ü]", "[[:alpha:]x]", "[[:^word:]]", `[^\pL]`, `[\d_-]`,
		`[\x{80}-\x{ff}]`, `[\xc5-Ā]`, "[acegikmoqsuwy]", `\x41`, `\x{e9}`, `\x{100}`, `\x{10FFFF}`, `\07`, `\101`, `\400`, `\1`,
		`\Qa.b\E`, `\Q\p{Letter}`, "^", "$", `\b`, `\A`, `\z`, `\Z`, `\C`, "()", "(", ")", "[", "*", "{", `\`, "\n", "\x00", "(?=a)",
		"(?<n>a)", "(?P=n)", "", "|",
	})
}
