#!/usr/bin/env bash
# The compiler for Windows on ARM64: Zig, which brings clang, libc++ and mingw-w64's headers and libraries, from the Python
# package index, by version and sum. Its command line is made that of the tools of mingw-w64.
# Usage: get-zig.sh DEPS      -> DEPS/zig/bin/aarch64-w64-mingw32-{gcc,g++,ar,ranlib,rc}
# Zig builds libc++ once (90 CPU seconds) and keeps it in ~/.cache/zig.
set -euo pipefail
mkdir -p "$1"
deps=$(cd "$1" && pwd)
version=0.15.2
sums=(806316453d1ede7174ed3fefb8e5348154629089c3bb5fe812dfd0e172fac130   # x86_64
      edc0aa60ec964a4cf462d40f68d7de242ddf37fd9a80f2afaee6397059463230)  # aarch64
zig=$deps/zig
made_by=$version-$(sha256sum "${BASH_SOURCE[0]}" | cut -c 1-40)
[ "$(cat "$zig/.complete" 2> /dev/null)" != "$made_by" ] || exit 0
rm -rf "$zig"
python3 -m venv "$zig"
printf 'ziglang==%s%s\n' "$version" "$(printf ' --hash=sha256:%s' "${sums[@]}")" > "$zig/requirements.txt"
"$zig/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --only-binary :all: --require-hashes -r "$zig/requirements.txt"
program=$(echo "$zig"/lib/python3*/site-packages/ziglang/zig)
[ -x "$program" ]
tool() {  # tool NAME: its script from standard input, where ZIG stands for the program
  sed "s|ZIG|'$program'|g" > "$zig/bin/aarch64-w64-mingw32-$1"
  chmod +x "$zig/bin/aarch64-w64-mingw32-$1"
}
for name in gcc:cc g++:c++; do
  # A linker's flag that Zig does not know, and need not: it writes no time of its own.
  tool "${name%:*}" << END
#!/usr/bin/env bash
for word; do
  shift
  [ "\$word" = -Wl,--no-insert-timestamp ] || set -- "\$@" "\$word"
done
exec ZIG ${name#*:} -target aarch64-windows-gnu "\$@"
END
done
tool ar <<< '#!/bin/sh
exec ZIG ar "$@"'
tool ranlib <<< '#!/bin/sh
exec ZIG ranlib "$@"'
# As CMake calls windres: [-D... -I...] SOURCE OBJECT.
tool rc <<< '#!/usr/bin/env bash
options=()
while [ $# -gt 2 ]; do
  case $1 in
    -I) options+=(/i "$2"); shift ;;
    -D) options+=(/d "$2"); shift ;;
    -I*) options+=(/i "${1#-I}") ;;
    -D*) options+=(/d "${1#-D}") ;;
    *) ;;
  esac
  shift
done
exec ZIG rc /:auto-includes gnu /:output-format coff /:target arm64 "${options[@]}" /fo "$2" -- "$1"'
echo "$made_by" > "$zig/.complete"
