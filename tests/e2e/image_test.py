"""The container image: made without a daemon, read as an OCI layout, unpacked and run in its own root as its own user, with
nothing of this machine but /proc. As root."""
import gzip
import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile
import unittest

if os.geteuid() != 0:  # for another root, and another user in it
    kept = [f"{name}={value}" for name, value in os.environ.items() if name.startswith(("KMEM_", "PYTHON"))]
    os.execvp("sudo", ["sudo", "env", *kept, sys.executable, *sys.argv])

from harness import EXE, SOURCE_DIR, Case, Exporter

VERSION = os.environ["KMEM_VERSION"]


class Image(Case):
    def make(self, name):
        path = os.path.join(self.folder, name)
        subprocess.run([sys.executable, "-B", os.path.join(SOURCE_DIR, "packaging/oci/make_image.py"), EXE, VERSION, path], check=True,
                       timeout=240)
        return path

    def blob(self, archive, descriptor):
        data = archive.extractfile("blobs/sha256/" + descriptor["digest"].removeprefix("sha256:")).read()
        self.assertEqual("sha256:" + hashlib.sha256(data).hexdigest(), descriptor["digest"])
        self.assertEqual(len(data), descriptor["size"])
        return data

    def test_layout_and_a_scrape(self):
        made = self.make("image.tar")
        with open(made, "rb") as first, open(self.make("again.tar"), "rb") as second:
            self.assertEqual(first.read(), second.read())
        self.assertLess(os.path.getsize(made), 12 * 1024 * 1024)
        with tarfile.open(made) as archive:
            self.assertEqual(json.load(archive.extractfile("oci-layout"))["imageLayoutVersion"], "1.0.0")
            index = json.load(archive.extractfile("index.json"))
            manifest = json.loads(self.blob(archive, index["manifests"][0]))
            config = json.loads(self.blob(archive, manifest["config"]))
            layer = self.blob(archive, manifest["layers"][0])
        root = os.path.join(self.folder, "root")
        with tarfile.open(fileobj=io.BytesIO(layer)) as files:
            self.assertEqual([], [row.name for row in files if row.mode & 0o6000 or row.name.startswith(("/", ".."))])
            files.extractall(root, numeric_owner=True)
        self.assertEqual(config["rootfs"]["diff_ids"], ["sha256:" + hashlib.sha256(gzip.decompress(layer)).hexdigest()])
        self.assertEqual(config["config"]["Labels"]["org.opencontainers.image.version"], VERSION)
        self.assertFalse(os.path.exists(os.path.join(root, "bin/sh")))
        user, group = config["config"]["User"].split(":")
        self.assertNotEqual(user, "0")
        command = ["unshare", "--mount", "bash", "-c", 'mount --bind /proc "$0/proc" && exec chroot --userspec="$1" "$0" "${@:2}"', root,
                   f"{user}:{group}", *config["config"]["Entrypoint"], *config["config"]["Cmd"]]
        with Exporter(command=command) as exporter:
            with open(f"/proc/{exporter.process.pid}/status") as status:
                ids = next(line for line in status if line.startswith("Uid:")).split()[1:]
            self.assertEqual(ids, [user] * 4)
            self.assertEqual(os.stat(f"/proc/{exporter.process.pid}/root/").st_ino, os.stat(root).st_ino)
            page = exporter.page()
            self.assertGreater(page.value("kmem_pool_bytes", pool="slab_unreclaimable"), 0)
            self.assertTrue(page.has("kmem_exporter_build_info", version=VERSION))
            self.assertEqual(exporter.stop(), 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
