#!/usr/bin/env bash
# What other distributions make of the project, each in a folder of its own that debootstrap fills; on demand, as root.
#   debian-13, ubuntu-24.04      packaging/run.sh builds and serves; the unit tests, by g++ and by clang
#   these, debian-12 and ubuntu-22.04   the .deb in .build/packages, when there is one, is installed, served and purged
# Ubuntu's archive is KMEM_UBUNTU_ARCHIVE: a machine of Debian knows none. KMEM_COMPILERS=clang++ tests by that one only.
# Usage: distributions.sh [NAME...]   (default: all)     Everything is below .build/distributions, with a log of each.
# Exit 0: all passed. A distribution without an archive is skipped, and said.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
wanted=("$@")
[ ${#wanted[@]} -gt 0 ] || wanted=(debian-12 debian-13 ubuntu-22.04 ubuntu-24.04)
[ "$(id -u)" = 0 ] || { echo "distributions: chroot and mount need root" >&2; exit 2; }
command -v debootstrap > /dev/null || { echo "distributions: install debootstrap first" >&2; exit 2; }
archive=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 2> /dev/null | grep '/debian/\?$' | head -n 1)
mounted=()
release() { for at in "${mounted[@]}"; do umount "$at" 2> /dev/null || true; done; mounted=(); }
trap release EXIT
# ask FILE COMMAND...: FILE gets the page of the exporter that COMMAND starts.
ask='
  out=$1; shift
  "$@" > /tmp/log 2>&1 & pid=$!
  trap "kill $pid 2> /dev/null" EXIT
  while kill -0 $pid 2> /dev/null && ! grep -q "msg=\"listening\"" /tmp/log; do sleep 0.5; done
  at=$(sed -nE "s/.*msg=\"listening\" address=\"?([0-9.:]+).*/\1/p" /tmp/log)
  [ -n "$at" ] || { cat /tmp/log; exit 1; }
  python3 -c "import sys, urllib.request as ask; sys.stdout.write(ask.urlopen(sys.argv[1]).read().decode())" "http://$at/metrics" > "$out"
  kill $pid; wait $pid || true; trap - EXIT
  echo "scraped $(grep -vc "^#" "$out") series, $(grep -c "^kmem_pool_bytes{" "$out") pools"
  grep -q "^kmem_pool_bytes{" "$out"'
status=0
for name in "${wanted[@]}"; do
  uri=$archive components=main script= builds=
  case $name in
    debian-12) suite=bookworm ;;
    debian-13) suite=trixie builds=yes ;;
    ubuntu-22.04) suite=jammy ;;
    ubuntu-24.04) suite=noble builds=yes ;;
    *) echo "distributions: $name is none of debian-12, debian-13, ubuntu-22.04, ubuntu-24.04" >&2; exit 2 ;;
  esac
  # Debian's debootstrap does not know every newer suite by name; all of Ubuntu's are laid by the one script.
  case $name in ubuntu-*) uri=${KMEM_UBUNTU_ARCHIVE:-} components=main,universe script=gutsy ;; esac
  if [ -z "$uri" ]; then
    echo "$name: skipped; KMEM_UBUNTU_ARCHIVE names no archive (that the .deb can be installed there, e2e_deb reads from its needs)"
    continue
  fi
  target=$root/.build/distributions/$name log=$root/.build/distributions/$name.log
  mkdir -p "$target"
  : > "$log"
  failed() {
    echo "$name: FAILED; all of it in $log" >&2
    grep -E 'error:|CMake Error|FAILED|\*\*\*|E: ' "$log" | grep -v 'Can not write log' | head -n 20 >&2 || tail -n 20 "$log" >&2
    status=1
  }
  if [ ! -e "$target/.complete" ]; then
    echo "$name: packages"
    debootstrap --variant=minbase --components=$components "$suite" "$target" "$uri" $script >> "$log" 2>&1 || { failed; continue; }
    touch "$target/.complete"
  fi
  mkdir -p "$target/source" "$target/packages"
  mount --bind /proc "$target/proc" && mounted+=("$target/proc")
  inside() {
    chroot "$target" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 \
      KMEM_DEBIAN_ARCHIVE="$archive" CMAKE_BUILD_PARALLEL_LEVEL="${CMAKE_BUILD_PARALLEL_LEVEL:-$(nproc)}" "$@" >> "$log" 2>&1 < /dev/null
  }
  good=yes
  inside sh -ec 'apt-get update -qq; apt-get install -y -qq -o DPkg::Lock::Timeout=600 --no-install-recommends ca-certificates python3' || good=no
  if [ $good = no ]; then
    failed; release; continue
  fi
  for package in .build/packages/kmem-exporter_*_amd64.deb; do
    [ -e "$package" ] || continue
    echo "$name: $(basename "$package")"
    cp "$package" "$target/packages/"
    if inside sh -ec 'apt-get install -y -qq -o DPkg::Lock::Timeout=600 "/packages/$0"; kmem_exporter --version' "$(basename "$package")" &&
       inside bash -ec "$ask" ask /tmp/page kmem_exporter serve --web.listen-address=127.0.0.1:0 &&
       inside sh -ec 'apt-get purge -y -qq kmem-exporter; ! getent passwd kmem_exporter; ! command -v kmem_exporter'; then
      echo "$name: $(grep "^scraped" "$log" | tail -n 1)"
    else
      failed
    fi
  done
  if [ -n "$builds" ]; then
    echo "$name: packaging/run.sh"
    # What was built stays; a file that is no longer there goes.
    find "$target/source" -mindepth 1 -maxdepth 1 ! -name .build -exec rm -rf {} +
    git ls-files -z | tar --null -T - -c | tar -C "$target/source" -x
    if inside bash -ec "$ask" ask /tmp/page /source/packaging/run.sh --web.listen-address=127.0.0.1:0; then
      echo "$name: $(grep "^scraped" "$log" | tail -n 1)"
    else
      good=no
    fi
  fi
  for compiler in ${builds:+${KMEM_COMPILERS:-g++ clang++}}; do
    [ $good = yes ] || break
    echo "$name: build and unit tests by $compiler"
    # The program and the unit tests: what else there is, is not the distribution's. By g++ the program is there already.
    if inside sh -ec '
        apt-get install -y -qq -o DPkg::Lock::Timeout=600 --no-install-recommends libgtest-dev libgmock-dev googletest $(echo $0 | sed "s/clang++/clang/")
        build=/source/.build/$0
        [ "$0" != g++ ] || build=/source/.build/run
        # run.sh left the compiler to CMake; another name for the same one would begin anew.
        [ "$0" = g++ ] || compilers="-DCMAKE_CXX_COMPILER=$0 -DCMAKE_C_COMPILER=clang"
        cmake -S /source -B $build -G Ninja -DCMAKE_BUILD_TYPE=Release -DBUILD_TESTING=ON ${compilers-} \
          -DKMEM_DEPS_DIR=/source/.build/deps > /tmp/configure
        unit=$(ctest --test-dir $build -N -L unit | sed -nE "s/^ *Test +#[0-9]+: ([A-Za-z0-9_]+)$/\1/p")
        [ -n "$unit" ]
        $0 --version | sed -n "1s/^/compiler: /p"
        cmake --build $build --target kmem_exporter $unit -- -k 0
        ctest --test-dir $build -L unit --output-on-failure' $compiler; then
      echo "$name: $(grep "^compiler: " "$log" | tail -n 1 | cut -d " " -f 2-): $(grep -E 'tests passed' "$log" | tail -n 1)"
    else
      good=no
    fi
  done
  [ $good = yes ] || failed
  release
done
exit $status
