# MeshBox. `make help` says what there is; README.md says which two you need.
SHELL := /bin/sh
export PATH := $(CURDIR)/node_modules/.bin:$(PATH)
SETUP := scripts/setup.sh

.DEFAULT_GOAL := help
.PHONY: help run guest test check lint bundle native bench clean

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | awk -F'\t' '{ printf "  make %-10s %s\n", $$1, $$2 }'

run: ## a town in namespaces: a guest is captured, pays, surfs, is cut off; then it stays up for you
	@$(SETUP) run
	@node scripts/bundle.ts
	@node scripts/lab/run.ts $(ARGS)

guest: ## a shell as a guest of the running town (another terminal)
	@node scripts/lab/guest.ts $(ARGS)

test: ## everything: types, plan of the house, all tests with real parts
	@$(SETUP) test
	@node scripts/test.ts $(ARGS)

check: ## types only
	@$(SETUP) build
	@tsc --noEmit -p tsconfig.json

lint: ## types, and the plan of the house: who may import whom
	@$(SETUP) build
	@tsc --noEmit -p tsconfig.json
	@node scripts/lint.ts

bundle: ## dist/: the service, the command line, the web pages
	@$(SETUP) build
	@node scripts/bundle.ts

native: ## the native addons for this machine (build/native); native-<target> for a router
	@$(SETUP) native
	@node scripts/native.ts host

native-%:
	@$(SETUP) native
	@node scripts/native.ts $*

bench: ## the numbers, side by side in one run (about 6 minutes)
	@$(SETUP) bench
	@node scripts/bundle.ts
	@node scripts/native.ts host
	@node test/bench/index.ts $(ARGS)

clean: ## removes what the targets made, except node_modules
	@rm -rf dist build .lab
