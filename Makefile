# One task runner; CI calls the same targets.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
DEMO   ?=  # arguments of the demonstration, such as DEMO=--yes
SOAK   ?=  # what to soak, and for how long, such as SOAK="servicebus --minutes 2"
WORKERS ?= auto  # processes that share the tests; 0 runs them in one
TESTS  ?= tests/unit tests/contract tests/integration tests/local tests/stories tests/e2e

.DEFAULT_GOAL := help
.PHONY: help setup demo test check format bench soak docs clean

help:  ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

setup: $(VENV)/.ready  ## make .venv with pinned, hash-checked requirements

$(VENV)/.ready: requirements/test.txt pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit("Crosswind needs Python 3.11 or newer; set PYTHON=python3.11") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements/test.txt
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

# What has no wheel is compiled once, for those targets that cannot do without it.
$(VENV)/.compiled: $(VENV)/.ready requirements/servicebus.txt requirements/compiled.py
	$(BIN)/python requirements/compiled.py
	@touch $@

demo: setup  ## a failover of real processes, in about a minute
	$(BIN)/python examples/failover/demo.py $(DEMO)

test: $(VENV)/.compiled  ## run the tests
	$(BIN)/python -m pytest -n $(strip $(WORKERS)) --maxprocesses 4 --dist loadfile $(TESTS)

check: $(VENV)/.compiled  ## lint, format, types, import rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: setup  ## measure, as ratios against peers; one JSON line for each figure
	PYTHONPATH=tests $(BIN)/python -m bench

soak: $(VENV)/.compiled  ## let the local cloud work for ten minutes, and watch its memory
	PYTHONPATH=tests $(BIN)/python -m soak $(SOAK)

docs: setup  ## write the generated pages of docs/ anew, and the event schemas
	$(BIN)/python -m crosswind_events.schemas --write
	$(BIN)/python -m crosswind.cli.reference > docs/cli.md
	$(BIN)/python docs/build.py

format: setup  ## rewrite the code in the house's format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:  ## remove everything that the targets made
	rm -rf $(VENV) .venvs dist .coverage .mypy_cache .ruff_cache .pytest_cache .hypothesis
