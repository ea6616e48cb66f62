# `make run` serves the chat on http://localhost:3000, `make test` checks everything.
# What is fetched or built goes to bin/, .cache/, clientbundle/files/ and
# test/clients/node/node_modules/, all of them ignored by git.

SHELL       := bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS   += --no-print-directory --no-builtin-rules
.DEFAULT_GOAL := help

# Pinned tools; a new version is built when the number changes.
GOLANGCI_LINT_VERSION := v2.15.0

CACHE    := .cache
LINTER   := $(CACHE)/bin/golangci-lint-$(GOLANGCI_LINT_VERSION)
VENV     := $(CACHE)/venv
NODE     := test/clients/node
PYTHON   := test/clients/python
JAVA     := test/clients/java
JARS     := $(CACHE)/java
BINARY   := bin/sio-gnet
# A module of its own, with dependencies that sio-gnet has not.
FRAMEWORKS := examples/frameworks
ADDR     ?= :3000
# How long each fuzz target runs, and which benchmarks do.
FUZZTIME ?= 20s
BENCH    ?= .
PKG      ?= ./...
# A copy of the folder docs of the public repository socketio/socket.io, which
# suites of it to run, and how often.
SUITES   ?=
ONLY     ?= v3,v4,v5
RUNS     ?= 1
# --guest runs them with the server as the guest of a net/http server.
GUEST    ?=

##@ Use

.PHONY: run
run: build ## build everything and serve the chat on http://localhost:3000 (ADDR=:3000)
	@exec $(BINARY) serve --addr "$(ADDR)"

.PHONY: build
build: need-go client ## build the server into bin/sio-gnet
	@echo "building $(BINARY)"
	@mkdir -p bin
	@go build -trimpath -o $(BINARY) ./cmd/sio-gnet

.PHONY: client
client: need-npm ## fetch the browser client that the server hands out
	@bash clientbundle/fetch.sh

##@ Check

.PHONY: test
test: tools client ## vet, lint and test everything, race detector on
	@echo "go vet"
	@go vet ./...
	@cd $(FRAMEWORKS) && go vet ./...
	@$(MAKE) lint
	@echo "go test -race"
	@go test -race -shuffle=on -timeout 12m ./...
	@cd $(FRAMEWORKS) && go test -race ./...
	@echo "go test, for allocations (which the race detector adds to)"
	@go test -run Alloc ./...
	@echo "go test, for the Go in the documentation"
	@cd test/docs && go test -count=1 ./...

.PHONY: lint
lint: $(LINTER) ## golangci-lint, configured in .golangci.yml
	@echo "golangci-lint"
	@$(LINTER) run --allow-parallel-runners ./...
	@cd $(FRAMEWORKS) && "$(CURDIR)/$(LINTER)" run --allow-parallel-runners ./...

.PHONY: fuzz
fuzz: need-go ## run every fuzz target for FUZZTIME (20s) in the packages PKG
	@for pkg in $$(go list $(PKG)); do \
	  for target in $$(go test -list '^Fuzz' "$$pkg" | { grep '^Fuzz' || true; }); do \
	    echo "fuzz $$pkg $$target"; \
	    go test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) "$$pkg"; \
	  done; \
	done

.PHONY: conformance
conformance: need-go need-npm ## run the official protocol suites, a copy of which is in SUITES (ONLY=v4,v5 RUNS=10 GUEST=--guest)
	@[ -n "$(SUITES)" ] || { echo "say where the suites are: make conformance SUITES=path/to/socket.io/docs" >&2; exit 1; }
	@go run ./test/conformance --suites "$(SUITES)" --only "$(ONLY)" --runs "$(RUNS)" --loops 1,2 $(GUEST)

.PHONY: behaviours
behaviours: need-go ## list which tests show which behaviours, as docs/behaviours.md
	@go run ./test/behaviours

.PHONY: bench
bench: need-go ## run the benchmarks matching BENCH in the packages PKG
	@go test -short -run '^$$' -bench '$(BENCH)' -benchmem $(PKG)

.PHONY: bench-peers
bench-peers: build need-npm ## measure this server beside others (QUICK=1: shorter); the result is in bench/results
	@command -v taskset >/dev/null || { echo "taskset is missing: install it with \`apt-get install util-linux\` as root" >&2; exit 1; }
	@bash bench/peers/install.sh $(CACHE)/peers
	@go run ./bench/peers $(if $(QUICK),-rounds 2 -duration 2s) $(if $(PEERS),-only "$(PEERS)") | tee $(CACHE)/peers.md

.PHONY: cover
cover: tools client ## test coverage of all packages, as .cache/cover.html
	@go test -coverpkg=./... -coverprofile=$(CACHE)/cover.out -timeout 12m ./...
	@go tool cover -html=$(CACHE)/cover.out -o $(CACHE)/cover.html
	@go tool cover -func=$(CACHE)/cover.out | tail -n 1

