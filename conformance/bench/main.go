// Command bench measures what changes cost, and says whether that is within the project's goals. It decides what is
// measured and what is gated: counts, bytes, allocations and ratios, never times, which are printed as a trend.
//
//	bench [-only counts,cpu,cold,up] [-n 5000] [-json FILE]
//	bench drive -start COMMAND -addr HOST:PORT -dir DIR [...]
//
// The first form measures this project: its core in this process (counts), in processes that take turns (cpu) and that
// are built anew (cold), and the real binary with a real Envoy (up). The second drives any control plane that reads a
// folder of manifests, so that a peer is measured by the same program. docs/benchmarks.md explains the figures.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if w, ok := asWorker(); ok {
		return w.work(ctx)
	}
	if len(args) > 0 && args[0] == "drive" {
		return runDrive(ctx, args[1:])
	}
	return runSections(ctx, args)
}

// section is a part of the measurements.
type section struct {
	name    string
	measure func(context.Context, *report, int) error
}

func sections() []section {
	return []section{{"counts", measureCounts}, {"cpu", measureCPU}, {"cold", measureCold}, {"up", measureUp}}
}

func runSections(ctx context.Context, args []string) error {
	var names []string
	for _, s := range sections() {
		names = append(names, s.name)
	}
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	only := flags.String("only", strings.Join(names, ","), "what to measure")
	n := flags.Int("n", 5000, "routes of the largest world")
	out := flags.String("json", "", "write the figures to this file, too")
	if err := flags.Parse(args); err != nil {
		return err
	}
	wanted := strings.Split(*only, ",")
	for _, name := range wanted {
		if !slices.Contains(names, name) {
			return fmt.Errorf("there is nothing called %q to measure; there are %s", name, strings.Join(names, ", "))
		}
	}
	r := newReport(os.Stdout)
	var failed []error
	for _, s := range sections() {
		if !slices.Contains(wanted, s.name) {
			continue
		}
		if err := s.measure(ctx, r, *n); err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", s.name, err))
		}
	}
	return errors.Join(append(failed, r.save(*out), r.verdict())...)
}
