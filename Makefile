# Everything needs Python 3.11 or newer, pip and a network; PYTHON chooses the interpreter.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: help setup bench test test-slow lint figures speed format dist clean

help: ## Show what can be made
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*##/ —/'

setup: $(STAMP) ## Create .venv and install FarField with pinned versions

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "FarField needs Python 3.11 or newer; set PYTHON=python3.11" >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $(STAMP)

bench: $(STAMP) ## Run the suite quick, print the standings and draw the growth plot
	$(BIN)/farfield run --suite quick
	$(BIN)/farfield plot growth --suite quick --save farfield-results/growth.png
	@echo "records: farfield-results/records.sqlite   growth plot: farfield-results/growth.png"
	@echo "next: $(BIN)/farfield leaderboard --suite quick   $(BIN)/farfield compare --by norm --suite quick"

# Of the README; BENCH has the records that they are of.
FIGURES := docs/figures
BENCH ?= farfield-results/figures

figures: $(STAMP) ## Run the suite quick in a folder of its own and draw the README's pictures of it
	$(BIN)/farfield run --suite quick --wandb disabled --out $(BENCH)
	$(BIN)/farfield plot function --task sine-1d --arch mlp --norm none --norm 'layer@first' --norm 'batch@all' --out $(BENCH) --save $(FIGURES)/function.png
	$(BIN)/farfield plot growth --task sine-1d --task quadratic-1d --arch mlp --norm none --norm 'layer@*' --norm 'batch@all' --out $(BENCH) --save $(FIGURES)/growth.png

# One process a core; every process runs its networks on a single thread.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses 2 --dist worksteal

test: $(STAMP) ## Run the tests, but for the slow ones
	$(PYTEST) -m "not slow"

test-slow: $(STAMP) ## Run the slow tests: browser, faults, simulations, code blocks of the docs
	$(PYTEST) -m slow

lint: $(STAMP) ## Check style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

speed: $(STAMP) ## Measure speed side by side with plain loops and JAX; an hour, on a machine that does nothing else
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev,speed]'
	$(BIN)/python -m tools.speed

format: $(STAMP) ## Format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

dist: $(STAMP) ## Build wheel and source archive into dist/
	$(BIN)/python -m hatchling build

clean: ## Remove the environment and caches
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis
