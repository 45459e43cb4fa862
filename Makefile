.DEFAULT_GOAL := help
.PHONY: help demo demo-host demo-host-down test test-quick bench bench-containers lint format engine programs images images-check

help: ## Show what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: ## Generate a project and serve it until Ctrl-C (PORT= chooses the port)
	@bin/demo

demo-host: engine ## Deploy a project to a bare Debian 13 test host and print its address
	@bin/uv run --quiet python -m tests.hosts.demo up

demo-host-down: ## Remove that host
	@bin/uv run --quiet python -m tests.hosts.demo down

test: engine programs images ## Run every test (installs a container engine, Chromium, Redis and a load tool where they are missing)
	@tests/run

test-quick: ## Run the tests that need no container engine, within 2 minutes
	@bin/uv run --quiet pytest -n 2 --dist worksteal -m "not engine and not slow"

bench: OUT ?= $(if $(DOCS),docs/benchmark,build/bench)
bench: programs ## Measure every server for half an hour (QUICK=1: 3 minutes; DOCS=1: report into docs/benchmark/; DJANGO=5.2; ONLY=hello,sync)
	@bin/uv run --quiet python -W ignore -m tests.bench.projects build/bench/projects $(DJANGO)
	@bin/uv run --quiet --project bench python -m bench $(if $(QUICK),--quick) $(if $(ONLY),--only $(ONLY)) --out $(OUT) build/bench/projects/*

bench-containers: images ## Measure the image and the reload, into docs/benchmark/containers.md
	@bin/uv run --quiet python -W ignore -m tests.compose.measure

lint: ## Check this repository's code, roles and YAML
	@bin/uv run --quiet ruff check
	@bin/uv run --quiet ruff format --check
	@bin/uv run --quiet yamllint --strict .
	@bin/uv run --quiet ansible-lint

format: ## Format this repository's Python
	@bin/uv run --quiet ruff check --fix
	@bin/uv run --quiet ruff format

engine: # A container engine that answers
	@tests/hosts/engine up

programs: # Chromium, Redis and a load tool for the tests
	@tests/hosts/programs

images: engine # The images that compose/ names, or stand-ins
	@tests/images/build

images-check: engine ## Ask the registries whether every image that compose/ and the Dockerfile name is there
	@tests/images/build check
