// Command gotest runs `go test -json` with its arguments, prints what fails as it fails, and ends with a line
// "N passed, N failed" that counts every test, subtests included. It fails when a test or a build fails, or when no test
// ran.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// event is a line of `go test -json`.
type event struct {
	Action, Package, Test, Output string
	Elapsed                       float64
}

func main() { os.Exit(run(os.Args[1:])) }

func run(args []string) int {
	cmd := exec.Command("go", append([]string{"test", "-json"}, args...)...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "gotest:", err)
		return 1
	}
	c := counter{output: map[string][]string{}}
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		c.line(lines.Bytes())
	}
	failed := cmd.Wait() != nil
	if skipped := c.skipped; skipped > 0 {
		fmt.Printf("%d skipped\n", skipped)
	}
	fmt.Printf("%d passed, %d failed\n", c.passed, c.failed)
	if failed || c.failed > 0 || c.passed == 0 {
		return 1
	}
	return 0
}

// counter counts tests and keeps their output until it is known whether it matters.
type counter struct {
	passed, failed, skipped int
	output                  map[string][]string
}

func (c *counter) line(text []byte) {
	var e event
	if json.Unmarshal(text, &e) != nil {
		fmt.Println(string(text)) // not of go test: the compiler's words
		return
	}
	key := e.Package + " " + e.Test
	switch e.Action {
	case "output", "build-output":
		c.output[key] = append(c.output[key], e.Output)
		if strings.HasPrefix(strings.TrimSpace(e.Output), "evidence:") {
			fmt.Print(e.Output) // figures that a test reports on purpose
		}
	case "pass", "skip":
		if e.Test == "" {
			fmt.Printf("ok    %s %.1fs\n", e.Package, e.Elapsed)
		} else if e.Action == "pass" {
			c.passed++
		} else {
			c.skipped++
			fmt.Printf("skip  %s\n", key)
		}
		delete(c.output, key)
	case "fail", "build-fail":
		if e.Test != "" || e.Action == "build-fail" || len(c.output[key]) > 1 {
			fmt.Printf("FAIL  %s\n%s", key, strings.Join(c.output[key], ""))
		}
		if e.Test != "" || e.Action == "build-fail" {
			c.failed++
		}
		delete(c.output, key)
	}
}
