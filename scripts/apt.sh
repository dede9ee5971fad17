# To be sourced: installing Debian's packages where that is allowed. Everything is told on stderr.
#
#   HCPG_NO_INSTALL=1     nothing is installed

# The words that make the next command run as root, if it may; fails if it may not.
as_root() {
  if [[ $(id -u) == 0 ]]; then
    return 0
  elif sudo -n true 2>/dev/null; then
    echo sudo -n
  else
    return 1
  fi
}

may_install() { [[ -z ${HCPG_NO_INSTALL:-} ]] && command -v apt-get >/dev/null && as_root >/dev/null; }

# apt_install PACKAGE…: stale lists may still do.
apt_install() {
  local apt="env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300" rootly
  rootly=$(as_root) || return
  $rootly $apt update || true
  $rootly $apt install --no-install-recommends "$@"
}

# with_progress TITLE COMMAND…: tells every 10 s that it is still running, and its last words if it fails.
with_progress() {
  local title=$1 log start=$SECONDS seconds pid result=0
  shift
  log=$(mktemp)
  echo "  installing $title with apt-get; typically 15 to 60 s" >&2
  "$@" >"$log" 2>&1 &
  pid=$!
  while kill -0 "$pid" 2>/dev/null; do
    sleep 1
    seconds=$((SECONDS - start))
    ((seconds % 10 != 0)) || echo "    $seconds s" >&2
  done
  wait "$pid" || result=$?
  if ((result != 0)); then
    echo "  apt-get could not install $title; its last words:" >&2
    tail -n 10 "$log" >&2
  fi
  rm -f "$log"
  return $result
}

# install_packages TITLE PACKAGE…
install_packages() {
  local title=$1
  shift
  may_install && with_progress "$title" apt_install "$@"
}
