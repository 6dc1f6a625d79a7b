# `make help` lists what there is. Everything that takes more than a line stands in scripts/.

SWIFT ?= swift

.DEFAULT_GOAL := help
.PHONY: help run build test check bench fuzz lint format clean needed-to-build needed-to-test

help: ## show this list
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' \
		$(MAKEFILE_LIST)

run: ## try it: install what is missing, build, start everything, send samples, stay up
	@exec env SWIFT="$(SWIFT)" scripts/run

build: needed-to-build ## build the three programs, optimised, into .build/release
	$(SWIFT) build -c release --product ingest
	$(SWIFT) build -c release --product workers
	$(SWIFT) build -c release --product pipelinectl

test: needed-to-test lint ## everything: format, build, all tests, those with real processes too
	$(SWIFT) build --build-tests
	$(SWIFT) test --skip-build --disable-xctest

check: needed-to-test lint ## before a commit: as test, without those that start real processes
	$(SWIFT) build --build-tests
	$(SWIFT) test --skip-build --disable-xctest --skip SystemTests

bench: ## measure speed and memory against nginx and a Go peer, on a machine with nothing to do
	scripts/bench

fuzz: needed-to-build ## fuzz HTTP parser, JSON scanner and splitter: a minute each (SECONDS=3600)
	scripts/fuzz $(SECONDS)

lint: ## is every file formatted as .swift-format says?
	$(SWIFT) format lint --strict --parallel --recursive Package.swift Sources Tests

format: ## format every file in place
	$(SWIFT) format --in-place --parallel --recursive Package.swift Sources Tests

clean: ## remove what was built; var/, with the queue and the lake, stays
	rm -rf .build

needed-to-build:
	@scripts/install-missing swift build

needed-to-test:
	@scripts/install-missing swift build test
