# make demo    the main job on embedded defaults: no account, token, broker or root
# make test    all tests (ARGS="-k name" for some); as root with apt it installs the servers that they use
# make check   format, lint, types, import rules, secrets in the repository, known vulnerabilities: changes nothing
# make chaos   breaks a bot at random while people talk to it, and looks at every message (ARGS="--help")
# make bench   what the README's figures come from
# make clean   removes what make made
#
# PYTHON=python3.12 make ... chooses another interpreter for the virtual environment.

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
# Without build isolation, so that the build backend is the pinned one as well.
BACKEND := hatchling editables
INPUTS := pyproject.toml constraints.txt

export PIP_NO_INPUT := 1
# Tests start hundreds of processes: without bytecode each of them would compile all of Dragoman.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test check chaos bench format servers clean

help:
	@sed -n 's/^# \(make .*\)/\1/p' Makefile

demo: .venv/.demo
	@$(BIN)/python examples/demo/demo.py

# Four processes, each with servers of its own, also on two cores: half of the time is waiting.
test: .venv/.installed servers
	$(BIN)/python -m pytest -n 4 --dist worksteal $(ARGS)

check: .venv/.installed
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q tests/house/test_secrets.py
	$(BIN)/python tests/house/audit.py

format: .venv/.installed
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

chaos: .venv/.installed
	@$(BIN)/python tests/end_to_end/chaos.py $(ARGS)

bench: .venv/.installed
	$(BIN)/python tests/bench/bench.py $(ARGS)

# Debian leaves ensurepip out of python3; where we may, we fetch what it lacks.
$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Dragoman needs Python 3.11 or newer as $(PYTHON); name another one: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && \
		apt-get update -qq </dev/null && \
		DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends python3-venv </dev/null; } || { \
		echo "$(PYTHON) cannot make virtual environments: apt-get install python3-venv" >&2; exit 1; }
	@echo "Making a virtual environment in .venv"
	@$(PYTHON) -m venv .venv || { rm -rf .venv; exit 1; }

# The demo needs no test tools, so a first look does not wait for them.
.venv/.demo: $(INPUTS) | $(BIN)/python
	@echo "Installing Dragoman into .venv"
	@$(PIP) $(BACKEND)
	@$(PIP) --no-build-isolation --editable '.[slack,discord]'
	@touch $@

.venv/.installed: $(INPUTS) | $(BIN)/python
	@echo "Installing Dragoman and its tools into .venv"
	@$(PIP) $(BACKEND)
	@$(PIP) --no-build-isolation --editable '.[all,dev]'
	@touch .venv/.demo $@

# RabbitMQ and PostgreSQL for the tests, which run private servers of their own: RUNLEVEL=1 keeps Debian's
# packages from starting theirs. Where this cannot be done, the tests say what to install and are skipped.
servers:
	@lack=; \
	[ -x /usr/lib/rabbitmq/bin/rabbitmq-server ] || lack="$$lack rabbitmq-server"; \
	ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || lack="$$lack postgresql"; \
	[ -n "$$lack" ] || exit 0; \
	if [ "$$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then \
		echo "Some tests will be skipped; for all of them: apt-get install$$lack"; exit 0; \
	fi; \
	echo "Installing from Debian:$$lack"; \
	export RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive; \
	{ apt-get update -qq && apt-get install -qq -y --no-install-recommends \
		-o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 $$lack; } </dev/null >.venv/apt.log 2>&1 || { \
		tail -n 5 .venv/apt.log; echo "That did not work; the tests that need them will say so."; }

clean:
	rm -rf .venv build dist .dragoman .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
