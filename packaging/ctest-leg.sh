#!/usr/bin/env bash
# One leg of the tests: runs ctest in a build folder and says how many tests ran; shows the output of those that failed.
# Usage: ctest-leg.sh BUILD_FOLDER LOG [ctest arguments...]
# What has a label that fits SECOND_TRY (servers, benchmarks, rooms that have threads; under Wine all) may fail once: it is run
# again, alone, and named when it passed only then. Any other unit test may not.
# Where other virtual machines take much of this one's processors, what hangs on time and fails both times is named as not
# judged, and is no failure.
# By KMEM_TEST_UNTIL (legs.sh) it stops, a part of that time being kept for second tries: what had not ended is named, and the
# status is 75 unless something failed.
# The last line is "NAME: N tests in M programs passed"; N counts GoogleTest's, unittest's and replayed fuzz inputs' runs.
set -euo pipefail
here=$(dirname "${BASH_SOURCE[0]}")
. "$here/legs.sh"
kWithheld=33  # per cent of the time, of a machine on which one test runs
timed='e2e|bench|threads'
second_try=${SECOND_TRY:-$timed}
folder=$1 log=$2
shift 2
leg=$(basename "$folder") until=${KMEM_TEST_UNTIL:-}
# run_tests LOG UNTIL [ctest arguments...]: sets status, and not_ended: those that had not ended by then, not begun or stopped
# before their own timeout.
run_tests() {
  local log=$1 until=$2 stop=()
  shift 2
  status=0 not_ended=
  : > "$log"
  if [ -n "$until" ] && [ "$until" -le "$(date +%s)" ]; then  # ctest would take it for tomorrow's
    status=$kOutOfTime
  else
    [ -z "$until" ] || stop=(--stop-time "$(date -d "@$until" +%H:%M:%S)")
    ctest --test-dir "$folder" -V "${stop[@]}" "$@" > "$log" 2>&1 < /dev/null || status=$?
  fi
  if [ $status -eq $kOutOfTime ] || grep -q '^The stop time has been passed' "$log"; then
    not_ended=$(ctest --test-dir "$folder" --show-only=json-v1 "$@" | python3 -B "$here/not_ended.py" "$log")
  fi
}
# A part of the time is kept for a second try.
first=$until
[ -z "$until" ] || first=$((until - ($until - $(date +%s)) / 8))
# One more than there are CPUs: an end-to-end test waits for the most part.
run_tests "$log" "$first" -j $(($(nproc) + 1)) "$@"
unended=$not_ended
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
names_in() { failed_in "$1" | cut -d' ' -f2 | paste -sd'|'; }
# Whether all of names have a label that fits.
all_are() {
  local count=(ctest --test-dir "$folder" -N -R "^($names)\$")
  [ -n "$names" ] && [ "$("${count[@]}" 2> /dev/null | grep '^Total')" = "$("${count[@]}" -L "$1" 2> /dev/null | grep '^Total')" ]
}
not_judged() { echo "$leg: NOT JUDGED, for $1: ${names//|/ }"; }
names=$(names_in "$log")
[ -z "$unended" ] || [ -n "$names" ] || status=0
[ $status -eq 0 ] || show_failures "$log"
if [ $status -ne 0 ] && all_are "$second_try"; then
  again=${log%-ctest.log}-again-ctest.log
  logs+=("$again")
  python3 -B "${STALLS:-$here/stalls.py}" "$again.stalls" > /dev/null 2>&1 &
  run_tests "$again" "$until" -R "^($names)\$"
  kill $! 2> /dev/null || true
  wait $! || true
  read -r withheld longest < "$again.stalls" || withheld=0 longest=0
  failed=$(names_in "$again")
  if [ $status -eq 0 ]; then
    echo "$leg: passed only when run again, alone: ${names//|/ }"
  elif [ -z "$failed" ]; then
    names=$(paste -sd'|' <<< "$not_ended") status=0
    not_judged "they failed once, and the time was over before they had run again, alone"
  else
    echo "--- again, alone, while the machine withheld $withheld % of its time, up to $longest s at once:" >&2
    show_failures "$again"
    names=$failed
    if [ "$withheld" -ge $kWithheld ] && all_are "$timed"; then
      status=0
      not_judged "the machine withheld $withheld % of their time, up to $longest s at once"
    fi
  fi
fi
programs=$(cat "${logs[@]}" | grep -cE '^ *[0-9]+/[0-9]+ Test +#.* Passed ' || true)
tests=$({ cat "${logs[@]}" | grep -oE '\[  PASSED  \] [0-9]+ tests?' | grep -oE '[0-9]+'; cat "${logs[@]}" | grep -oE '^[0-9]+: Ran [0-9]+ test' | grep -oE '[0-9]+ test' | grep -oE '[0-9]+'; echo 0; } | paste -sd+ | bc)
inputs=$({ cat "${logs[@]}" | grep -oE '\[  PASSED  \] [0-9]+ inputs' | grep -oE '[0-9]+' || true; echo 0; } | paste -sd+ | bc)
echo "$leg: $tests tests and $inputs fuzz inputs in $programs programs passed"
if [ -n "$unended" ]; then
  echo "$leg: the time was over before the end of $(wc -l <<< "$unended"): $(paste -sd' ' <<< "$unended")"
  [ $status -ne 0 ] || status=$kOutOfTime
elif [ "$programs" -eq 0 ]; then
  echo "$leg: no test ran" >&2
  status=1
fi
exit $status
