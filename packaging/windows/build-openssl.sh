#!/usr/bin/env bash
# Builds OpenSSL's static libraries for Windows from the source package in DEPS/openssl: what a TLS server and client
# need, for NT 5.2. Kept by version and by this script; built again only when one of them changed.
# Usage: build-openssl.sh DEPS ARCH...   (x86_64, i686, aarch64)   -> DEPS/openssl-ARCH/{include,lib}
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

# What this machine keeps: a folder for each key, which appears whole or not at all, with the sums of its files.
cache=${XDG_CACHE_HOME:-${HOME:+$HOME/.cache}}
cache=${cache:+$cache/kmem_exporter}
is_whole() {  # is_whole FOLDER
  [ "$(cd "$1" && find lib include -type f | LC_ALL=C sort)" = "$(sed 's/^[0-9a-f]*  //' "$1/SHA256SUMS" 2> /dev/null)" ] &&
    (cd "$1" && sha256sum --check --strict --status SHA256SUMS)
}
take() {  # take ENTRY PREFIX: copies it, and judges the copy
  [ -d "$1" ] || return 1
  rm -rf "$2.taken"
  if cp -r "$1" "$2.taken" && is_whole "$2.taken"; then
    mv "$2.taken" "$2"
    return
  fi
  rm -rf "$2.taken"
  echo "build-openssl: what is kept in $1 is damaged: it is built anew" >&2
  rm -rf "$1"
  return 1
}
keep() {  # keep PREFIX ENTRY
  local made
  if mkdir -p "$cache" && made=$(mktemp -d "$cache/.openssl.XXXXXX") &&
     cp -r "$1/lib" "$1/include" "$1/SHA256SUMS" "$made/" && chmod 755 "$made"; then
    mv -T "$made" "$2" 2> /dev/null || rm -rf "$made"  # somebody else was quicker
  else
    rm -rf "${made:-}"
    echo "build-openssl: $cache cannot be written: another clone will build OpenSSL again" >&2
  fi
}

# make_openssl WORK: configures and builds what is in WORK; the results in WORK/out. Its text is a part of the key.
make_openssl() (
  cd "$1" &&
  perl Configure "$target" --cross-compile-prefix="$prefix_of_tools" --prefix="$folder" --libdir=lib \
    --openssldir="$folder" "${options[@]}" -Os "${flags[@]}" CC="$cc" AR="$ar" RANLIB="$ranlib" &&
  make -j"$(nproc)" build_generated &&
  make -j"$(nproc)" libcrypto.a libssl.a &&
  # Its own installation would build the libraries of its programs and tests first.
  mkdir -p out/lib out/include/openssl &&
  cp libcrypto.a libssl.a out/lib &&
  cp -L include/openssl/*.h out/include/openssl &&
  cd out && find lib include -type f | LC_ALL=C sort | xargs sha256sum > SHA256SUMS
)

for arch; do
  cc=gcc-posix ar=gcc-ar-posix ranlib=gcc-ranlib-posix versions=(gcc-posix as)
  prefix_of_tools=$arch-w64-mingw32-
  description=/dev/null  # of a target that OpenSSL does not know
  flags=(-D_WIN32_WINNT=0x0502 -DWINVER=0x0502)
  case $arch in
    x86_64) target=mingw64 ;;
    i686) target=mingw ;;
    aarch64)
      description=$(dirname "$(realpath "${BASH_SOURCE[0]}")")/openssl-arm64.conf
      target=mingwarm64 cc=gcc ar=ar ranlib=ranlib versions=(gcc)
      prefix_of_tools=$deps/zig/bin/aarch64-w64-mingw32-
      flags=(no-asm --config=description.conf)
      ;;
    *) echo "build-openssl: $arch is none of x86_64, i686, aarch64" >&2; exit 2 ;;
  esac
  prefix=$deps/openssl-$arch
  key=$({ cat "$source/VERSION.dat" "$source/debian/changelog"; for tool in "${versions[@]}"; do "$prefix_of_tools$tool" --version; done | grep -v ^InstalledDir
          cat "$description"; declare -f make_openssl; echo "$arch $target $folder ${options[*]} ${flags[*]}"; } | sha256sum | cut -c 1-40)
  [ "$(cat "$prefix/.complete" 2>/dev/null)" != "$key" ] || continue
  rm -rf "$prefix"
  entry=${cache:+$cache/openssl-$arch-$key}
  if [ -n "$entry" ] && take "$entry" "$prefix"; then
    echo "build-openssl: OpenSSL for $arch was built before on this machine; taken from $entry"
    echo "$key" > "$prefix/.complete"
    continue
  fi
  work=$prefix.build
  rm -rf "$work" && mkdir "$work"
  log=$work/build.log
  cp -rs "$source/." "$work/"
  cp "$description" "$work/description.conf"
  # Debian's position-independent code for x86 is for ELF alone: the Windows assembler refuses it.
  if [ "$arch" = i686 ] && grep -qx pic.patch "$source/debian/patches/series"; then
    grep -E '^\+\+\+ ' "$source/debian/patches/pic.patch" | sed -E 's|^\+\+\+ [^/]*/([^[:space:]]+).*|\1|' | while read -r file; do
      cp --remove-destination "$source/$file" "$work/$file"
    done
    patch -s -R -p1 -d "$work" < "$source/debian/patches/pic.patch"
  fi
  if ! make_openssl "$work" > "$log" 2>&1 < /dev/null; then
    echo "FAILED: OpenSSL for $arch (its last lines; all of it in $log)" >&2
    tail -n 40 "$log" >&2
    exit 1
  fi
  mv "$work/out" "$prefix"
  rm -rf "$work"
  [ -z "$entry" ] || keep "$prefix" "$entry"
  echo "$key" > "$prefix/.complete"
done
