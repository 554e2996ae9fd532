#!/usr/bin/env python3
"""Makes an OCI image of a built program, as an archive: no daemon, no network, the same bytes for the same input.
It holds the program, the libraries that the machine's loader gives it, Debian's bundle of CA certificates, the copyright
files of both, and a user without rights; no shell. Usage: make_image.py PROGRAM VERSION OUT.tar [FILE=PATH_IN_IMAGE...]
Failure: exit 1 with what is missing."""
import glob
import gzip
import hashlib
import io
import json
import os
import re
import subprocess
import sys
import tarfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import components

USER = 65532  # as distroless images have it
ROOT = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../.."))


def certificates():
    """Debian's, as its package has them: the machine's own bundle may hold authorities of its owner's."""
    found = sorted(glob.glob("/usr/share/ca-certificates/mozilla/*.crt"))
    if not found:
        raise SystemExit("make_image: no certificates of authorities: install ca-certificates")
    return b"".join(read(path).rstrip() + b"\n" for path in found)


def libraries(program):
    """Where the loader finds what the program needs, the loader included."""
    found = []
    for line in subprocess.run(["ldd", program], check=True, capture_output=True, text=True).stdout.splitlines():
        if "not found" in line:
            raise SystemExit(f"make_image: {program} needs {line.split()[0]}, which this machine does not have")
        if match := re.search(r"(/\S+) \(0x", line):
            found.append(match[1])
    return found


class Layer:
    def __init__(self, time):
        self.bytes, self.time, self.made = io.BytesIO(), time, set()
        self.tar = tarfile.open(fileobj=self.bytes, mode="w", format=tarfile.PAX_FORMAT)

    def entry(self, path, mode, owner=0, group=0):
        parent = os.path.dirname(path)
        if parent and parent not in self.made:
            self.folder(parent)
        row = tarfile.TarInfo(path)
        row.mode, row.uid, row.gid, row.mtime = mode, owner, group, self.time
        return row

    def folder(self, path, mode=0o755, owner=0, group=0):
        row = self.entry(path, mode, owner, group)
        row.type = tarfile.DIRTYPE
        self.made.add(path)
        self.tar.addfile(row)

    def link(self, path, target):
        row = self.entry(path, 0o777)
        row.type, row.linkname = tarfile.SYMTYPE, target
        self.made.add(path)
        self.tar.addfile(row)

    def file(self, path, data, mode=0o644):
        row = self.entry(path, mode)
        row.size = len(data)
        self.tar.addfile(row, io.BytesIO(data))

    def finish(self):
        self.tar.close()
        return self.bytes.getvalue()


def read(path):
    with open(path, "rb") as file:
        return file.read()


def root_of(program, time, extra):
    layer = Layer(time)
    for folder in ("usr/bin", "usr/lib", "usr/lib64", "etc", "proc", "sys", "var/lib"):
        layer.folder(folder)
    layer.folder("tmp", 0o1777)
    # For both users that it may run as: root without CAP_DAC_OVERRIDE writes what its group may write.
    layer.folder("var/lib/kmem_exporter", 0o770, USER, 0)
    for name in ("bin", "lib", "lib64"):
        layer.link(name, "usr/" + name)
    layer.file("etc/passwd", f"root:x:0:0:root:/:/sbin/nologin\nnonroot:x:{USER}:{USER}:nonroot:/var/lib/kmem_exporter:/sbin/nologin\n".encode())
    layer.file("etc/group", f"root:x:0:\nnonroot:x:{USER}:\n".encode())
    layer.file("usr/bin/kmem_exporter", read(program), 0o755)
    layer.file("etc/ssl/certs/ca-certificates.crt", certificates())
    layer.link("usr/lib/ssl/cert.pem", "/etc/ssl/certs/ca-certificates.crt")  # where Debian's OpenSSL looks
    held = libraries(program)
    for path in held:
        place = re.sub(r"^/(usr/)?", "usr/", path)
        layer.file(place, read(path), 0o755)
    owners = components.owners({os.path.realpath(path) for path in held}).values()
    for package in sorted({"ca-certificates", *owners}):
        name = package.split(":")[0]
        layer.file(f"usr/share/doc/{name}/copyright", read(f"/usr/share/doc/{name}/copyright"))
    for pair in extra:
        source, place = pair.split("=", 1)
        layer.file(place.lstrip("/"), read(source))
    layer.file("usr/share/doc/kmem-exporter/LICENSE", read(os.path.join(ROOT, "LICENSE")))
    return layer.finish()


def main(program, version, out, *extra):
    time = components.time_of(ROOT)
    stamp = components.stamp_of(time)
    machine = os.uname().machine
    architecture = {"x86_64": "amd64", "aarch64": "arm64"}.get(machine, machine)
    plain = root_of(program, time, extra)
    blobs = {}

    def blob(data, media_type):
        digest = hashlib.sha256(data).hexdigest()
        blobs[digest] = data
        return {"mediaType": media_type, "digest": "sha256:" + digest, "size": len(data)}

    labels = {"org.opencontainers.image.title": "kmem_exporter", "org.opencontainers.image.version": version,
              "org.opencontainers.image.created": stamp, "org.opencontainers.image.licenses": "Apache-2.0",
              "org.opencontainers.image.description": "Prometheus exporter of kernel memory that sees slow leaks"}
    layer = blob(gzip.compress(plain, 6, mtime=0), "application/vnd.oci.image.layer.v1.tar+gzip")
    config = blob(json.dumps({
        "created": stamp, "architecture": architecture, "os": "linux",
        "config": {"User": f"{USER}:{USER}", "Entrypoint": ["/usr/bin/kmem_exporter"],
                   "Cmd": ["--storage.path=/var/lib/kmem_exporter"], "ExposedPorts": {"10054/tcp": {}},
                   "Volumes": {"/var/lib/kmem_exporter": {}}, "WorkingDir": "/var/lib/kmem_exporter", "StopSignal": "SIGTERM",
                   "Labels": labels},
        "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(plain).hexdigest()]},
        "history": [{"created": stamp, "created_by": "packaging/oci/make_image.py"}],
    }).encode(), "application/vnd.oci.image.config.v1+json")
    manifest = blob(json.dumps({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "config": config,
                                "layers": [layer], "annotations": labels}).encode(), "application/vnd.oci.image.manifest.v1+json")
    manifest["platform"] = {"architecture": architecture, "os": "linux"}
    manifest["annotations"] = {"org.opencontainers.image.ref.name": version, "io.containerd.image.name": f"kmem_exporter:{version}"}
    archive = Layer(time)
    archive.file("oci-layout", b'{"imageLayoutVersion": "1.0.0"}')
    archive.file("index.json", json.dumps({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json",
                                           "manifests": [manifest]}).encode())
    for digest, data in sorted(blobs.items()):
        archive.file(f"blobs/sha256/{digest}", data)
    with open(out, "wb") as file:
        file.write(archive.finish())


if __name__ == "__main__":
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
