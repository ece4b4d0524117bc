#!/usr/bin/env bash
# Sets up, then runs examples/demo.ts; arguments go to it.
set -euo pipefail
cd "$(dirname "$0")/.."
bash scripts/setup.sh
exec node --import tsx examples/demo.ts "$@"
