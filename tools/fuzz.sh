#!/bin/sh
# fuzz.sh TIME: run every fuzz target for TIME. Inputs that only cover something new are hardly made smaller (20 tries):
# the targets keep results between runs, so what they cover varies, and Go would spend its time on that.
set -eu
export GOTOOLCHAIN="${GOTOOLCHAIN:-auto}"
go list -f '{{.ImportPath}} {{.Dir}}' ./... | while read -r package dir; do
	for target in $(cat "$dir"/*_test.go 2>/dev/null | sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(.*/\1/p' | sort); do
		echo "== $package $target"
		go test -run '^$' -fuzz "^$target\$" -fuzztime "$1" -fuzzminimizetime 20x "$package" </dev/null
	done
done
