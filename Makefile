# The verbs of the house. Needs Python >= 3.11 and make; everything else comes from the package registries.
#   make demo LOANS=200          make demo BOOK=loans.csv          make test ARGS="-k calendar"
PYTHON ?= python3
SHELL  := bash
.SHELLFLAGS := -o pipefail -c
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
PARTS  := $(VENV)/.parts
LOANS  ?=
BOOK   ?=
ARGS   ?=
SEEDS  ?=
SEED   ?=
MINUTES ?=
QUICK  ?=
ONLY   ?=

.DEFAULT_GOAL := help
.PHONY: help demo test integration e2e simulation conformance check runtime rules types style house sim sim-mutants faults bench up down schemas lock clean

help:  ## show these verbs
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(PARTS)  ## replay real loans through Kafka and show the books (LOANS=n, BOOK=file.csv)
	@$(BIN)/loanstream demo $(if $(LOANS),--loans $(LOANS)) $(if $(BOOK),--book $(BOOK))

test: check $(PARTS)  ## everything: check, then simulation, integration and e2e tests on a real broker and database
	@$(MAKE) --no-print-directory --jobs=3 --keep-going integration e2e simulation conformance

# The parts of test, the longest first; three at a time on two cores, each with a broker and a database of its own, because all of them wait
# often. A line a test, with the part's name in front: which one is slow is seen while it runs. ARGS may leave a part nothing to
# do (5).
conformance: DIRECTORY := tests/integration/conformance
integration: DIRECTORY := tests/integration --ignore=tests/integration/conformance
e2e: DIRECTORY := tests/e2e
simulation: DIRECTORY := tests/simulation

integration e2e simulation conformance: $(PARTS)
	@PYTHONUNBUFFERED=1 $(BIN)/pytest -v --no-header --durations=10 $(DIRECTORY) $(ARGS) | sed -u 's/^/$@ | /'; \
	code=$${PIPESTATUS[0]}; [ $$code -eq 0 -o $$code -eq $(if $(ARGS),5,0) ]

check: $(READY)  ## lint, types, import contracts, unit and contract tests; no broker, under a minute
	@$(MAKE) --no-print-directory --jobs=3 --keep-going --output-sync=target runtime rules types style house

# The parts of check, the longest first; three at a time on two cores, because some of them wait.
runtime:
	$(BIN)/pytest -q tests/unit/runtime $(ARGS)
rules:
	$(BIN)/pytest -q tests/unit --ignore=tests/unit/runtime $(ARGS)
types:
	$(BIN)/mypy
style:
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
house:
	$(BIN)/lint-imports --no-cache
	$(BIN)/pytest -q tests/contract tests/architecture

sim: $(READY)  ## search the simulated platform for a seed that breaks a rule (SEEDS=n, SEED=first, MINUTES=m)
	@$(BIN)/loanstream sim $(if $(SEEDS),--seeds $(SEEDS)) $(if $(SEED),--seed $(SEED)) $(if $(MINUTES),--minutes $(MINUTES))

sim-mutants: $(READY)  ## plant known bugs, one at a time, and see that the simulation finds each
	@$(BIN)/loanstream sim --mutants

faults: $(PARTS)  ## break a stack of its own under load and compare callers' answers with the log (QUICK=1, ONLY="name name", MINUTES=m)
	@$(BIN)/loanstream faults $(if $(QUICK),--quick) $(if $(MINUTES),--minutes $(MINUTES)) $(foreach name,$(ONLY),--only $(name))

bench: $(PARTS)  ## measure the platform beside bare baselines, at most 17 minutes (ONLY=figure, QUICK=1)
	@$(BIN)/loanstream bench $(if $(QUICK),--quick) $(foreach name,$(ONLY),--only $(name))

up: $(PARTS)  ## start the whole stack, print its addresses and leave it running
	@$(BIN)/loanstream up

down: $(READY)  ## stop what `make up` started
	@$(BIN)/loanstream down

schemas: $(READY)  ## write the events' schemas, docs/events.md, sagas.md and asyncapi.json again
	@$(BIN)/loanstream schemas

lock: $(READY)  ## resolve requirements.in again into requirements.lock
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-emit-find-links --custom-compile-command "make lock" $(ARGS) requirements.in -o requirements.lock

clean:  ## remove the tool chain and all local data (stop the stack first)
	rm -rf $(VENV) .loanstream out .mypy_cache .ruff_cache .pytest_cache .hypothesis

# uv itself is taken from the lock with its hash, then installs the rest; the project is linked, not copied.
$(VENV)/.locked: requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and f"Loanstream needs Python 3.11 or newer, $(PYTHON) is {sys.version.split()[0]}; try: make PYTHON=python3.12")'
	@$(PYTHON) -m venv $(VENV) || { echo "python3 -m venv failed; on Debian and Ubuntu install python3-venv" >&2; exit 1; }
	@awk '/^[a-z]/ {take = /^uv==/} take' requirements.lock > $(VENV)/bootstrap.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r $(VENV)/bootstrap.txt
	VIRTUAL_ENV=$(CURDIR)/$(VENV) $(BIN)/uv pip sync --quiet --require-hashes requirements.lock
	@touch $@

$(READY): $(VENV)/.locked pyproject.toml
	VIRTUAL_ENV=$(CURDIR)/$(VENV) $(BIN)/uv pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

# Kafka's jars, fetched and checked once, so that the first start is as quick as the others.
$(PARTS): $(READY) deploy/local/kafka.sha256
	@echo "fetching Kafka's jars from Maven Central, once"
	@$(BIN)/python -P -m deploy.local.kafka_jars
	@touch $@
