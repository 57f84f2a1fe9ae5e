# One command each; `make` alone lists them. Everything is installed into .venv, a virtual environment of this folder,
# which is made anew when pyproject.toml changes. Another Python: make test PYTHON=python3.12

PYTHON ?= python3
BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help demo test test-backends benchmark lint clean

help: ## list the commands
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/'

demo: .venv/demo ## train a speech recogniser on synthetic speech, evaluate it, export it and transcribe with it
	$(BIN)/python -m demos.speech

test: .venv/test ## run all tests, and the examples of all docstrings
	$(BIN)/python -m pytest -n 2 --dist loadfile

test-backends: .venv/test-backends ## hold every scorer with every alignment function to the contract on TensorFlow, JAX and torch
	@set -e; for backend in tensorflow jax torch; do \
	    echo "=== $$backend"; \
	    CONTRACT=all KERAS_BACKEND=$$backend $(BIN)/python -m pytest -n 2 --dist worksteal tests/test_contract*.py; \
	    KERAS_BACKEND=$$backend $(BIN)/python -m pytest tests/test_pages.py -k tutorial; \
	done

benchmark: .venv/test ## compare time and memory with other libraries, each in an environment of its own; on a free machine
	$(BIN)/python -m tests.benchmarks

lint: .venv/lint ## check the style of the code
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

clean: ## remove the virtual environment and the caches
	rm -rf .venv .venv-benchmarks .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# .venv/<extra> is an empty file that says: that extra of pyproject.toml is installed.
.venv/demo .venv/test .venv/test-backends .venv/lint: .venv/created
	@echo "Installing what 'make $(@F)' needs into .venv (the first time takes some minutes)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[$(@F)]'
	@touch $@

# The build of torch for the CPU alone, as the usual one is gigabytes larger; where its index cannot be reached,
# what pip finds elsewhere.
.venv/test-backends: .venv/torch
.venv/torch: .venv/created
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --retries 0 \
		--extra-index-url https://download.pytorch.org/whl/cpu torch==2.13.0
	@touch $@

.venv/created: pyproject.toml
	@echo "Making a virtual environment in .venv with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv --clear .venv
	@touch $@
