#!/usr/bin/env bash
# Makes a clone ready: system packages when missing, npm packages, the native and TypeScript build.
# Safe to run again, and quick then. Usage: setup.sh [--lint] [--browser] (more system packages)
set -euo pipefail
cd "$(dirname "$0")/.."

packages=(g++ cmake ninja-build gfortran libopenblas-dev doctest-dev)
for argument in "$@"; do
  case "$argument" in
    --lint) packages+=(clang-format clang-tidy) ;;
    --browser) command -v chromium >/dev/null || command -v google-chrome >/dev/null || packages+=(chromium) ;;
    *) echo "setup.sh: unknown argument $argument" >&2; exit 2 ;;
  esac
done

install_system_packages() {
  local missing=() name
  for name in "${packages[@]}"; do
    dpkg-query -W -f '${Status}' "$name" 2>/dev/null | grep -q 'ok installed' || missing+=("$name")
  done
  ((${#missing[@]})) || return 0
  local root=()
  if [ "$(id -u)" != 0 ]; then
    if ! sudo -n true 2>/dev/null && ! { [ -t 0 ] && command -v sudo >/dev/null; }; then
      echo "These packages are needed; install them, then run this again:" >&2
      echo "  apt-get update && apt-get install -y --no-install-recommends ${missing[*]}" >&2
      exit 1
    fi
    root=(sudo)
  fi
  echo "setup: installing ${missing[*]}"
  "${root[@]}" apt-get update -qq
  "${root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
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
fi
install_npm_packages
echo "setup: building"
npm run --silent build
