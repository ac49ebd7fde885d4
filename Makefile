# Everything a user or contributor runs. Each target does its own set-up first and does nothing
# twice. `make help` lists the targets; the work is in scripts/dev/.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := build

# The same flags everywhere, so that every target shares one build. -march=native lets Swift use
# this machine's vector units; without --disable-testable-imports `swift test` would build anew.
SWIFT_FLAGS := -c release -Xcc -march=native
TEST_FLAGS := $(SWIFT_FLAGS) --disable-testable-imports

# The real model of `make sweep` and the tests; ST_HOST_MODEL=FOLDER puts another copy in its place.
ifeq ($(origin ST_HOST_MODEL), undefined)
MODEL := .models/all-MiniLM-L6-v2
ST_HOST_MODEL := $(CURDIR)/$(MODEL)
endif
export ST_HOST_MODEL

# Forces OpenBLAS to a fixed processor type where it is set, and halves its speed on many.
unexport OPENBLAS_CORETYPE

.PHONY: build sweep test example bench microbench bench-onednn lint docs format golden setup python clean help

build: setup ## build .build/release/st-host
	swift build $(SWIFT_FLAGS)

sweep: build $(MODEL) ## search hyperparameters on the real model and the project's own data
	.build/release/st-host scripts/sweep.lua $(ARGS)

test: setup $(MODEL) ## run every test, those against Python included
	source scripts/dev/python-env.sh && swift test $(TEST_FLAGS) $(ARGS)

bench: build $(MODEL) ## measure whole runs; PEER=1: beside sentence-transformers; ARGS=--full
	if [ -n "$(PEER)" ]; then ST_HOST_PYTHON_REQUIRED=1 source scripts/dev/python-env.sh; fi; \
	python3 scripts/bench/run.py $${PEER:+--peer "$$ST_HOST_PYTHON"} $(ARGS)

microbench: build $(MODEL) ## measure kernels; ARGS=encoder: whole passes of a model
	.build/release/st-bench $(or $(ARGS),kernels)

bench-onednn: build ## bfloat16 products on one thread, beside Debian's oneDNN
	grep -qwE 'avx512_bf16|amx_bf16' /proc/cpuinfo || \
	{ echo "bench-onednn: this processor has no bfloat16 instructions to measure" >&2; exit 1; }
	scripts/dev/setup.sh onednn
	g++ -O2 -o .build/bench-onednn scripts/bench/onednn.cpp -ldnnl
	.build/release/st-bench kernels | grep bf16
	OMP_NUM_THREADS=1 .build/bench-onednn

lint: ## check format, sources, scripts, imports, documentation; a warning is an error
	scripts/dev/setup.sh lint
	scripts/dev/lint.sh
	swift build $(SWIFT_FLAGS) --build-tests --explicit-target-dependency-import-check error
	scripts/dev/docs.sh

example: setup ## build the package of docs/embedding as a program of somebody else's would be
	swift build --package-path docs/embedding --scratch-path .build/embedding

docs: build ## write the DocC documentation of the libraries to .build/documentation
	scripts/dev/docs.sh

format: ## format the Swift sources in place
	swift format --in-place --recursive --parallel Package.swift Sources Tests

golden: setup $(MODEL) ## write the golden files of the tests again, with Python
	scripts/dev/golden.sh

setup: ## install the system packages that are missing
	@scripts/dev/setup.sh build

python: setup ## make the Python environment that tests compare with (outside the repository)
	@scripts/dev/python-env.sh

.models/%: | setup
	scripts/dev/fetch-model.sh $@

clean: ## remove what was built; the model and the Python environment stay
	rm -rf .build

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' Makefile
