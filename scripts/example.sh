#!/usr/bin/env bash
# Sets up, then runs an example: example.sh NAME runs examples/NAME.ts; further arguments go to it.
set -euo pipefail
cd "$(dirname "$0")/.."
bash scripts/setup.sh
name=$1
shift
exec node --import tsx "examples/$name.ts" "$@"
