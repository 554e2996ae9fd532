# What the scripts that run tests share: a log a step, and the time by which a run has to end. Sourced.
# KMEM_TEST_UNTIL: that time in seconds of the epoch, unset without one. 75 (sysexits.h: try again later) is the status of
# what the time did not suffice for.
kOutOfTime=75
# in_time COMMAND...: stopped when the time is over.
in_time() {
  local left status=0
  if [ -z "${KMEM_TEST_UNTIL:-}" ]; then
    "$@"
    return
  fi
  left=$((KMEM_TEST_UNTIL - $(date +%s)))
  [ $left -gt 0 ] || return $kOutOfTime
  timeout --kill-after=20 "$left" "$@" || status=$?
  case $status in 124|137) return $kOutOfTime ;; *) return $status ;; esac
}
# run LOG COMMAND...: quiet when it works, the log's end when it does not.
run() {
  local log=$logs/$1.log status=0
  shift
  in_time "$@" > "$log" 2>&1 < /dev/null || status=$?
  if [ $status -ne 0 ] && [ $status -ne $kOutOfTime ]; then
    echo "FAILED: $* (its last lines; all of it in $log)" >&2
    grep -E -A12 "^FAILED|error:" "$log" | head -n 60 >&2 || tail -n 60 "$log" >&2
  fi
  return $status
}
