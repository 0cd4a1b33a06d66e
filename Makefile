# `make` lists the commands. The first that needs it sets up .venv, once.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
READY := $(VENV)/.ready
SEEDS ?= 1 2 3
# Of experiments: NAME-SEED is one's name, SET its settings beside the seed, JOBS how many run at once.
NAME := seed
SEED := 1
SET :=
JOBS := 1
TORCH := cpu
# Experiments keep the settings that they were run with: other settings need another name.
NAMED = $(if $(and $(filter seed,$(NAME)),$(SET)),{ echo "error: experiments of other settings need a name of their own: NAME=word beside SET" >&2; exit 1; },:)
THERE = { grep -qx "$(NAME)-$$seed" <<< "$$there" && echo "$(NAME)-$$seed is there already, with the settings that it was run with"; }
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
# One place for what libraries would otherwise keep in the home folder, or DVC in /var/tmp, and no calls home.
export HF_HOME ?= $(CURDIR)/.cache/huggingface
export MPLCONFIGDIR ?= $(CURDIR)/.cache/matplotlib
export DVC_SITE_CACHE_DIR ?= $(CURDIR)/.dvc/tmp/site
export DVC_NO_ANALYTICS := 1
export TOKENIZERS_PARALLELISM := false

.PHONY: help setup repro test test-real promises lint queue seeds remote mend worker image real bench ablation rehearse publish export demo commands readme clean

help:  ## list the commands
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

setup: $(READY)  ## the environment, in .venv (does nothing when up to date)

