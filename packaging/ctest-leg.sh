#!/usr/bin/env bash
# One leg of the tests: runs ctest in a build folder and says how many tests ran; shows the output of those that failed.
# Usage: ctest-leg.sh BUILD_FOLDER LOG [ctest arguments...]
# What has a label that fits SECOND_TRY (servers, benchmarks; under Wine all) may fail once: it is run again, alone, and
# named when it passed only then. A unit test may not.
# The last line is "NAME: N tests in M programs passed"; N counts GoogleTest's, unittest's and replayed fuzz inputs' runs.
set -euo pipefail
second_try=${SECOND_TRY:-e2e|bench}
folder=$1 log=$2
shift 2
status=0
# One more than there are CPUs: an end-to-end test waits for the most part.
ctest --test-dir "$folder" -V -j $(($(nproc) + 1)) "$@" > "$log" 2>&1 < /dev/null || status=$?
failed_in() { sed -nE 's/^[[:space:]]+([0-9]+) - ([^ ]+) \((Failed|Timeout|SEGFAULT|Not Run|.*Exception.*)\).*$/\1 \2/p' "$1"; }
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
if [ $status -ne 0 ]; then
  show_failures "$log"
  names=$(failed_in "$log" | cut -d' ' -f2 | paste -sd'|')
  count() { ctest --test-dir "$folder" -N -R "^($names)\$" "$@" 2> /dev/null | sed -nE 's/^Total Tests: //p'; }
  if [ -n "$names" ] && [ "$(count)" = "$(count -L "$second_try")" ]; then
    again=${log%-ctest.log}-again-ctest.log
    status=0
    ctest --test-dir "$folder" -V -R "^($names)\$" > "$again" 2>&1 < /dev/null || status=$?
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
exit $status
