#!/usr/bin/env bash
# Everything that must pass before a change lands: build, every test, types, linters, packaging. This is the one
# definition: `pnpm check`, `.ci/run` and the workflow call it. Ends with the line `N passed, N failed`.
set -uo pipefail
ROOT=$(cd -- "$(dirname -- "$0")/.." && pwd)
cd "$ROOT"
. scripts/env.sh
out=$(mktemp)
FAILED_FILES=$(mktemp)
export FAILED_FILES
trap 'rm -f "$out" "$FAILED_FILES"' EXIT

# Installs, builds and tests. Sets `passed` and `failed`; a run without its closing line has failed.
run_tests() {
  ./test "$@" 2>&1 | tee "$out"
  status=${PIPESTATUS[0]}
  closing=$(grep -E '^[0-9]+ passed, [0-9]+ failed$' "$out" | tail -n 1)
  passed=${closing%% passed*}
  failed=${closing#*passed, }
  failed=${failed%% failed*}
  : "${passed:=0}" "${failed:=0}"
  [ "$status" -eq 0 ] || [ "$failed" -gt 0 ] || failed=1
}

run_tests
# Two files run at a time, with Redis servers, workers and crashes in each. Files that fail in so much company run once
# more, alone. A second failure counts; a first one is reported, because the test depends on time and should be mended.
mapfile -t files <"$FAILED_FILES"
if [ "$failed" -gt 0 ] && [ "${#files[@]}" -gt 0 ] && [ "${#files[@]}" -le 5 ]; then
  passed_in_company=$passed
  failed_in_company=$failed
  printf '\n> failed in company, now alone: %s\n' "${files[*]}"
  run_tests --no-file-parallelism "${files[@]}"
  printf '> FAILED IN COMPANY: %s tests of %s; failed alone: %s\n' "$failed_in_company" "${files[*]}" "$failed"
  passed=$((passed_in_company + failed_in_company - failed))
fi

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
