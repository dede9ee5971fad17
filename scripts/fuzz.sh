#!/usr/bin/env bash
# Fuzzes every target of fuzz/ for SECONDS each (default 60), as many at a time as there are processors, and fails on a
# finding. `scripts/fuzz.sh SECONDS TARGET…` runs only these.
#
# The toolchain is the project's own, stable one: coverage needs RUSTC_BOOTSTRAP, and no sanitizer is used, since the
# operator has no unsafe code of its own.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root/fuzz"
seconds=${1:-60}
shift || true
# Built with other flags than the rest, so never in its folder.
unset CARGO_TARGET_DIR
export RUSTC_BOOTSTRAP=1

if ! command -v cargo-fuzz > /dev/null; then
  echo "cargo-fuzz is missing: installing it"
  cargo install cargo-fuzz --locked
fi

mapfile -t targets < <(if (($# > 0)); then printf '%s\n' "$@"; else cargo fuzz list; fi)
triple=$(rustc -vV | sed -n 's/^host: //p')
began=$SECONDS
cargo fuzz build --sanitizer none --target-dir target
built=$((SECONDS - began))

# fuzz TARGET: runs it, leaving its output in target/TARGET.log.
fuzz() {
  local target=$1
  mkdir -p "corpus/$target" "artifacts/$target"
  # The first folder takes what is new.
  "target/$triple/release/$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -max_len=16384 \
    -print_final_stats=1 -artifact_prefix="artifacts/$target/" \
    "corpus/$target" "seeds/$target" > "target/$target.log" 2>&1
  echo $? > "target/$target.result"
}
export -f fuzz
export triple seconds
rm -f target/*.result
began=$SECONDS
printf '%s\n' "${targets[@]}" | xargs -P "$(nproc)" -I{} bash -c 'fuzz {}' || true

failed=0
printf '\n| target | executions | findings |\n|---|---:|---|\n'
for target in "${targets[@]}"; do
  executions=$(sed -n 's/^stat::number_of_executed_units: *//p' "target/$target.log")
  finding=none
  if [[ $(cat "target/$target.result" 2> /dev/null) != 0 ]]; then
    failed=1
    finding=$(sed -n 's/.*Test unit written to //p' "target/$target.log" | head -1)
    finding=${finding:+fuzz/$finding}
    finding=${finding:-see fuzz/target/$target.log}
  fi
  printf '| %s | %s | %s |\n' "$target" "${executions:-?}" "$finding"
done
printf '\nbuilt in %s s, run in %s s, %s s per target\n' "$built" "$((SECONDS - began))" "$seconds"
for target in "${targets[@]}"; do
  if [[ $(cat "target/$target.result" 2> /dev/null) != 0 ]]; then
    printf '\n== %s\n' "$target"
    grep -aE -m1 -A4 "panicked at|ERROR: libFuzzer" "target/$target.log" | cut -c1-2000 || tail -5 "target/$target.log"
  fi
done
exit "$failed"
