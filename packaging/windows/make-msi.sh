#!/usr/bin/env bash
# Makes the Windows installer of a built program.
# Usage: make-msi.sh EXE x64|x86 VERSION OUT.msi
set -euo pipefail
exe=$1 arch=$2 version=$3 out=$4
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
case $arch in
  x64) win64=yes folder=ProgramFiles64Folder ;;
  x86) win64=no folder=ProgramFilesFolder ;;
  *) echo "make-msi: $arch is neither x64 nor x86" >&2; exit 2 ;;
esac
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
crlf() { sed 's/$/\r/' "$root/$1" > "$work/$2"; }
cp "$exe" "$work/kmem_exporter.exe"
crlf packaging/windows/kmem_exporter.yml kmem_exporter.yml
crlf config/kmem_exporter.yml kmem_exporter.example.yml
crlf README.md README.md
# Its names of files are relative to the description's folder.
cp "$root/packaging/windows/kmem_exporter.wxs" "$work"
wixl -a "$arch" -o "$work/made.msi" -D "Version=$version" -D "Win64=$win64" -D "ProgramFiles=$folder" \
  "$work/kmem_exporter.wxs" 2> "$work/wixl.log" || { cat "$work/wixl.log" >&2; exit 1; }
# wixl drops what it does not know with a warning only.
if grep -E 'WARNING|CRITICAL' "$work/wixl.log" >&2; then exit 1; fi

sql() { msibuild "$work/made.msi" -q "$1"; }
# The configuration is the administrator's: never overwritten (128), stays at uninstall (16), as a 64-bit component (256).
attributes=$((128 + 16)); [ $arch = x86 ] || attributes=$((attributes + 256))
sql "UPDATE \`Component\` SET \`Attributes\`=$attributes WHERE \`Component\`='Configuration'"
# An unprivileged msiexec hands only these over to the service that installs.
secure=$(msiinfo export "$work/made.msi" Property | tr -d '\r' | sed -n 's/^SecureCustomProperties\t//p')
own='LISTEN_ADDRESS;CONFIG_FILE;EXTRA_FLAGS;ADD_FIREWALL'
if [ -n "$secure" ]; then
  sql "UPDATE \`Property\` SET \`Value\`='$secure;$own' WHERE \`Property\`='SecureCustomProperties'"
else
  sql "INSERT INTO \`Property\` (\`Property\`,\`Value\`) VALUES ('SecureCustomProperties','$own')"
fi
mv "$work/made.msi" "$out"
