# The front door: `make help` lists what it opens. Every target does all of its set-up first; what is done is not done again.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.ONESHELL:
.DEFAULT_GOAL := help
# Images of containers set it. Here each of a thousand processes would compile its imports anew: 3 CPU s in place of 1.
unexport PYTHONDONTWRITEBYTECODE
.PHONY: pythons docs docs-lock help setup postgresql browser monitoring registry token demo test test-long test-tools wheel images lint format bench sleeping scheduling faults pictures lock clean

PYTHON ?= $(firstword $(shell command -v python3.11 python3))
OUTPUT ?= demo
PYTEST ?=
PYTHONS ?= 3.11 3.12 3.13
FAULTS ?=
VENV := .venv
BIN := $(VENV)/bin
MADE := $(VENV)/.made

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(MADE)/jvm ## virtual environment, locked packages, Java 17 or 21, jars of Delta and S3A, class archive, machine code; then .venv/bin/swath works
	@echo "Set up: $(BIN)/swath --help"

demo: setup ## simulate scenes, train a model, make every product, write the report into ./demo
	@$(BIN)/swath demo --output $(OUTPUT)

test: setup postgresql browser ## all tests but the long ones (PYTEST="tests/unit -k toa" for some of them)
	@$(BIN)/pytest -m "not long and not tools" $(PYTEST)

test-long: setup postgresql ## the long tests: disturbed runs, two sites side by side, one job on every kind of master
	@$(BIN)/pytest -m long $(PYTEST)

test-tools: setup monitoring registry token ## tests against other programs, which it installs: Airflow, Prefect, hera, Prometheus, a registry, built images, a token of keys, Flux's and CycloneDX's schemas
	@$(BIN)/pytest -m tools $(PYTEST)

pythons: setup ## set-up, demo and unit tests with each of Python 3.11, 3.12 and 3.13 that is here (minutes each; PYTHONS="3.13" for one)
	@for version in $(PYTHONS); do
	    python=$$($(BIN)/uv python find --no-python-downloads $$version 2>/dev/null) || python=$$(ls -d $${PYENV_ROOT:-$$HOME/.pyenv}/versions/$$version.*/bin/python 2>/dev/null | tail -1)
	    if [ ! -x "$$python" ]; then echo "Python $$version is not here: uv python install $$version" >&2; continue; fi
	    echo "Python $$version: $$python"
	    rm -rf .cache/pythons/$$version && git clone -q . .cache/pythons/$$version
	    (cd .cache/pythons/$$version && $(MAKE) demo PYTHON="$$python" && .venv/bin/pytest -q tests/unit)
	    rm -rf .cache/pythons/$$version
	done

lint: setup ## ruff, formatting, mypy --strict
	@$(BIN)/ruff check lib jobs tests setup.py
	$(BIN)/ruff format --check lib jobs tests setup.py
	$(BIN)/mypy --strict lib jobs tests

docs: setup ## the guides as a site into .cache/docs/site: strict, no dead link, no page that asks another host
	@[ -x .cache/docs-tools/bin/mkdocs ] || { $(BIN)/uv venv -q .cache/docs-tools; $(BIN)/uv pip install -q --require-hashes -r docs/site/requirements.lock --python .cache/docs-tools/bin/python; }
	$(BIN)/python docs/site/stage.py .cache/docs/source
	NO_MKDOCS_2_WARNING=1 .cache/docs-tools/bin/mkdocs build --quiet --strict --config-file .cache/docs/mkdocs.yml
	! grep -rlE '<(script|img|iframe|link)[^>]+(src|href)="https?://[^"]*\.(js|css|woff2?|png|svg)' .cache/docs/site
	echo "open .cache/docs/site/index.html; the search needs a server: python3 -m http.server --bind 127.0.0.1 -d .cache/docs/site"

docs-lock: setup ## resolve docs/site/requirements.in anew
	@$(BIN)/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-annotate --no-emit-index-url \
	    --no-emit-find-links --custom-compile-command "make docs-lock" docs/site/requirements.in -o docs/site/requirements.lock

