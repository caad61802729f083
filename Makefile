# `make` lists what there is. Variables are handed on: make up NOD_WEB_PORT=8131
# Needs python3 (3.11 or newer, with venv) and make; everything else is fetched into .venv, exactly as locked.

PYTHON ?= python3
READY := $(PYTHON) -m nod.bootstrap
BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help up test check fmt bench bench-retrieval chaos docs pictures lock

help: ## list these
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

up: ## run nod here: PostgreSQL, Redis, worker, web page, bots; Ctrl-C ends it
	@NOD_PARENT=make exec $(READY) up

test: ## the whole test suite, slow tests too
	@$(READY) --dev
	@$(BIN)/python -m tests.chromium
	$(BIN)/python -m pytest -n 4 --dist worksteal -m "slow or not slow" $(PYTEST)

check: ## lint, format, types, imports: what CI runs first
	@$(READY) --dev
	@$(BIN)/python -m tests.check

fmt: ## format the code, repair what can be repaired
	@$(READY) --dev
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

bench: ## measure against a bare bot, on a quiet machine
	@$(READY) --dev
	$(BIN)/python -m benchmarks.chat $(BENCH)

bench-retrieval: ## measure search beside what others use (DATA=FOLDER with BEIR sets)
	@$(READY) --dev
	@test -e .venv-peers/ready || { $(PYTHON) -m venv --clear .venv-peers && \
	  .venv-peers/bin/pip install --quiet --no-deps --require-hashes -r requirements-peers.lock && touch .venv-peers/ready; }
	$(BIN)/python -m benchmarks.retrieval $(DATA) $(BENCH)

chaos: ## break everything while people ask, count what is lost (SEED= MINUTES= KINDS=)
	@$(READY) --dev
	$(BIN)/python -m benchmarks.chaos $(if $(SEED),--seed $(SEED)) $(if $(MINUTES),--minutes $(MINUTES)) $(if $(KINDS),--kinds $(KINDS)) $(CHAOS)

docs: ## check the pages in docs/: links, commands, examples
	@$(READY) --dev
	$(BIN)/python -m pytest -m "slow or not slow" tests/docs $(PYTEST)

pictures: ## take the README's pictures of the page anew
	@$(READY) --dev
	$(BIN)/python -m pytest -m slow "tests/web/test_browser.py::test_ask_watch_look_vote_and_come_back[en]"
	cp artifacts/screenshots/readme-1280-light-en.png docs/images/chat.png
	cp artifacts/screenshots/readme-1280-dark-en.png docs/images/chat-dark.png

LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate

lock: ## resolve the locked versions again
	@$(READY) --dev
	$(LOCK) pyproject.toml -o requirements.lock
	$(LOCK) --extra dev pyproject.toml -o requirements-dev.lock
	$(LOCK) --override benchmarks/peers.override benchmarks/peers.in -o requirements-peers.lock
	echo uv | $(LOCK) - -o requirements-uv.lock
