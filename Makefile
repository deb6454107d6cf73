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

# make gauntlet   thousands of faults, hours; GAUNTLET_SEED=…, GAUNTLET_CLASSES=kill,disk; GAUNTLET=quick for minutes
# make bench   peak memory, and ratios to bare pg_dump and to the guide, at 20 MB, 200 MB and 2 GB; BENCH="--sizes 20M"
.PHONY: help demo test bench bootstrap lint sanity unit integration coverage gauntlet gauntlet-quick gauntlet-defects \
    molecule clean $(SCENARIOS:%=molecule-%)

help:
	@sed -n 's/^# //p' Makefile

demo:
	@bash demo/run.sh

test:
	@started=$$SECONDS
	for part in bootstrap lint sanity unit integration coverage gauntlet-quick molecule; do
	    $(MAKE) --no-print-directory $$part
	done
	printf '\n=== all passed in %d min ===\n' $$(((SECONDS - started) / 60))

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

sanity: $(VENV)/.stamp
	@$(call heading,ansible-test sanity$(comma) nothing ignored)
	$(in_venv)
	tests/ansible_test.sh sanity

unit: $(VENV)/.stamp
	@$(call heading,unit tests)
	$(in_venv)
	PYTHONPATH=plugins/module_utils $(measured) --data-file=$(VENV)/coverage/unit -m pytest tests/unit

integration: $(VENV)/.stamp
	@$(call heading,integration tests: a real PostgreSQL)
	$(in_venv)
	PYTHONPATH=plugins/module_utils COVERAGE_PROCESS_START=pyproject.toml COVERAGE_FILE=$(VENV)/coverage/integration \
	    pytest tests/integration

coverage: $(VENV)/.stamp
	@$(call heading,coverage: pure rooms whole$(comma) the engine to 95 %)
	$(in_venv)
	python tests/lint/coverage.py

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

bench: $(VENV)/.stamp
	@$(in_venv)
	python tests/bench/bench.py $(BENCH)

molecule: $(SCENARIOS:%=molecule-%)

$(SCENARIOS:%=molecule-%): molecule-%: $(VENV)/.stamp
	@$(call heading,scenario $*)
	tests/bootstrap.sh images
	$(in_venv)
	molecule --base-config .config/molecule/config.yml test --scenario-name $*

clean:
	@rm -rf .venv demo/.work .pytest_cache .ruff_cache .ansible .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
