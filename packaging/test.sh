#!/usr/bin/env bash
# Installs what is missing, builds everything and runs every test:
#   native (g++, release) with end-to-end tests and benchmarks, clang with ASan+UBSan, TSan, Windows x86-64 and i686 under
#   Wine, the program for Windows on ARM64, whose file is read.
# Usage: packaging/test.sh [--within MINUTES] [native] [lint] [asan] [windows] [tsan] [arm64]   (default: all of them)
#        --within: for a machine that stops a run after a time, as CI's does. A leg that would not end in that time is not
#        begun, what has not ended by then is stopped, and the last lines name both. What ran and failed fails.
#        packaging/test.sh one NAME [FILTER]   builds and runs one test, natively; FILTER is GoogleTest's
#        packaging/test.sh lint            layout, spelling, clang-tidy; lint tidy all, lint tidy FILES: with clang's analyzer, too
#        packaging/test.sh x86             what a scrape costs on a 32-bit processor, on demand
#        packaging/test.sh kubernetes      holds the kustomize folder to the types of Kubernetes and of the operator, on demand (Go)
#        packaging/test.sh distributions   builds and tests in other distributions, on demand (distributions.sh)
# Logs are below .build/logs. Exit 0 only when every leg that ran passed.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
case ${1:-} in
  one)
    name=${2:?"the name of a test, as ctest -N lists it"}
    [ -f .build/release/build.ninja ] || { packaging/install-packages.sh build test; packaging/fetch-sources.sh .build/deps cpp-httplib; }
    [ -f .build/release/build.ninja ] || cmake --preset release
    case $name in  # a GoogleTest program is its own target; these scripts read sources only; others run what is built
      *_tests) cmake --build --preset release --target "$name" ;;
      docs_rooms) cmake --preset release > /dev/null ;;  # which writes what the rooms link
      rules_*) ;;
      *) cmake --build --preset release ;;
    esac
    GTEST_FILTER=${3:-*} ctest --preset release -R "^$name\$"
    exit
    ;;
  lint)
    shift
    packaging/install-packages.sh build lint
    packaging/fetch-sources.sh .build/deps cpp-httplib
    [ $# -gt 0 ] || set -- tidy
    exec packaging/lint.sh format spelling "$@"
    ;;
  x86)  # doubles aligned as Windows aligns them, whose layouts the build checks
    packaging/install-packages.sh build test x86
    packaging/fetch-sources.sh .build/deps cpp-httplib prometheus-cpp yaml-cpp spdlog fmtlib cli11 nlohmann-json3
    ln -sfn /usr/src/googletest .build/deps/googletest
    cmake --preset release -B .build/x86 -DCMAKE_C_FLAGS=-m32 -DCMAKE_CXX_FLAGS="-m32 -malign-double" \
      -DCMAKE_LIBRARY_PATH=/usr/lib32 -DKMEM_DEPS_FROM_SOURCE=ON -DKMEM_TLS=OFF
    cmake --build .build/x86 --target page_cost
    ctest --test-dir .build/x86 -R '^bench_page_cost$' --verbose
    exit
    ;;
  kubernetes)
    python3 -B packaging/deployment.py --no-windows 0.0.0 https://releases.invalid none .build/kubernetes/out
    mapfile -t files < <(ls "$root"/.build/kubernetes/out/kubernetes/*.yaml | grep -v /kustomization.yaml)
    cd tests/e2e/kubernetes
    exec go run . "${files[@]}"
    ;;
  distributions)
    packaging/fetch-sources.sh .build/deps cpp-httplib
    exec packaging/distributions.sh "${@:2}"
    ;;
esac
started=$(date +%s)
if [ "${1:-}" = --within ]; then
  [[ ${2:-} =~ ^[1-9][0-9]{0,4}$ ]] || { echo "packaging/test.sh: --within is followed by whole minutes, 1 to 99999" >&2; exit 2; }
  within=$2
  export KMEM_TEST_UNTIL=$((started + within * 60))  # ctest-leg.sh stops there, too
  shift 2
fi
legs=("$@")
[ ${#legs[@]} -gt 0 ] || legs=(native lint asan windows tsan arm64)
for leg in "${legs[@]}"; do
  case $leg in lint|native|asan|tsan|windows|arm64) ;; *) echo "packaging/test.sh: $leg is no leg: native, lint, asan, windows, tsan, arm64" >&2; exit 2 ;; esac
done
logs=.build/logs
rm -rf "$logs"
mkdir -p "$logs"

. packaging/legs.sh
step() { printf '%4ds  %s\n' $(($(date +%s) - started)) "$*"; }
build() {  # build PRESET [--targets TARGET...]
  local preset=$1
  shift
  [ "${1:-}" != --targets ] || set -- --target "${@:2}"
  step "build $preset"
  configure "$preset" && run "$preset-build" cmake --build --preset "$preset" "$@" -- -k 0
}
check() {  # check PRESET [ctest arguments...]
  local preset=$1
  shift
  step "test $preset${*:+ $*}"
  packaging/ctest-leg.sh ".build/$preset" "$logs/$preset${1:+$1}-ctest.log" "$@"
}

step "packages and sources"
packaging/install-packages.sh build test windows
packaging/fetch-sources.sh .build/deps cpp-httplib prometheus-cpp yaml-cpp spdlog fmtlib cli11 nlohmann-json3 ||
  echo "not all sources are in the package archive: CMake downloads the upstream releases, cpp-httplib's only when asked to" >&2
packaging/fetch-sources.sh .build/deps axe-core
leg() { case " ${legs[*]} " in *" $1 "*) return 0 ;; *) return 1 ;; esac; }
if leg windows; then packaging/fetch-sources.sh .build/deps openssl; fi
mkdir -p .build/deps
ln -sfn /usr/src/googletest .build/deps/googletest

failed=() unfinished=()
# What each leg took, in seconds, where all of them took 48 minutes: only their ratios matter.
declare -A usual=([native]=950 [lint]=130 [asan]=640 [windows]=670 [tsan]=150 [arm64]=180)
usual_done=0 took=0
native() {
  local begun part status=0 ended
  begun=$(date +%s)
  build release || return
  # Its tests take three times what its build takes. Where the time does not suffice, first those that find the most a minute.
  local parts=("")
  if [ -n "${within:-}" ] && [ $((($(date +%s) - begun) * 3)) -gt $((KMEM_TEST_UNTIL - $(date +%s))) ]; then
    parts=("-L unit|fuzz|static" "-LE unit|fuzz|static")
  fi
  for part in "${parts[@]}"; do
    ended=0
    check release $part || ended=$?
    status=$(worse_of $status $ended)
  done
  return $status
}
lint() {
  step "lint"
  packaging/install-packages.sh lint && in_time packaging/lint.sh
}
asan() { build asan-ubsan && check asan-ubsan -L 'unit|fuzz'; }
tsan() {
  # The rooms that have threads; the rest is single-threaded by contract and slow under TSan.
  local threaded=(http_tests agent_tests base_tests exporter_metrics_tests drivers_tests)
  build tsan --targets "${threaded[@]}" && check tsan -R "^($(IFS='|'; echo "${threaded[*]}"))\$"
}
windows() { packaging/windows/test.sh; }
arm64() {
  step "compiler and OpenSSL for ARM64"
  run arm64-prepare packaging/windows/prepare-arm64.sh .build/deps && build windows-arm64 --targets kmem_exporter &&
    check windows-arm64 -L static
}
for leg in "${legs[@]}"; do
  begun=$(date +%s)
  if [ -n "${within:-}" ]; then
    left=$((KMEM_TEST_UNTIL - begun))
    needs=$((usual_done > 0 ? ${usual[$leg]} * took / usual_done : 0))
    if [ $left -lt 30 ] || [ $needs -gt $left ]; then
      unfinished+=("$leg, not begun, with $((left > 0 ? left / 60 : 0)) minutes left")
      continue
    fi
  fi
  status=0
  "$leg" || status=$?
  [ -n "${within:-}" ] || [ $status -ne $kOutOfTime ] || status=1  # nobody gave it a time
  case $status in
    0) usual_done=$((usual_done + ${usual[$leg]})) took=$((took + $(date +%s) - begun)) ;;
    "$kOutOfTime") unfinished+=("$leg, stopped by the time") ;;
    *) failed+=("$leg") ;;
  esac
done
echo
passed=$(cat "$logs"/*-ctest.log | grep -cE '^ *[0-9]+/[0-9]+ Test +#.* Passed ' || true)
bad=$(cat "$logs"/*-ctest.log | grep -cE '^ *[0-9]+/[0-9]+ Test +#.*\*\*\*' || true)
if [ ${#unfinished[@]} -gt 0 ]; then
  printf "NOT RUN WHOLE, for this machine needs more than the $within minutes it was given: %s\n" "${unfinished[@]}"
fi
if [ ${#failed[@]} -gt 0 ]; then
  step "failed: ${failed[*]}"
  echo "$passed passed, $((bad > 0 ? bad : 1)) failed"
  exit 1
fi
if [ "$passed" -eq 0 ] && { leg native || leg asan || leg tsan || leg windows || leg arm64; }; then
  echo "no test ran"
  exit 1
fi
if [ ${#unfinished[@]} -gt 0 ]; then step "what ran passed"; else step "all legs passed: ${legs[*]}"; fi
echo "$passed passed, 0 failed"