wheel: setup ## the wheel into dist/, equal for equal commits (times are the commit's)
	@rm -rf dist build
	SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct) $(BIN)/uv build --quiet --wheel --no-build-isolation --python $(BIN)/python
	sha256sum dist/*.whl

images: wheel ## both images of a clean commit: build, list, scan, push by digest, signed dist/images/images.json (REGISTRY=..., SIGNING_KEY in the environment)
	@test -n "$(REGISTRY)" || { echo "make images REGISTRY=host/path: where they are pushed" >&2; exit 1; }
	key=$$(mktemp); trap 'rm -f "$$key"' EXIT
	printf '%s\n' "$${SIGNING_KEY:?a private key, PEM, that signs images.json}" > "$$key"
	$(BIN)/swath images --registry "$(REGISTRY)" --sign-key "$$key" $(IMAGES)

format: setup ## let ruff mend what it can
	@$(BIN)/ruff check --fix-only --quiet lib jobs tests setup.py
	$(BIN)/ruff format lib jobs tests setup.py

bench: setup ## ours against a bare rasterio loop and GDAL, in one interleaved run
	@$(BIN)/python -m benchmarks

sleeping: setup ## 512 scenes that sleep a second on 16 executors, in peace and with executors killed (SLEEPING="--scenes 64 --executors 4")
	@$(BIN)/python -m benchmarks.sleeping $(SLEEPING)

scheduling: setup ## how much of 8, 64 and 1,000 cores runs keep at work: a simulation
	@$(BIN)/python -m benchmarks.scheduling

faults: setup ## 200 injections into runs, 1,000 damaged deliveries; prints its tables (FAULTS="--seed 7")
	@$(BIN)/python -m tests.faults $(FAULTS)

pictures: demo browser ## screenshots of docs/pictures anew, of the demo, by Chromium
	@$(BIN)/python -m tests.view.pictures $(OUTPUT) docs/pictures

lock: $(MADE)/packages ## resolve requirements*.in anew into the lock files (keeps versions that still fit)
	@compile() { $(BIN)/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-annotate \
	    --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" "$$@"; }
	compile requirements.in requirements-test.in -o requirements-test.lock
	compile requirements.in -c requirements-test.lock -o requirements.lock

clean: ## forget the set-up and everything that was cached
	@rm -rf $(VENV) .cache build .mypy_cache .ruff_cache .pytest_cache .hypothesis

# The tests start a PostgreSQL of their own; its programs lie beside each other, not in PATH.
postgresql:
	@there() { compgen -G "/usr/lib/postgresql/*/bin/initdb" >/dev/null && compgen -G "/usr/share/postgresql/*/extension/postgis.control" >/dev/null; }
	if ! there; then
	    if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
	        echo "PostgreSQL with PostGIS, for the tests"
	        apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends postgresql postgresql-postgis >/dev/null || true
	    fi
	    there || echo "Tests of ledger and catalogue are skipped: sudo apt-get install postgresql postgresql-postgis" >&2
	fi

# Chromium, for the tests of the map and for its pictures.
browser:
	@there() { command -v chromium || command -v chromium-browser || command -v google-chrome; }
	if ! there >/dev/null; then
	    if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
	        echo "Chromium, for the tests of the map"
	        apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends chromium fonts-dejavu-core >/dev/null || true
	    fi
	    there >/dev/null || echo "Tests of the map's page are skipped: sudo apt-get install chromium" >&2
	fi

# Prometheus and its companions, for the tests of alarms; the tests start them on loopback, with folders of their own.
monitoring:
	@there() { for p in prometheus promtool prometheus-pushgateway prometheus-alertmanager; do command -v $$p >/dev/null || return 1; done; }
	if ! there; then
	    if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
	        echo "Prometheus, Pushgateway and Alertmanager, for the tests"
	        apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends prometheus prometheus-pushgateway prometheus-alertmanager >/dev/null || true
	    fi
	    there || echo "Tests of alarms are skipped: sudo apt-get install prometheus prometheus-pushgateway prometheus-alertmanager" >&2
	fi

# skopeo, a registry and a container engine, for the tests of bundles and images; they start it on loopback.
registry:
	@there() { command -v skopeo && command -v docker-registry && command -v podman; }
	if ! there >/dev/null; then
	    if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
	        echo "skopeo, docker-registry and podman, for the tests"
	        apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends skopeo docker-registry podman buildah runc busybox-static file >/dev/null || true
	    fi
	    there >/dev/null || echo "Tests of bundles and images are skipped: sudo apt-get install skopeo docker-registry podman runc busybox-static" >&2
	fi

# SoftHSM, for the test of keys that stay in a token; its Python library is in an environment of the test's own.
token:
	@if ! command -v softhsm2-util >/dev/null; then
	    if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
	        echo "SoftHSM, for the test of keys in a token"
	        apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends softhsm2 >/dev/null || true
	    fi
	    command -v softhsm2-util >/dev/null || echo "The test of keys in a token is skipped: sudo apt-get install softhsm2" >&2
	fi

# --- set-up, step by step: a stamp for each ------------------------------------------------------------------------

$(MADE)/python:
	@echo "[1/4] Virtual environment ($(or $(PYTHON),no python3 found))"
	test -n "$(PYTHON)" || { echo "Python 3.11 is missing: apt-get install python3.11 python3.11-venv" >&2; exit 1; }
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$(PYTHON) is older than 3.11: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	if ! $(PYTHON) -c 'import ensurepip, venv' 2>/dev/null; then
	    package=$$($(PYTHON) -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
	    [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null || { echo "Python cannot make virtual environments: sudo apt-get install $$package" >&2; exit 1; }
	    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "$$package" >/dev/null
	fi
	$(PYTHON) -m venv $(VENV)
	mkdir -p $(MADE) && touch $@

$(MADE)/packages: requirements-test.lock $(MADE)/python
	@echo "[2/4] $$(grep -c '^[a-z].*==' requirements-test.lock) locked packages (the first time about a minute: pyspark is 430 MB)"
	sed -n '/^uv==/,/[^\\]$$/p' requirements-test.lock > $(MADE)/uv.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $(MADE)/uv.lock
	certificates=; [ ! -e /etc/ssl/certs/ca-certificates.crt ] || certificates=--system-certs # a site may have its own
	$(BIN)/uv pip install $$certificates --python $(BIN)/python --require-hashes -r requirements-test.lock ||
	    $(BIN)/python -m pip install --disable-pip-version-check --require-hashes -r requirements-test.lock
	touch $@

$(MADE)/swath: setup.py requirements.in $(MADE)/packages
	@echo "[3/4] swath itself, editable"
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	touch $@

$(MADE)/jvm: lib/swath/spark/start/bytecode.py lib/swath/spark/start/jars.py lib/swath/spark/start/s3a_jars.py lib/swath/spark/start/java.py lib/swath/spark/start/settings.py lib/swath/spark/start/prepare.py lib/swath/engine/child/warm_up.py $(MADE)/swath
	@echo "[4/4] Java, jars of Delta and S3A, compiled modules, class archive, machine code"
	$(BIN)/python -m swath.spark.prepare --s3a
	touch $@
