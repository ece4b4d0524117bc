#!/usr/bin/env bash
# Runs clang-tidy over the core and the binding, with the compile commands of the addon's build.
# Arguments are patterns of the files to check; all by default.
set -euo pipefail
cd "$(dirname "$0")/.."

database=build/compile_commands.json
if [ ! -f "$database" ]; then
  echo "clang-tidy: $database is missing; run npm run build:native first" >&2
  exit 1
fi
# The kernels are compiled once for each instruction set: check each file once.
mkdir -p build/tidy
node -e '
  const fs = require("node:fs");
  const commands = JSON.parse(fs.readFileSync(process.argv[1], "utf8"));
  const own = commands.filter(({ file }) => !file.includes("/node_modules/"));
  fs.writeFileSync(process.argv[2], JSON.stringify([...new Map(own.map((c) => [c.file, c])).values()]));
' "$database" build/tidy/compile_commands.json

log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! run-clang-tidy -quiet -p build/tidy -j "${CMAKE_BUILD_PARALLEL_LEVEL:-$(nproc)}" \
  "${@:-.*\.cpp$}" >"$log" 2>&1; then
  grep -vE '^(clang-tidy|[0-9]+ warnings? |Suppressed|Use -header-filter|Enabled checks:)' "$log" >&2
  exit 1
fi
