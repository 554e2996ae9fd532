#!/usr/bin/env bash
# Makes the Windows packages of a built program: an installer, and a plain zip of the same files.
# Usage: make-msi.sh EXE x64|x86|arm64 VERSION FOLDER [DESCRIPTION]    -> FOLDER/kmem_exporter-VERSION-ARCH.msi and .zip
# DESCRIPTION: another than kmem_exporter.wxs, for tests of upgrades.
set -euo pipefail
exe=$1 arch=$2 version=$3 out=$4
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
description=${5:-$root/packaging/windows/kmem_exporter.wxs}
schema=200 made_for=$arch
case $arch in
  x64) win64=yes folder=ProgramFiles64Folder ;;
  x86) win64=no folder=ProgramFilesFolder ;;
  # wixl knows no ARM64, whose installer has the tables of x64's and another word in its head.
  arm64) win64=yes folder=ProgramFiles64Folder schema=500 made_for=x64 ;;
  *) echo "make-msi: $arch is none of x64, x86, arm64" >&2; exit 2 ;;
esac
name=kmem_exporter-$version-$arch
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
files=$work/$name
mkdir "$files"
crlf() { sed 's/$/\r/' "$root/$1" > "$files/$2"; }
cp "$exe" "$files/kmem_exporter.exe"
crlf packaging/windows/kmem_exporter.yml kmem_exporter.yml
crlf config/kmem_exporter.yml kmem_exporter.example.yml
crlf config/leak-signatures.txt leak-signatures.txt
crlf packaging/windows/CHECKLIST.md CHECKLIST.md
crlf packaging/windows/selfcheck.ps1 selfcheck.ps1
"$root/packaging/readme.sh" packaging/windows/CHECKLIST.md=CHECKLIST.md | sed 's/$/\r/' > "$files/README.md"
crlf LICENSE LICENSE.txt
# Of what this very program was linked from; its build folder knows.
python3 -B "$root/packaging/components.py" "$(dirname "$(dirname "$exe")")" "$exe" --version "$version" --notices "$work/notices"
sed 's/$/\r/' "$work/notices" > "$files/THIRD_PARTY_NOTICES.txt"
mkdir -p "$out"
rm -f "$out/$name.zip"
(cd "$work" && cmake -E tar cf "$name.zip" --format=zip "$name")
mv "$work/$name.zip" "$out/"

# The same package always has the same ids; another version is another product, another architecture other components.
id() { python3 -c 'import sys, uuid; print(str(uuid.uuid5(uuid.UUID("6e0c5bc2-d30c-4ef8-8d17-cdbf6860c957"), sys.argv[1])).upper())' "$1"; }
defines=(-D "Schema=$schema" -D "Version=$version" -D "Win64=$win64" -D "ProgramFiles=$folder" -D "ProductCode=$(id "$version $arch")")
for component in Program Documents Settings Configuration; do
  defines+=(-D "${component}Id=$(id "$component $arch")")
done
# Its names of files are relative to the description's folder.
cp "$description" "$files/kmem_exporter.wxs"
wixl -a "$made_for" -o "$work/made.msi" "${defines[@]}" "$files/kmem_exporter.wxs" 2> "$work/wixl.log" || {
  cat "$work/wixl.log" >&2
  exit 1
}
# wixl drops what it does not know with a warning only.
if grep -E 'WARNING|CRITICAL' "$work/wixl.log" >&2; then exit 1; fi
rm "$files/kmem_exporter.wxs"

sql() { msibuild "$work/made.msi" -q "$1"; }
# The configuration is the administrator's: never overwritten (128), stays at uninstall (16), as a 64-bit component (256).
attributes=$((128 + 16)); [ $arch = x86 ] || attributes=$((attributes + 256))
sql "UPDATE \`Component\` SET \`Attributes\`=$attributes WHERE \`Component\`='Configuration'"
# Without its version the program would count as older than the one it replaces, and not be copied.
sql "UPDATE \`File\` SET \`Version\`='$version.0', \`Language\`='1033' WHERE \`File\`='ProgramFile'"
sql "DELETE FROM \`MsiFileHash\` WHERE \`File_\`='ProgramFile'"
sql "UPDATE \`InstallExecuteSequence\` SET \`Sequence\`=1501 WHERE \`Action\`='RemoveExistingProducts'"
# wixl takes Execute="rollback" and writes nothing of it: 256, in the rollback's script (1024).
sql "UPDATE \`CustomAction\` SET \`Type\`=3442 WHERE \`Action\`='StartAgain'"
# An unprivileged msiexec hands only these over to the service that installs.
sql "UPDATE \`Property\` SET \`Value\`='WIX_UPGRADE_DETECTED;WIX_DOWNGRADE_DETECTED;LISTEN_ADDRESS;CONFIG_FILE;EXTRA_FLAGS;ADD_FIREWALL;INSTALLDIR;REMOVE_DATA;OLD_LISTEN_ADDRESS;OLD_CONFIG_FILE;OLD_EXTRA_FLAGS;OLD_FIREWALL;OLD_INSTALLDIR' WHERE \`Property\`='SecureCustomProperties'"
if grep -q STATETOREMOVE "$description"; then  # at uninstall (2), the inner folder first
  row() {  # row KEY FOLDER [NAME]: the folder itself without a name
    sql "INSERT INTO \`RemoveFile\` (\`FileKey\`, \`Component_\`, \`DirProperty\`, \`InstallMode\`${3:+, \`FileName\`}) VALUES ('$1', 'Program', '$2', 2${3:+, '$3'})"
  }
  # By name as well: Wine takes no * for a pattern.
  number=0
  for file in selection.state trend.state failures.state settings.state drivers.state lock '*'; do row "State$((++number))" STATETOREMOVE "$file"; done
  row StateFolder STATETOREMOVE
  for file in kmem_exporter.yml '*'; do row "Data$((++number))" DATATOREMOVE "$file"; done
  row DataFolder DATATOREMOVE
fi

if [ "$arch" = arm64 ]; then
  msibuild "$work/made.msi" -s "Prometheus exporter of kernel memory" kmem_exporter "Arm64;1033" "{$(id "package $version $arch")}"
fi
mv "$work/made.msi" "$out/$name.msi"
