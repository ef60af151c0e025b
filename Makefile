# The words people and CI use. Everything happens in .venv beside this file; only `make test` may ask apt for a tool.
# Written for GNU make, a POSIX shell, and Python 3.11 or newer with pip.

.DEFAULT_GOAL := help
SHELL := /bin/sh
MAKEFLAGS += --no-print-directory

# One of: a command or path of a Python >= 3.11 to build .venv with. Empty: the newest that is found.
PYTHON ?=
# What `prewatt up` is told, such as ARGS="--speed 60 --port 8401".
ARGS ?=
# The area of the benchmarks, such as ONLY=core. Empty: all of them.
ONLY ?=
# What pytest is told besides, such as TESTS="tests/units -k stamp".
TESTS ?=
# How many processes run tests side by side.
# Tests wait for other processes half of their time, so one more than there are processors.
JOBS ?= $(shell expr $$(nproc) + 1)

export PYTHON JOBS

.PHONY: help
help: ## List these words
	@sed -n 's/^\([a-z][a-z-]*\):.*## /\1\t/p' Makefile | while IFS="$$(printf '\t')" read -r word what; do \
		printf '  make %-8s %s\n' "$$word" "$$what"; done

.PHONY: up
up: ## Install what running needs into .venv, then start everything (ARGS="--speed 60")
	@sh tools/install.sh runtime
	@exec .venv/bin/prewatt up $(ARGS)

.PHONY: test
test: ## Install what tests need, then check the code and run all tests (TESTS="tests/units")
	@sh tools/system-tools.sh
	@sh tools/install.sh test
	@sh tools/test.sh $(TESTS)

.PHONY: lint
lint: ## Check the code without running it: ruff, mypy, import-linter
	@sh tools/install.sh test
	@sh tools/lint.sh

.PHONY: format
format: ## Let ruff lay the code out and sort its imports
	@sh tools/install.sh test
	@.venv/bin/ruff check --fix-only --quiet
	@.venv/bin/ruff format --quiet

.PHONY: bench
bench: ## Measure, print a table, write bench/out/results.json (ONLY=area)
	@sh tools/install.sh test
	@exec .venv/bin/python -m bench.run $(ONLY)

.PHONY: sim
sim: ## Simulate fresh seeds on every core, five minutes unless told (ARGS="--seconds 3600"; HOLES=1: planted ones)
	@sh tools/install.sh test
	@exec .venv/bin/python $(if $(HOLES),tests/sim/hunt_holes.py,tests/sim/hunt.py --jobs $(JOBS)) $(ARGS)

.PHONY: docs
docs: ## Write the generated parts of docs/ anew
	@sh tools/install.sh test
	@sh tools/docs.sh

.PHONY: formal
formal: ## Check the models in docs/formal with TLC (needs Java 17; ONLY=transfer_codes)
	@exec sh tools/formal.sh $(ONLY)

.PHONY: sizes
sizes: ## Accept the present sizes of long modules and functions (tests/arch/sizes.json)
	@sh tools/install.sh test
	@PREWATT_ACCEPT_SIZES=1 .venv/bin/python -m pytest -q tests/arch/test_sizes.py

.PHONY: lock
lock: ## Pin the newest allowed versions with their hashes (needs uv)
	@sh tools/lock.sh

.PHONY: clean
clean: ## Remove .venv, caches and results; data folders stay
	rm -rf .venv .venv-formal .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache bench/out build dist src/*.egg-info .install.lock
	find src tests bench tools -name __pycache__ -type d -prune -exec rm -rf {} +
