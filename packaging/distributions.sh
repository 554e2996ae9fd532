#!/usr/bin/env bash
# Builds and tests in other distributions, each in a folder of its own that debootstrap fills; on demand, as root. The Debian
# package of this machine, when built, is installed and asked there, too.
# Ubuntu's archive is KMEM_UBUNTU_ARCHIVE: a machine of Debian knows none.
# Usage: distributions.sh [debian-13] [ubuntu-24.04]   (default: both)     Everything is below .build/distributions.
# Exit 0: all passed. A distribution that the machine's archive does not have is skipped, and said.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
wanted=("$@")
[ ${#wanted[@]} -gt 0 ] || wanted=(debian-13 ubuntu-24.04)
[ "$(id -u)" = 0 ] || { echo "distributions: chroot and mount need root" >&2; exit 2; }
command -v debootstrap > /dev/null || { echo "distributions: install debootstrap first" >&2; exit 2; }
archive=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 2> /dev/null | grep '/debian/\?$' | head -n 1)
mounted=()
release() { for at in "${mounted[@]}"; do umount "$at" 2> /dev/null || true; done; mounted=(); }
trap release EXIT
status=0
for name in "${wanted[@]}"; do
  case $name in
    debian-13) suite=trixie uri=$archive ;;
    ubuntu-24.04) suite=noble uri=${KMEM_UBUNTU_ARCHIVE:-} ;;
    *) echo "distributions: $name is neither debian-13 nor ubuntu-24.04" >&2; exit 2 ;;
  esac
  if [ -z "$uri" ]; then
    echo "$name: skipped; KMEM_UBUNTU_ARCHIVE names no archive"
    continue
  fi
  target=$root/.build/distributions/$name log=$root/.build/distributions/$name.log
  mkdir -p "$target"
  echo "$name: packages"
  if [ ! -e "$target/.complete" ]; then
    debootstrap --variant=minbase "$suite" "$target" "$uri" > "$log" 2>&1 || { tail -n 5 "$log" >&2; status=1; continue; }
    touch "$target/.complete"
  fi
  mkdir -p "$target/source" "$target/build"
  mount --bind "$root" "$target/source" && mounted+=("$target/source")
  mount --bind /proc "$target/proc" && mounted+=("$target/proc")
  inside() { chroot "$target" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root DEBIAN_FRONTEND=noninteractive "$@"; }
  echo "$name: build and unit tests"
  if inside sh -ec '
      apt-get update -qq
      apt-get install -y -qq --no-install-recommends g++ cmake ninja-build pkg-config python3 zlib1g-dev libssl-dev libcli11-dev \
        libspdlog-dev libfmt-dev nlohmann-json3-dev prometheus-cpp-dev libyaml-cpp-dev libgtest-dev libgmock-dev googletest
      cmake -S /source -B /build -G Ninja -DCMAKE_BUILD_TYPE=Release -DKMEM_DEPS_DIR=/source/.build/deps > /build/configure.log
      # The program and the unit tests: what else there is, is not the distribution'"'"'s.
      unit=$(ctest --test-dir /build -N -L unit | sed -nE "s/^ *Test +#[0-9]+: ([A-Za-z0-9_]+)$/\1/p")
      [ -n "$unit" ]
      cmake --build /build --target kmem_exporter $unit -- -k 0
      ctest --test-dir /build -L unit --output-on-failure' > "$log" 2>&1 < /dev/null; then
    echo "$name: $(grep -E 'tests passed' "$log" | tail -n 1)"
  else
    echo "$name: FAILED; all of it in $log" >&2
    grep -E 'error:|FAILED|\*\*\*|E: ' "$log" | head -n 20 >&2 || tail -n 20 "$log" >&2
    status=1
  fi
  for package in .build/packages/kmem-exporter_*_amd64.deb; do
    [ -e "$package" ] || continue
    echo "$name: $(basename "$package")"
    # Installed, served and scraped: the program is given a port of its own and asked over HTTP.
    if inside sh -ec 'apt-get install -y -qq "/source/$0"; kmem_exporter --version
                      kmem_exporter serve --web.listen-address=127.0.0.1:0 2> /tmp/log & pid=$!
                      trap "kill $pid" EXIT
                      for _ in $(seq 100); do grep -q "msg=\"listening\"" /tmp/log && break; sleep 0.1; done
                      at=$(sed -nE "s/.*msg=\"listening\" address=\"?([0-9.:]+).*/\1/p" /tmp/log)
                      python3 -c "import sys, urllib.request; sys.stdout.write(urllib.request.urlopen(sys.argv[1]).read().decode())" \
                        "http://$at/metrics" > /tmp/page
                      echo "scraped $(grep -vc "^#" /tmp/page) series, $(grep -c "^kmem_pool_bytes{" /tmp/page) pools"
                      grep -q "^kmem_pool_bytes{" /tmp/page
                      kill $pid; wait $pid || true; trap - EXIT
                      apt-get purge -y -qq kmem-exporter' "$package" >> "$log" 2>&1 < /dev/null; then
      echo "$name: $(grep "^scraped" "$log" | tail -n 1)"
    else
      tail -n 20 "$log" >&2; status=1
    fi
  done
  release
done
exit $status
