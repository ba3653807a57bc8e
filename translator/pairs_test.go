package translator_test

import (
	"os"
	"testing"
	"time"

	"github.com/cloverleaf-mesh/cloverleaf/controller/localca"
	"github.com/cloverleaf-mesh/cloverleaf/internal/worldgen"
)

// testPairs are certificates with their keys, made anew for each run.
var testPairs []worldgen.Pair

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
		testPairs = append(testPairs, worldgen.Pair{Cert: cert, Key: key})
	}
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}
