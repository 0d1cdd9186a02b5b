# Roving: raw crawls, dumps and archives in; clean, accounted-for pretraining text out.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
export PIP_DISABLE_PIP_VERSION_CHECK := 1

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INPUT ?= samples
OUTPUT ?= out
WORKERS ?= 1
RUNNER ?= FnApiRunner
OPTIONS ?=
RECIPE ?= recipes/llama1.toml
# For the trainer. Its builds differ by machine: PyTorch's page says what to give for yours.
TORCH ?= torch==2.13.0

LID := models/lid.176.ftz
KENLM := build/kenlm/bin/lmplz
READY := $(VENV)/.ready
TEST_READY := $(VENV)/.test-ready
# uv where it is on the PATH: the same locks and hashes, in less time.
PIP := $(if $(shell command -v uv),uv pip install --quiet --compile-bytecode --python $(BIN)/python,$(BIN)/python -m pip install --quiet)
# An installation says how long it took and how large it is; its stamp keeps that.
STARTED := $(VENV)/.started
MEASURE = @echo "$(VENV): $$(du -sh $(VENV) | cut -f1), installed in $$(($$(date +%s) - $$(cat $(STARTED)))) s" | tee $@

.PHONY: help
help: ## print every target
	@grep -hE '^[a-zA-Z0-9_/.-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 24
	@echo
	@echo "sources, from INPUT to OUTPUT (default: out/SOURCE):"
	@$(foreach source,$(SOURCES),sed -nE '1s/^"""(.*)"""$$/$(source)\t\1/p' pipeline/sources/$(source)/__init__.py | expand -t 24;)
	@echo
	@echo "variables: INPUT OUTPUT RECIPE WORKERS; for one source also RUNNER and OPTIONS"

.PHONY: setup
setup: $(READY) $(LID) $(KENLM) ## make .venv for `make run`, fetch the language identifier, build KenLM's programs
	$(if $(filter setup,$(MAKECMDGOALS)),@cat $(READY))

$(READY): requirements.lock pyproject.toml
	@mkdir -p $(VENV) && date +%s > $(STARTED)
	$(PYTHON) -m venv $(VENV)
	$(PIP) --no-deps --require-hashes -r requirements.lock
	$(PIP) $(TORCH)
	$(PIP) --no-deps --editable .
	$(MEASURE)

$(TEST_READY): requirements-dev.lock $(READY)
	@date +%s > $(STARTED)
	$(PIP) --no-deps --require-hashes -r requirements-dev.lock
	$(MEASURE)

$(LID): | $(READY)
	$(BIN)/roving models fetch --output $@

$(KENLM): | $(READY)
	PYTHON=$(BIN)/python tools/build_kenlm.sh build/kenlm

# The samples are tiny and have a recipe of their own.
.PHONY: run
run: RECIPE := $(if $(filter samples,$(INPUT)),recipes/sample.toml,$(RECIPE))
run: setup ## the main job on INPUT (default: samples): models, then every source; prints the funnel
	PATH="$(CURDIR)/$(BIN):$$PATH" tools/run_all.sh "$(INPUT)" "$(OUTPUT)" "$(RECIPE)" "$(WORKERS)"

