#!/usr/bin/env bash
# One leg of the tests: runs ctest in a build folder and says how many tests ran; shows the output of those that failed.
# Usage: ctest-leg.sh BUILD_FOLDER LOG [ctest arguments...]
# What has a label that fits SECOND_TRY (servers, benchmarks; under Wine all) may fail once: it is run again, alone, and
# named when it passed only then. A unit test may not.
# By KMEM_TEST_UNTIL (legs.sh) it stops: what had not ended then is named, and the status is 75 unless something failed.
# The last line is "NAME: N tests in M programs passed"; N counts GoogleTest's, unittest's and replayed fuzz inputs' runs.
set -euo pipefail
here=$(dirname "${BASH_SOURCE[0]}")
. "$here/legs.sh"
second_try=${SECOND_TRY:-e2e|bench}
folder=$1 log=$2
shift 2
status=0
stop=()
if [ -n "${KMEM_TEST_UNTIL:-}" ]; then
  [ "$KMEM_TEST_UNTIL" -gt "$(date +%s)" ] || exit $kOutOfTime  # ctest would take it for tomorrow's
  stop=(--stop-time "$(date -d "@$KMEM_TEST_UNTIL" +%H:%M:%S)")
fi
# One more than there are CPUs: an end-to-end test waits for the most part.
ctest --test-dir "$folder" -V -j $(($(nproc) + 1)) "${stop[@]}" "$@" > "$log" 2>&1 < /dev/null || status=$?
# Those that had not ended when the time was over: not begun, or stopped before their own timeout.
not_ended=
if [ ${#stop[@]} -gt 0 ] && grep -q '^The stop time has been passed' "$log"; then
  not_ended=$(ctest --test-dir "$folder" --show-only=json-v1 "$@" | python3 -B "$here/not_ended.py" "$log")
fi
failed_in() {
  sed -nE 's/^[[:space:]]+([0-9]+) - ([^ ]+) \((Failed|Timeout|SEGFAULT|Not Run|.*Exception.*)\).*$/\1 \2/p' "$1" |
    while read -r number name; do
      grep -qxF "$name" <<< "$not_ended" || echo "$number $name"
    done
}
show_failures() {
  failed_in "$1" | while read -r number _; do
    echo "--- $(grep -E "^ *[0-9]+/[0-9]+ Test +#$number:" "$1")"
    # GoogleTest's, unittest's, the sanitizers' and the benchmarks' words for what went wrong, else the end.
    grep -E "^$number: " "$1" | grep -vE '\[ +(OK|RUN|PASSED) +\]' |
      { grep -E -A12 'Failure|FAILED|Traceback|ERROR|WARNING: Thread|runtime error|BROKEN' || true; } | head -n 80
    grep -E "^$number: " "$1" | tail -n 8
  done >&2
}
logs=("$log")
names=$(failed_in "$log" | cut -d' ' -f2 | paste -sd'|')
[ -z "$not_ended" ] || [ -n "$names" ] || status=0
if [ $status -ne 0 ]; then
  show_failures "$log"
  count() { ctest --test-dir "$folder" -N -R "^($names)\$" "$@" 2> /dev/null | sed -nE 's/^Total Tests: //p'; }
  if [ -n "$names" ] && [ "$(count)" = "$(count -L "$second_try")" ]; then
    again=${log%-ctest.log}-again-ctest.log
    status=0
    ctest --test-dir "$folder" -V "${stop[@]}" -R "^($names)\$" > "$again" 2>&1 < /dev/null || status=$?
    logs+=("$again")
    if [ $status -eq 0 ]; then
      echo "$(basename "$folder"): passed only when run again, alone: ${names//|/ }"
    else
      echo "--- again, alone:" >&2
      show_failures "$again"
    fi
  fi
fi
programs=$(cat "${logs[@]}" | grep -cE '^ *[0-9]+/[0-9]+ Test +#.* Passed ' || true)
tests=$({ cat "${logs[@]}" | grep -oE '\[  PASSED  \] [0-9]+ tests?' | grep -oE '[0-9]+'; cat "${logs[@]}" | grep -oE '^[0-9]+: Ran [0-9]+ test' | grep -oE '[0-9]+ test' | grep -oE '[0-9]+'; echo 0; } | paste -sd+ | bc)
inputs=$({ cat "${logs[@]}" | grep -oE '\[  PASSED  \] [0-9]+ inputs' | grep -oE '[0-9]+' || true; echo 0; } | paste -sd+ | bc)
echo "$(basename "$folder"): $tests tests and $inputs fuzz inputs in $programs programs passed"
[ "$programs" -gt 0 ] || { echo "$(basename "$folder"): no test ran" >&2; exit 1; }
if [ -n "$not_ended" ]; then
  echo "$(basename "$folder"): the time was over before the end of $(wc -l <<< "$not_ended"): $(paste -sd' ' <<< "$not_ended")"
  [ $status -ne 0 ] || exit $kOutOfTime
fi
exit $status
