# The commands of the house; `make` alone lists them.

VENV := .venv
PYTHON := $(VENV)/bin/python
# Passed on to pytest, as in: make test ARGS="tests/signers -k confirm"
ARGS ?=
# Two at a time: each runner has a database (and a browser) of its own.
PYTEST := $(PYTHON) -m pytest -n 2
# With ARGS a part may hold no test at all, which pytest reports as 5.
NONE_IS_FINE = || { code=$$?; [ $$code -eq 5 ] && [ -n '$(subst ','\'',$(ARGS))' ] || exit $$code; }
# The checks read the settings but no data; what a shell or a .env file says must not change their verdict.
CHECK_ENVIRONMENT := DEBUG=on DATABASE_URL=sqlite://:memory:

.DEFAULT_GOAL := help
.PHONY: help demo test test-sqlite test-postgres test-browser bench bench-long chaos chain audit backup drill lint format clean venv venv-dev

help: ## list these commands
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' Makefile | while IFS="$$(printf '\t')" read -r name text; \
		do printf '  make %-14s %s\n' "$$name" "$$text"; done

demo: venv ## run everything on this machine with a sample campaign (HOST=127.0.0.1 PORT=8000); Ctrl-C stops it
	@exec $(PYTHON) scripts/demo.py

test: lint test-sqlite test-postgres test-browser ## run all that must pass (ARGS="..." goes to pytest)

test-sqlite: venv-dev ## run the test suite on SQLite
	@echo "The test suite on SQLite:"
	@DATABASE_URL= $(PYTEST) -m "not browser" $(ARGS) $(NONE_IS_FINE)

test-postgres: venv-dev ## run the test suite on a throw-away PostgreSQL
	@sh scripts/debian_packages.sh postgresql
	@echo "The test suite on PostgreSQL:"
	@$(PYTHON) scripts/throwaway_postgres.py $(PYTEST) -m "not browser" $(ARGS) $(NONE_IS_FINE)

test-browser: venv-dev ## run the browser tests in Chromium
	@sh scripts/debian_packages.sh chromium
	@echo "The browser tests:"
	@DATABASE_URL= $(PYTEST) -m browser $(ARGS) $(NONE_IS_FINE)

bench: venv-dev ## measure against yardsticks, on a PostgreSQL of its own (ARGS="--write" puts it into docs/performance.md)
	@sh scripts/debian_packages.sh postgresql
	@$(PYTHON) -m benchmarks $(ARGS)

bench-long: venv-dev ## measure what takes longer: a million signatures, a surge, big mailings, a restore
	@sh scripts/debian_packages.sh postgresql
	@$(PYTHON) -m benchmarks --long $(ARGS)

chaos: venv-dev ## break things under the running site, on PostgreSQL and behind nginx (ARGS="-k postgres --signatures=20000")
	@sh scripts/debian_packages.sh postgresql nginx
	@$(PYTHON) -m pytest chaos -p no:cacheprovider $(ARGS)

chain: venv-dev ## run nginx, two web servers, PgBouncer and a replica on this machine, kill some of them, count (two minutes)
	@sh scripts/debian_packages.sh postgresql nginx pgbouncer openssl
	@$(PYTHON) scripts/chain.py

backup: venv ## back up the database of .env or DATABASE_URL (TO=var/backups)
	@$(PYTHON) manage.py backup $(or $(TO),var/backups)

drill: venv-dev ## restore a million signatures from a backup and compare, on a throw-away PostgreSQL (not part of the tests)
	@sh scripts/debian_packages.sh postgresql
	@$(PYTHON) -m benchmarks restore_drill

audit: venv ## check the public pages with the W3C's validator and Lighthouse (needs Java and npm; not part of the tests)
	@sh scripts/debian_packages.sh chromium
	@$(PYTHON) scripts/audit.py

lint: venv-dev ## check style, types, templates, imports and migrations
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m djlint --lint --quiet templates
	$(VENV)/bin/lint-imports
	$(CHECK_ENVIRONMENT) $(PYTHON) -m mypy
	$(CHECK_ENVIRONMENT) $(PYTHON) manage.py makemigrations --check --dry-run

format: venv-dev ## put the code into shape
	$(PYTHON) -m ruff check --fix .
	$(PYTHON) -m ruff format .

clean: ## remove all that was built; the data of the demo stays in var/
	rm -rf $(VENV) var/static .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis test-results
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

venv:
	@sh scripts/venv.sh requirements.txt

venv-dev:
	@sh scripts/venv.sh requirements-dev.txt
