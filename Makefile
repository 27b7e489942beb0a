# Every target sets up what it needs: python3 (3.11 or newer, with venv), make and git are enough.
# Node and the CDK come with the packages. Stamps under .build make a second run quick.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= python3
BIN := .venv/bin
UV := $(BIN)/uv
# npm and the CDK start programs by name: ours come first.
export PATH := $(CURDIR)/$(BIN):$(PATH)
# Where other programs run too, threads that wait by spinning make a fit twenty times slower.
export OMP_WAIT_POLICY := PASSIVE
# Where the environment forbids bytecode, each of a demo's many processes would compile all that it imports.
export PYTHONDONTWRITEBYTECODE :=

SETUP := .build/python.stamp .build/node.stamp
RUNTIMES := api predict
# Peers of the benchmarks that ask for other packages than we do, each in an environment of its own.
PEERS := feast fastapi mlflow bentoml
COMPILE := $(UV) pip compile --quiet --universal --generate-hashes --no-header --no-annotate

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "%-10s %s\n", $$1, $$2}'

.PHONY: demo
demo: setup ## the whole story on this machine, with real data
	$(BIN)/smallbox demo

.PHONY: up
up: setup ## start the whole system on this machine and leave it running
	$(BIN)/smallbox up

.PHONY: down
down: setup ## stop it
	$(BIN)/smallbox down

.PHONY: check
check: setup ## style, types, generated pages
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m infra.generated_pages --check

.PHONY: test
test: setup layers .build/clients.stamp ## check, then every test; those against the local stack, which mostly wait, beside the others
	trap "kill 0" INT TERM; quick=0; slow=0; \
	{ $(MAKE) check && $(BIN)/pytest -n 2 --dist loadfile -m "not deployed"; } > .build/not_deployed.txt 2>&1 & \
	$(BIN)/pytest -m "deployed and not drilled" || slow=1; \
	wait $$! || quick=1; \
	cat .build/not_deployed.txt; \
	exit $$((quick || slow))

.PHONY: drills
drills: setup ## drills on local stacks of their own; ten to twenty minutes
	$(BIN)/pytest -m drilled

.PHONY: bench
bench: setup .build/peers.stamp ## the benchmarks, ours beside its peers
	for benchmark in benchmarks/*.py; do $(BIN)/python "$$benchmark"; done

.PHONY: docs
docs: setup ## write the generated pages and pictures
	$(BIN)/python -m infra.generated_pages
	$(BIN)/python -m docs.pictures.draw

.PHONY: layers
layers: setup ## the wheels of the Lambda layers, without Docker
	$(BIN)/python -m infra.wheels

.PHONY: deploy
deploy: setup ## deploy to AWS: make deploy ON=PROFILE/REGION, or the name of a saved context
	$(BIN)/smallbox $(if $(ON),--on $(ON)) deploy

.PHONY: lock
lock: setup ## compile every requirements file again
	$(COMPILE) --upgrade requirements/uv.in -o requirements/uv.txt
	$(COMPILE) --upgrade --python-version 3.11 requirements/dev.in -o requirements/dev.txt
	for runtime in $(RUNTIMES) image; do \
		$(COMPILE) --upgrade --python-version 3.11 -c requirements/shared.in -c requirements/dev.txt \
			"layers/$$runtime/requirements.in" -o "layers/$$runtime/requirements.txt"; \
	done
	$(COMPILE) --upgrade --python-version 3.11 -c requirements/dev.txt benchmarks/requirements.in -o benchmarks/requirements.txt
	sed -nE 's/^((scikit-learn|onnxruntime)==[^ ]+).*/\1/p' requirements/dev.txt > .build/same.txt
	for peer in $(PEERS); do \
		$(COMPILE) --upgrade --python-version 3.11 -c .build/same.txt "benchmarks/$$peer.in" -o "benchmarks/$$peer.txt"; \
	done
	$(COMPILE) --upgrade --python-version 3.11 tests/clients/requirements.in -o tests/clients/requirements.txt
	npm install --package-lock-only

.PHONY: setup
setup: $(SETUP) ## the virtual environment and the CDK

.PHONY: clean
clean: ## remove everything that was built
	rm -rf .venv node_modules .build cdk.out .smallbox

$(UV): requirements/uv.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "$(PYTHON) is older than 3.11: make PYTHON=...")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	touch $(UV)

.build/python.stamp: $(UV) requirements/dev.txt pyproject.toml
	$(UV) pip sync --quiet --python $(BIN)/python --require-hashes requirements/dev.txt
	$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
	mkdir -p .build && touch $@

.build/node.stamp: .build/python.stamp package-lock.json
	npm ci --no-audit --no-fund
	mkdir -p .build && touch $@

# The benchmarks' peers, beside the virtual environment or in their own; compiled, so that they start as they can.
.build/peers.stamp: .build/python.stamp benchmarks/requirements.txt $(PEERS:%=benchmarks/%.txt)
	rm -rf .build/peers
	$(UV) pip install --quiet --python $(BIN)/python --target .build/peers --no-deps --require-hashes -r benchmarks/requirements.txt
	for peer in $(PEERS); do \
		$(UV) venv --quiet --clear --python $(BIN)/python ".build/$$peer"; \
		$(UV) pip sync --quiet --compile-bytecode --python ".build/$$peer/bin/python" --require-hashes "benchmarks/$$peer.txt"; \
	done
	touch $@

# Clients that the tests run, in an environment of their own; one asks for an older package than we have.
.build/clients.stamp: .build/python.stamp tests/clients/requirements.txt
	$(UV) venv --quiet --clear --python $(BIN)/python .build/clients
	$(UV) pip sync --quiet --python .build/clients/bin/python --require-hashes tests/clients/requirements.txt
	touch $@
