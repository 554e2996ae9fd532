#!/usr/bin/env python3
"""Files of the Linux packages that are made from others: README, copyright, third-party notices, SBOM, changelog in Debian's form,
manual page and completions. Usage: package_files.py BUILD_FOLDER PROGRAM VERSION MAINTAINER OUT_FOLDER
Failure: exit 1 with a message."""
import datetime
import email.utils
import gzip
import hashlib
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
sys.dont_write_bytecode = True
import components

ROOT = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../.."))
COPYRIGHT = """Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: kmem_exporter

Files: *
Copyright: the kmem_exporter maintainers
License: Apache-2.0
 On Debian systems, the text of the licence is in /usr/share/common-licenses/Apache-2.0.
Comment:
 The program contains software of others. What it is, and under which licences, follows; the same text is beside this
 file as THIRD_PARTY_NOTICES.
"""


def entries(text):
    """[(version, [change])] of CHANGELOG.md, newest first."""
    found = []
    for line in text.splitlines():
        if heading := re.match(r"## (\d+\.\d+\.\d+)", line):
            found.append((heading[1], []))
        elif found and re.match(r"[*-] ", line):
            found[-1][1].append(line[2:])
        elif found and found[-1][1] and line.startswith("  "):
            found[-1][1][-1] += " " + line.strip()
    return found


def debian_changelog(text, maintainer, when):
    out = ""
    for version, changes in entries(text):
        out += f"kmem-exporter ({version}) unstable; urgency=medium\n\n"
        for change in changes:
            line = "  *"
            for word in change.replace("`", "").split():
                if len(line) + 1 + len(word) > 79:
                    out += line + "\n"
                    line = "   "
                line += " " + word
            out += line + "\n"
        out += f"\n -- {maintainer}  {email.utils.format_datetime(when)}\n\n"
        when -= datetime.timedelta(days=1)
    return out


def packed(path, text):
    with open(path, "wb") as file, gzip.GzipFile("", "wb", 9, file, 0) as packer:
        packer.write(text.encode())


def main(build, program, version, maintainer, out):
    os.makedirs(out, exist_ok=True)
    made = os.path.join(out, "made-for")
    readme = subprocess.run([os.path.join(ROOT, "packaging/readme.sh")], stdout=subprocess.PIPE, text=True, check=True).stdout
    with open(program, "rb") as file, open(os.path.join(ROOT, "CHANGELOG.md"), "rb") as changes:
        inputs = hashlib.sha256(file.read() + changes.read() + open(__file__, "rb").read() + open(components.__file__, "rb").read() +
                                f"{version} {maintainer} {readme}".encode()).hexdigest()
    if os.path.exists(made) and open(made).read() == inputs:
        return
    components.write(os.path.join(out, "README.md"), readme)
    stamp = components.time_of(ROOT)
    when = datetime.datetime.fromtimestamp(stamp, datetime.timezone.utc)
    parts = components.components(build, program)
    told = components.notices(parts)
    components.write(os.path.join(out, "THIRD_PARTY_NOTICES"), told)
    components.write_sbom(os.path.join(out, "sbom.cdx.json"), parts, program, version, stamp)
    quoted = "".join(" " + (line or ".") + "\n" for line in told.splitlines())
    components.write(os.path.join(out, "copyright"), COPYRIGHT + quoted)
    with open(os.path.join(ROOT, "CHANGELOG.md"), encoding="utf-8") as text:
        packed(os.path.join(out, "changelog.gz"), debian_changelog(text.read(), maintainer, when))
    def printed(*arguments):
        return subprocess.run([program, *arguments], stdout=subprocess.PIPE, text=True, check=True).stdout
    packed(os.path.join(out, "kmem_exporter.1.gz"), printed("manual"))
    for shell in ("bash", "zsh", "fish"):
        components.write(os.path.join(out, f"completions.{shell}"), printed("completion", shell))
    components.write(made, inputs)


if __name__ == "__main__":
    if len(sys.argv) != 6:
        sys.exit(__doc__)
    main(*sys.argv[1:])
