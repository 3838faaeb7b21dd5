# Everything one does with rnp. `make help` lists it; each target sets up what it needs.
#
# Needs Rust, Python 3.11 or newer (PYTHON=... chooses one), a C compiler and make. Everything that
# is written stays in this folder: .venv (tools), target (Rust), build and dist (results).

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.NOTPARALLEL: # cargo uses all cores by itself, and one step's output should stand together
MAKEFLAGS += --no-builtin-rules
.DEFAULT_GOAL := help

# The first Python that is new enough.
PYTHON ?= $(shell for python in python3.11 python3 python3.12 python3.13 python3.14; do \
	if $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; \
	then echo $$python; break; fi; done)
BIN := .venv/bin
RECORDING := build/recording/sax.wav
CONSUMERS := build/consumers
ARRAYS := build/arrays
SUITE ?= ../array-api-tests
RESAMPLERS := build/resamplers
PEERS := build/bench/.venv

# One build of the dependencies for everything: the release profile, the lock file, one interpreter.
LOCKED := --release --locked
export PYO3_PYTHON := $(CURDIR)/$(BIN)/python
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# A path with spaces or quotes must reach the program as it is, so recipes read it from here.
export WAV

SOURCES := Cargo.toml Cargo.lock pyproject.toml README.md LICENSE \
	$(shell find src python -type f \( -name '*.rs' -o -name '*.py' -o -name '*.pyi' -o -name py.typed \) 2>/dev/null)

# $(call need,program,what is missing without it)
need = command -v $(1) >/dev/null || { echo "error: $(firstword $(1)) not found: rnp needs $(2)" >&2; exit 1; }

.PHONY: help setup run test sweep rust-test py-test consumers consumers-table array-api numpy-tests lint format generate golden \
	bench bench-peers bench-audio resamplers wheel pins clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# -- set-up: each step once, unless what it was made of is younger than its stamp

setup: .venv/installed.stamp ## make .venv with the pinned tools, build rnp, install it there

.venv/tools.stamp: requirements-dev.txt
	@echo '== Python tools into .venv, pinned by version and hash'
	@$(call need,cargo,Rust $$(sed -n 's/^rust-version = //p' Cargo.toml) or newer)
	@$(call need,cc,a C compiler)
	@$(call need,"$(PYTHON)",Python 3.11 or newer; say which one with PYTHON=...)
	@"$(PYTHON)" -m venv --clear .venv || { echo "error: $(PYTHON) could not make .venv;" \
		"on Debian and Ubuntu that takes the package python3-venv" >&2; exit 1; }
	@$(BIN)/python --version
	@$(BIN)/python -m pip install --quiet --require-hashes --only-binary :all: -r requirements-dev.txt
	@touch $@

.venv/wheel.stamp: .venv/tools.stamp $(SOURCES)
	@echo '== rnp: compile it and build the wheel (the first time takes some minutes)'
	@rm -f dist/rnp-*.whl
	@$(BIN)/maturin build $(LOCKED) --interpreter $(BIN)/python --out dist
	@touch $@

.venv/installed.stamp: .venv/wheel.stamp
	@echo '== rnp: install the wheel into .venv'
	@$(BIN)/python -m pip install --quiet --no-deps --no-index --force-reinstall dist/rnp-*.whl
	@$(BIN)/python -c 'import rnp; print("installed", rnp.__file__)'
	@touch $@

wheel: .venv/wheel.stamp ## build the wheel into dist/
	@ls -lh dist/rnp-*.whl
	@if [ -n "$$(find dist -name 'rnp-*.whl' -size +8192k)" ]; then \
		echo "error: the wheel is over 8 MB" >&2; exit 1; fi

# -- the main job

run: setup $(if $(WAV),,$(RECORDING)) ## master a recording (make run WAV=take.wav: your own)
	@echo '== the main job: examples/master.py; results into build/master'
	@$(BIN)/python examples/master.py "$${WAV:-$(RECORDING)}" build/master

$(RECORDING): examples/fetch.py | .venv/tools.stamp
	@echo '== the recording'
	@$(BIN)/python examples/fetch.py $(@D)
	@touch $@

# -- tests

test: rust-test py-test consumers lint ## run every test and check
	@echo '== all tests passed'

rust-test: .venv/tools.stamp ## test the Rust crate: with every verifier on, and plain
	@echo '== Rust tests, verifiers on'
	@INSTA_UPDATE=no cargo test $(LOCKED) --features verify --tests --examples
	@echo '== Rust doc examples, no features'
	@cargo test $(LOCKED) --doc

