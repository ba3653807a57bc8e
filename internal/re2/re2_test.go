package re2_test

import (
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"

	"github.com/cloverleaf-mesh/cloverleaf/internal/re2"
	"github.com/cloverleaf-mesh/cloverleaf/internal/worldgen"
)

func TestWhatEnvoyTakesIsLetThrough(t *testing.T) {
	for _, expr := range []string{
		"/a", `/v\d+/.*`, "(?i)/a|/b", "(?P<n>a)(?<m>b)", `\p{L}\pN\P{Greek}\p{^Lu}\p{Any}`, "[[:alpha:]é-ü]", `\x{e9}\xff\377\07`,
		`\Q\p{Letter}\E`, `\Qa`, "(?:a{40}){25}", "a{1000}", "/é", `\\p{Letter}`, strings.Repeat("a", re2.MaxProgram-4),
	} {
		if err := re2.Check(expr); err != nil {
			t.Errorf("%q is refused: %v", expr, err)
		}
	}
}

// TestWhatEnvoyRefusesIsFound: each of these was tried on Envoy 1.40 (conformance/validate tries them in every run).
func TestWhatEnvoyRefusesIsFound(t *testing.T) {
	for expr, word := range map[string]string{
		"":                                "empty",
		"/a(":                             "missing closing )",
		"(?=a)":                           "invalid or unsupported Perl syntax",
		`(a)\1`:                           "invalid escape",
		`\p{Letter}`:                      `unknown class of characters: ` + "`" + `\p{Letter}`,
		`\p{greek}`:                       "unknown class",
		`[\P{^Garay}]`:                    "unknown class",
		`\Qa\E\p{LC}`:                     "unknown class",
		`\p{ASCII}`:                       "unknown class",
		`\x{100}`:                         "above 255",
		`[\x{0}-\x{10FFFF}]`:              "above 255",
		`\400`:                            "above 255",
		`[\xc5-Ā]`:                        "invalid character class range", // 0xC4 0x80 to RE2
		strings.Repeat("a{1000}", 5):      "too large",
		strings.Repeat("[^\\pL\\d]", 700): "too large",
		strings.Repeat("a", 4096):         "too large",
	} {
		err := re2.Check(expr)
		if err == nil || !strings.Contains(err.Error(), word) {
			t.Errorf("%.40q: got %v, want words with %q", expr, err, word)
		}
	}
}

func FuzzCheck(f *testing.F) {
	maker := &worldgen.Maker{Choose: worldgen.Seeded{Rand: rand.New(rand.NewPCG(3, 3))}}
	for range 200 {
		f.Add(maker.Regex())
	}
	for _, expr := range []string{`\`, `\p`, `\p{`, `\p{^`, `\x`, `\x{`, `\Q`, `\Q\E`, `\0`, "\xff", `\pé`, `[\Q]`, `(?i)ſ`, `\x{{1}`} {
		f.Add(expr)
	}
	f.Fuzz(func(t *testing.T, expr string) {
		if len(expr) > 4096 || re2.Check(expr) != nil {
			return
		}
		if _, err := regexp.Compile(expr); err != nil {
			t.Errorf("%q is let through and is no regular expression: %v", expr, err)
		}
	})
}
