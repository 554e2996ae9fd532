#!/usr/bin/env bash
# Builds OpenSSL's static libraries for Windows from the source package in DEPS/openssl: what a TLS server and client
# need, for NT 5.2. Kept by version and by this script; built again only when one of them changed.
# Usage: build-openssl.sh DEPS ARCH...   (x86_64, i686)   -> DEPS/openssl-ARCH/{include,lib}
set -euo pipefail
deps=$(cd "$1" && pwd); shift
source=$deps/openssl
if [ ! -e "$source/.complete" ]; then
  echo "build-openssl: no source in $source; packaging/fetch-sources.sh $deps openssl gets it" >&2
  exit 1
fi

options=(no-shared no-tests no-module no-dso no-engine no-legacy no-comp no-ssl3 no-dtls no-srp
         no-psk no-ct no-cms no-ts no-cmp no-ocsp no-srtp no-sctp no-rfc3779 no-nextprotoneg no-gost no-idea no-seed no-camellia
         no-aria no-bf no-cast no-des no-dsa no-rc2 no-rc4 no-rc5 no-md4 no-mdc2 no-whirlpool no-rmd160 no-sm2 no-sm3 no-sm4
         no-ec2m no-scrypt no-blake2 no-siphash no-ui-console no-autoload-config no-async no-padlockeng no-ssl-trace)
# What is looked for by default must be nothing that anybody could put there: no file of Windows has such a name.
folder='/<none>'

kept_for=$(cat "$source/VERSION.dat" "$source/debian/changelog" "${BASH_SOURCE[0]}" | sha256sum)
for arch; do
  case $arch in
    x86_64) target=mingw64 ;;
    i686) target=mingw ;;
    *) echo "build-openssl: $arch is neither x86_64 nor i686" >&2; exit 2 ;;
  esac
  prefix=$deps/openssl-$arch
  [ "$(cat "$prefix/.complete" 2>/dev/null)" != "$kept_for" ] || continue
  work=$prefix.build
  rm -rf "$prefix" "$work" && mkdir "$work"
  log=$work/build.log
  # Debian's position-independent code for x86 is for ELF alone: the Windows assembler refuses it.
  cp -rs "$source/." "$work/"
  if [ "$arch" = i686 ] && grep -qx pic.patch "$source/debian/patches/series"; then
    grep -E '^\+\+\+ ' "$source/debian/patches/pic.patch" | sed -E 's|^\+\+\+ [^/]*/([^[:space:]]+).*|\1|' | while read -r file; do
      cp --remove-destination "$source/$file" "$work/$file"
    done
    patch -s -R -p1 -d "$work" < "$source/debian/patches/pic.patch"
  fi
  if ! (
    cd "$work" &&
    perl Configure "$target" --cross-compile-prefix="$arch-w64-mingw32-" --prefix="$folder" --libdir=lib \
      --openssldir="$folder" "${options[@]}" -Os -D_WIN32_WINNT=0x0502 -DWINVER=0x0502 \
      CC=gcc-posix AR=gcc-ar-posix RANLIB=gcc-ranlib-posix &&
    make -j"$(nproc)" build_generated &&
    make -j"$(nproc)" libcrypto.a libssl.a &&
    # Its own installation would build the libraries of its programs and tests first.
    mkdir -p out/lib out/include/openssl &&
    cp libcrypto.a libssl.a out/lib &&
    cp -L include/openssl/*.h out/include/openssl
  ) > "$log" 2>&1 < /dev/null; then
    echo "FAILED: OpenSSL for $arch (its last lines; all of it in $log)" >&2
    tail -n 40 "$log" >&2
    exit 1
  fi
  mv "$work/out" "$prefix"
  rm -rf "$work"
  echo "$kept_for" > "$prefix/.complete"
done