py-test: setup $(RECORDING) ## test the installed wheel from Python, the examples too
	@echo '== Python tests'
	@$(BIN)/python -m pytest

consumers: setup $(CONSUMERS)/.stamp $(ARRAYS)/.stamp ## run real functions of audio packages with rnp as their NumPy
	@echo '== consumers: functions of audio packages, rnp in the place of NumPy'
	@$(BIN)/python -m pytest tests/consumers

# The files alone: nothing that the packages depend on, and no byte code of what is never imported.
$(CONSUMERS)/.stamp: requirements-consumers.txt .venv/tools.stamp
	@echo '== audio packages into $(CONSUMERS), pinned by version and hash (63 MB)'
	@rm -rf $(CONSUMERS)
	@$(BIN)/python -m pip install --quiet --require-hashes --no-deps --no-build-isolation --no-compile \
		--target $(CONSUMERS) -r requirements-consumers.txt
	@touch $@

# What draws arrays, or computes with any.
$(ARRAYS)/.stamp: requirements-arrays.txt .venv/tools.stamp
	@echo '== matplotlib and dask into $(ARRAYS), pinned by version and hash (25 MB)'
	@rm -rf $(ARRAYS)
	@$(BIN)/python -m pip install --quiet --require-hashes --only-binary :all: --no-deps --no-compile \
		--target $(ARRAYS) -r requirements-arrays.txt
	@touch $@

array-api: setup ## run the array API standard's suite, eager and lazy (SUITE=its checkout, with its submodule)
	@test -d "$(SUITE)/array-api/src" || { echo "error: no checkout of the suite with its submodule at" \
		"$(SUITE); design/conformance.md says which" >&2; exit 1; }
	@echo '== what the suite needs, into build/array-api'
	@$(BIN)/python -m pip install --quiet --upgrade --require-hashes --no-deps --target build/array-api \
		-r requirements-array-api.txt
	@failed=0; for module in rnp lazyrnp; do echo "== the array API suite on $$module"; \
		(cd "$(SUITE)" && ARRAY_API_TESTS_MODULE=$$module \
		PYTHONPATH="$(CURDIR)/build/array-api:$(CURDIR)/tests/array_api" "$(CURDIR)/$(BIN)/python" -m pytest -q \
		-p no:cacheprovider array_api_tests --max-examples 20 --derandomize --disable-deadline \
		--xfails-file "$(CURDIR)/tests/array_api/xfails.txt") || failed=1; done; exit $$failed

# What is about these words; design/conformance.md lists what fails, and why.
NUMPYS := clip or interp or percentile or quantile or median or mean or std or var or diff or cumsum \
	or linspace or min or max or nan or power or log or where or sum or sliding or strided

numpy-tests: setup ## run NumPy's own tests of a few functions on rnp, eager and lazy (minutes; some fail)
	@$(BIN)/python tests/numpys/prepare.py build/numpys
	@for form in eager lazy; do echo "== NumPy's own tests, $$form"; \
		$(BIN)/python -m pytest -q -p no:cacheprovider -c /dev/null --tb=no build/numpys/$$form \
		-k "$(NUMPYS)" | tail -1 || true; done

lint: setup ## check formats, lints and types
	@echo '== format and lints: Rust'
	@cargo fmt --check
	@cargo clippy $(LOCKED) --all-targets --all-features -- -D warnings
	@echo '== format and lints: Python'
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@echo '== types: the package and the examples; stubs against the binary'
	@$(BIN)/mypy
	@$(BIN)/python -m mypy.stubtest rnp._core --mypy-config-file pyproject.toml

format: .venv/tools.stamp ## format Rust and Python
	@cargo fmt
	@$(BIN)/ruff check --select I --fix --quiet .
	@$(BIN)/ruff format .

# -- what is derived and committed

consumers-table: setup $(CONSUMERS)/.stamp ## write design/consumers.md: ops, loops, fallbacks, speed
	@echo '== design/consumers.md'
	@PYTHONPATH=examples $(BIN)/python tests/consumers/table.py design/consumers.md

generate: .venv/tools.stamp ## write the stubs and the op page from the op table
	@echo '== generate python/rnp/_core.pyi and design/ops.md'
	@RNP_GENERATE=1 cargo test $(LOCKED) --features verify --test generated

