# The targets that people and CI run. `make` alone lists them.
#
# What is built for development stands outside the checkout (hack/README.md); what is missing is installed where that can be
# done, or named.
.DEFAULT_GOAL := help
.PHONY: help run build test control-plane tools lint unit generated e2e chart cluster soak bench bench-compare instructions fmt generate advisories fuzz image \
	release-check smoke kind kind-down setup

# What stages need besides cargo is prepared by scripts that do nothing when it is there already.
TOOLS = PATH="$$(hack/tools | tail -n 1):$$PATH"
ORACLES = ADMITTANCE_ORACLES="$$(hack/oracle/build json-patch patch cel-oracle policy-oracle psa-oracle | tail -n 1)"

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: setup ## serve the starter policies on https://127.0.0.1:8443 and print a curl line that works
	cargo run --release --quiet -- serve

build: setup ## build target/release/admittance
	cargo build --release

test: ## everything that CI runs, with the seconds of each stage
	@ADMITTANCE_CLUSTER=$${ADMITTANCE_CLUSTER:-auto} IMAGE_PROFILE=$${IMAGE_PROFILE:-quick} hack/stages setup control-plane tools lint generated chart instructions unit cluster

control-plane: ## build the control plane of the end-to-end tests, once
	hack/control-plane/build > /dev/null

tools: ## install what lint needs besides the toolchain, once
	hack/tools > /dev/null

lint: setup ## formatting, clippy, shellcheck, licences and bans
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	cargo clippy --features otlp --bin admittance --test traces -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --quiet
	shellcheck --external-sources --source-path=SCRIPTDIR $$(git ls-files | xargs grep -lE '^#!(/usr/bin/env bash|/bin/bash|/bin/sh)')
	$(TOOLS) cargo deny --log-level error check bans licenses sources

generated: setup ## compare the tables made from the API server with what it says
	hack/generate/kinds --check
	hack/generate/lifecycles --check
	hack/generate/defaults/generate --check
	hack/generate/schemas/generate --check
	hack/generate/unicode/generate --check

unit: setup ## all tests of both packages, those against a real API server among them
	hack/control-plane/build > /dev/null
	$(ORACLES) ADMITTANCE_E2E=require cargo test --workspace
	cargo test --features otlp --test traces

e2e: setup ## only the tests against a real API server
	hack/control-plane/build > /dev/null
	ADMITTANCE_E2E=require cargo test --test integration e2e -- --nocapture

chart: setup ## the Helm chart: lint, every set of values, unit tests, alerts; then with a real API server
	hack/chart/check
	hack/control-plane/with hack/chart/dry-run
	hack/control-plane/with hack/chart/no-lockout
	hack/control-plane/with hack/chart/rights
	CONTROLLERS=1 APISERVER_FLAGS=--service-cluster-ip-range=127.9.0.0/24 hack/control-plane/with hack/chart/lifecycle

cluster: setup ## the chart and the image in a real cluster of one node, through upgrades and outages; needs root, no Docker
	hack/cluster/soak

soak: setup ## the same many times over, for at least SECONDS (1800)
	hack/cluster/soak $(or $(SECONDS),1800)

instructions: setup ## what the engine takes for expressions and whole requests, in instructions, against the budget
	hack/instructions

bench: setup ## measure it all, a quarter of an hour on a machine that does nothing else: docs/performance/*.csv, then docs/performance.md; then the marks of old
	cargo build --release
	rm -f docs/performance/*.csv
	cargo bench --bench load -- --all --csv docs/performance/load.csv
	hack/bench/api-server --csv docs/performance/api-server.csv
	cargo bench --bench standing -- --csv docs/performance/standing.csv
	cargo bench --bench report
	cargo bench -p admittance-engine --bench modules
	cargo bench -p admittance-engine --bench cel -- --oracles "$$(hack/oracle/build cel-bench cel-compile | tail -n 1)" --limit 12
	cargo bench --bench load -- -p manifests/policies/starter --limit 0.6
	cargo bench --bench load -- -p benches/rules.vap.yaml --limit 1
	cargo bench --bench load -- -p benches/rules.modules.yaml

bench-compare: setup ## the engine's hot paths here and at the commit BASE, timed in turn: ratios
	hack/bench-compare $(BASE)

fmt: ## format the code
	cargo fmt --all

generate: setup ## regenerate what is generated and committed
	hack/generate/kinds
	hack/generate/lifecycles
	hack/generate/defaults/generate
	hack/generate/schemas/generate
	hack/generate/unicode/generate
	hack/generate/chart-packs
	hack/generate/chart-readme
	hack/generate/install
	ADMITTANCE_GENERATE=1 cargo test --test integration generated

advisories: setup ## known vulnerabilities in dependencies; needs the network
	$(TOOLS) cargo deny --log-level error check advisories

fuzz: setup ## each fuzz target for SECONDS_EACH (60) seconds; needs a nightly toolchain and cargo-fuzz
	cd fuzz && for target in $$(cargo fuzz list); do \
		case $$target in cel_*) words=-dict=$$PWD/dictionaries/cel.dict ;; *) words=-len_control=0 ;; esac; \
		cargo +nightly fuzz run $$target -- $$words -max_total_time=$${SECONDS_EACH:-60} -timeout=10 || exit 1; done

release-check: setup ## what a release needs besides `make test`: two builds alike to the byte, advisories, long fuzzing, the soak; takes hours
	hack/image/reproducible
	$(MAKE) --no-print-directory advisories
	$(MAKE) --no-print-directory fuzz SECONDS_EACH=$${SECONDS_EACH:-900}
	$(MAKE) --no-print-directory soak

image: setup ## build target/image/admittance-VERSION.tar, an OCI archive, without Docker, and its bill of materials
	hack/image/build
	hack/image/sbom

smoke: setup ## run the image in a real cluster of one node; needs root, no Docker
	hack/cluster/smoke

kind: setup ## install the chart and the image in a kind cluster and try it; needs Docker
	hack/kind

kind-down: ## delete that cluster
	hack/kind down

setup:
	@hack/setup
