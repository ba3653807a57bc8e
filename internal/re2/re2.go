// Package re2 tells whether Envoy takes a regular expression, so that a wrong one is a finding and never a refused
// message. It decides nothing about what expressions are for. It is pure.
//
// Envoy (1.40, source/common/common/regex.cc) compiles with RE2 over single bytes, in Perl's syntax. Go's syntax is
// RE2's with these differences: newer and more tolerant names of Unicode classes, and code points above 255, which no
// single byte can be. Envoy also bounds the size of a compiled program, by a runtime value.
package re2

import (
	"errors"
	"fmt"
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// MaxProgram is the size of the largest program that is let through, in instructions. Envoy's bootstrap must allow it
// (runtime key re2.max_program_size.error_level, 100 by default).
const MaxProgram = 4096

// Check returns why Envoy would refuse an expression; nil when it takes it.
func Check(expr string) error {
	if expr == "" {
		return errors.New("it is empty")
	}
	if _, err := parse(expr); err != nil {
		return err
	}
	if err := checkEscapes(expr); err != nil {
		return err
	}
	bytewise, err := parse(latin1(expr))
	if err != nil {
		return err
	}
	if size := program(bytewise); size > MaxProgram {
		return fmt.Errorf("too large: about %d instructions, the limit is %d", size, MaxProgram)
	}
	return nil
}

func parse(expr string) (*syntax.Regexp, error) {
	re, err := syntax.Parse(expr, syntax.Perl)
	if err != nil {
		return nil, errors.New(strings.TrimPrefix(err.Error(), "error parsing regexp: "))
	}
	return re, nil
}

// latin1 returns the expression as RE2 reads it here: every byte is a character.
func latin1(expr string) string {
	runes := make([]rune, len(expr))
	for i := range len(expr) {
		runes[i] = rune(expr[i])
	}
	return string(runes)
}

// checkEscapes looks for those escapes of a valid expression that Go knows and Envoy does not.
func checkEscapes(expr string) error {
	for {
		_, after, found := strings.Cut(expr, `\`)
		if !found || after == "" {
			return nil
		}
		length, err := checkEscape(after)
		if err != nil {
			return err
		}
		expr = after[length:]
	}
}

// checkEscape checks the escape whose text after the backslash begins s, and returns the length of that text.
func checkEscape(s string) (length int, err error) {
	switch s[0] {
	case 'Q': // literal up to \E
		quoted, _, _ := strings.Cut(s, `\E`)
		return len(quoted), nil
	case 'p', 'P':
		length = 2
		name := s[1:]
		if strings.HasPrefix(name, "{") {
			name, _, _ = strings.Cut(name[1:], "}")
			length = len(name) + 3
		} else {
			name = name[:1]
		}
		if !known(strings.TrimPrefix(name, "^")) {
			return 0, fmt.Errorf("unknown class of characters: `\\%s`", s[:length])
		}
		return length, nil
	case 'x':
		if digits, _, braced := strings.Cut(strings.TrimPrefix(s[1:], "{"), "}"); braced && s[1] == '{' {
			return len(digits) + 3, checkCode(digits, 16, s[:len(digits)+3])
		}
		return 1, nil // two digits, which cannot be too much
	case '0', '1', '2', '3', '4', '5', '6', '7':
		length = 1
		for length < min(3, len(s)) && s[length] >= '0' && s[length] <= '7' {
			length++
		}
		return length, checkCode(s[:length], 8, s[:length])
	default:
		return 1, nil
	}
}

func checkCode(digits string, base int, text string) error {
	if code, err := strconv.ParseUint(digits, base, 32); err != nil || code > unicode.MaxLatin1 {
		return fmt.Errorf("characters above 255 cannot be given by number: `\\%s`", text)
	}
	return nil
}

// unknown are classes that Go has and the RE2 of Envoy 1.40 has not: categories of Go alone, and scripts of Unicode 16
// and 17.
var unknown = []string{
	"Beria_Erfe", "Cn", "Garay", "Gurung_Khema", "Kirat_Rai", "LC", "Ol_Onal", "Sidetic", "Sunuwar", "Tai_Yo", "Todhri",
	"Tolong_Siki", "Tulu_Tigalari",
}

func known(class string) bool {
	return class == "Any" || (unicode.Categories[class] != nil || unicode.Scripts[class] != nil) && !slices.Contains(unknown, class)
}

// program bounds the size of the program that RE2 compiles: its instructions are a byte range each, and what joins them.
func program(re *syntax.Regexp) int {
	const frame = 4 // the loop before an expression without anchor, and its end
	return frame + size(re)
}

func size(re *syntax.Regexp) int {
	switch re.Op {
	case syntax.OpLiteral:
		if re.Flags&syntax.FoldCase != 0 {
			return 2 * len(re.Rune)
		}
		return len(re.Rune)
	case syntax.OpCharClass:
		return max(1, ranges(re.Rune))
	case syntax.OpAnyCharNotNL:
		return 2
	case syntax.OpCapture:
		return 2 + size(re.Sub[0])
	case syntax.OpStar, syntax.OpPlus, syntax.OpQuest:
		return 4 + size(re.Sub[0])
	case syntax.OpRepeat:
		most := max(re.Max, re.Min+1) // without a maximum: the last one loops
		return most*size(re.Sub[0]) + 2*(most-re.Min) + 2
	case syntax.OpConcat, syntax.OpAlternate:
		n := 0
		for _, sub := range re.Sub {
			n += size(sub) + 1
		}
		return n
	default:
		return 1
	}
}

// ranges counts the ranges of a class that have bytes in them.
func ranges(pairs []rune) int {
	n := 0
	for i := 0; i < len(pairs) && pairs[i] <= unicode.MaxLatin1; i += 2 {
		n++
	}
	return n
}
