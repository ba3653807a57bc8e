package updriver

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// Main is a TestMain: it builds the binary, tells where, and keeps what it stores for a user, such as the local CA, in a
// folder of the tests.
func Main(m *testing.M, binary *string) {
	code, err := run(m, binary)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M, binary *string) (code int, err error) {
	dir, err := os.MkdirTemp("", "updriver")
	if err != nil {
		return 0, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if err := os.Setenv("XDG_DATA_HOME", filepath.Join(dir, "data")); err != nil {
		return 0, err
	}
	if *binary, err = Build(dir); err != nil {
		return 0, err
	}
	return m.Run(), nil
}
