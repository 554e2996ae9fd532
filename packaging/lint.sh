#!/usr/bin/env bash
# What a reader should not have to point out: layout of the code, spelling of the documents, clang-tidy's few checks.
# Usage: packaging/lint.sh [format] [spelling] [tidy [all | FILES...]]   (default: format spelling)
#        packaging/lint.sh --fix      lays out all code by .clang-format
# tidy without more words: what changed since main (KMEM_LINT_BASE names another commit). Exit 0 only when nothing was found.
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
# Product files that differ from where this branch left main, or on main itself from the commit before; of a header, the
# file of its name, else one that includes it.
changed() {
  local base=${KMEM_LINT_BASE:-} ref file
  for ref in origin/main main; do
    [ -n "$base" ] || base=$(git merge-base HEAD "$ref" 2> /dev/null) || true
  done
  if [ -z "$base" ] || [ "$base" = "$(git rev-parse HEAD)" ]; then base=$(git rev-parse -q --verify HEAD^) || return 0; fi
  { git diff --name-only --diff-filter=d "$base"; git ls-files --others --exclude-standard; } |
    grep -E '^(collectors|config|exporter)/.*\.(cpp|h)$' | while read -r file; do
      if [[ $file == *.cpp ]]; then echo "$file"
      elif [ -f "${file%.h}.cpp" ]; then echo "${file%.h}.cpp"
      else grep -rlF --include='*.cpp' "#include \"$file\"" collectors config exporter | sort | sed -n 1p
      fi
    done | grep -v '_win32\.cpp$' | sort -u || true
}
# Some 10 s of CPU a file, half of it the parser's: all 246 take 20 minutes of two cores, with fewer checks 10. So it is what
# changed, at most as many as two cores do in 4 minutes, and all on demand. The whole run does without.
most=40
tidy() {
  local files=("$@") all=0
  if [ ${#files[@]} -eq 0 ]; then
    git rev-parse -q --verify HEAD > /dev/null 2>&1 || { echo "lint: clang-tidy looks at what changed, and this is no checkout"; return 0; }
    clang-tidy --version | grep -q " version $version\." || {
      echo "lint: clang-tidy did not look: it is $(clang-tidy --version | sed -n 's/.* version /version /p'), whose checks differ from version $version's"
      return 0
    }
    mapfile -t files < <(changed)
    all=${#files[@]}
    files=("${files[@]:0:$most}")
    [ "$all" -gt 0 ] || { echo "lint: no product file changed for clang-tidy"; return 0; }
  elif [ "${files[*]}" = all ]; then
    mapfile -t files < <(code | grep '\.cpp$' | grep -vE '^tests/|_win32\.cpp$')
  fi
  # clang's own database: g++'s flags are not clang's, and tidy reads neither precompiled heads nor joined files.
  mkdir -p .build/tidy
  cmake --preset asan-ubsan -B .build/tidy -DKMEM_PCH=OFF -DKMEM_UNITY=OFF -DKMEM_SANITIZE= -DBUILD_TESTING=OFF > .build/tidy/configure.log 2>&1 || {
    tail -n 20 .build/tidy/configure.log >&2
    return 1
  }
  printf '%s\n' "${files[@]}" | nice xargs -P "$(nproc)" -n 1 clang-tidy -p .build/tidy --quiet 2> .build/tidy/errors.log || {
    grep -v 'warnings generated' .build/tidy/errors.log >&2
    return 1
  }
  echo "lint: clang-tidy found nothing in ${#files[@]} files"
  [ "$all" -le $most ] || echo "lint: clang-tidy did NOT look at $((all - most)) more that changed: packaging/test.sh lint tidy all"
}

if [ "${1:-}" = --fix ]; then
  code | xargs "$clang_format" -i
  exit 0
fi
failed=no
[ $# -gt 0 ] || set -- format spelling
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
