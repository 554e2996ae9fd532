#!/usr/bin/env bash
# All that a build for Windows on ARM64 needs: packages, sources, compiler, OpenSSL. The first time it takes minutes, later none.
# Usage: prepare-arm64.sh DEPS
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
"$root/packaging/install-packages.sh" build windows arm64
"$root/packaging/fetch-sources.sh" "$1" cpp-httplib prometheus-cpp yaml-cpp spdlog fmtlib cli11 nlohmann-json3 openssl zlib
"$root/packaging/windows/get-zig.sh" "$1"
"$root/packaging/windows/build-openssl.sh" "$1" aarch64
