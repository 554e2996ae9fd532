#!/usr/bin/env bash
# Installs what is missing of the named sets of Debian/Ubuntu packages. As root, or through sudo.
# Usage: install-packages.sh build [test] [windows] [arm64] [x86] [rpm] [stack] [lint]
set -euo pipefail
release=$(. /etc/os-release 2> /dev/null && echo "$ID ${VERSION_ID:-}") || release=unknown
if [ "$release" = "ubuntu 22.04" ]; then
  echo "install-packages: Ubuntu 22.04 has no prometheus-cpp and a CMake before 3.24; build on Debian 12 or later or Ubuntu 24.04, whose .deb installs here" >&2
  exit 1
fi
build=(ca-certificates git g++ cmake ninja-build make pkg-config dpkg-dev file python3 python3-yaml zlib1g-dev libssl-dev libcli11-dev libspdlog-dev
       libfmt-dev nlohmann-json3-dev prometheus-cpp-dev libyaml-cpp-dev)
# fetch-sources.sh takes sources of Debian's.
case $release in ubuntu*) build+=(debian-archive-keyring) ;; esac
test=(python3 python3-yaml victoria-metrics openssl googletest libgtest-dev libgmock-dev libbenchmark-dev valgrind bc clang lld curl prometheus
      prometheus-node-exporter prometheus-alertmanager systemd chromium fonts-dejavu-core
      docker-compose jsonnet lintian rpm fish zsh man-db)
# The sanitizers' libraries are only recommended by the compiler, and named by its version.
clang=$(apt-cache depends clang 2> /dev/null | sed -nE "s/^ *Depends: clang-([0-9]+)$/\1/p" || true)
test+=("libclang-rt-${clang:-14}-dev")
command -v npm > /dev/null || test+=(npm)  # Node.js' own packages bring it, and are no match for Debian's
windows=(python3 g++-mingw-w64-x86-64-posix g++-mingw-w64-i686-posix libz-mingw-w64-dev googletest wine wine64
         wixl msitools)
arm64=(python3-venv)
x86=(g++-multilib lib32z1-dev)
rpm=(rpm)
stack=(python3 prometheus prometheus-alertmanager)
lint=(git clang clang-format clang-tidy codespell python3)  # clang-tidy wants the set build, too
wanted=()
for set in "$@"; do
  case $set in
    build) wanted+=("${build[@]}") ;;
    test) wanted+=("${test[@]}") ;;
    windows) wanted+=("${windows[@]}") ;;
    arm64) wanted+=("${arm64[@]}") ;;
    x86) wanted+=("${x86[@]}") ;;
    stack) wanted+=("${stack[@]}") ;;
    lint) wanted+=("${lint[@]}") ;;
    rpm) wanted+=("${rpm[@]}") ;;
    *) echo "install-packages: no set named $set; there are build, test, windows, arm64, x86, rpm, stack, lint" >&2; exit 2 ;;
  esac
done
missing=()
for package in "${wanted[@]}"; do
  [ "$(dpkg-query -Wf '${Status}' "$package" 2>/dev/null)" = "install ok installed" ] || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0
as_root=()
[ "$(id -u)" = 0 ] || as_root=(sudo)
echo "installing: ${missing[*]}"
# Another installation, such as an unattended upgrade, is waited for. Servers come as programs to run, not as services to start.
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=600 update -qq
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 \
  apt-get install -y -qq --no-install-recommends -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=600 "${missing[@]}" > /dev/null
