#!/usr/bin/env bash
# What a reader should not have to point out: layout of the code, spelling of the documents, clang-tidy's few checks.
# Usage: packaging/lint.sh [format] [spelling] [tidy [all | FILES...]]   (default: all three)
#        packaging/lint.sh --fix      lays out all code by .clang-format
# tidy alone: all of the product that is not Windows' alone, without clang's analyzer, which takes most of the time; tidy all
# and tidy FILES (.cpp) with it. Exit 0 only when nothing was found.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
code() { find collectors config exporter tests \( -name '*.h' -o -name '*.cpp' \) -not -path '*/.build/*' | sort; }
documents() { find README.md CHANGELOG.md collectors config exporter dashboards packaging tests -name '*.md' | sort; }

# Each version lays out a little differently; the code is laid out by this one.
version=14
clang_format=$(command -v clang-format-$version || command -v clang-format)

format() {
  local bad
  "$clang_format" --version | grep -q " version $version\." || {
    echo "lint: the layout is not looked at: $("$clang_format" --version), and $version is needed"
    return 0
  }
  bad=$(code | xargs "$clang_format" --dry-run 2>&1 | sed -nE 's/^([^: ]+):[0-9]+:[0-9]+: warning.*/\1/p' | sort -u)
  [ -z "$bad" ] && { echo "lint: the layout is .clang-format's"; return 0; }
  echo "$bad" >&2
  echo "lint: $(echo "$bad" | wc -l) of $(code | wc -l) files are not laid out by .clang-format ($("$clang_format" --version)); packaging/lint.sh --fix does it" >&2
  return 1
}
spelling() {
  documents | xargs codespell --ignore-words packaging/spelling.txt || { echo "lint: words that are right go into packaging/spelling.txt" >&2; return 1; }
  echo "lint: no misspelling in $(documents | wc -l) documents"
}
tidy() {
  local files=("$@") quick=()
  clang-tidy --version | grep -q " version $version\." || {
    echo "lint: clang-tidy did not look: it is $(clang-tidy --version | sed -n 's/.* version /version /p'), whose checks differ from version $version's"
    return 0
  }
  if [ ${#files[@]} -eq 0 ]; then quick=(--quick) files=(all); fi
  [ "${files[*]}" != all ] || mapfile -t files < <(code | grep '\.cpp$' | grep -vE '^tests/|_win32\.cpp$|/win32_[a-z]+\.cpp$')
  # clang's own database: g++'s flags are not clang's, and tidy reads neither precompiled heads nor joined files of the build.
  mkdir -p .build/tidy
  cmake --preset asan-ubsan -B .build/tidy -DKMEM_PCH=OFF -DKMEM_UNITY=OFF -DKMEM_SANITIZE= -DBUILD_TESTING=OFF > .build/tidy/configure.log 2>&1 || {
    tail -n 20 .build/tidy/configure.log >&2
    return 1
  }
  python3 -B packaging/tidy.py "${quick[@]}" .build/tidy "${files[@]}"
}

if [ "${1:-}" = --fix ]; then
  code | xargs "$clang_format" -i
  exit 0
fi
failed=no
[ $# -gt 0 ] || set -- format spelling tidy
while [ $# -gt 0 ]; do
  case $1 in
    format) format || failed=yes ;;
    spelling) spelling || failed=yes ;;
    tidy) shift; tidy "$@" || failed=yes; break ;;
    *) echo "lint: $1 is none of format, spelling, tidy" >&2; exit 2 ;;
  esac
  shift
done
[ $failed = no ]
