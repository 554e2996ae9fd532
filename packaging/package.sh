#!/usr/bin/env bash
# Builds the packages and what is told of them: .deb, .rpm and a container image of Linux, an installer and a zip of Windows, x64
# and x86 (ARM64 when it is named), what deploys them, SBOM, SHA256SUMS. With KMEM_SIGNING_KEY, a key of gpg's, SHA256SUMS is signed.
# Usage: packaging/package.sh [deb] [rpm] [image] [windows] [arm64]   (default: all but arm64; they come to .build/packages)
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
kinds=("$@")
[ ${#kinds[@]} -gt 0 ] || kinds=(deb rpm image windows)
out=$root/.build/packages
version=$(sed -nE 's/^project\(kmem_exporter VERSION ([0-9.]+).*/\1/p' CMakeLists.txt)
sets=(build)
presets=()
linux=no
for kind in "${kinds[@]}"; do
  case $kind in
    deb | image) linux=yes ;;
    rpm) linux=yes sets+=(rpm) ;;
    windows) sets+=(windows) presets+=(windows-mingw windows-mingw-i686) ;;
    arm64) presets+=(windows-arm64) ;;
    *) echo "package: $kind is none of deb, rpm, image, windows, arm64" >&2; exit 2 ;;
  esac
done
[ $linux = no ] || presets=(release "${presets[@]}")
packaging/install-packages.sh "${sets[@]}"
packaging/fetch-sources.sh .build/deps cpp-httplib prometheus-cpp yaml-cpp spdlog fmtlib cli11 nlohmann-json3 ||
  echo "not all sources are in the package archive: CMake downloads the upstream releases, cpp-httplib's only when asked to" >&2
if [[ " ${kinds[*]} " = *" windows "* ]]; then
  packaging/fetch-sources.sh .build/deps openssl
  packaging/windows/build-openssl.sh .build/deps x86_64 i686
fi
if [[ " ${kinds[*]} " = *" arm64 "* ]]; then packaging/windows/prepare-arm64.sh .build/deps; fi
# Nothing of another version, or of another run, is summed up and signed.
rm -rf "$out"
mkdir -p "$out"
has() { case " ${kinds[*]} " in *" $1 "*) return 0 ;; *) return 1 ;; esac; }
pack() {  # pack GENERATOR
  cpack --config .build/package-release/CPackConfig.cmake -G "$1" -B "$out" > /dev/null && rm -rf "$out/_CPack_Packages"
}
for preset in "${presets[@]}"; do
  build=.build/package-$preset
  cmake --preset "$preset" -DBUILD_TESTING=OFF -DKMEM_BENCH=OFF ${KMEM_CONTACT:+"-DKMEM_CONTACT=$KMEM_CONTACT"} -B "$build" > /dev/null
  cmake --build "$build" --target kmem_exporter
  program=$build/exporter/kmem_exporter
  sbom=$out/kmem_exporter-$version
  case $preset in
    release)
      ! has deb || pack DEB
      ! has rpm || pack RPM
      python3 -B packaging/components.py "$build" "$program" --version "$version" --sbom "$sbom-linux-$(uname -m).cdx.json" \
        --notices "$build/THIRD_PARTY_NOTICES"
      ! has image || python3 -B packaging/oci/make_image.py "$program" "$version" "$out/kmem_exporter-$version-oci.tar" \
        "$build/THIRD_PARTY_NOTICES=usr/share/doc/kmem-exporter/THIRD_PARTY_NOTICES"
      ;;
    windows-mingw) arch=x64 ;;&
    windows-mingw-i686) arch=x86 ;;&
    windows-arm64) arch=arm64 ;;&
    windows-*)
      packaging/windows/make-msi.sh "$program.exe" $arch "$version" "$out"
      python3 -B packaging/components.py "$build" "$program.exe" --version "$version" --sbom "$sbom-windows-$arch.cdx.json"
      ;;
  esac
done
deployment=$root/.build/deployment
told=()
[ -z "${KMEM_IMAGE:-}" ] || told+=(--image "$KMEM_IMAGE")
[ -z "${KMEM_RUNBOOKS+set}" ] || told+=(--runbooks "$KMEM_RUNBOOKS")
[ -z "${KMEM_PROJECT_URL:-}" ] || told+=(--project-url "$KMEM_PROJECT_URL")
has windows || told+=(--no-windows)
python3 -B packaging/deployment.py "${told[@]}" "$version" "${KMEM_RELEASE_URL:-https://releases.invalid/$version}" "$out" "$deployment"
tar -C "$deployment" --sort=name --owner=0 --group=0 --numeric-owner -czf "$out/kmem_exporter-$version-deployment.tar.gz" .
(cd "$out" && sha256sum -- * > ../SHA256SUMS && mv ../SHA256SUMS .)
if [ -n "${KMEM_SIGNING_KEY:-}" ]; then
  gpg --batch --yes --local-user "$KMEM_SIGNING_KEY" --armor --detach-sign --output "$out/SHA256SUMS.asc" "$out/SHA256SUMS"
fi
ls -l "$out"
