#!/usr/bin/env bash
# Finds, and builds where missing, the binaries of the control plane for tests and demo.
#
#   build.sh [kube-apiserver] [etcd] [kubectl] [helm] [kstatus]      (no argument: the first four)
#
#   build.sh --found [name …]                              ends with 0 if nothing of that has to be built; prints nothing
#
# stdout: one line per binary wanted, "name=path". stderr: progress, and nothing when all is there.
#
# What is taken, first hit wins:
#   kube-apiserver, etcd, kubectl   $KUBEBUILDER_ASSETS/<name>, else built from the pinned Go modules beside this script.
#                                   A kubectl in PATH is not taken: its version is anybody's guess.
#   kstatus                         built: a judge of our own around the Go module that helm and Flux ask.
#   helm                            $HELM, else helm >= 3.14 in PATH, else built.
#
# Built binaries live outside the working tree, so that a fresh clone or `git clean` need not build again:
#   ${HCPG_CACHE:-${XDG_CACHE_HOME:-~/.cache}/hybrid-cloud-postgresql-operator}/bin/<module>-<version>-<hash of go.mod, go.sum>/
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${HCPG_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/hybrid-cloud-postgresql-operator}/bin

say() { printf '%s\n' "$*" >&2; }
fail() { say "build.sh: $*"; exit 1; }

# --- What each binary is built from -----------------------------------------------------------------------------------

module_of() {
  case $1 in
    kube-apiserver | kubectl) echo kubernetes ;;
    etcd | helm | kstatus) echo "$1" ;;
    *) fail "unknown binary '$1'; known are kube-apiserver, etcd, kubectl, helm, kstatus" ;;
  esac
}

package_of() {
  case $1 in
    kube-apiserver) echo k8s.io/kubernetes/cmd/kube-apiserver ;;
    kubectl) echo k8s.io/kubernetes/cmd/kubectl ;;
    etcd) echo go.etcd.io/etcd/server/v3 ;;
    helm) echo helm.sh/helm/v4/cmd/helm ;;
    kstatus) echo . ;;
  esac
}

# The version of the Go module that the binary comes from, as go.mod pins it.
version_of() {
  local path
  case $(module_of "$1") in
    kubernetes) path=k8s.io/kubernetes ;;
    etcd) path=go.etcd.io/etcd/server/v3 ;;
    helm) path=helm.sh/helm/v4 ;;
    kstatus) path=sigs.k8s.io/cli-utils ;;
  esac
  # Read without go, which need not be installed when everything is in the cache.
  sed -nE "s#^(require)?[[:space:]]*${path}[[:space:]]+(v[^[:space:]]+).*#\2#p" "$here/$(module_of "$1")/go.mod" | head -n 1
}

# Without these the server calls itself v0.0.0-master, and clients that check versions refuse it.
linker_flags_of() {
  local version=$2 numbers
  local flags="-s -w"
  case $1 in
    kube-apiserver | kubectl)
      IFS=. read -r -a numbers <<<"${version#v}"
      flags+=" -X k8s.io/component-base/version.gitVersion=$version"
      flags+=" -X k8s.io/component-base/version.gitMajor=${numbers[0]}"
      flags+=" -X k8s.io/component-base/version.gitMinor=${numbers[1]}"
      flags+=" -X k8s.io/component-base/version.gitTreeState=clean"
      ;;
    helm) flags+=" -X helm.sh/helm/v4/internal/version.version=$version" ;;
  esac
  echo "$flags"
}

typical_of() {
  case $1 in
    kube-apiserver) echo "4 to 8 minutes on two cores" ;;
    kubectl) echo "1 minute after kube-apiserver" ;;
    etcd) echo "1 to 2 minutes on two cores" ;;
    helm) echo "2 to 3 minutes on two cores" ;;
    kstatus) echo "half a minute" ;;
  esac
}

folder_of() {
  local module
  module=$(module_of "$1")
  echo "$cache/$module-$(version_of "$1")-$(cat "$here/$module"/go.* "$here/$module"/*.go 2>/dev/null | sha256sum | cut -c 1-8)"
}

# --- Finding ----------------------------------------------------------------------------------------------------------

# True for "v3.14.0" and later, "v4.x.y".
helm_is_recent() {
  local version major minor
  version=$("$1" version --template '{{.Version}}' 2>/dev/null) || return 1
  IFS=. read -r major minor _ <<<"${version#v}"
  [[ $major =~ ^[0-9]+$ && $minor =~ ^[0-9]+$ ]] || return 1
  ((major > 3 || (major == 3 && minor >= 14)))
}

