#!/usr/bin/env python3
"""What a built program is made of, and what has to be said about that: third-party notices and an SBOM (CycloneDX).

Nothing is taken from a list of what should be in it: ninja knows which headers were compiled and what was linked, the
unpacked sources and Debian's packages know version and licence. A file of unknown origin is an error.
Usage: components.py BUILD_FOLDER PROGRAM --version V [--notices FILE] [--sbom FILE]
Failure: exit 1 with the file or component that is not known."""
import argparse
import datetime
import functools
import hashlib
import json
import os
import re
import subprocess
import uuid

# Source packages, or folders of unpacked sources -> name, SPDX licence. What is compiled in has to be named in the notices;
# runtimes of the compilers have an exception that asks for nothing.
KNOWN = {
    "cpp-httplib": ("cpp-httplib", "MIT"),
    "fmtlib": ("fmt", "MIT"),
    "spdlog": ("spdlog", "MIT"),
    "yaml-cpp": ("yaml-cpp", "MIT"),
    "cli11": ("CLI11", "BSD-3-Clause"),
    "nlohmann-json3": ("nlohmann-json", "MIT"),
    "prometheus-cpp": ("prometheus-cpp", "MIT"),
    "openssl": ("OpenSSL", "Apache-2.0"),
    "zlib": ("zlib", "Zlib"),
    "libz-mingw-w64": ("zlib", "Zlib"),
    "glibc": ("glibc", "LGPL-2.1-or-later"),
    "mingw-w64": ("mingw-w64", "ZPL-2.1"),
    "gcc": ("GCC runtime", "GPL-3.0-or-later WITH GCC-exception-3.1"),
    "llvm": ("libc++", "Apache-2.0 WITH LLVM-exception"),
    "zig": ("Zig runtime", "MIT"),
}
# What of Zig's library (packaging/windows/get-zig.sh) is in a program -> component, its licence.
OF_ZIG = {"zig": "LICENSE", "llvm": "lib/libcxx/LICENSE.TXT", "mingw-w64": "lib/libc/mingw/COPYING"}
ALIASES = [(r"gcc(-\d+)?(-mingw-w64)?", "gcc"), (r"nlohmann_json", "nlohmann-json3"), (r"nlohmann-json", "nlohmann-json3"),
           (r"llvm-toolchain.*", "gcc")]
# Headers of the system's interface: nothing of them is in the program.
NOT_INSIDE = {"linux", "binutils"}
# Headers of C libraries declare; those of C++ libraries bring code.
DECLARED_ONLY = {"glibc", "openssl", "zlib", "libz-mingw-w64"}


def run(*command, **options):
    return subprocess.run(command, check=True, capture_output=True, text=True, **options).stdout


def inputs_of(build, target):
    """Every file that ninja used for the target: sources, headers, archives, libraries."""
    listed = run("ninja", "-C", build, "-t", "inputs", target).splitlines()
    listed = [name.strip("'") for name in listed if not name.startswith("ninja:")]
    objects = [name for name in listed if name.endswith((".o", ".obj"))]
    headers = run("ninja", "-C", build, "-t", "deps", *objects).splitlines()
    if not any(line.startswith("    ") for line in headers):
        raise SystemExit(f"components: ninja knows no headers in {build}; build it with ninja first")
    names = listed + [line.strip() for line in headers if line.startswith("    ")]
    return {os.path.realpath(os.path.join(build, name)) for name in names if re.search(r"[.][\w+]+$|/include/", name)}


def owners(paths):
    """{path: Debian package}"""
    found = {}
    paths = sorted(paths)
    for at in range(0, len(paths), 500):
        part = paths[at:at + 500]
        # Debian may know a file by its old place, below / instead of /usr.
        told = subprocess.run(["dpkg-query", "-S", *part, *(path.removeprefix("/usr") for path in part)], capture_output=True,
                              text=True).stdout
        for line in told.splitlines():
            package, _, path = line.rpartition(": ")
            if package.startswith("diversion by"):
                continue
            for whole in (path, "/usr" + path):
                if whole in part:
                    found[whole] = package.split(",")[0].strip()
    return found