.PHONY: screenshots
screenshots: tools client ## draw the pictures in docs/images anew
	@UPDATE_SCREENSHOTS=1 go test -count=1 -run '^(TestBrowser|TestExamplePages)$$' ./test/e2e

##@ Tools

.PHONY: tools
tools: need-go node-clients python-clients java-clients chromium proxies $(LINTER) ## install what the tests need: npm, Python and Java clients, Chromium, proxies, linter

.PHONY: node-clients
node-clients: $(NODE)/node_modules/.package-lock.json

$(NODE)/node_modules/.package-lock.json: $(NODE)/package.json $(NODE)/package-lock.json | need-npm
	@echo "installing the Node clients"
	@cd $(NODE) && npm ci --loglevel=error
	@touch $@

.PHONY: python-clients
python-clients: $(VENV)/.installed

$(VENV)/.installed: $(PYTHON)/requirements.txt | need-python
	@echo "installing the Python clients"
	@python3 -m venv --clear $(VENV)
	@$(VENV)/bin/pip install --quiet --disable-pip-version-check --no-deps -r $<
	@touch $@

.PHONY: java-clients
java-clients: $(JARS)/.installed

$(JARS)/.installed: $(JAVA)/pom.xml $(JAVA)/checksums | need-java
	@echo "installing the Java clients"
	@rm -rf $(JARS)
	@mkdir -p $(JARS)
	@mvn -B -q -f $(JAVA)/pom.xml dependency:copy -Djars="$(abspath $(JARS))" >$(CACHE)/maven.log 2>&1 || { tail -n 20 $(CACHE)/maven.log >&2; exit 1; }
	@cd $(JARS) && sha256sum --quiet --strict -c "$(abspath $(JAVA))/checksums"
	@touch $@

# A JDK, and Maven to fetch the jars with.
.PHONY: need-java
need-java:
	@if ! command -v javac >/dev/null || ! command -v mvn >/dev/null; then \
	  if [ "$$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then \
	    echo "javac or mvn is missing: install them with \`apt-get install default-jdk-headless maven\` as root" >&2; exit 1; \
	  fi; \
	  echo "installing a JDK and Maven"; \
	  mkdir -p $(CACHE); \
	  { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends default-jdk-headless maven; } \
	    >$(CACHE)/apt.log 2>&1 || { tail -n 20 $(CACHE)/apt.log >&2; exit 1; }; \
	fi

.PHONY: chromium
chromium:
	@if ! command -v chromium >/dev/null; then \
	  if [ "$$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then \
	    echo "chromium is missing: install it with \`apt-get install chromium\` as root" >&2; exit 1; \
	  fi; \
	  echo "installing Chromium"; \
	  mkdir -p $(CACHE); \
	  { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends chromium; } \
	    >$(CACHE)/apt.log 2>&1 || { tail -n 20 $(CACHE)/apt.log >&2; exit 1; }; \
	fi

# Debian starts them as services, which the tests don't need.
.PHONY: proxies
proxies:
	@for tool in haproxy nginx; do \
	  if PATH="$$PATH:/usr/sbin" command -v $$tool >/dev/null; then continue; fi; \
	  if [ "$$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then \
	    echo "$$tool is missing: install it with \`apt-get install $$tool\` as root" >&2; exit 1; \
	  fi; \
	  echo "installing $$tool"; \
	  mkdir -p $(CACHE); \
	  { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $$tool; } \
	    >$(CACHE)/apt.log 2>&1 || { tail -n 20 $(CACHE)/apt.log >&2; exit 1; }; \
	  if command -v systemctl >/dev/null; then systemctl disable --now $$tool >/dev/null 2>&1 || true; fi; \
	done

$(LINTER): | need-go
	@echo "building golangci-lint $(GOLANGCI_LINT_VERSION) (a minute or two, once)"
	@mkdir -p $(@D)
	@GOFLAGS= GOBIN="$(CURDIR)/$(@D)" go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_LINT_VERSION) \
	  2>$(CACHE)/golangci-lint.log || { cat $(CACHE)/golangci-lint.log >&2; exit 1; }
	@mv $(@D)/golangci-lint $@

.PHONY: need-go need-npm need-python
need-go:
	@command -v go >/dev/null || { echo "go is missing: install Go from https://go.dev/dl/" >&2; exit 1; }
need-npm:
	@command -v npm >/dev/null || { echo "npm is missing: install it with \`apt-get install nodejs npm\` as root" >&2; exit 1; }
need-python:
	@python3 -c 'import venv, ensurepip' 2>/dev/null || { echo "Python's venv is missing: install it with \`apt-get install python3-venv\` as root" >&2; exit 1; }

.PHONY: clean
clean: ## remove everything that was built or fetched
	@rm -rf bin $(CACHE) $(NODE)/node_modules
	@find clientbundle/files -mindepth 1 ! -name README -delete 2>/dev/null || true

.PHONY: help
help: ## this list
	@awk 'BEGIN { FS = ":.*## " } \
	  /^##@ / { printf "\n%s\n", substr($$0, 5) } \
	  /^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
