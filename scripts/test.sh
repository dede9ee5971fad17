#!/usr/bin/env bash
# Everything that has to hold before a change goes in; CI runs exactly this (.ci/run), and so does `make test`.
#
# Each step tells its name and how long it took. The first failing step ends the run, but all tests are run, so that one
# failure does not hide another. The last line sums up all tests: "N passed, N failed".
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
log=$(mktemp)
binaries=$(mktemp -d)
trap 'rm -rf "$log" "$binaries"' EXIT
began=$SECONDS

# sum FIELD: the numbers before that word in all "test result" lines.
sum() {
  awk -v field="$1" '/^test result:/ { for (i = 2; i <= NF; i++) if ($i == field ";") n += $(i - 1) } END { print n + 0 }' "$log"
}

# finish CODE: the closing line.
finish() {
  local failed
  failed=$(sum failed)
  # A step that failed without a failing test, such as a lint or a crash of a test program, is a failure, too.
  if (($1 != 0 && failed == 0)); then failed=1; fi
  echo
  echo "after $((SECONDS - began)) s: $(sum passed) passed, $failed failed"
  exit "$1"
}

# step TITLE COMMAND…
step() {
  local title=$1 start=$SECONDS result=0
  shift
  printf '\n== %s\n' "$title"
  "$@" || result=$?
  printf '== %s: %s, %s s\n' "$title" "$([[ $result == 0 ]] && echo ok || echo FAILED)" "$((SECONDS - start))"
  if ((result != 0)); then finish "$result"; fi
}

# Tests and all; the same selection of packages in every step, so that no step builds again what another has built.
# The binaries are kept aside, so that nothing that is built later changes what is run.
build() {
  local target=${CARGO_TARGET_DIR:-target}/debug
  cargo build --workspace --all-targets &&
    cp "$target/hybrid-cloud-postgresql-operator" "$target/generate" "$binaries" &&
    export HCPG_OPERATOR_BIN=$binaries/hybrid-cloud-postgresql-operator
}

freshness() { "$binaries/generate" --check --root "$root"; }

run_tests() { cargo test --workspace --no-fail-fast "$@" 2>&1 | tee -a "$log"; }

# Test programs beside each other: most of them wait most of the time. Those that take longest begin first. What a
# program says is shown when it has ended, so that two do not mix.
beside_each_other() {
  local longest=(conformance_local conformance_awsrds conformance_azureflexible conformance_azuresingle postgres_matrix story_killed story_crash_points story_leader)
  local all=("${longest[@]}") path name
  for path in integration-tests/tests/* integration-tests/clouds/tests/* tests/*; do
    name=$(basename "$path" .rs)
    [[ $path == *.rs || -f $path/main.rs ]] || continue
    [[ " ${longest[*]} " == *" $name "* ]] || all+=("$name")
  done
  printf '%s\n' "${all[@]}" | xargs -P "${HCPG_TEST_PROGRAMS:-3}" -I '{}' bash -c '
    started=$SECONDS result=0
    cargo test --workspace --test "$1" >"$2/$1.log" 2>&1 || result=$?
    flock "$2" cat "$2/$1.log"
    echo "-- $1: $((SECONDS - started)) s"
    exit "$result"' - '{}' "$binaries" | tee -a "$log"
}

step "toolchain" scripts/toolchain.sh --tests
step "format" cargo fmt --all --check
step "lint" cargo clippy --workspace --all-targets -- -D warnings
step "build" build
step "generated files are fresh" freshness
step "control plane binaries" integration-tests/control-plane/build.sh
step "unit tests" run_tests --lib --bins
step "documentation's tests" run_tests --doc
step "integration tests" beside_each_other
step "bad input, a few seconds of it" scripts/fuzz.sh 5
finish 0
