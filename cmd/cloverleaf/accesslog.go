package main

import (
	"io"
	"os"

	"github.com/cloverleaf-mesh/cloverleaf/internal/cli"
)

// Words for --access-log besides the name of a file.
const (
	logAuto   = "auto"
	logNone   = "none"
	logStdout = "-"
)

// openAccessLog returns what the proxy writes its access log to; nil for nothing. What up itself says stands elsewhere: on
// standard error, or with -o json on standard output, where the log then cannot be.
func openAccessLog(wish string, asJSON bool, out io.Writer) (*os.File, error) {
	stdout, _ := out.(*os.File)
	switch {
	case wish == logNone, wish == "":
		return nil, nil //nolint:nilnil // no log is no error
	case wish == logAuto && (asJSON || cli.Terminal(out)):
		return nil, nil //nolint:nilnil // as above
	case wish == logStdout && asJSON:
		return nil, cli.Fail(cli.ExitUsage, "--access-log - and -o json both need standard output: give --access-log a file")
	case wish == logAuto, wish == logStdout:
		return stdout, nil
	}
	file, err := os.OpenFile(wish, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, cli.Fail(cli.ExitReach, "--access-log: %w", err)
	}
	return file, nil
}
