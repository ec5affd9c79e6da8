# Two commands: `make demo` shows the loop, `make test` proves it. Both set up all they need.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PLAIN := $(VENV)/.plain
READY := $(VENV)/.ready

.PHONY: demo test check bench clean

# What users install, with what the shipped trio runs on: no torch, no tools of development.
$(PLAIN): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --upgrade "pip>=25.1"
	$(BIN)/pip install --quiet --editable '.[trio]'
	touch $@

# That, the tools of development, and what training needs (torch for the CPU).
$(READY): $(PLAIN)
	$(BIN)/pip install --quiet --editable . --group dev
	touch $@

demo: $(PLAIN)
	$(BIN)/toolwright demo

test: $(READY)
	$(BIN)/pytest

check: $(READY)
	$(BIN)/ruff check src tests benchmarks examples
	$(BIN)/ruff format --check src tests benchmarks examples
	$(BIN)/lint-imports
	$(BIN)/pyright

bench: $(READY)
	$(BIN)/python benchmarks/run_all.py

clean:
	rm -rf $(VENV)
