# make demo   everything from the embedded data, in minutes on two CPU cores
# make paper  the published sets and schedules, for a GPU
# make test   style, types, workflow checks and tests
# make reference  the tables of results/reference made anew: fails where weights are not as their card says
# make fuzz   20,000 damaged files through every reader (make test runs some hundred of each)
# make test-cluster  the workflow on a Slurm of one machine: lost nodes, cancelled jobs, limits
# make kill   100 commands killed at random moments: nothing half, and the ends as of unbroken runs
# make docs   the documentation site in docs/_site; its tutorials run, and a warning is an error
# make docs-links  asks every address that the pages link to
# make bench  speed on this machine, as ratios measured side by side
# PYTHON=python3.12 make demo   picks the Python that .venv is made with (the first time)

PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/installed

.PHONY: demo paper test test-types test-units test-slow test-cluster fuzz kill reference bench docs docs-links

demo: $(STAMP)
	@$(BIN)/snakemake --configfile config/config.yaml

paper: $(STAMP)
	@$(BIN)/snakemake --configfile config/paper.yaml

test: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	@$(MAKE) --no-print-directory -j 2 test-units test-types

test-types: $(STAMP)
	$(BIN)/mypy
	$(BIN)/snakefmt --check Snakefile workflow
	$(BIN)/snakemake --lint

test-units: $(STAMP)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m "not slow and not cluster" -n 2 --dist loadfile --no-loadscope-reorder --durations=30

# Published weights against the published tables, where the real data are, and long runs of the workflow.
test-slow: $(STAMP)
	$(BIN)/python -m pytest -m slow

# The workflow on a Slurm of this one machine (Debian: apt install slurm-wlm munge).
test-cluster: $(STAMP)
	$(BIN)/python -m pip install --disable-pip-version-check --quiet -c constraints.txt -e '.[slurm]'
	$(BIN)/python -m pytest -m cluster tests/cluster

FUZZ ?= 20000
fuzz: $(STAMP)
	$(BIN)/python -m tests.fuzz $(FUZZ)

KILLS ?= 100
kill: $(STAMP)
	$(BIN)/python -m tests.kill $(KILLS)

# Image sets that are not there are fetched (`restore sets` shows their terms), or RESTORE_DATA=FOLDER.
# The scenes take some hours on two CPU cores with bfloat16.
# MASK=FILE adds a published mask to the splits of config/reference.yaml.
MASKED = --config 'hsi={splits: ["random:0.3", "random:0.1", "blocks:16", "mask:$(MASK)"]}'
reference: $(STAMP)
	$(BIN)/restore verify --out results/reference/restore
	$(BIN)/snakemake --configfile config/reference.yaml $(if $(MASK),$(MASKED))
	cp results/scenes/hsi/*.csv results/reference/hsi

docs: $(STAMP)
	$(BIN)/python -m pip install --disable-pip-version-check --quiet -c constraints.txt -e '.[docs]'
	$(BIN)/python docs/site/build.py docs/_site

docs-links: docs
	$(BIN)/python -m sphinx -b linkcheck build/docs/source build/docs/links

bench: $(STAMP)
	$(BIN)/python -m benchmarks results/bench.csv

# Made again when the dependencies change; what is edited in the packages is what runs.
# Modules are compiled when they are first imported: most never are.
$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null || \
		{ echo "make: Python 3.11, 3.12 or 3.13 is needed, found" \
		"$$($(PYTHON) --version 2>/dev/null || echo no $(PYTHON));" \
		"name one: PYTHON=python3.12 make demo" >&2; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --no-compile -c constraints.txt -e '.[dev]'
	@touch $@
