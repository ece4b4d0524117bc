#!/usr/bin/env bash
# Sets up, runs the C++ tests and the TypeScript tests, and closes with their sum.
set -uo pipefail
cd "$(dirname "$0")/.." || exit

bash scripts/setup.sh --browser || exit 1
mkdir -p .tap
rm -f build-test/results.xml .tap/results.tap

bash scripts/test-cpp.sh
cpp=$?
if [ -t 1 ]; then
  npx --no-install tap --output-file=.tap/results.tap
else
  npx --no-install tap --reporter=tap >.tap/results.tap
fi
tap=$?
node scripts/summarize-tests.js build-test/results.xml .tap/results.tap
summary=$?
[ $cpp = 0 ] && [ $tap = 0 ] && [ $summary = 0 ]