$(READY): requirements.txt requirements-dev.txt
	@command -v $(PYTHON) >/dev/null || { echo "error: $(PYTHON) not found; name a Python 3.11: make $(MAKECMDGOALS) PYTHON=/path/to/python3.11" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

repro: setup  ## the whole pipeline on the profile of params.yaml
	@first=$$([ -e models ] || [ -e .dvc/cache ] || echo yes); start=$$SECONDS; dvc repro; mkdir -p .cache; [ -z "$$first" ] || echo $$((SECONDS - start)) > .cache/repro_seconds
	@cat reports/runs.md

test: setup  ## the tests, in random order, two at a time; slow ones excepted
	python -m pytest -n 2 --dist worksteal

test-real: setup  ## slow tests, and those on real sentences: MULTINERD_DIR=folder make test-real
	python -m pytest -m "real or slow" -o addopts=""

promises: setup  ## the long tests of what README promises (an hour of one core); only some: make promises ONLY="1 4"
	@git diff --quiet HEAD -- . ':!reports/promises.json' || { echo "error: uncommitted changes: the figures would not be theirs; commit first" >&2; exit 1; }
	python -m pytest $(if $(ONLY),$(foreach number,$(ONLY),tests/promises/test_$(number)_*.py),tests/promises) -n 2 --dist worksteal -m "" --count-promises
	python -m stages.readme --only promises

lint: setup  ## ruff, mypy, and linters of the scripts and the Dockerfile
	ruff check . && ruff format --check . && mypy stages
	shellcheck cluster/*.sh && hadolint Dockerfile

queue: setup  ## queue one experiment a seed and run them: make queue SEEDS="1 2 3" SET="profile=full" NAME=full JOBS=2
	@$(NAMED)
	there=$$(dvc exp list --name-only; dvc queue status | awk '/Queued|Running/ { print $$2 }'); \
	for seed in $(SEEDS); do $(THERE) \
	  || dvc exp run --queue -n "$(NAME)-$$seed" -S "seed=$$seed" $(SET:%=-S "%"); done
	dvc exp run --run-all --jobs $(JOBS)
	@there=$$(dvc exp list --name-only); for seed in $(SEEDS); do grep -qx "$(NAME)-$$seed" <<< "$$there" \
	  || { echo "error: $(NAME)-$$seed failed, and why is told by: dvc queue logs $(NAME)-$$seed" >&2; exit 1; }; done

seeds: setup  ## one experiment a seed, then their comparison: make seeds SEEDS="1 2 3"; with NAME and no SET, it runs none
	@$(NAMED)
	there=$$(dvc exp list --name-only); for seed in $(if $(SET)$(filter seed,$(NAME)),$(SEEDS)); do $(THERE) \
	  || dvc exp run -n "$(NAME)-$$seed" -S "seed=$$seed" $(SET:%=-S "%"); done
	python -m stages.seeds $(SEEDS) --name "$(NAME)"

remote: setup  ## where results are shared, each object checked as it arrives: make remote URL=s3://bucket/folder
	@test -n "$(URL)" || { echo "error: name the place: make remote URL=s3://bucket/folder" >&2; exit 1; }
	dvc remote add --default --force shared "$(URL)"
	dvc remote modify shared verify true

mend: setup  ## read all that is shared, and remove what is not what its name says: `dvc push` sends it again
	python -m stages.mend

worker: setup  ## one experiment in a clone of its own, pushed; what cluster/ runs: make worker SEED=1 SET="profile=full" NAME=full
	@$(NAMED)
	cluster/worker.sh "$(NAME)" "$(SEED)" $(SET:%="%")

image:  ## a container with the environment and the project: make image, or for a GPU: make image TORCH=cu130
	docker build --build-arg TORCH=$(TORCH) --tag multinerd:$(TORCH) .

demo: setup  ## a page to try the models on your own text, on this machine alone: make demo PORT=8000
	python -m stages.demo $(if $(PORT),--port $(PORT))

real: setup  ## figures on real sentences: make real DATA=folder (an hour and more)
	@test -d "$(DATA)" || { echo "error: name the folder of real sentences: make real DATA=folder" >&2; exit 1; }
	@git diff --quiet HEAD || { echo "error: uncommitted changes: the figures would not be theirs; commit first" >&2; exit 1; }
	rm -rf .cache/real && git clone -q . .cache/real
	cd .cache/real && dvc exp run -n real -S profile=local -S data.directory=$(abspath $(DATA))
	python -m stages.gather --reports .cache/real/reports --params .cache/real/params.yaml --output reports/real
	python -m stages.readme --only real

bench: setup  ## speed beside the peers (45 minutes), or some rows: make bench ONLY="exact-training data"
	python -m stages.bench $(if $(ONLY),--only "$(ONLY)")
	python -m stages.readme --only benchmark --only speed

ablation: setup  ## our recipe without each of its choices, and other people's (hours, kept as they end); make ablation ONLY="token" SYSTEM=B ENCODER=folder TEST=1
	python -m stages.ablation --seeds "$(SEEDS)" $(if $(ONLY),--only "$(ONLY)") $(if $(SYSTEM),--system $(SYSTEM)) $(if $(ENCODER),--encoder "$(ENCODER)") $(if $(TEST),--test)
	python -m stages.readme --only ablation --only recipes

rehearse: setup  ## 200 steps of each model at full size on this machine, killed and resumed (minutes on a GPU, else hours): make rehearse PROFILE=full
	python -m stages.rehearse $(if $(PROFILE),--profile "$(PROFILE)")
	python -m stages.readme --only rehearsal

publish: setup  ## push a model to a hub: make publish MODEL=span_marker-A REPO=user/name (DRY_RUN=1 only shows it)
	@test -n "$(MODEL)" -a -n "$(REPO)" || { echo "error: say what and where to: make publish MODEL=span_marker-A REPO=user/name" >&2; exit 1; }
	python -m stages.publish --model "models/$(MODEL)" --repo "$(REPO)" $(if $(filter-out 0,$(DRY_RUN)),--dry-run) $(if $(filter 1,$(REPLACE)),--replace) $(if $(filter 1,$(PUBLIC)),--public)

export: setup  ## a token classifier as ONNX, 32 bits and 8: make export MODEL=token_classifier-A
	python -m stages.export --model "models/$(or $(MODEL),token_classifier-A)" --output "exported/$(or $(MODEL),token_classifier-A)" $(if $(DATA),--sentences "$(DATA)")

commands: setup  ## record in reports/commands.txt what README shows of DVC's commands
	rm -rf .cache/commands && git clone -q . .cache/commands
	cd .cache/commands && dvc cache dir --local ../../.dvc/cache && dvc checkout -q && (TIMEFORMAT='(%0R s)'; \
	for command in "dvc repro" "dvc exp run -n A -S headline.system=A" "dvc exp run -n B -S headline.system=B" "dvc metrics diff A B"; do \
	  echo "\$$ $$command"; time $$command; done) > ../commands.txt 2>&1
	grep -vE "^\s*$$|didn't change|^Updating lock file|^Reproducing" .cache/commands.txt > reports/commands.txt

readme: setup  ## the parts of README.md and docs/ that come out of the reports
	python -m stages.readme

clean:  ## remove the environment and caches, never data or models
	rm -rf $(VENV) .cache .pytest_cache .mypy_cache .ruff_cache
