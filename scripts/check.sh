#!/usr/bin/env bash
# Everything that must pass before a change lands: build, every test, types, linters, packaging. This is the one
# definition: `pnpm check`, `.ci/run` and the workflow call it. Ends with the line `N passed, N failed`.
set -uo pipefail
ROOT=$(cd -- "$(dirname -- "$0")/.." && pwd)
cd "$ROOT"
. scripts/env.sh
out=$(mktemp)
trap 'rm -f "$out"' EXIT

# Installs, builds and tests. A run without its closing line has failed.
./test 2>&1 | tee "$out"
status=${PIPESTATUS[0]}
closing=$(grep -E '^[0-9]+ passed, [0-9]+ failed$' "$out" | tail -n 1)
passed=${closing%% passed*}
failed=${closing#*passed, }
failed=${failed%% failed*}
: "${passed:=0}" "${failed:=0}"
[ "$status" -eq 0 ] || [ "$failed" -gt 0 ] || failed=1

ensure_tools
check() {
  printf '> %s\n' "$*"
  if "$@"; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
}
check pnpm typecheck
check pnpm exec biome check .
check pnpm exec knip
check pnpm check:pack

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
