# SPDX-FileCopyrightText: 2026 the Breakwater authors
# SPDX-License-Identifier: GPL-3.0-or-later

# Two commands: "make demo" and "make test". "make help" lists the others.
SHELL := /bin/sh
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
LINK := .build/collections/ansible_collections/breakwater/smb
export PYTHONPATH := $(CURDIR)/.build/collections
export ANSIBLE_COLLECTIONS_PATH := $(CURDIR)/.build/collections

.PHONY: help demo test lint sanity compile record bench build clean
help:
	@echo "make demo      an embedded fleet: audit, plan, remediation, audit, rollback of one host, report"
	@echo "make test      every test that this machine can run, and what was skipped and why"
	@echo "make lint      ruff, mypy --strict, yamllint, ansible-lint, shellcheck, changelog, licences"
	@echo "make sanity    ansible-test sanity on a copy of the tree"
	@echo "make compile   compile settings, controls and profiles after you changed their YAML"
	@echo "make bench     ratios against stock Ansible (root, takes long), and what judging costs"
	@echo "make build     the collection's tarball"
	@echo "make clean     remove what the other targets made (results/ is kept)"

$(BIN)/.run: requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { echo "Breakwater's controller needs Python 3.10 or newer; set PYTHON=python3.11 (or newer)."; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "Cannot make a virtual environment; on Debian and Ubuntu: apt-get install python3-venv"; exit 1; }
	$(BIN)/pip install -q -r requirements.txt
	@touch $@

$(BIN)/.dev: $(BIN)/.run tests/requirements.txt tests/requirements-kerberos.txt
	$(BIN)/pip install -q -r tests/requirements.txt
	@! command -v krb5-config >/dev/null || $(BIN)/pip install -q -r tests/requirements-kerberos.txt || echo "Kerberos will not be tested: see tests/requirements-kerberos.txt"
	@touch $@

$(LINK):
	@mkdir -p $(dir $(LINK))
	@ln -sfn ../../../.. $(LINK)

demo: $(BIN)/.run $(LINK)
	@$(BIN)/python demo/run.py

test: $(BIN)/.dev $(LINK)
	$(BIN)/python tools/compile.py --check
	$(BIN)/python tools/coverage.py --check
	$(BIN)/python tools/schemas.py --check
	$(BIN)/python -m pytest -q -n auto --dist loadgroup --durations=5

lint: $(BIN)/.dev $(LINK)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --strict -p ansible_collections.breakwater.smb.plugins
	MYPYPATH=.build/collections:demo:bench $(BIN)/mypy --strict tools/*.py demo/*.py bench/*.py
	$(BIN)/yamllint -s .
	$(BIN)/shellcheck -s sh plugins/plugin_utils/_remote/*.sh plugins/plugin_utils/_implementations/*/collect.sh tests/lab/probe/*.sh
	$(BIN)/ansible-lint --profile production --offline -q
	$(BIN)/antsibull-changelog lint
	$(BIN)/reuse lint -q

sanity: $(BIN)/.dev
	sh tests/sanity.sh $(CURDIR)/$(BIN)

compile: $(BIN)/.dev $(LINK)
	$(BIN)/python tools/compile.py
	$(BIN)/python tools/coverage.py
	$(BIN)/python tools/schemas.py

record: $(BIN)/.run $(LINK)
	cd demo && ../$(BIN)/python record.py

bench: $(BIN)/.run $(LINK)
	$(BIN)/python bench/judge.py
	$(BIN)/python bench/controller.py
	$(BIN)/python bench/remediate.py

build: $(BIN)/.run
	@mkdir -p .build/dist
	$(BIN)/ansible-galaxy collection build --force --output-path .build/dist .

clean:
	rm -rf .build $(VENV) .venvs .ansible .pytest_cache .mypy_cache .ruff_cache .hypothesis tests/output
