#!/usr/bin/env bash
# Builds the C++ tests and runs them with ctest; --sanitize: under AddressSanitizer and UBSan.
# Other arguments go to ctest: test-cpp.sh -R philox
set -euo pipefail
cd "$(dirname "$0")/.."

build=build-test
options=(-DCMAKE_BUILD_TYPE=Release)
if [ "${1:-}" = --sanitize ]; then
  shift
  build=build-sanitize
  # Instrumented code takes three times as long to compile at -O2.
  options=(-DCMAKE_BUILD_TYPE=None "-DCMAKE_CXX_FLAGS=-O1 -DNDEBUG"
    "-DSECONDORDER_SANITIZE=address,undefined")
  # Whole trainings over emulated kernels take minutes here, and single iterations show as much.
  set -- -E 'comes to the same optimum within the certificate' "$@"
  export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=1:strict_string_checks=1}
  export UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1}
fi
generator=()
if [ ! -f "$build/CMakeCache.txt" ] && command -v ninja >/dev/null; then generator=(-G Ninja); fi

log=$(mktemp)
trap 'rm -f "$log"' EXIT
jobs=${CMAKE_BUILD_PARALLEL_LEVEL:-$(nproc)}
if ! { cmake -S . -B "$build" "${generator[@]}" "${options[@]}" -DSECONDORDER_TESTS=ON \
  "-DSECONDORDER_WERROR=${SECONDORDER_WERROR:-OFF}" &&
  cmake --build "$build" --parallel "$jobs"; } >"$log" 2>&1; then
  cat "$log" >&2
  exit 1
fi
grep -E 'warning:' "$log" >&2 || true
ctest --test-dir "$build" --parallel "$jobs" --output-on-failure --output-junit results.xml "$@"
