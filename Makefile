# What there is to do; `make` alone prints this list.
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/pip install --quiet --disable-pip-version-check

help: ## this list
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 10

demo: .venv/ready ## install, start everything, read samples/, ask three questions and one without an answer
	$(BIN)/seodang demo

up: .venv/ready ## install, then run the server until Ctrl-C
	$(BIN)/seodang up

test: .venv/ready-dev ## the whole test suite
	$(BIN)/pytest

check: lint ## lint, types, import rules, fast tests: what every change must pass
	$(BIN)/pytest -m "not slow and not crash and not browser"

lint: .venv/ready-dev ## lint, types, import rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: .venv/ready-bench ## measure; tables go to bench/results/
	$(BIN)/python -m bench.queue --json bench/results/queue.jsonl --markdown bench/results/queue.md
	$(BIN)/python -m bench.gate --json bench/results/gate.jsonl --markdown bench/results/gate.md
	$(BIN)/python -m bench.ask --json bench/results/ask.jsonl --markdown bench/results/ask.md
	$(BIN)/python -m bench.ingest --json bench/results/ingest.jsonl --markdown bench/results/ingest.md
	$(BIN)/python -m bench.grounding --json bench/results/grounding.jsonl --markdown bench/results/grounding.md
	$(BIN)/python -m bench.search --json bench/results/search.jsonl --markdown bench/results/search.md

docs: .venv/ready-dev ## write the generated pages of docs/ again
	$(BIN)/python -m services.kit.settings_doc > docs/settings.md

spin: ## the gate's protocol in every order of its steps, wider than the tests do (needs Debian's spin and gcc)
	@set -e; for run in "1 2 0 2 2" "1 1 1 2 1" "1 3 0 2 1" "2 2 0 1 1" "2 1 0 2 1"; do set -- $$run; \
	  folder=$$(mktemp -d); trap 'rm -rf "$$folder"' EXIT; \
	  echo "capacity $$1; clients $$2 above, $$3 between, $$4 below; faults $$5"; cd "$$folder"; \
	  spin -a -DCAPACITY=$$1 -DUPPER=$$2 -DMIDDLE=$$3 -DLOWER=$$4 -DFAULTS=$$5 -DREARM $(CURDIR)/tests/model/gate.pml; \
	  cc -O2 -w -DSAFETY -DVECTORSZ=2048 -o pan pan.c; ./pan -m3000000 > found; grep -E 'errors:|, stored|^pan:|too small' found; \
	  grep -q 'errors: 0' found || exit 1; if grep -q 'too small' found; then exit 1; fi; \
	  cd /; rm -rf "$$folder"; done

lock: ## pin every dependency again, with the hashes of all platforms (needs uv)
	for extra in "" "dev" "bench" "mlx"; do \
	  uv pip compile pyproject.toml --extra build $${extra:+--extra $$extra} --universal --python-version 3.11 \
	    --generate-hashes --no-header --no-annotate --no-emit-index-url --no-emit-find-links \
	    --quiet --output-file requirements$${extra:+-$$extra}.txt; \
	done

.venv/bin/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed: make PYTHON=/path/to/python3.11"; exit 1; }
	$(PYTHON) -m venv .venv

.venv/ready: .venv/bin/pip requirements.txt pyproject.toml
	$(PIP) --require-hashes -r requirements.txt
	$(PIP) --no-deps --no-build-isolation -e .
	@touch $@

.venv/ready-dev: .venv/ready requirements-dev.txt
	$(PIP) --require-hashes -r requirements-dev.txt
	@touch $@

.venv/ready-mlx: .venv/ready-dev requirements-mlx.txt
	$(PIP) --require-hashes -r requirements-mlx.txt
	@touch $@

.venv/ready-bench: .venv/ready requirements-bench.txt
	$(PIP) --require-hashes -r requirements-bench.txt
	@touch $@

.PHONY: help demo up test check lint bench docs spin lock
