# `make demo` and `make test` do all the set-up on a machine with Python 3.11+, make and pip.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

DOCS_VENV := .venv-docs

N ?= 200
MINUTES ?= 60
FUZZ ?= 100
# One more than there are cores: many tests wait, for a terminal or for another process.
WORKERS ?= $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1)
RUN ?= latest
OTHERS ?=
# Of `make bench`: names of benchmarks, else all; 1 for the short form of each; 1 to install the peers, too.
ONLY ?=
QUICK ?=
PEERS ?=

# Other people's training loops that there is an adapter for, TensorBoard, and what pip calls them.
ADAPTERS := lightning transformers accelerate pythae scvi diffusers tensorboard
LIBRARIES_lightning := lightning pytorch-lightning
LIBRARIES_transformers := transformers accelerate
LIBRARIES_scvi := scvi-tools
LIBRARIES_peers := -r benchmarks/peers.txt
PINS := --constraint constraints.txt --constraint constraints-adapters.txt

PURELIB := import sysconfig; print(sysconfig.get_path("purelib"))

.PHONY: demo test check soak soak-fuzz soak-kill soak-all test-slow test-adapters test-packages bench format docs docs-generate pictures clean

demo: $(VENV)/.installed  ## train on built-in images with the dashboard open, then print the analysis
	@$(BIN)/vaemon demo

# Bytecode is kept even where the environment says not to: to make that of all tests takes each process ten seconds.
test: $(VENV)/.installed-dev  ## the tests: about ten minutes on two cores
	OMP_NUM_THREADS=1 PYTHONDONTWRITEBYTECODE= $(BIN)/pytest -m "not soak and not slow and not adapters and not packages" \
		-n $(WORKERS) --maxprocesses 8 --dist worksteal

check: $(VENV)/.installed-dev  ## format, lint, types, floors, spelling
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/codespell

soak: $(VENV)/.installed-dev  ## MINUTES of a run that is killed, resumed, starved of disk, watched, checked and compacted
	VAEMON_SOAK_MINUTES=$(MINUTES) $(BIN)/pytest -s -m soak tests/vaemon/soak

soak-fuzz: $(VENV)/.installed-dev  ## FUZZ times as much nonsense as in the tests: files, answers, configs, checkpoints
	VAEMON_FUZZ=$(FUZZ) $(BIN)/pytest --timeout 7200 tests/vaemon/hostile tests/vaemon/hazards/test_fuzz.py \
		tests/trainer/test_hostile_checkpoint.py

soak-kill: $(VENV)/.installed-dev  ## kill a writer N times while readers look on
	VAEMON_KILLS=$(N) $(BIN)/pytest -m soak tests/vaemon/hazards

soak-all: $(VENV)/.installed-dev  ## all that is marked so: these, and many lives of runs
	VAEMON_SOAK_MINUTES=$(MINUTES) VAEMON_KILLS=$(N) $(BIN)/pytest -m soak

test-slow: $(VENV)/.installed-dev  ## trains to a stated loss
	$(BIN)/pytest -m slow

test-adapters: $(ADAPTERS:%=.venvs/%/.installed)  ## every adapter in its library's own environment; ADAPTERS=lightning for one
	@for name in $(ADAPTERS); do \
		OMP_NUM_THREADS=1 .venvs/$$name/bin/python -m pytest -m adapters tests/adapters/test_$$name.py || exit 1; \
	done

test-packages: $(VENV)/.installed-packages  ## build wheel and sdist, install them into clean environments and use them there
	$(BIN)/pytest -m packages tests/packages

bench: $(VENV)/.installed $(if $(PEERS),.venvs/peers/.installed)  ## measure every claim of speed anew, into docs/benchmarks.md: half an hour
	$(BIN)/python benchmarks/bench.py $(if $(QUICK),--quick) $(ONLY)

format: $(VENV)/.installed-dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: $(DOCS_VENV)/.installed  ## the pages as a site, in site/; a broken link or anchor fails
	NO_MKDOCS_2_WARNING=1 $(DOCS_VENV)/bin/mkdocs build --strict

docs-generate: $(VENV)/.installed  ## what the pages take from the code: help texts, keys, signs, channels
	$(BIN)/python docs/generate.py

pictures: $(VENV)/.installed  ## of the real app; RUN says of which run, OTHERS which stand beside it
	$(BIN)/python docs/screens.py $(RUN)
	$(BIN)/python docs/animate.py $(RUN)
	$(BIN)/python docs/pictures.py $(RUN) $(OTHERS)

clean:
	rm -rf $(VENV) $(DOCS_VENV) .venvs site

# Both files pin what is installed, so a fresh machine gets the tested set.
$(VENV)/.installed: pyproject.toml constraints.txt
	@echo "Setting up $(VENV) (once; torch is large) ..."
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "vaemon needs Python 3.11 or newer; try: make PYTHON=python3.12")'
	@$(PYTHON) -m venv $(VENV)
	@$(PIP) install --constraint constraints.txt --upgrade pip
	@$(PIP) install --constraint constraints.txt --editable '.[train]'
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	@$(PIP) install --constraint constraints.txt --group dev
	@touch $@

# An environment of its own: the generator brings packages that nothing else needs.
$(DOCS_VENV)/.installed: pyproject.toml constraints.txt
	@$(PYTHON) -m venv $(DOCS_VENV)
	@$(DOCS_VENV)/bin/python -m pip --disable-pip-version-check --quiet install --constraint constraints.txt --upgrade pip
	@$(DOCS_VENV)/bin/python -m pip --disable-pip-version-check --quiet install --constraint constraints.txt --group docs
	@touch $@

# An environment of an adapter lends torch, pip, pytest and all else from the main one, and adds its library.
.venvs/%/.installed: $(VENV)/.installed-dev constraints-adapters.txt
	@echo "Setting up .venvs/$* ..."
	@rm -rf .venvs/$*
	@$(BIN)/python -m venv --without-pip .venvs/$*
	@.venvs/$*/bin/python -c '$(PURELIB)' > .venvs/$*/own
	@{ echo "$(CURDIR)"; $(BIN)/python -c '$(PURELIB)'; } > "$$(cat .venvs/$*/own)/main.pth"
	@.venvs/$*/bin/python -m pip --disable-pip-version-check --quiet install $(PINS) $(or $(LIBRARIES_$*),$*)
	@touch $@

# Peers are measured as they are now, and want older packages than the pins of the adapters.
.venvs/peers/.installed: PINS :=
.venvs/peers/.installed: benchmarks/peers.txt

$(VENV)/.installed-packages: $(VENV)/.installed-dev
	@$(PIP) install --constraint constraints.txt --group packages
	@touch $@