golden: .venv/tools.stamp ## accept new golden snapshots; read the diff before committing
	@echo '== bless the golden snapshots'
	@INSTA_UPDATE=always cargo test $(LOCKED) --features verify --test golden
	@git status --short tests

pins: .venv/tools.stamp $(wildcard requirements-*.in) ## choose newer tools, pin anew
	@echo '== requirements-*.txt'
	@"$(PYTHON)" -m venv --clear build/pins
	@build/pins/bin/python -m pip install --quiet pip-tools uv
	@{ echo "# Written by \`make pins\` from requirements-dev.in: exact versions, any platform, checked by hash."; \
		build/pins/bin/pip-compile --quiet --upgrade --generate-hashes --strip-extras --no-header --allow-unsafe \
			--no-emit-index-url --no-emit-trusted-host --no-emit-options --output-file - \
			requirements-dev.in; } >build/pins/requirements-dev.txt
	@for list in consumers arrays array-api resamplers; do \
		{ echo "# Written by \`make pins\` from requirements-$$list.in: exact versions, checked by hash."; \
		build/pins/bin/uv pip compile --quiet --no-config --universal --python-version 3.11 --no-deps \
			--generate-hashes --no-header --no-annotate \
			requirements-$$list.in; } >build/pins/requirements-$$list.txt; done
	@{ echo "# Written by \`make pins\` from requirements-bench.in: exact versions, any platform, checked by hash."; \
		build/pins/bin/uv pip compile --quiet --no-config --universal --python-version 3.11 \
			--constraint build/pins/requirements-dev.txt --generate-hashes --no-header --no-annotate \
			requirements-bench.in; } >build/pins/requirements-bench.txt
	@mv build/pins/requirements-*.txt .

# -- others

sweep: .venv/tools.stamp ## measure float32 functions over all 2^32 arguments (minutes)
	@echo '== accuracy of float32 functions, every argument'
	@cargo test $(LOCKED) --features verify --test sweep -- --ignored --nocapture

bench: setup ## time every form of rnp against NumPy, write design/benchmarks.md (QUICK=1: only print)
	@echo '== benchmarks: every work, every size, every form, against NumPy; the bars'
	@PYTHONPATH=tests $(BIN)/python -m bench $(if $(QUICK),--quick)

bench-audio: setup $(RECORDING) ## write design/audio-speed.md: rnp.audio against the port's fallback
	@echo '== design/audio-speed.md'
	@PYTHONPATH=tests $(BIN)/python -m bench.audio design/audio-speed.md

resamplers: setup $(RESAMPLERS)/.stamp ## write design/resamplers.md: quality and speed beside others
	@echo '== design/resamplers.md'
	@PYTHONPATH=tests:$(RESAMPLERS) $(BIN)/python -m bench.resamplers design/resamplers.md

$(RESAMPLERS)/.stamp: requirements-resamplers.txt .venv/tools.stamp
	@echo '== other resamplers into $(RESAMPLERS), pinned by version and hash (60 MB)'
	@rm -rf $(RESAMPLERS)
	@$(BIN)/python -m pip install --quiet --require-hashes --no-deps --no-compile \
		--target $(RESAMPLERS) -r requirements-resamplers.txt
	@touch $@

bench-peers: $(PEERS)/installed.stamp ## the same against NumExpr, Numba, JAX and others
	@echo '== benchmarks: the same beside other engines'
	@PYTHONPATH=tests $(PEERS)/bin/python -m bench --peers $(if $(QUICK),--quick)

$(PEERS)/packages.stamp: requirements-bench.txt .venv/tools.stamp
	@echo '== other engines into $(PEERS), pinned by version and hash (the download is 300 MB)'
	@rm -rf $(PEERS)
	@"$(PYTHON)" -m venv $(PEERS)
	@$(PEERS)/bin/python -m pip install --quiet --require-hashes --only-binary :all: -r requirements-bench.txt
	@touch $@

$(PEERS)/installed.stamp: $(PEERS)/packages.stamp .venv/wheel.stamp
	@echo '== rnp: install the wheel into $(PEERS)'
	@$(PEERS)/bin/python -m pip install --quiet --no-deps --no-index --force-reinstall dist/rnp-*.whl
	@touch $@

clean: ## remove all that is derived, .venv and target included
	@rm -rf .venv build dist target .pytest_cache .mypy_cache .ruff_cache .hypothesis
