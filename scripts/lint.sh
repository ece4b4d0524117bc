#!/usr/bin/env bash
# Checks formatting of TypeScript and C++, and common mistakes of TypeScript; --fix formats instead.
# clang-tidy, which takes minutes, is clang-tidy.sh.
set -euo pipefail
cd "$(dirname "$0")/.."

mapfile -t native < <(git ls-files --cached --others --exclude-standard -- \
  '*.c' '*.cpp' '*.hpp' '*.h' '*.cu' '*.cuh')
if [ "${1:-}" = --fix ]; then
  npx --no-install biome check --write .
  ((${#native[@]} == 0)) || clang-format -i "${native[@]}"
  exit
fi

status=0
npx --no-install biome check --error-on-warnings . || status=1
if ((${#native[@]})); then
  clang-format --dry-run -Werror "${native[@]}" || status=1
fi
exit $status
