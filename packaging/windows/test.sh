#!/usr/bin/env bash
# The Windows builds, x86-64 and i686: unit tests and end-to-end tests under Wine, the import tables, the size.
# Called by packaging/test.sh, which has installed what this needs. i686 programs run only where Wine can run them.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cd "$root"
logs=.build/logs
export WINEPREFIX=$root/.build/wine WINEDEBUG=-all WINEDLLOVERRIDES="mscoree=;mshtml="
export LC_ALL=C.UTF-8  # Wine finds no file whose name the locale cannot write, and a machine may have none set
unset DISPLAY
. packaging/legs.sh
step() { printf '%s  %s\n' "$(date +%H:%M:%S)" "$*"; }
can_run_32=no
if [ -e /usr/lib/wine/wine ] || [ -e /usr/lib/i386-linux-gnu/wine ]; then can_run_32=yes; fi
step "build OpenSSL"
in_time packaging/windows/build-openssl.sh .build/deps x86_64 i686
for preset in windows-mingw windows-mingw-i686; do
  step "build $preset"
  targets=()
  if [ $preset = windows-mingw-i686 ] && [ $can_run_32 = no ]; then targets=(--target kmem_exporter); fi
  configure "$preset"
  run "$preset-build" cmake --build --preset "$preset" "${targets[@]}" -- -k 0
done

# Wine's services inherit whatever the first program has open; started here with /dev/null, ctest's pipes stay free.
mkdir -p "$WINEPREFIX"
wineserver -k < /dev/null > /dev/null 2>&1 || true
trap 'wineserver -k < /dev/null > /dev/null 2>&1 || true' EXIT
wineserver -p < /dev/null > "$logs/wine.log" 2>&1 || { cat "$logs/wine.log" >&2; exit 1; }
wine wineboot < /dev/null > "$logs/wine.log" 2>&1 || { cat "$logs/wine.log" >&2; exit 1; }

status=0
for preset in windows-mingw windows-mingw-i686; do
  if [ $preset = windows-mingw-i686 ] && [ $can_run_32 = no ]; then
    step "test $preset: this machine's Wine runs no 32-bit programs; only the files are checked"
    only=(-L static)
  else
    step "test $preset under Wine"
    only=()
  fi
  # Wine ends a program without a word, once in thousands of starts.
  ended=0
  SECOND_TRY=. packaging/ctest-leg.sh ".build/$preset" "$logs/$preset-ctest.log" "${only[@]}" || ended=$?
  status=$(worse_of $status $ended)
done
exit $status
