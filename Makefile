# `make book` reads, `make test` proves; `make help` lists the rest.
# Each target brings what it needs: no other has to have been run first.

PYTHON ?= python3
JOBS ?= 2
PORT ?= 8000
VENV := .venv
BIN := $(VENV)/bin
HTML := _build/html
PIP := $(BIN)/python -m pip --disable-pip-version-check
LOCKED_PYTHON := $(shell sed -n 's/^\# python //p' constraints.txt)
NBVAL := $(BIN)/python -m pytest --nbval-current-env -p no:cacheprovider \
	-p llmbook_press.nbval_units --nbval-kernel-startup-timeout 600 \
	-n $(JOBS) --dist loadfile --no-loadscope-reorder \
	--ignore notebooks/mistakes notebooks
UNIT := $(BIN)/python -m pytest -n $(JOBS) llmbook_utils tools/llmbook_* tests/unit \
	tests/notebooks

# The outputs are those of one Python and one set of versions: pydocs, for one,
# is another text in another Python. Elsewhere the assertions do the checking.
IS_LOCKED = $(BIN)/python -c 'import platform as p, sys; \
	sys.exit(p.python_version() != "$(LOCKED_PYTHON)")'

.DEFAULT_GOAL := help
.PHONY: help book serve lab notebooks check test test-unit test-homework \
	test-notebooks test-html test-lax test-gpu test-colab test-arithmetic \
	test-faults lint tiny ladder experiments clean constraints

help:  ## list the targets
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 22

# Two stamps, so that a reader installs no test tools.
$(VENV)/book.stamp: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and \
		"make: Python 3.11, 3.12 or 3.13 is needed; name it: make PYTHON=python3.12 book")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) install --quiet --constraint constraints.txt --editable ".[book]"
	touch $@

$(VENV)/test.stamp: $(VENV)/book.stamp
	$(PIP) install --quiet --constraint constraints.txt --editable ".[book,homework,test]"
	touch $@

book: $(VENV)/book.stamp  ## build the HTML from the stored outputs
	rm -rf _build
	$(BIN)/jupyter-book build . --all --quiet -W -n --keep-going
	@echo "The book is ready: open file://$(CURDIR)/$(HTML)/index.html"

serve: book  ## build, then serve on http://127.0.0.1:8000
	@echo "Serving on http://127.0.0.1:$(PORT); stop with Ctrl-C"
	$(BIN)/python -m http.server --bind 127.0.0.1 --directory $(HTML) $(PORT)

lab: $(VENV)/book.stamp  ## open the notebooks in JupyterLab
	$(BIN)/jupyter lab notebooks

notebooks: $(VENV)/book.stamp  ## run again what changed, and store its outputs
	$(BIN)/llmbook run --jobs $(JOBS)

check: $(VENV)/test.stamp  ## everything for one chapter: make check CHAPTER=05
	@test -n "$(CHAPTER)" || { echo "name a chapter: make check CHAPTER=05"; exit 2; }
	$(BIN)/llmbook sync
	$(BIN)/ruff check notebooks/$(CHAPTER)_*.ipynb
	$(BIN)/ruff format --check notebooks/$(CHAPTER)_*.ipynb
	$(BIN)/llmbook run $(CHAPTER)
	$(BIN)/python -m pytest -q -n $(JOBS) tests/notebooks -k "$(CHAPTER)_"
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -n $(JOBS) tests/homework -k "$(CHAPTER)_"
	$(BIN)/python -m pytest -q -n $(JOBS) tests/html -k "$(CHAPTER)_"

test: lint test-unit test-homework test-notebooks test-html  ## prove all of it
	@if $(IS_LOCKED); then echo "strict: the outputs of all notebooks were compared"; \
	else echo "lax: outputs were not compared, which proves less;" \
		"Python $(LOCKED_PYTHON) compares them"; fi

test-unit: $(VENV)/test.stamp  ## unit tests, doctests, the chapter contract
	$(UNIT)

test-unit test-homework: export OMP_NUM_THREADS ?= 1