@functools.cache
def package_facts(package):
    source, version, architecture = run("dpkg-query", "-Wf", "${source:Package} ${Version} ${Architecture}", package).split()
    return source, version, architecture


def canonical(name):
    for pattern, known in ALIASES:
        if re.fullmatch(pattern, name):
            return known
    return name


def licence_of_debian(package):
    """Copyright and licence of the upstream files, from the machine-readable form; all of it from another."""
    path = f"/usr/share/doc/{package.split(':')[0]}/copyright"
    with open(path, encoding="utf-8") as text:
        text = text.read()
    if not text.startswith("Format"):
        return text.strip()
    stanzas = [dict(re.findall(r"^([\w-]+):[ \t]*((?:.*\n?)(?:[ \t].*\n?)*)", stanza, re.M)) for stanza in re.split(r"\n\s*\n", text)]
    upstream = next(stanza for stanza in stanzas if stanza.get("Files", "").strip() == "*")
    name, _, body = upstream["License"].partition("\n")
    if not body.strip():
        body = next((stanza["License"].partition("\n")[2] for stanza in stanzas
                     if "Files" not in stanza and stanza.get("License", "").partition("\n")[0].strip() == name.strip()), "")
    lines = ["Copyright " + line.strip() for line in upstream["Copyright"].strip().splitlines()]
    return "\n".join(lines + [""] + [line.strip() if line.strip() != "." else "" for line in body.splitlines()]).strip()


class Component:
    def __init__(self, key, version, purl, licence_text):
        if key not in KNOWN:
            raise SystemExit(f"components: {key} is linked, and its licence is not in the table of {os.path.basename(__file__)}")
        self.key, self.version, self.purl, self.licence_text = key, version, purl, licence_text
        self.name, self.licence = KNOWN[key]
        self.is_inside = False  # in the program itself, not only loaded by it


def unpacked(folder, name):
    version = "unknown"
    changelog = os.path.join(folder, "debian/changelog")
    if os.path.exists(changelog):
        with open(changelog, encoding="utf-8") as lines:
            version = re.search(r"\(([^)]+)\)", lines.readline())[1]
    texts = sorted(entry for entry in os.listdir(folder) if re.match(r"(LICENSE|COPYING)", entry) and
                   os.path.isfile(os.path.join(folder, entry)))
    if not texts:
        raise SystemExit(f"components: no licence in {folder}")
    with open(os.path.join(folder, texts[0]), encoding="utf-8") as text:
        return Component(canonical(name), version, f"pkg:deb/debian/{name}@{version}?arch=source", text.read().strip())


def zig_component(key, folder):
    version = os.path.basename(next(entry.path for entry in os.scandir(os.path.dirname(folder)) if entry.name.endswith(".dist-info")))
    version = version.split("-")[1].removesuffix(".dist-info")
    with open(os.path.join(folder, OF_ZIG[key]), encoding="utf-8") as text:
        told = version if key == "zig" else f"of Zig {version}"
        return Component(key, told, f"pkg:pypi/ziglang@{version}" + ("" if key == "zig" else "#" + os.path.dirname(OF_ZIG[key])), text.read().strip())


