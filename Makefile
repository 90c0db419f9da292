# Two commands for a fresh machine: `make demo` grades sample submissions, `make test` runs every test.
# Both set everything up first, inside this folder. Neither needs root.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := $(BIN)/uv
LOCK := $(UV) pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-header --no-annotate --quiet
WORKERS ?= 3
# Trust whom the machine trusts: companies sign their own mirrors.
export UV_SYSTEM_CERTS ?= 1

.PHONY: demo test lint attack-table challenge-table lock clean
.DELETE_ON_ERROR:

demo: $(VENV)/run.stamp
	@$(BIN)/assay demo

test: $(VENV)/dev.stamp lint
	@echo "assay: running the tests"
	@$(BIN)/python -P tests/private_engine.py $(BIN)/python -m pytest --numprocesses $(WORKERS) --dist loadgroup

# Tries every attack on every engine, and writes down what came of it.
attack-table: $(VENV)/dev.stamp
	@echo "assay: trying the attacks"
	@ASSAY_ATTACK_TABLE=docs/attacks.md $(BIN)/python -P tests/private_engine.py \
		$(BIN)/python -m pytest tests/attacks --numprocesses $(WORKERS) --dist loadgroup

# Writes down which challenge is about which skill.
challenge-table: $(VENV)/run.stamp
	@$(BIN)/assay challenge table > docs/challenges.md

lint: $(VENV)/dev.stamp
	@echo "assay: checking style, types and the direction of imports"
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

lock: $(UV)
	$(LOCK) --group build --output-file requirements/run.lock
	$(LOCK) --group dev --constraints requirements/run.lock --output-file requirements/dev.lock
	printf 'uv\n' | $(UV) pip compile - --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-header --no-annotate --quiet --constraints requirements/run.lock --output-file requirements/uv.lock

clean:
	rm -rf $(VENV) demo dist

$(UV): requirements/uv.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "assay: Python 3.11 or later is needed; install it, or name it: make PYTHON=/path/to/python3 ..." >&2; exit 1; }
	@echo "assay: making a virtual environment in $(VENV)"
	@$(PYTHON) -m venv $(VENV) || { \
		echo "assay: no virtual environment could be made; on Debian: apt-get install python3-venv" >&2; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.lock || { \
		echo "assay: the packages could not be fetched; is a package index within reach?" >&2; exit 1; }
	@touch $@

$(VENV)/run.stamp: $(UV) requirements/run.lock pyproject.toml
	@echo "assay: installing what grading needs"
	@$(UV) pip install --quiet --python $(BIN)/python --require-hashes -r requirements/run.lock
	@$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/dev.stamp: $(VENV)/run.stamp requirements/dev.lock
	@echo "assay: installing what the tests need"
	@$(UV) pip install --quiet --python $(BIN)/python --require-hashes -r requirements/dev.lock
	@touch $@
