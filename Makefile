# make demo   see it work                  make test    every test
# make venv   install everything           make fast    the tests that take seconds
# make check  linters and types            make bench-quality  how well it groups
# make stack  the real Prometheus and Alertmanager around it: a storm, and who is paged
# make bench  speed and memory, a quarter of an hour
# make fuzz   bodies, calls and settings by fuzzing, a quarter of an hour
# make audit  known vulnerabilities of what is shipped
# make grafana  build the plugin           make grafana-test   test it

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
# The project's own model cache, so that one checkout prepares the model once.
export XDG_CACHE_HOME ?= $(CURDIR)/.cache

.PHONY: demo stack test fast check venv tools model docs bench bench-growth bench-quality audit fuzz
.PHONY: grafana grafana-modules grafana-test clean

demo: .venv/installed
	$(BIN)/stormcell demo $(if $(CI),--once)

# Some four minutes; `python -m scripts.stack --speed 1` takes as long as life.
stack: .venv/installed tools model
	$(BIN)/python -m scripts.stack

test: .venv/installed tools model grafana-modules
	$(BIN)/pytest --numprocesses=auto --dist=loadfile --cov --cov-report= --durations=10
	$(BIN)/coverage report --include='receiver/core/*' --fail-under=100
	$(BIN)/coverage report --omit='receiver/core/*' --fail-under=0

fast: .venv/installed
	$(BIN)/pytest -q -m "not e2e and not model and not slow"

check: .venv/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

venv: .venv/installed

.venv/installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Python 3.11 or newer is needed; say which with make PYTHON=..."; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check \
	  --constraint constraints.txt --editable '.[export,dev]'
	@touch $@

# What the tests need beside Python: the real Alertmanager, Prometheus and Chromium.
tools:
	@scripts/tools

model: .venv/installed
	@$(BIN)/stormcell model prepare >/dev/null

# The short form of all, on a machine with nothing else to do; the long one is
# `python -m benchmarks.suite`. Ends with a line a requirement, and writes benchmarks/RESULTS.md.
bench: .venv/installed tools model
	$(BIN)/python -m pip install --quiet --disable-pip-version-check \
	  --constraint constraints.txt --editable '.[bench]'
	$(BIN)/python -m benchmarks.suite --short

# The long form of tests/hostile; docs/reliability.md tells what it found.
fuzz: .venv/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check \
	  --constraint constraints.txt --editable '.[fuzz]'
	$(BIN)/python -m scripts.fuzz --seconds 600
	$(BIN)/python -m scripts.fuzz_api --seconds 300 --command $(BIN)/st

# After `bench`: the cost of an alert with half a million vectors held; the first time they are made.
bench-growth: .venv/installed model
	$(BIN)/python -m benchmarks.realtime_performance --short --only 5000 --only 500000 \
	  --json build/benchmarks/realtime_performance-growth.json
	$(BIN)/python -m benchmarks.results

# Into grafana/dist, to be copied to Grafana's plugins; some seconds once its packages are there.
grafana: grafana/node_modules/.installed
	cd grafana && npm run --silent build

grafana/node_modules/.installed: grafana/package-lock.json
	cd grafana && npm ci --no-audit --no-fund --ignore-scripts
	@touch $@

# Before the tests. A machine without Node still runs the receiver; the plugin's tests say what they miss.
grafana-modules:
	@if command -v npm >/dev/null; then $(MAKE) --no-print-directory grafana/node_modules/.installed; \
	else echo "npm is not installed: the Grafana plugin is neither built nor tested" >&2; [ -z "$${CI:-}" ]; fi

grafana-test: .venv/installed tools model grafana-modules
	$(BIN)/pytest tests/grafana

# Some ten minutes; `--fast`, `--only` and `--stream` take less. The other ways to group come with `bench`.
bench-quality: .venv/installed model
	$(BIN)/python -m pip install --quiet --disable-pip-version-check \
	  --constraint constraints.txt --editable '.[bench]'
	$(BIN)/python -m benchmarks.quality

# Known vulnerabilities of what goes into the image and the plugin: asks the package indexes for their advisories, and
# fails where one has none to give. In an environment of its own, as it is no part of what is shipped or tested.
audit:
	$(PYTHON) -m venv build/audit
	build/audit/bin/python -m pip install --quiet --disable-pip-version-check 'pip-audit==2.10.1'
	build/audit/bin/pip-audit --strict --require-hashes --disable-pip --progress-spinner off \
	  --requirement deploy/image/requirements.txt
	cd grafana && npm audit --omit=dev

# What is made from the code and the rules: tables of the docs, dashboards, the rules for Kubernetes.
docs: .venv/installed
	$(BIN)/python -m scripts.make_docs
	$(BIN)/python -m scripts.dashboards
	$(BIN)/python -m scripts.make_kubernetes

clean:
	rm -rf .venv .cache build *.egg-info .coverage grafana/dist grafana/node_modules
