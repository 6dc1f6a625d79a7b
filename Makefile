# `make help` lists what there is. Everything that takes more than a line stands in scripts/.

SWIFT ?= swift

.DEFAULT_GOAL := help
.PHONY: $(shell sed -n 's/^\([a-z-]*\):.*/\1/p' $(MAKEFILE_LIST))

help: ## show this list
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' \
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
	scripts/test-package

check: needed-to-test lint ## before a commit: as test, without those that start real processes
	$(SWIFT) build --build-tests
	$(SWIFT) test --skip-build --disable-xctest --skip 'SystemTests|ReliabilityTests'

bench: ## measure speed and memory against nginx and a Go peer, on a machine with nothing to do
	scripts/bench

bench-forward: ## drain a million waiting messages into a receiver, beside wrk
	scripts/bench-forward

bench-lake: ## a million statuses from the log to sealed objects on one core, beside jq and DuckDB
	scripts/bench-lake

bench-load: build ## measure what the pipeline spares nginx, php-fpm and MariaDB, on an idle machine
	scripts/install-missing bench-load
	scripts/bench-load

torture: needed-to-test ## faults at random under load: ROUNDS=200, and SEED=N for the same again
	$(SWIFT) build --build-tests
	TORTURE_ROUNDS=$(or $(ROUNDS),200) $(if $(SEED),TEST_SEED=$(SEED)) \
		$(SWIFT) test --skip-build --disable-xctest --filter TortureTests

soak: needed-to-test ## load and faults for SECONDS=300; writes soak.html: memory, files, lag
	$(SWIFT) build --build-tests
	SOAK_SECONDS=$(or $(SECONDS),300) $(if $(SEED),TEST_SEED=$(SEED)) \
		$(SWIFT) test --skip-build --disable-xctest --filter SoakTests

sanitize: needed-to-test ## the tests without real processes under a sanitizer: KIND=thread or address
	$(SWIFT) build --build-tests --sanitize=$(or $(KIND),thread) --scratch-path .build/sanitize
	.build/sanitize/debug/whatsapp-webhook-pipelinePackageTests.xctest --testing-library swift-testing \
		--skip 'SystemTests|ReliabilityTests'

fuzz: needed-to-build ## fuzz HTTP parser, JSON scanner and splitter: a minute each (SECONDS=3600)
	scripts/fuzz $(SECONDS)

power-loss: needed-to-test ## cut the power after every operation of a run (STATES=100000)
	$(SWIFT) build
	python3 Tests/PowerLoss/powerloss.py .build/debug --webhooks 80 --backup --programs 400 \
		--states $(or $(STATES),20000) $(if $(SEED),--seed $(SEED))

power-cuts: needed-to-test ## cut the power of a file system under load; root only (CUTS=1000)
	$(SWIFT) build
	scripts/install-missing cuts
	python3 Tests/PowerLoss/cuts.py .build/debug --cuts $(or $(CUTS),200) \
		$(if $(SEED),--seed $(SEED))

deb: needed-to-build ## build the Debian package, into .build-release
	@scripts/install-missing deb
	scripts/make-deb

corruption: needed-to-test ## damage a queue at random places, and see it noticed (FLIPS=2000)
	$(SWIFT) build
	python3 Tests/PowerLoss/corruption.py .build/debug --flips $(or $(FLIPS),500) \
		$(if $(SEED),--seed $(SEED))

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
