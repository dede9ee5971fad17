# `make help` lists what there is. Variables to set: CONTEXT, see below, and the usual ones of cargo.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c

# A context of your own kubeconfig (kind, k3d, a company's cluster); empty: a control plane of ours.
CONTEXT ?=
export CONTEXT

# Where the demo's servers are: local, or in a simulated cloud: awsrds, awsaurora, azurepostgresflexible.
BACKEND ?= local
export BACKEND

# How long `make fuzz` takes per target.
FUZZ_SECONDS ?= 60

# How many objects `make bench` measures with, and its other options (`--help` lists them); empty: all of it.
N ?=
BENCH ?=

TESTBED := cargo run --package integration-tests --bin testbed --

.PHONY: help toolchain cluster cluster-down run demo demo-down test fuzz bench lint generate crash-table fault-tables

help: ## Lists the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
	@echo "  CONTEXT=<context> takes your own cluster in place of a local control plane, e.g. make demo CONTEXT=kind-dev"

toolchain: ## Tells what is installed and what is missing; installs PostgreSQL where it may
	@scripts/toolchain.sh

cluster: ## Starts a local control plane (first time: builds it, 6 minutes); prints the export of KUBECONFIG
	@$(TESTBED) cluster-up

cluster-down: ## Takes down control plane, operator, PostgreSQL servers and their data
	@$(TESTBED) cluster-down

run: ## Runs the operator against the cluster in the foreground, with examples/config-local.yaml
	@$(TESTBED) run

demo: toolchain ## Shows the operator at work from end to end (BACKEND=awsrds, awsaurora, azurepostgresflexible: with a simulated cloud)
	@$(TESTBED) demo-up

demo-down: ## Takes down everything that the demo has made; only the cache of binaries stays
	@$(TESTBED) demo-down

test: ## Runs everything that CI runs, and all tests
	@scripts/test.sh

fuzz: ## Throws bad input at everything that reads input (FUZZ_SECONDS=300 per target, default 60), see docs/fuzzing.md
	@scripts/fuzz.sh $(FUZZ_SECONDS)

bench: ## Measures what the operator costs with 100, 1,000 and 10,000 objects, 25 minutes (N=100 for a quick look)
	@cargo run --release --package integration-tests --bin testbed -- bench \
	  $(if $(N),--objects $(N),--local --slow-servers 1000) $(BENCH)

lint: ## Checks the format and lints, warnings are errors
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings

generate: ## Writes the generated files (CRDs, diagrams, …)
	cargo run --bin generate

crash-table: ## Kills the operator after every effect, and writes docs/crash-points.md (7 minutes)
	HCPG_WRITE_TABLES=1 cargo test --workspace --test stories -- crash_points::

fault-tables: ## Meets every fault in every flow, and writes docs/{faults,misfortunes,watches}*.md (20 minutes)
	HCPG_WRITE_TABLES=1 cargo test --workspace --test conformance_local -- faults states watches
	HCPG_WRITE_TABLES=1 cargo test --workspace --test conformance_local -- --exact sql
	HCPG_WRITE_TABLES=1 cargo test --workspace --test conformance_awsrds -- faults states wire
	HCPG_WRITE_TABLES=1 cargo test --workspace --test conformance_awsaurora -- faults states wire
	HCPG_WRITE_TABLES=1 cargo test --workspace --test conformance_azureflexible -- faults states wire
	HCPG_WRITE_TABLES=1 cargo test --workspace --test conformance_azuresingle -- faults states wire