def components(build, program):
    """Those of the program, by name."""
    cache = open(os.path.join(build, "CMakeCache.txt"), encoding="utf-8").read()
    deps = re.search(r"^KMEM_DEPS_DIR:PATH=(.*)$", cache, re.M)[1] or os.path.join(build, "_deps")
    deps = os.path.realpath(deps)
    build, source = os.path.realpath(build), os.path.realpath(re.search(r"^CMAKE_HOME_DIRECTORY:INTERNAL=(.*)$", cache, re.M)[1])
    found, system = {}, set()
    for path in inputs_of(build, os.path.relpath(os.path.realpath(program), build)):
        downloaded = re.match(re.escape(build) + r"/_deps/([^/]+)-src/", path)
        if compiler := re.match(re.escape(deps) + r"/zig/.*/ziglang(?=/lib/(libc/)?)", path):
            # ninja sees the headers; what a program is linked with comes with them, and Zig's own runtime always.
            for key in ("zig", "mingw-w64" if path.startswith(compiler[0] + "/lib/libc/") else "llvm"):
                if key not in found:
                    found[key] = zig_component(key, compiler[0])
                found[key].is_inside = True
        elif path.startswith(deps + "/") or downloaded:
            name = downloaded[1] if downloaded else path[len(deps) + 1:].split("/")[0]
            name = re.sub(r"-(x86_64|i686|aarch64)$", "", name)  # built from the source beside it, for one machine
            folder = os.path.join(build, "_deps", name + "-src") if downloaded else os.path.join(deps, name)
            key = canonical(name)
            if key not in found:
                found[key] = unpacked(folder, name)
            found[key].is_inside = True
        elif not path.startswith((build + "/", source + "/")):
            system.add(path)
    known = owners(system)
    for path in sorted(system):
        if path not in known:
            raise SystemExit(f"components: {path} was used, and belongs to nothing that is known")
        origin, version, architecture = package_facts(known[path])
        key = canonical(origin)
        if key in NOT_INSIDE:
            continue
        if key not in found:
            text = licence_of_debian(known[path]) if key != "gcc" else ""
            found[key] = Component(key, version, f"pkg:deb/debian/{origin}@{version}?arch={architecture}", text)
        if path.endswith(".a") or ("/include/" in path and key not in DECLARED_ONLY):
            found[key].is_inside = True
    return sorted(found.values(), key=lambda part: part.name.lower())


def notices(parts):
    out = ["kmem_exporter contains the following software of others, under their licences.", ""]
    for part in parts:
        if not part.is_inside:
            continue
        out += ["=" * 78, f"{part.name} {part.version}    ({part.licence})", "=" * 78, ""]
        out += [part.licence_text or "Runtime of the compiler. Its exception lets programs that were compiled with it go under any terms.", ""]
    return "\n".join(out)


def sbom(parts, program, version, timestamp):
    with open(program, "rb") as file:
        digest = hashlib.sha256(file.read()).hexdigest()
    reference = f"pkg:generic/kmem_exporter@{version}"
    return {
        "bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
        "serialNumber": "urn:uuid:" + str(uuid.uuid5(uuid.NAMESPACE_OID, digest)),
        "metadata": {
            "timestamp": timestamp,
            "component": {"type": "application", "bom-ref": reference, "name": "kmem_exporter", "version": version,
                          "licenses": [{"license": {"id": "Apache-2.0"}}], "purl": reference,
                          "hashes": [{"alg": "SHA-256", "content": digest}]},
        },
        "components": [
            {"type": "library", "bom-ref": part.purl, "name": part.name, "version": part.version, "purl": part.purl,
             "licenses": [{"expression": part.licence} if " " in part.licence else {"license": {"id": part.licence}}],
             "properties": [{"name": "kmem:linked", "value": "inside" if part.is_inside else "at run time"}]}
            for part in parts],
        "dependencies": [{"ref": reference, "dependsOn": [part.purl for part in parts]}],
    }


def time_of(source):
    """SOURCE_DATE_EPOCH, else that of the commit, else now: the same sources give the same packages."""
    if epoch := os.environ.get("SOURCE_DATE_EPOCH"):
        return int(epoch)
    told = subprocess.run(["git", "-C", source, "log", "-1", "--format=%ct"], capture_output=True, text=True).stdout.strip()
    return int(told) if told else int(datetime.datetime.now().timestamp())


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def stamp_of(seconds):
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def write_sbom(path, parts, program, version, seconds):
    write(path, json.dumps(sbom(parts, program, version, stamp_of(seconds)), indent=2) + "\n")


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("build")
    arguments.add_argument("program")
    arguments.add_argument("--version", required=True)
    arguments.add_argument("--notices")
    arguments.add_argument("--sbom")
    given = arguments.parse_args()
    source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
    parts = components(given.build, given.program)
    if given.notices:
        write(given.notices, notices(parts))
    if given.sbom:
        write_sbom(given.sbom, parts, given.program, given.version, time_of(source))


if __name__ == "__main__":
    main()
