#!/usr/bin/env bash
# Prints README.md as a package has it: pictures, and links to what stands in the sources alone, are none there.
# Usage: readme.sh [FILE_OF_THE_SOURCES=NAME_IN_THE_PACKAGE...]
set -euo pipefail
known=()
for pair in "$@"; do known+=(-e "s#\]\(${pair%%=*}\)#](${pair#*=})#"); done
exec sed -E -e '/^!\[/d' "${known[@]}" \
  -e 's#\[([^]]+)\]\((packaging|exporter|collectors|dashboards|config|tests)/([^)]*)\)#\1 (\2/\3 of the sources)#g' \
  "$(dirname "${BASH_SOURCE[0]}")/../README.md"
