// Command gotest runs `go test -json` with its arguments, prints what fails as it fails, and ends with a line
// "N passed, N failed" that counts every test, subtests included. It fails when a test or a build fails, or when no test
// ran. After "--" come the folders of further modules, whose tests are all run with the same flags and counted with the
// others; the last argument before it names the packages of this one.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// event is a line of `go test -json`.
type event struct {
	Action, Package, Test, Output string
	Elapsed                       float64
}

func main() { os.Exit(run(os.Args[1:])) }

func run(args []string) int {
	var modules []string
	if i := slices.Index(args, "--"); i > 0 {
		args, modules = args[:i], args[i+1:]
	}
	c := counter{output: map[string][]string{}}
	failed := !c.test(".", args)
	for _, dir := range modules {
		failed = !c.test(dir, append(slices.Clone(args[:len(args)-1]), "./...")) || failed
	}
	if skipped := c.skipped; skipped > 0 {
		fmt.Printf("%d skipped\n", skipped)
	}
	fmt.Printf("%d passed, %d failed\n", c.passed, c.failed)
	if failed || c.failed > 0 || c.passed == 0 {
		return 1
	}
	return 0
}

// test runs the tests of a module, and tells whether go test is content.
func (c *counter) test(dir string, args []string) bool {
	cmd := exec.Command("go", append([]string{"test", "-json"}, args...)...)
	cmd.Dir, cmd.Stderr = dir, os.Stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "gotest:", err)
		return false
	}
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		c.line(lines.Bytes())
	}
	return cmd.Wait() == nil
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
