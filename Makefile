# MeshBox. `make help` says what there is; README.md says which two you need.
SHELL := /bin/sh
export PATH := $(CURDIR)/node_modules/.bin:$(PATH)
SETUP := scripts/setup.sh

.DEFAULT_GOAL := help
.PHONY: help run guest lab test check lint bundle native bench contracts guide-pictures soak clean ipk feed firmware qemu qemu-shell qemu-test qemu-bench

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | awk -F'\t' '{ printf "  make %-15s %s\n", $$1, $$2 }'

run: ## a town lives before your eyes, in the terminal and on a page; then it stays up for you (ARGS=--once, --quick, --seed N)
	@$(SETUP) run
	@node scripts/bundle.ts
	@node scripts/lab/run.ts $(ARGS)

guest: ## a shell as a guest of the running town (another terminal)
	@node scripts/lab/guest.ts $(ARGS)

lab: ## do something to the running town: ARGS="cut-wan", "kill box2", "start box2", "add-guest", "cheat", "heal", "status"
	@node scripts/lab/command.ts $(ARGS)

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

bundle: ## dist/: the service, the command line, the web pages, the native parts; bundle-<target> for a router
	@$(SETUP) native
	@node scripts/bundle.ts

bundle-%:
	@$(SETUP) native
	@node scripts/bundle.ts --target $*

native: ## the native addons for this machine (build/native); native-<target> for a router
	@$(SETUP) native
	@node scripts/native.ts host

native-%:
	@$(SETUP) native
	@node scripts/native.ts $*

bench: ## the numbers, side by side in one run, into docs/benchmarks.md; ARGS="iot mesh-peers" for some of them
	@$(SETUP) bench
	@node scripts/bundle.ts
	@node scripts/native.ts host
	@node test/bench/index.ts $(if $(ARGS),$(ARGS),--write)

soak: ## an hour of full load (SECONDS=3600): memory, stalls, every unit; root
	@$(SETUP) bench
	@node scripts/bundle.ts
	@node scripts/soak.ts

guide-pictures: ## the pictures of docs/guide, from the product's own pages and a running `make run` (ARGS=--without-town)
	@$(SETUP) test
	@node scripts/guide/pictures.ts $(ARGS)

contracts: ## compiles the community chain's contracts into the tree; a test holds them to their sources
	@$(SETUP) build
	@node scripts/contracts.ts $(ARGS)

ipk: ## packages for OpenWrt 24.10, for every supported processor (build/packages)
	@$(SETUP) native
	@node scripts/ipk.ts $(ARGS)

feed: ipk ## a signed opkg feed of them; MESHBOX_FEED_KEY_FILE names the key, else one is made for you
	@node scripts/feed.ts

firmware: ## PROFILE=gl-mt3000 [IMAGEBUILDER=folder]: an image with everything in it; without a folder a dry run
	@$(SETUP) build
	@node firmware/build.ts

qemu: ## an emulated ARM router with the package installed; Ctrl-C pulls its power
	@$(SETUP) qemu
	@node qemu/run.ts $(ARGS)

qemu-shell: ## the console of that router (another terminal)
	@node qemu/shell.ts

qemu-test: ## the ARM part of the tests alone: package, hotspot, batman-adv, power cuts
	@$(SETUP) test
	@node scripts/test.ts --only qemu $(ARGS)

qemu-bench: ## memory, cold start and payment to online inside the emulated router
	@$(SETUP) qemu
	@node test/bench/qemu.ts $(ARGS)

clean: ## removes what the targets made, except node_modules
	@rm -rf dist build .lab
