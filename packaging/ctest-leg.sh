#!/usr/bin/env bash
# One leg of the tests: runs ctest in a build folder and says how many tests ran; shows the output of those that failed.
# Usage: ctest-leg.sh BUILD_FOLDER LOG [ctest arguments...]
# The last line is "NAME: N tests in M programs passed"; N counts GoogleTest's, unittest's and replayed fuzz inputs' runs.
set -euo pipefail
folder=$1 log=$2
shift 2
status=0
# One more than there are CPUs: an end-to-end test waits for the most part.
ctest --test-dir "$folder" -V -j $(($(nproc) + 1)) "$@" > "$log" 2>&1 < /dev/null || status=$?
if [ $status -ne 0 ]; then
  sed -nE 's/^[[:space:]]+([0-9]+) - .*\((Failed|Timeout|SEGFAULT|Not Run|.*Exception.*)\)$/\1/p' "$log" | while read -r number; do
    echo "--- $(grep -E "^ *[0-9]+/[0-9]+ Test +#$number:" "$log")"
    # GoogleTest's, unittest's, the sanitizers' and the benchmarks' words for what went wrong, else the end.
    grep -E "^$number: " "$log" | grep -vE '\[ +(OK|RUN|PASSED) +\]' |
      { grep -E -A12 'Failure|FAILED|Traceback|ERROR|WARNING: Thread|runtime error|BROKEN' || true; } | head -n 80
    grep -E "^$number: " "$log" | tail -n 8
  done >&2
fi
programs=$(grep -cE '^ *[0-9]+/[0-9]+ Test +#.* Passed ' "$log" || true)
tests=$({ grep -oE '\[  PASSED  \] [0-9]+ tests?' "$log" | grep -oE '[0-9]+'; grep -oE '^[0-9]+: Ran [0-9]+ test' "$log" | grep -oE '[0-9]+ test' | grep -oE '[0-9]+'; echo 0; } | paste -sd+ | bc)
inputs=$({ grep -oE '\[  PASSED  \] [0-9]+ inputs' "$log" | grep -oE '[0-9]+' || true; echo 0; } | paste -sd+ | bc)
echo "$(basename "$folder"): $tests tests and $inputs fuzz inputs in $programs programs passed"
[ "$programs" -gt 0 ] || { echo "$(basename "$folder"): no test ran" >&2; exit 1; }
exit $status
