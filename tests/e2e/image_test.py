"""The container image: made without a daemon, read as an OCI layout, unpacked and run in its own root as its own user, with
nothing of this machine but /proc. As root."""
import glob
import gzip
import hashlib
import io
import json
import os
import stat
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
        with open(os.path.join(root, os.readlink(os.path.join(root, "usr/lib/ssl/cert.pem")).lstrip("/"))) as bundle:
            self.assertEqual(bundle.read().count("-BEGIN CERTIFICATE-"), len(glob.glob("/usr/share/ca-certificates/mozilla/*.crt")))
        user, group = config["config"]["User"].split(":")
        self.assertNotEqual(user, "0")
        # As a runtime enters it: as its own user, which takes every capability away, or as root with the one that slab caches need.
        for user, entering in ((user, ["chroot", f"--userspec={user}:{group}"]),
                               ("0", ["setpriv", "--bounding-set=-all,+dac_read_search,+sys_chroot", "chroot"])):
            with self.subTest(user=user):
                self.run_in(root, config["config"], user, entering)

    def run_in(self, root, config, user, entering):
        state = os.path.join(root, "var/lib/kmem_exporter")
        kept = os.stat(state)
        command = ["unshare", "--mount", "sh", "-c", f'mount --bind /proc "{root}/proc" && exec "$@"', "sh", *entering, root,
                   *config["Entrypoint"], *config["Cmd"]]
        with Exporter(command=command) as exporter:
            with open(f"/proc/{exporter.process.pid}/status") as status:
                facts = dict(line.rstrip("\n").split(":\t") for line in status)
            self.assertEqual(facts["Uid"].split(), [user] * 4)
            self.assertEqual(int(facts["CapEff"], 16), (1 << 2 | 1 << 18) if user == "0" else 0)
            self.assertEqual(os.stat(f"/proc/{exporter.process.pid}/root/").st_ino, os.stat(root).st_ino)
            page = exporter.page()
            self.assertGreater(page.value("kmem_pool_bytes", pool="slab_unreclaimable"), 0)
            self.assertEqual(page.value("kmem_scrape_collector_success", collector="slabinfo"), 1 if user == "0" else 0)
            self.assertTrue(page.has("kmem_exporter_build_info", version=VERSION))
            self.assertEqual(exporter.stop(), 0)  # 1 where what was learnt could not be saved
        made = os.listdir(state)
        self.assertIn("trend.state", made)
        for name in made:
            self.assertEqual(os.stat(os.path.join(state, name)).st_uid, int(user), name)
            os.remove(os.path.join(state, name))  # a folder of state is one user's
        self.assertEqual((kept.st_uid, kept.st_gid, stat.S_IMODE(kept.st_mode)), (65532, 0, 0o770))


if __name__ == "__main__":
    unittest.main(verbosity=2)
