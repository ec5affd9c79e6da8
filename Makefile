# Two commands: `make demo` shows the loop, `make test` proves it. Both set up all they need.
# Versions are those of uv.lock. torch is apart: pip takes the build that this machine is set up for
# (a CPU build where one is offered), and the lock's CUDA packages, gigabytes, stay out.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PLAIN := $(VENV)/.plain
READY := $(VENV)/.ready
EXPORT := $(BIN)/uv export --quiet --frozen --no-emit-project --prune torch
INSTALL := $(BIN)/uv pip install --quiet --python $(BIN)/python
TORCH := torch>=2.13,<2.14

# Where `make bench` keeps what it found, and looks for the run before.
HISTORY ?= benchmarks/history.jsonl

.PHONY: demo test check bench docs release clean lock

# What users install, with what the shipped trio runs on: no torch, no tools of development.
$(PLAIN): pyproject.toml uv.lock
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --upgrade "pip>=25.1" "uv>=0.9"
	$(EXPORT) --no-dev --extra trio --output-file $(VENV)/plain.txt
	$(INSTALL) --requirement $(VENV)/plain.txt
	$(INSTALL) --no-deps --editable .
	touch $@

# That, the tools of development, and what training needs (torch for the CPU).
$(READY): $(PLAIN)
	$(BIN)/pip install --quiet "$(TORCH)"
	$(EXPORT) --group dev --output-file $(VENV)/dev.txt
	$(INSTALL) --requirement $(VENV)/dev.txt
	touch $@

demo: $(PLAIN)
	$(BIN)/toolmint demo

test: $(READY)
	$(BIN)/pytest $(PYTEST_ARGS)

check: $(READY)
	$(BIN)/uv lock --quiet --check
	$(BIN)/ruff check src tests benchmarks examples docs_src
	$(BIN)/ruff format --check src tests benchmarks examples docs_src
	$(BIN)/lint-imports
	$(BIN)/pyright

bench: $(READY)
	$(BIN)/python benchmarks/run_all.py --history $(HISTORY)

lock: $(PLAIN)
	$(BIN)/uv lock

ifeq ($(wildcard mkdocs.yml),)
docs:
	@echo "no mkdocs.yml: the documentation is the Markdown files in docs/"
else
docs: $(READY)
	$(EXPORT) --group docs --output-file $(VENV)/docs.txt
	$(INSTALL) --requirement $(VENV)/docs.txt
	$(BIN)/mkdocs build --strict
endif

# Builds, checks, and tries the wheel in an environment of its own; uploads nothing.
release: $(READY)
	$(INSTALL) --group release
	rm -rf dist
	$(BIN)/python -m build --outdir dist
	$(BIN)/twine check --strict dist/*
	$(PYTHON) -m venv --clear dist/.smoke
	dist/.smoke/bin/pip install --quiet dist/*.whl
	dist/.smoke/bin/toolmint --version
	dist/.smoke/bin/toolmint --help >/dev/null
	dist/.smoke/bin/toolmint doctor
	dist/.smoke/bin/python -c "import importlib.util as found; assert not any(map(found.find_spec, ('numpy', 'starlette', 'torch')))"
	dist/.smoke/bin/python -c "import sys, toolmint; assert not {'aiohttp', 'sqlalchemy', 'numpy'} & set(sys.modules)"
	rm -rf dist/.smoke
	ls -lh dist

clean:
	rm -rf $(VENV)
