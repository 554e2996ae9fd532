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
  # A command may end with these by itself.
  case $status in 124|137) [ "$(date +%s)" -lt "$KMEM_TEST_UNTIL" ] || return $kOutOfTime ;; esac
  return $status
}
# worse_of STATUS STATUS: what failed counts for more than what the time did not suffice for.
worse_of() {
  if [ "$1" -eq 0 ] || { [ "$1" -eq $kOutOfTime ] && [ "$2" -ne 0 ]; }; then echo "$2"; else echo "$1"; fi
}
# configure PRESET: with ccache where it is at hand, by which a second build takes minutes; what it keeps holds for any clone.
export CCACHE_BASEDIR=${root:-$PWD} CCACHE_NOHASHDIR=1
configure() {
  local launcher=()
  if command -v ccache > /dev/null && [ "$1" != windows-arm64 ]; then  # zig keeps what it compiled by itself
    launcher=(-DCMAKE_C_COMPILER_LAUNCHER=ccache -DCMAKE_CXX_COMPILER_LAUNCHER=ccache -DKMEM_UNITY=ON)
  fi
  run "$1-configure" cmake --preset "$1" "${launcher[@]}"
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
