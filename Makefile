# Portcullis. `make help` lists the targets.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: demo test build release bench lint format golden fuzz docs iana install uninstall deb help setup clean

RELEASE := -c release --static-swift-stdlib
SWIFT_PATHS := Package.swift Sources Tests
SCRIPTS := $(shell grep -lsE "^\#! ?/(usr/)?bin/(env )?(ba)?sh" .ci/* .ci/packaging/* Tests/*/* Tests/*/*/* examples/*)
FUZZ_SECONDS ?= 60
FUZZ_WORLDS ?= 20000
PREFIX ?= /usr/local
PACKAGES ?= .build/packages
# The program that is installed or packed, if it is not the one that `make release` builds.
PROGRAM ?=
SHIPPED := $(or $(PROGRAM),.build/release/portcullis)

help: ## Show this list.
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  \033[1m%-9s\033[0m %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: release ## Build, then show on one screen or two what Portcullis does.
	@.ci/demo

test: ## Run every test, those with real packets too (root, or sudo for the setup).
	@.ci/setup test
	swift build --build-tests
	swift test --skip-build

build: ## Build for debugging.
	@.ci/setup build
	swift build

release: ## Build the program that is shipped: .build/release/portcullis.
	@.ci/setup build
	swift build $(RELEASE) --product portcullis

install: ## Install what `make release` built below PREFIX (/usr/local), with manual pages, completions and units; DESTDIR, PROGRAM.
	@test -x "$(SHIPPED)" || { echo "install: there is no $(SHIPPED): run make release first" >&2; exit 2; }
	PREFIX="$(PREFIX)" DESTDIR="$(DESTDIR)" .ci/packaging/install "$(SHIPPED)"

uninstall: ## Remove what `make install` installed; rules and states stay.
	PREFIX="$(PREFIX)" DESTDIR="$(DESTDIR)" .ci/packaging/uninstall

deb: $(if $(PROGRAM),,release) ## Make the Debian package, below .build/packages; PROGRAM, PACKAGES, DEBFULLNAME and DEBEMAIL.
	@.ci/setup package
	.ci/packaging/deb "$(SHIPPED)" "$(PACKAGES)"

bench: release ## Measure speed and memory beside other programs.
	@.ci/setup bench
	swift build $(RELEASE) --product packet-sets
	swift build $(RELEASE) --product phases
	swift build $(RELEASE) --product live-hosts
	swift build $(RELEASE) --product packet-cost
	Tests/Benchmarks/run

lint: ## Check the layout of the code and the scripts.
	swift format lint --strict --parallel --recursive $(SWIFT_PATHS)
	@if command -v shellcheck > /dev/null; then shellcheck $(SCRIPTS); else .ci/setup lint && shellcheck $(SCRIPTS); fi

format: ## Give the code its canonical layout.
	swift format format --in-place --parallel --recursive $(SWIFT_PATHS)

golden: ## Rewrite the expected outputs of the golden tests; read the difference before you commit it.
	@.ci/setup test
	PORTCULLIS_GOLDEN=rewrite swift test --filter Golden
	git status --short -- Tests examples policies

fuzz: ## Run each fuzzer for FUZZ_SECONDS (60), and FUZZ_WORLDS (20000) random worlds; what is found becomes a test.
	FUZZ_SECONDS=$(FUZZ_SECONDS) FUZZ_WORLDS=$(FUZZ_WORLDS) .ci/fuzz

docs: ## Check the links, the files and the commands that the documentation names.
	swift build --product portcullis
	.ci/docs

iana: ## Refresh the port registry: make iana FILE=service-names-port-numbers.csv
	@test -n "$(FILE)" || { echo "usage: make iana FILE=service-names-port-numbers.csv [EDITION=yyyy-mm-dd]" >&2; exit 2; }
	.ci/iana "$(FILE)" $(EDITION)

setup: ## Install what the build and the tests need and this machine lacks.
	@.ci/setup test

clean: ## Remove what was built.
	swift package clean
	rm -rf .build-fuzz .tools
