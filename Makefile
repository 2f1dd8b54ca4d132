# Two commands do all the set-up on a machine with Python 3.11 or later: `make demo` and `make test`.
VENV ?= .venv
PYTEST = $(VENV)/bin/pytest
PYTHON ?= $(shell for each in python3.14 python3.13 python3.12 python3.11 python3; do \
	command -v $$each >/dev/null && $$each -c 'import sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& { echo $$each; break; }; done)

.PHONY: demo demo-broken test axe docs pictures e2e bench lint lock clean

demo: $(VENV)/ready ## run the battery on the embedded cluster
	@$(PYTEST) --profile=demo
	@echo "Open the report: $$(command -v xdg-open || command -v open || echo your browser) $(CURDIR)/reports/demo/report.html"

demo-broken: $(VENV)/ready ## the same, after a bad upgrade: red, and that is as it should be
	@$(PYTEST) --profile=demo-broken; code=$$?; echo "exit code $$code: not clear, as it should be"; test $$code -eq 1
	@echo "Open the report: $$(command -v xdg-open || command -v open || echo your browser) $(CURDIR)/reports/demo-broken/report.html"

test: $(VENV)/ready lint axe ## the suite's own tests
	$(PYTEST) tests -n auto --maxprocesses 4 --dist loadfile

axe: ## axe-core, for the tests of the pages in a browser; without npm they are skipped
	@test -f tests/node_modules/axe-core/axe.min.js || ! command -v npm >/dev/null \
		|| npm install --silent --no-save --no-package-lock --prefix tests axe-core@4.14.1 \
		|| echo "axe-core cannot be installed: its tests are skipped"

e2e: $(VENV)/ready ## the end-to-end tests on a real cluster, which they build, start and stop (root, Linux)
	$(PYTEST) tests/e2e

docs: $(VENV)/docs-ready ## the documentation as a site, in build/site; every link within it is checked
	$(VENV)/bin/python docs/site.py
	$(VENV)/bin/mkdocs build --quiet --strict

pictures: $(VENV)/docs-ready ## the pictures in the documentation, from the demo; needs chromium
	$(VENV)/bin/python docs/pictures.py

lint: $(VENV)/ready
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports --no-logo

bench: $(VENV)/ready ## on a real cluster: KUBECONFIG must point to it
	$(VENV)/bin/python -m benchmarks

lock: $(VENV)/ready ## the packages of the image, each with its hashes, and the list of them that the wheel carries
	uv pip compile pyproject.toml --universal --python-version=3.11 --generate-hashes --no-header --no-annotate \
		--no-emit-index-url --no-emit-find-links --quiet --upgrade --output-file=deploy/requirements.lock
	$(VENV)/bin/python deploy/sbom.py

$(VENV)/ready: pyproject.toml
	@test -n "$(PYTHON)" || { echo "upgate needs Python 3.11 or later, with its venv module: found none. Set PYTHON=/path/to/python3"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --editable '.[test]'
	@touch $@

$(VENV)/docs-ready: $(VENV)/ready
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --editable '.[docs]'
	@touch $@

clean:
	rm -rf build tests/node_modules
	rm -rf $(VENV) dist .pytest_cache .ruff_cache
	find reports -mindepth 1 -maxdepth 1 ! -name README.md -exec rm -rf {} +