# Prints the path of a binary that needs no building.
find_binary() {
  local name=$1 candidate
  if [[ $name == helm ]]; then
    if [[ -n ${HELM:-} ]]; then
      command -v -- "$HELM"
      return
    fi
    if candidate=$(command -v helm) && helm_is_recent "$candidate"; then
      echo "$candidate"
      return
    fi
  elif [[ -n ${KUBEBUILDER_ASSETS:-} && -x $KUBEBUILDER_ASSETS/$name ]]; then
    echo "$KUBEBUILDER_ASSETS/$name"
    return
  fi
  candidate=$(folder_of "$name")/$name
  [[ -x $candidate ]] && echo "$candidate"
}

# --- Building ---------------------------------------------------------------------------------------------------------

work=
child=
clean_up() {
  [[ -z $child ]] || kill "$child" 2>/dev/null || true
  [[ -z $work ]] || rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

need_go() {
  command -v go >/dev/null || fail "$1 has to be built and there is no go.
  Install Go $(sed -nE 's/^go //p' "$here/$(module_of "$1")/go.mod") or later (https://go.dev/dl), or point KUBEBUILDER_ASSETS at a folder with kube-apiserver, etcd and kubectl
  (and HELM at a helm >= 3.14), or use a cluster of your own with CONTEXT=<its context>."
}

build() {
  local name=$1 module version folder start seconds
  module=$(module_of "$name") version=$(version_of "$name") folder=$(folder_of "$name")
  [[ -n $version ]] || fail "no version of $name in $here/$module/go.mod"
  need_go "$name"
  # What a killed run has left; we hold the lock, so nobody else is building.
  rm -rf "$cache"/.building-*
  # On the same file system as its destination, so that the final mv is atomic.
  work=$(mktemp -d "$cache/.building-$name-XXXXXX")
  say "building $name $version from its Go module, once; typically $(typical_of "$name")"
  start=$SECONDS
  # No cgo: no C compiler needed, and the binary runs anywhere. No -trimpath: it would defeat Go's own build cache.
  # The lock (9) is not handed down: a compiler left behind must not hold it.
  (cd "$here/$module" && CGO_ENABLED=0 GOWORK=off exec go build -mod=readonly \
    -o "$work/$name" -ldflags "$(linker_flags_of "$name" "$version")" "$(package_of "$name")") >"$work/log" 2>&1 9>&- &
  child=$!
  while kill -0 "$child" 2>/dev/null; do
    sleep 1
    seconds=$((SECONDS - start))
    if [[ -t 2 ]]; then
      printf '\r  %s: %d s' "$name" "$seconds" >&2
    elif ((seconds % 30 == 0)); then
      say "  $name: $seconds s"
    fi
  done
  [[ ! -t 2 ]] || printf '\r' >&2
  if ! wait "$child"; then
    child=
    say "building $name failed; the end of go's output:"
    grep -v '^go: downloading' "$work/log" | tail -n 30 >&2 || true
    say "  No network? Set GOPROXY. Out of memory or disk? It takes 3 GB of memory and 5 GB of disk (Go's own caches)."
    exit 1
  fi
  child=
  mkdir -p "$folder"
  mv "$work/$name" "$folder/$name"
  rm -rf "$work"
  work=
  say "  $name: done after $((SECONDS - start)) s"
}

# --- Main -------------------------------------------------------------------------------------------------------------

only_look=
if [[ ${1:-} == --found ]]; then
  only_look=1
  shift
fi
[[ $# -gt 0 ]] || set -- kube-apiserver etcd kubectl helm
paths=()
for name in "$@"; do
  module_of "$name" >/dev/null
  if [[ $name == helm && -n ${HELM:-} ]] && ! command -v -- "$HELM" >/dev/null; then
    fail "HELM=$HELM is no executable; correct it or unset it"
  fi
  if ! path=$(find_binary "$name"); then
    [[ -z $only_look ]] || exit 1
    mkdir -p "$cache"
    exec 9>"$cache/.lock"
    if ! flock -n 9; then
      say "another run is building; waiting for it, up to 8 minutes"
      start=$SECONDS
      until flock -w 30 9; do say "  waiting: $((SECONDS - start)) s"; done
    fi
    # It may have been built while we waited.
    if ! path=$(find_binary "$name"); then
      build "$name"
      path=$(folder_of "$name")/$name
    fi
    exec 9>&-
  fi
  paths+=("$name=$path")
done
[[ -n $only_look ]] || printf '%s\n' "${paths[@]}"
