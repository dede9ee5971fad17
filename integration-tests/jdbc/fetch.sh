#!/usr/bin/env bash
# Finds, and fetches where missing, PostgreSQL's JDBC driver, and a JDK that runs programs with it.
#
#   HCPG_NO_INSTALL=1     does not install JDK and Maven where they are missing
#
# stdout: the driver's archive. stderr: progress, and nothing when all is there.
#
# `driver` beside this script pins version and checksum. The archive lives outside the working tree:
#   ${HCPG_CACHE:-${XDG_CACHE_HOME:-~/.cache}/hybrid-cloud-postgresql-operator}/jdbc/postgresql-<version>.jar
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source "$here/../../scripts/apt.sh"

say() { printf '%s\n' "$*" >&2; }
fail() { say "fetch.sh: $*"; exit 1; }

cache=${HCPG_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/hybrid-cloud-postgresql-operator}/jdbc
read -r version checksum < <(grep '^[0-9]' "$here/driver")
driver=$cache/postgresql-$version.jar
# `dependency:copy` of this version; Maven's own choice differs from one distribution to the next.
plugin=org.apache.maven.plugins:maven-dependency-plugin:3.8.1

work=
trap '[[ -z $work ]] || rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# A JDK, not only a JRE: the programs are run from their source, and `javac` is the sign of the compiler.
need_jdk() {
  command -v java >/dev/null && command -v javac >/dev/null && return
  install_packages "a JDK" default-jdk-headless && command -v javac >/dev/null ||
    fail "a JDK (17 or later) is missing: apt-get install default-jdk-headless"
}

need_maven() {
  command -v mvn >/dev/null && return
  install_packages Maven maven && command -v mvn >/dev/null ||
    fail "Maven fetches PostgreSQL's JDBC driver and is missing: apt-get install maven"
}

fetch() {
  local start=$SECONDS
  # What a killed run has left; we hold the lock, so nobody else is fetching.
  rm -rf "$cache"/.fetching-*
  # On the same file system as its destination, so that the final mv is atomic.
  work=$(mktemp -d "$cache/.fetching-XXXXXX")
  say "fetching PostgreSQL's JDBC driver $version with Maven, 1 MB and Maven's own plugin, once; typically 15 s"
  (cd "$work" && mvn -q -B "$plugin:copy" "-Dartifact=org.postgresql:postgresql:$version" \
    "-DoutputDirectory=$work/jar" >log 2>&1) ||
    { tail -n 10 "$work/log" >&2; fail "Maven could not fetch the driver; behind a mirror: ~/.m2/settings.xml"; }
  echo "$checksum  $work/jar/postgresql-$version.jar" | sha256sum --check --quiet >&2 ||
    fail "org.postgresql:postgresql:$version is not what was pinned"
  mv "$work/jar/postgresql-$version.jar" "$driver"
  rm -rf "$work"
  work=
  say "  JDBC driver: done after $((SECONDS - start)) s"
}

need_jdk
if [[ ! -f $driver ]]; then
  need_maven
  mkdir -p "$cache"
  exec 9>"$cache/.lock"
  if ! flock -n 9; then
    say "another run is fetching the JDBC driver; waiting for it, up to a minute"
    flock 9
  fi
  # It may have been fetched while we waited.
  [[ -f $driver ]] || fetch 9>&-
  exec 9>&-
fi
echo "$driver"