test-homework: $(VENV)/test.stamp  ## the round trip of homework, the grader graded
	$(BIN)/python -m pytest -n $(JOBS) tests/homework

# Kernels run side by side: one thread each is faster than two that wait for another.
test-notebooks test-lax: export OMP_NUM_THREADS ?= 1

test-notebooks: $(VENV)/test.stamp  ## nbval on every notebook, strict where it can be
	@if $(IS_LOCKED); then set -x; LLMBOOK_DEVICE=cpu $(NBVAL) --nbval && \
		$(BIN)/python -m llmbook_press.arithmetic --since --jobs $(JOBS); \
	else echo "This is not Python $(LOCKED_PYTHON): outputs are not compared,"\
		"the notebooks' assertions are."; set -x; $(NBVAL) --nbval-lax; fi

test-arithmetic: $(VENV)/test.stamp  ## notebooks as other processors compute: an hour
	$(BIN)/python -m llmbook_press.arithmetic --jobs $(JOBS) $(CHAPTER)

test-faults: $(VENV)/test.stamp  ## plant faults: each must turn its tests red
	$(BIN)/python tests/faults --jobs $(JOBS)

test-html: $(VENV)/test.stamp  ## the built pages in a browser
	$(BIN)/python -m pytest -n $(JOBS) tests/html

test-lax: $(VENV)/test.stamp  ## notebooks by their assertions, on any versions
	LLMBOOK_DEVICE=cpu $(NBVAL) --nbval-lax

test-gpu: $(VENV)/test.stamp  ## notebooks by their assertions, on the GPU
	LLMBOOK_DEVICE=cuda $(NBVAL) --nbval-lax

test-colab: .venv-colab/stamp  ## unit tests with the package versions of Colab
	.venv-colab/bin/python -m pytest -n $(JOBS) tests/unit

.venv-colab/stamp: pyproject.toml tests/unit/colab_versions.txt
	rm -rf .venv-colab
	$(PYTHON) -m venv .venv-colab
	.venv-colab/bin/python -m pip install --quiet --constraint constraints.txt torch
	grep -v '^torch==' tests/unit/colab_versions.txt > .venv-colab/constraints.txt
	.venv-colab/bin/python -m pip install --quiet \
		--constraint .venv-colab/constraints.txt --editable . \
		pytest pytest-xdist hypothesis nbformat nbclient
	touch $@

lint: $(VENV)/test.stamp  ## ruff: rules and format, notebooks included
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/llmbook sync --check

tiny: $(VENV)/book.stamp  ## train the shipped model anew: hours, goes on where it stopped
	$(BIN)/python -m llmbook_recipes.tiny.train --out runs/tiny

ladder: $(VENV)/book.stamp  ## measure every model of the ladder anew
	$(BIN)/python -m llmbook_recipes.ladder

experiments: $(VENV)/book.stamp  ## run what chapters show with one seed with five
	$(BIN)/python -m llmbook_recipes.over_seeds --work runs/experiments

clean:  ## remove what was built and installed
	rm -rf _build .venv .venv-colab .venv-constraints .pytest_cache .ruff_cache \
		.hypothesis *.egg-info

# Local version labels and CUDA's parts differ from machine to machine: cut off.
constraints:  ## resolve the ranges anew and pin what came out
	rm -rf .venv-constraints
	$(PYTHON) -m venv .venv-constraints
	.venv-constraints/bin/python -m pip install --quiet torch==2.13.0
	.venv-constraints/bin/python -m pip install --quiet ".[book,homework,test]"
	{ echo "# Made by \`make constraints\`; outputs are compared with these alone."; \
	  .venv-constraints/bin/python -c \
		'import platform; print("# python", platform.python_version())'; \
	  .venv-constraints/bin/python -m pip list --format=freeze \
		| sed 's/+[a-z0-9.]*$$//' | grep -v -i -E '^(llmbook|pip|nvidia-|cuda-|triton)'; \
	} > constraints.new
	mv constraints.new constraints.txt
	rm -rf .venv-constraints build
