package translator_test

import (
	"os"
	"testing"
	"time"

	"github.com/cloverleaf-mesh/cloverleaf/controller/localca"
)

type pair struct{ cert, key []byte }

// testPairs are certificates with their keys, made anew for each run.
var testPairs []pair

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "pairs")
	if err != nil {
		panic(err)
	}
	ca, err := localca.Open(dir)
	if err != nil {
		panic(err)
	}
	for range 2 {
		cert, key, err := ca.Leaf([]string{"a.example.com"}, time.Now())
		if err != nil {
			panic(err)
		}
		testPairs = append(testPairs, pair{cert, key})
	}
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}
