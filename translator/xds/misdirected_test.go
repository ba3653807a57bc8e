package xds

import (
	"regexp"
	"testing"

	"github.com/cloverleaf-mesh/cloverleaf/internal/re2"
)

func TestEveryMarkButTheChainsOwnIsMisdirected(t *testing.T) {
	mark := markOf("shop")
	re := regexp.MustCompile("^(?:" + anythingBut(mark) + ")$") // Envoy asks for a full match
	if re.MatchString(mark) {
		t.Errorf("%s is taken for another", mark)
	}
	others := []string{"", mark + "a", "a" + mark, mark[1:], markOf("Shop"), markOf("")}
	for i := range mark {
		others = append(others, mark[:i], mark[:i]+"_"+mark[i+1:], mark[:i]+"_")
	}
	for _, other := range others {
		if !re.MatchString(other) {
			t.Errorf("%q is not taken", other)
		}
	}
}

func TestEnvoyTakesTheExpressionForOtherMarks(t *testing.T) {
	if err := re2.Check(anythingBut(markOf("shop"))); err != nil {
		t.Error(err)
	}
}
