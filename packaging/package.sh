#!/usr/bin/env bash
# Builds the packages: a .deb for this machine's Debian or Ubuntu; an installer and a zip for Windows, x64 and x86.
# Usage: packaging/package.sh [deb] [windows]   (default: both; they come to .build/packages)
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
kinds=("$@")
[ ${#kinds[@]} -gt 0 ] || kinds=(deb windows)
out=$root/.build/packages
version=$(sed -nE 's/^project\(kmem_exporter VERSION ([0-9.]+).*/\1/p' CMakeLists.txt)
sets=(build)
presets=()
for kind in "${kinds[@]}"; do
  case $kind in
    deb) presets+=(release) ;;
    windows) sets+=(windows) presets+=(windows-mingw windows-mingw-i686) ;;
    *) echo "package: $kind is neither deb nor windows" >&2; exit 2 ;;
  esac
done
packaging/install-packages.sh "${sets[@]}"
packaging/fetch-sources.sh .build/deps cpp-httplib prometheus-cpp yaml-cpp spdlog fmtlib cli11 nlohmann-json3 ||
  echo "not all sources are in the package archive: CMake downloads the upstream releases, cpp-httplib's only when asked to" >&2
if [[ " ${kinds[*]} " = *" windows "* ]]; then
  packaging/fetch-sources.sh .build/deps openssl
  packaging/windows/build-openssl.sh .build/deps x86_64 i686
fi
mkdir -p "$out"
for preset in "${presets[@]}"; do
  cmake --preset "$preset" -DBUILD_TESTING=OFF -DKMEM_BENCH=OFF -B ".build/package-$preset" > /dev/null
  cmake --build ".build/package-$preset" --target kmem_exporter
  program=.build/package-$preset/exporter/kmem_exporter
  case $preset in
    release) cpack --config ".build/package-$preset/CPackConfig.cmake" -B "$out" > /dev/null && rm -rf "$out/_CPack_Packages" ;;
    windows-mingw) packaging/windows/make-msi.sh "$program.exe" x64 "$version" "$out" ;;
    windows-mingw-i686) packaging/windows/make-msi.sh "$program.exe" x86 "$version" "$out" ;;
  esac
done
ls -l "$out"
