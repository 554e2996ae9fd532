#!/usr/bin/env bash
# Unpacks the source packages that are built with the project into DIR/<name>: cpp-httplib for every build, the
# rest for Windows. They come from the machine's own Debian mirror, or KMEM_DEBIAN_ARCHIVE; its apt configuration is read, never
# changed.
# axe-core, which judges the page in a test, comes from the npm registry.
# Usage: fetch-sources.sh DIR NAME...   (names: cpp-httplib prometheus-cpp yaml-cpp spdlog fmtlib cli11
# nlohmann-json3 openssl zlib axe-core)
# Exit 0: everything named is there. Exit 1: something could not be had (named on stderr).
set -euo pipefail
dir=$1; shift
mkdir -p "$dir"; dir=$(cd "$dir" && pwd)

# cpp-httplib is pinned to the patched 0.18.7 of Debian 13; the others to what Debian 12 builds natively.
suite_of() { case $1 in cpp-httplib) echo trixie ;; *) echo bookworm ;; esac; }

axe_version=4.10.3 axe=axe-core-$axe_version.tgz
axe_sha256=0f2b4d7dcdf7d1219df8d1959ad68e565f51d14c3f0d88bb71cd59abeb956292

fetch_axe() (
  rm -rf "$dir/axe-core" && mkdir "$dir/axe-core" && cd "$dir/axe-core"
  npm pack --loglevel=error "axe-core@$axe_version" > fetch.log 2>&1 &&
    echo "$axe_sha256  $axe" | sha256sum --check --quiet >> fetch.log 2>&1 &&
    tar -xzf "$axe" --strip-components=1 package/axe.min.js package/LICENSE && rm "$axe" && touch .complete
)

missing=()
for name; do
  [ -e "$dir/$name/.complete" ] && continue
  if [ "$name" != axe-core ]; then
    missing+=("$name")
  elif ! fetch_axe; then
    echo "fetch-sources: no $axe from npm: $(tail -n 1 "$dir/axe-core/fetch.log")" >&2
    exit 1
  fi
done
[ ${#missing[@]} -gt 0 ] || exit 0

apt=$dir/.apt
mkdir -p "$apt"/{lists/partial,cache/archives/partial,sources.d}
uri=${KMEM_DEBIAN_ARCHIVE:-$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 2>/dev/null | grep '/debian/\?$' | head -n 1 || true)}
if [ -z "$uri" ]; then
  echo "fetch-sources: no Debian archive among this machine's apt sources; KMEM_DEBIAN_ARCHIVE names one" >&2
  exit 1
fi
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
{
  printf 'Types: deb-src\nURIs: %s\nSuites: bookworm trixie\nComponents: main\n' "$uri"
  [ ! -e "$keyring" ] || printf 'Signed-By: %s\n' "$keyring"
} > "$apt/sources.d/src.sources"
opts=(-qq -o "Dir::State::lists=$apt/lists" -o "Dir::Cache=$apt/cache" -o Dir::Etc::SourceList=/dev/null
      -o "Dir::Etc::SourceParts=$apt/sources.d" -o APT::Sandbox::User=root)
apt-get "${opts[@]}" update

cd "$dir"
for name in "${missing[@]}"; do
  rm -rf "$name" "$name".unpack && mkdir "$name.unpack"
  if ! (cd "$name.unpack" && apt-get "${opts[@]}" source "$name/$(suite_of "$name")" > fetch.log 2>&1); then
    echo "fetch-sources: apt has no source of $name: $(tail -n 1 "$name.unpack/fetch.log")" >&2
    exit 1
  fi
  mv "$name.unpack"/*/ "$name"
  rm -rf "$name.unpack"
  touch "$name/.complete"
done
