# make demo    see it work: only Python and a network are needed
# make test    everything: lint, unit, integration, faults, the scenarios in containers
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.ONESHELL:

VENV := $(CURDIR)/.venv
SCENARIOS := $(sort $(notdir $(patsubst %/molecule.yml,%,$(wildcard molecule/*/molecule.yml))))

export ANSIBLE_COLLECTIONS_PATH := $(CURDIR)/.collections
export ANSIBLE_HOME := $(VENV)/ansible
export MOLECULE_EPHEMERAL_DIRECTORY_ROOT := $(VENV)/molecule
export PYTHONDONTWRITEBYTECODE := 1
export PY_COLORS := 0
export ANSIBLE_NOCOLOR := 1

comma := ,
heading = printf '\n=== %s ===\n' "$(1)"
# Set here and not for the whole file: demo and bootstrap choose their own Python.
in_venv = export PATH="$(VENV)/bin:$$PATH"
# Run these parts one after the other, each kept in build/test; the log of one that failed is named so.
each = mkdir -p build/test; failed=0; \
    for part in $(1); do \
        if ! $(MAKE) --no-print-directory $$part 2>&1 | tee build/test/$$part.log; then \
            mv build/test/$$part.log build/test/$$part.failed; failed=1; \
        fi; \
    done; exit $$failed

# make gauntlet   thousands of faults, hours; GAUNTLET_SEED=…, GAUNTLET_CLASSES=kill,disk; GAUNTLET=quick for minutes
# make matrix   every controller against every target over SSH, docs/compatibility.md; MATRIX="--controllers 2.18" for some
# make docs    the documentation of modules and role as HTML, in build/docs
# make faults  restores and rollbacks under faults, as root; MIRAI_FAULTS=all runs every point of time
# make bench   every promise measured beside bare pg_dump, the guide and other tools, at 20 MB, 200 MB and 2 GB: an hour.
#              It writes docs/benchmarks.md; tests/bench/bench.py --help names what BENCH="…" may hold, as BENCH="--sizes 20M".
#              The engine runs under the system's Python, as on a server.
.PHONY: help demo test bench bootstrap lint sanity galaxy docs unit integration faults gauntlet gauntlet-quick \
    gauntlet-defects programs scenarios molecule matrix matrix-quick clean $(SCENARIOS:%=molecule-%)

help:
	@sed -nE 's/^# (make |  )/\1/p' Makefile

demo:
	@bash demo/run.sh

# Two lanes side by side, since a scenario keeps one core busy at most; each part prints when it is done.
# A part that fails stops none of the others; what failed is said again at the end.
test:
	@started=$$SECONDS
	rm -rf build/test
	$(MAKE) --no-print-directory bootstrap
	if ! $(MAKE) --no-print-directory --jobs=2 --keep-going --output-sync=target programs scenarios; then
	    tests/failures.sh build/test
	    exit 1
	fi
	printf '\n=== all passed in %d min ===\n' $$(((SECONDS - started) / 60))

programs:
	+@$(call each,lint sanity galaxy unit integration faults gauntlet-quick)

scenarios:
	+@$(call each,$(SCENARIOS:%=molecule-%) matrix-quick)

bootstrap:
	@$(call heading,bootstrap)
	tests/bootstrap.sh

$(VENV)/.stamp: tests/requirements.txt
	@tests/bootstrap.sh venv

lint: $(VENV)/.stamp
	@$(call heading,lint: ruff)
	$(in_venv)
	ruff check .
	ruff format --check .
	$(call heading,lint: yamllint)
	yamllint --strict .
	$(call heading,lint: ansible-lint)
	ansible-lint --offline
	$(call heading,lint: variables of role$(comma) engine and docs agree)
	python tests/lint/variables.py --check
	$(call heading,lint: the page of errors is the source's)
	python tests/lint/errors.py --check
	$(call heading,lint: rooms and their imports are as docs/architecture.md says)
	python tests/lint/rooms.py --check
	$(call heading,lint: completions and manual page are those of the command)
	python tests/lint/command_line.py --check

sanity: $(VENV)/.stamp
	@$(call heading,ansible-test sanity$(comma) nothing ignored)
	$(in_venv)
	tests/ansible_test.sh sanity

galaxy: $(VENV)/.stamp
	@$(call heading,galaxy: changelog$(comma) documentation$(comma) import of the artifact)
	tests/galaxy.sh check

docs: $(VENV)/.stamp
	@$(call heading,docs: the HTML site in build/docs)
	tests/galaxy.sh docs

unit: $(VENV)/.stamp
	@$(call heading,unit tests)
	$(in_venv)
	rm -rf build/coverage
	mkdir -p build/coverage
	# Coverage begins in every Python of the virtual environment that finds COVERAGE_PROCESS_START, children included.
	PYTHONPATH=plugins/module_utils COVERAGE_PROCESS_START=$(CURDIR)/pyproject.toml \
	    COVERAGE_FILE=$(CURDIR)/build/coverage/unit pytest tests/unit
	$(call heading,unit tests: every branch of the pure rooms$(comma) 95 % of the engine)
	python tests/lint/covered.py

integration: $(VENV)/.stamp
	@$(call heading,integration tests: a real PostgreSQL)
	$(in_venv)
	scratch=$$(mktemp -d)
	trap 'rm -rf "$$scratch"' EXIT
	PYTHONPATH=plugins/module_utils pytest tests/integration --basetemp="$$scratch/tests"

gauntlet: $(VENV)/.stamp
	@$(call heading,gauntlet)
	$(in_venv)
	python tests/faults/gauntlet.py

gauntlet-quick: $(VENV)/.stamp
	@$(call heading,gauntlet: some of each class)
	$(in_venv)
	python tests/faults/gauntlet.py --quick

gauntlet-defects: $(VENV)/.stamp
	@$(call heading,gauntlet: defects put into the engine are caught)
	$(in_venv)
	python tests/faults/gauntlet.py --defects

faults: $(VENV)/.stamp
	@$(call heading,faults: killed$(comma) full$(comma) taken away)
	$(in_venv)
	PYTHONPATH=plugins/module_utils pytest tests/faults/restore

bench:
	@tests/bootstrap.sh bench
	$(in_venv)
	$(firstword $(wildcard /usr/bin/python3) python) tests/bench/bench.py $(BENCH)

molecule: scenarios

$(SCENARIOS:%=molecule-%): molecule-%: $(VENV)/.stamp
	@$(call heading,scenario $*)
	tests/bootstrap.sh images
	$(in_venv)
	molecule --base-config .config/molecule/config.yml test --scenario-name $*

matrix: $(VENV)/.stamp
	@$(call heading,matrix: controllers and targets)
	tests/bootstrap.sh images
	$(in_venv)
	python tests/matrix/matrix.py $(MATRIX)

matrix-quick: $(VENV)/.stamp
	@$(call heading,matrix: the oldest and the newest controller)
	tests/bootstrap.sh images
	$(in_venv)
	python tests/matrix/matrix.py --quick

clean:
	@rm -rf .venv demo/.work .pytest_cache .ruff_cache .ansible .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
