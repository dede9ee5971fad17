#!/usr/bin/env bash
# Everything that has to hold before a change goes in; CI runs exactly this (.ci/run), and so does `make test`.
#
# Each step tells its name and how long it took. The first failing step ends the run, but all tests are run, so that one
# failure does not hide another. The last line sums up all tests: "N passed, N failed".
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
log=$(mktemp)
kept=$(mktemp -d)
trap 'rm -rf "$log" "$kept"' EXIT
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
# The operator is kept aside, so that nothing that is built later changes what is run.
build() {
  local target=${CARGO_TARGET_DIR:-target}/debug
  cargo build --workspace --all-targets &&
    cp "$target/hybrid-cloud-postgresql-operator" "$target/generate" "$kept" &&
    export HCPG_OPERATOR_BIN=$kept/hybrid-cloud-postgresql-operator &&
    cargo test --workspace --no-run --message-format=json-render-diagnostics > "$kept/artefacts" &&
    programs > "$kept/programs" && [[ -s $kept/programs ]]
}

# Modules of the stories that take longest.
LONG_STORIES="crash_points killed leader"

# What is run, each in a process of its own: its name, the folder of its package, the program, and which of its tests.
# They are run without cargo, which would look for changes in six hundred packages before each. Each part of a conformance
# suite has a control plane of its own, which ends with the process, and so have the modules of the stories, some at a
# time: the start of a control plane costs as much CPU as a story.
programs() {
  local kind name folder program part
  targets | while read -r kind name folder program; do
    case $name in
      conformance_*)
        part=$(comm -23 <(listed "$program") <(listed "$program" --ignored))
        for part in ${part:?"$name lists no tests"}; do
          echo "$name:$part $folder $program --exact $part"
        done
        ;;
      stories)
        echo "stories $folder $program every_file_is_a_module"
        listed "$program" | grep :: | stories "$folder $program --exact"
        ;;
      *) echo "$name:$kind $folder $program" ;;
    esac
  done
}

# stories PROGRAM: lines as above for the names of tests on standard input.
stories() {
  awk -F :: -v program="$1" -v long=" $LONG_STORIES " -v at_a_time=6 '
    { tests[$1] = tests[$1] " " $0 }
    function tell() { if (modules != "") print "story:" modules, program names; modules = names = ""; n = 0 }
    END {
      for (module in tests)
        if (index(long, " " module " ")) print "story:" module, program tests[module]
        else {
          modules = modules (n ? "+" : "") module; names = names tests[module]
          if (++n == at_a_time) tell()
        }
      tell()
    }'
}

# listed PROGRAM [OPTION]: the names of its tests.
listed() { "$@" --list | sed -nE 's/^(.+): test$/\1/p' | sort; }

# Programs with tests, as cargo tells of them: what kind of target, its name, the folder of its package, the program.
targets() {
  sed -nE '/"test":true},"features"/s#.*"manifest_path":"([^"]+)/Cargo.toml".*"kind":\["([a-z-]+)".*"name":"([^"]+)".*"executable":"([^"]+)".*#\2 \3 \1 \4#p' \
    "$kept/artefacts"
}

freshness() { "$kept/generate" --check --root "$root"; }

# run NAME FOLDER PROGRAM [TESTS]: what it says is shown when it has ended, so that two do not mix.
run() {
  local name=$1 folder=$2 program=$3 said=$kept/$1.log started=$SECONDS result=0
  shift 3
  (cd "$folder" && CARGO_MANIFEST_DIR=$folder "$program" "$@") > "$said" 2>&1 || result=$?
  flock "$kept" cat "$said"
  echo "-- $name: $((SECONDS - started)) s"
  return "$result"
}

# Test programs beside each other: they wait a lot. Those that take longest begin first, so that none is left alone at
# the end.
beside_each_other() {
  local longest="^(postgres_matrix:test|conformance_[a-z]*:(faults|kills|wire)|story:(${LONG_STORIES// /|})) "
  export kept
  export -f run
  {
    grep -E "$longest" "$kept/programs"
    grep -vE "$longest" "$kept/programs"
  } | xargs -r -P "${HCPG_TEST_PROGRAMS:-3}" -L 1 bash -c 'run "$@"' - | tee -a "$log"
}

documentation() { cargo test --workspace --no-fail-fast --doc 2>&1 | tee -a "$log"; }

# Thousands of small files are written and thrown away again: where there is plenty of memory, they need not reach a disk.
# What the tests make is bounded, by about 3 GiB.
keep_in_memory() {
  local probe
  [[ -z ${TMPDIR:-} && -w /dev/shm ]] || return 0
  (($(df --output=avail -B1G /dev/shm | tail -n 1) >= 8)) || return 0
  (($(awk '/^MemAvailable:/ { print int($2 / 1048576) }' /proc/meminfo) >= 12)) || return 0
  # Programs are copied there and run.
  probe=$(mktemp -p /dev/shm) && cp /bin/true "$probe" && chmod +x "$probe"
  if "$probe"; then export TMPDIR=/dev/shm; fi 2> /dev/null
  rm -f "$probe"
}

keep_in_memory
step "toolchain" scripts/toolchain.sh --tests
step "format" cargo fmt --all --check
step "lint" cargo clippy --workspace --all-targets -- -D warnings
step "build" build
step "generated files are fresh" freshness
step "control plane binaries" integration-tests/control-plane/build.sh
step "documentation's tests" documentation
step "tests" beside_each_other
step "bad input, a few seconds of it" scripts/fuzz.sh 5
finish 0
