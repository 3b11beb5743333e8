# Two commands set everything up on a fresh machine:
#   make reproduce   train on the embedded digits, put the claims to the test, write out/studies/report.html
#   make test        the tests, in about three minutes
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
OLDEST := .venv-oldest

.PHONY: help install reproduce studies assets pictures notebook test check check-oldest oldest bench clean-bench lint lock clean

help:
	@echo "make install     convlens and what it needs, into $(VENV)"
	@echo "make reproduce   train on 70,000 digits and put the claims to the test in 15 minutes (ARGS=--quick: in one or two)"
	@echo "make studies     run all studies and make the results that ship with the package again, about two hours"
	@echo "make assets      train the models that ship with the lab again (ARGS=--check: compare their bits)"
	@echo "make pictures    take the README's pictures of the lab again (needs Chromium)"
	@echo "make notebook    open the notebook: the story, with trainings that run while you read"
	@echo "make test        the tests, in about three minutes"
	@echo "make check       everything: style, types, imports, slow tests, documented commands, oldest versions"
	@echo "make bench       speed beside PyTorch, JAX and others, at most 15 minutes (first installs them, 1.6 GB, into .venv-bench)"
	@echo "make clean-bench removes .venv-bench again"

$(READY): requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "convlens needs Python 3.11 or later; set PYTHON=")'
	@echo "Installing convlens and what it needs into $(VENV): 1.3 GB on disk, a minute or two; only this once."
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

install: $(READY)

reproduce: $(READY)
	$(BIN)/convlens reproduce $(ARGS)

notebook: $(READY)
	$(BIN)/jupyter lab notebooks/ConvolutionalLayers.ipynb $(ARGS)

test: $(READY)
	$(BIN)/lint-imports --no-cache
	$(BIN)/pytest -n 2 -m "not slow" $(ARGS)

lint: $(READY)
	$(BIN)/ruff format --check src tests benchmarks docs examples notebooks
	$(BIN)/ruff check src tests benchmarks docs examples notebooks
	$(BIN)/mypy

check: lint
	$(BIN)/lint-imports --no-cache
	$(BIN)/pytest -n 2 $(ARGS)
	@$(MAKE) --no-print-directory check-oldest

# The oldest versions that pyproject.toml allows, on the oldest Python; on a later one this says that it is skipped.
check-oldest:
	@if $(PYTHON) tests/portability/oldest.py >/dev/null; then $(MAKE) --no-print-directory oldest; fi

$(OLDEST)/.ready: pyproject.toml tests/portability/oldest.py
	$(PYTHON) -m venv --clear $(OLDEST)
	$(OLDEST)/bin/python tests/portability/oldest.py >$(OLDEST)/requirements.txt
	$(OLDEST)/bin/python -m pip install --quiet --disable-pip-version-check -r $(OLDEST)/requirements.txt
	@touch $@

# What uses each of them; deprecations are between old packages and newer ones underneath.
oldest: $(OLDEST)/.ready
	PYTHONPATH=$(CURDIR)/src $(OLDEST)/bin/python -m pytest -n 2 -m "not slow" -W ignore::DeprecationWarning \
		tests/train/test_fingerprint.py tests/engine/test_engines.py tests/nn/test_artifact.py tests/pictures \
		tests/studies/test_stats.py tests/report tests/cli/test_command_line.py tests/portability

# The results that ship with the package, again: about an hour and a half on two cores, resumable at every trial. The
# learning rates come first; they are found anew only where the arithmetic or a network has changed.
studies: $(READY)
	$(BIN)/convlens study tune
	$(BIN)/convlens study run --all --keep src/convlens/studies/stored $(ARGS)

# What ships with the lab: models, snapshots, recorded trainings and digits.
assets: $(READY)
	$(BIN)/python -m convlens.lab.make_assets $(ARGS)

# The moving picture of the drag, and a picture of each room, in docs/figures.
pictures: $(READY)
	$(BIN)/python docs/picture_lab.py

# The peers (PyTorch's CPU build, JAX, scikit-learn, ONNX Runtime, OpenVINO) go into an environment of their own.
bench: $(READY)
	$(BIN)/convlens bench --environment .venv-bench $(ARGS)

clean-bench: $(READY)
	$(BIN)/convlens bench --environment .venv-bench --remove-environment

# Rewrites requirements.lock from pyproject.toml; needs uv (https://docs.astral.sh/uv).
lock:
	uv pip compile pyproject.toml --all-extras --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-header --output-file requirements.lock

clean:
	rm -rf $(VENV) $(OLDEST) .venv-bench out .mypy_cache .ruff_cache .pytest_cache .hypothesis
