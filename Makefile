# make run    start a server            make test   run the tests
# make check  format, lint and types    make bench  measure
# make venv   only install what run needs
# make kafka  also install what a cohort on Kafka needs
# make bench-pi  measure this machine, as Raspberry Pis are
# make plots  also install what draws the plots of such a report
# make conformance  test a node with Egeria's own suite, for hours, in the background
# make conformance-performance  the same for the suite's measurements
# make image  an image for the cards of Raspberry Pis       make image-test  boot it, emulated
# make demo-cohort  three nodes find each other, share, and lose nothing
# Each sets up what it needs, from nothing but python3, python3-venv and make.
# Arguments go through ARGS: make test ARGS="tests/test_architecture.py -k layers"

PYTHON ?= python3
ARGS ?=
UV = uv==0.13.8

VENV = .venv
PY = $(VENV)/bin/python
PIP = $(PY) -m pip install --quiet --disable-pip-version-check
HASHED = $(PIP) --require-hashes
UNFETCHED = { printf '%s\n' "edgenode: the locked packages could not be installed; the lines above say why." \
	"Without a network connection this can't work; behind a proxy, set HTTPS_PROXY." >&2; exit 1; }

.DELETE_ON_ERROR:
.PHONY: run test check bench bench-pi conformance conformance-performance image image-test demo-cohort venv kafka plots setup lock clean FORCE

# Who has installed what Kafka needs, keeps it up to date.
KAFKA = $(wildcard $(VENV)/kafka.stamp)

run: $(VENV)/run.stamp $(KAFKA)
	@$(VENV)/bin/edgenode run $(ARGS)

test: $(VENV)/test.stamp
	$(PY) -m pytest -q $(ARGS)

check: $(VENV)/test.stamp
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	$(PY) -m mypy

bench: $(VENV)/test.stamp
	$(PY) -m bench $(ARGS)

bench-pi: $(VENV)/run.stamp
	@$(PY) -m bench.pi run $(ARGS)

conformance: $(VENV)/test.stamp
	@$(PY) -m tests.egeria.conformance repository $(ARGS)

conformance-performance: $(VENV)/test.stamp
	@$(PY) -m tests.egeria.conformance performance $(ARGS)

image: $(VENV)/run.stamp
	@deploy/raspberrypi/build-image $(ARGS)

image-test: $(VENV)/test.stamp
	@$(PY) -m tests.image $(ARGS)

demo-cohort: $(VENV)/run.stamp
	@$(PY) -m bench.demo_cohort

venv: $(VENV)/run.stamp $(KAFKA)

kafka: $(VENV)/kafka.stamp

plots: $(VENV)/plots.stamp

setup: $(VENV)/test.stamp

# A virtual environment whose Python is gone (the system was upgraded) is made anew.
ifneq ($(shell $(PY) -c 'print("works")' 2>/dev/null),works)
$(VENV)/run.stamp: FORCE
endif

$(VENV)/run.stamp: requirements/run.txt pyproject.toml
	@.ci/venv $(PYTHON)
	@echo "edgenode: installing the locked packages into $(VENV)"
	@$(HASHED) --only-binary :all: -r requirements/run.txt || $(UNFETCHED)
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/kafka.stamp: requirements/kafka.txt $(VENV)/run.stamp
	@echo "edgenode: installing the locked packages for Kafka into $(VENV)"
	@$(HASHED) --only-binary :all: -r requirements/kafka.txt || $(UNFETCHED)
	@touch $@

$(VENV)/plots.stamp: requirements/plots.txt $(VENV)/run.stamp
	@echo "edgenode: installing the locked packages for plots into $(VENV)"
	@$(HASHED) --only-binary :all: -r requirements/plots.txt || $(UNFETCHED)
	@touch $@

# Some test packages come as source only; the locked setuptools builds them.
$(VENV)/test.stamp: requirements/test.txt $(VENV)/run.stamp
	@echo "edgenode: installing the locked test packages into $(VENV)"
	@$(HASHED) --no-build-isolation --use-pep517 -r requirements/test.txt || $(UNFETCHED)
	@touch $@

# The newest versions that pyproject.toml allows, for every Python and machine at once.
COMPILE = .lock-venv/bin/uv pip compile --quiet --universal --upgrade --generate-hashes \
	--no-emit-index-url --custom-compile-command "make lock" pyproject.toml --group build
lock:
	@.ci/venv $(PYTHON)
	$(PY) -m venv --clear .lock-venv
	.lock-venv/bin/python -m pip install --quiet $(UV)
	$(COMPILE) --output-file requirements/run.txt
	$(COMPILE) --extra kafka --constraint requirements/run.txt --output-file requirements/kafka.txt
	$(COMPILE) --extra kafka --group test --constraint requirements/run.txt --output-file requirements/test.txt
	$(COMPILE) --extra plots --constraint requirements/run.txt --output-file requirements/plots.txt
	rm -r .lock-venv

clean:
	rm -rf $(VENV) .lock-venv build dist *.egg-info .hypothesis .mypy_cache .pytest_cache .ruff_cache
