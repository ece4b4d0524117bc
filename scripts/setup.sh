#!/usr/bin/env bash
# Makes a clone ready: system packages when missing, npm packages, the native and TypeScript build.
# Safe to run again, and quick then. Usage: setup.sh [--lint] [--browser] (more system packages)
set -euo pipefail
cd "$(dirname "$0")/.."

packages=(g++ cmake ninja-build gfortran libopenblas-dev libeigen3-dev doctest-dev)
browser=false
for argument in "$@"; do
  case "$argument" in
    --lint) packages+=(clang-format) ;;
    --tidy) packages+=(clang-tidy) ;;
    --browser) browser=true ;;
    *) echo "setup.sh: unknown argument $argument" >&2; exit 2 ;;
  esac
done

as_root=()
can_be_root() {
  [ "$(id -u)" = 0 ] && return
  as_root=(sudo)
  sudo -n true 2>/dev/null || { [ -t 0 ] && command -v sudo >/dev/null; }
}

apt_install() {
  echo "setup: installing $*"
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

install_system_packages() {
  local missing=() name
  for name in "${packages[@]}"; do
    dpkg-query -W -f '${Status}' "$name" 2>/dev/null | grep -q 'ok installed' || missing+=("$name")
  done
  ((${#missing[@]})) || return 0
  if ! can_be_root; then
    echo "These packages are needed; install them, then run this again:" >&2
    echo "  apt-get update && apt-get install -y --no-install-recommends ${missing[*]}" >&2
    exit 1
  fi
  "${as_root[@]}" apt-get update -qq
  apt_install "${missing[@]}"
}

# One test opens a report in a browser; it is skipped where there is none. Ubuntu has Chromium as a
# snap only, which is not for scripts to install.
install_browser() {
  local name
  for name in "${CHROMIUM_PATH:-chromium}" chromium-browser google-chrome; do
    if command -v "$name" >/dev/null; then return; fi
  done
  if can_be_root; then
    compgen -G '/var/lib/apt/lists/*_Packages*' >/dev/null || "${as_root[@]}" apt-get update -qq
    if apt-cache show chromium >/dev/null 2>&1; then
      apt_install chromium
      return
    fi
  fi
  echo "setup: no Chromium or Chrome here; the test that opens a report in one will be skipped"
}

# The checksum of what was installed last tells whether there is anything to do. Not `npm ci`: it
# demands entries of every platform's optional packages, and empties node_modules first.
install_npm_packages() {
  local stamp=node_modules/.secondorder-lock sum
  sum=$(sha256sum package.json package-lock.json)
  [ "$(cat "$stamp" 2>/dev/null)" = "$sum" ] && return 0
  echo "setup: installing npm packages"
  npm install --no-save --ignore-scripts --no-audit --no-fund --loglevel=error
  echo "$sum" >"$stamp"
}

if command -v dpkg-query >/dev/null; then
  install_system_packages
  if $browser; then install_browser; fi
fi
install_npm_packages
echo "setup: building"
npm run --silent build