# A source is a folder; its docstring says what it reads.
SOURCES := $(patsubst pipeline/sources/%/source.py,%,$(wildcard pipeline/sources/*/source.py))
.PHONY: $(SOURCES)
$(SOURCES): setup
	$(BIN)/roving run $@ --input "$(INPUT)" --output "$(if $(filter out,$(OUTPUT)),out/$@,$(OUTPUT))" \
	  --recipe "$(RECIPE)" --workers $(WORKERS) --runner $(RUNNER) $(OPTIONS)

.PHONY: dedup decontaminate
dedup: setup ## remove duplicates within and between DATASETS: METHOD=minhash (exact url lines overlap...)
	$(if $(DATASETS),,$(error give DATASETS=, folders of documents datasets, in order of priority))
	$(BIN)/roving dedup $(or $(METHOD),minhash) $(DATASETS:%=--input %) --output "$(OUTPUT)" \
	  --recipe "$(RECIPE)" --workers $(WORKERS) --runner $(RUNNER) $(OPTIONS)

decontaminate: setup ## take the text of EVALUATION sets out of DATASETS
	$(if $(and $(DATASETS),$(EVALUATION)),,$(error give DATASETS= and EVALUATION=, a folder of sets))
	$(BIN)/roving decontaminate $(DATASETS:%=--input %) --evaluation "$(EVALUATION)" \
	  --output "$(OUTPUT)" --recipe "$(RECIPE)" --workers $(WORKERS) --runner $(RUNNER) $(OPTIONS)

.PHONY: language-models reference-model
language-models: setup ## perplexity models from DOCUMENTS (a Wikipedia dataset), cut-offs from REFERENCE
	$(if $(DOCUMENTS),,$(error give DOCUMENTS=, a dataset of `make wikipedia`))
	$(BIN)/roving models language --recipe "$(RECIPE)" --documents "$(DOCUMENTS)" \
	  $(if $(REFERENCE),--reference "$(REFERENCE)") $(OPTIONS)

reference-model: setup ## quality classifier from DOCUMENTS (crawl) whose URLs CITATIONS (Wikipedia) cites
	$(if $(and $(DOCUMENTS),$(CITATIONS)),,$(error give DOCUMENTS=, a crawl dataset, and CITATIONS=, a Wikipedia dataset))
	$(BIN)/roving models reference --recipe "$(RECIPE)" --documents "$(DOCUMENTS)" \
	  --citations "$(CITATIONS)" $(OPTIONS)

.PHONY: tokenizer
tokenizer: setup ## SentencePiece tokenizer with LLaMA's flags from DATASETS -> the recipe's models.tokenizer
	$(if $(DATASETS),,$(error give DATASETS=, folders of documents datasets))
	$(BIN)/roving tokenizer train --documents $(DATASETS) --recipe "$(RECIPE)" \
	  --workers $(WORKERS) --runner $(RUNNER) $(OPTIONS)

.PHONY: tokens
tokens: setup ## token datasets from DATASETS, by TOKENIZER or the recipe's -> OUTPUT/tokens
	$(if $(DATASETS),,$(error give DATASETS=, folders of documents datasets))
	$(BIN)/roving tokenize --documents $(DATASETS) --output "$(OUTPUT)/tokens" --recipe "$(RECIPE)" \
	  $(if $(TOKENIZER),--tokenizer "$(TOKENIZER)") --workers $(WORKERS) --runner $(RUNNER) $(OPTIONS)

.PHONY: train ablation
train: setup ## train the model of CONFIG (default: recipes/training/sample.toml) on its tokens; OPTIONS: KEY=VALUE
	$(BIN)/roving train run $(or $(CONFIG),recipes/training/sample.toml) $(OPTIONS)

ablation: RECIPE := $(if $(filter samples,$(INPUT)),recipes/sample.toml,$(RECIPE))
ablation: setup ## does curation help? raw INPUT against OUTPUT of `make run`, judged on texts in OUTSIDE (default: docs)
	PATH="$(CURDIR)/$(BIN):$$PATH" tools/ablation.sh "$(INPUT)" "$(or $(OUTSIDE),docs)" \
	  "$(OUTPUT)" "$(RECIPE)" "$(WORKERS)" $(OPTIONS)

.PHONY: test test-engines
test: setup $(TEST_READY) ## run the tests, on TEST_PROCESSES at a time (default: 2)
	$(BIN)/python -m pytest -n $(or $(TEST_PROCESSES),2) --dist loadfile -m "not engines"

test-engines: setup $(TEST_READY) ## run what starts engines, servers or ranks of its own, or kills runs
	$(BIN)/python -m pytest -n $(or $(TEST_PROCESSES),2) --dist loadfile -m engines

.PHONY: check
check: $(TEST_READY) ## lint, types, import directions
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

.PHONY: format
format: $(TEST_READY) ## format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.PHONY: samples-rebuild
samples-rebuild: $(READY) ## rebuild samples/ from samples/source/
	$(BIN)/python tools/make_samples.py

COMPILE := uv pip compile --quiet --universal --no-emit-index-url --generate-hashes --no-header \
  -p 3.11 --override tools/lock_overrides.txt pyproject.toml
.PHONY: lock
lock: ## pin every dependency again (needs uv)
	$(COMPILE) --extra train --extra sevenzip -o requirements.lock
	$(COMPILE) --extra dev -o requirements-dev.lock

.PHONY: clean
clean: ## delete outputs and models, keep .venv
	rm -rf out models build
