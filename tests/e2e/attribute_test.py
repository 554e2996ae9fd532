"""attribute as its user runs it: over drivers that compilers build here, of which it is known what they hold. And who
is behind a tag in everything else that names tags."""
import json
import os
import subprocess
import sys
import tempfile
import time
import unittest

from harness import RUNNER, SOURCE_DIR, Case, Exporter, path_for_exe, run, wait_until

sys.path.insert(0, os.path.join(SOURCE_DIR, "tests/support"))
from driver_maker import build_drivers, build_more_drivers  # noqa: E402

FRAMES = os.path.join(SOURCE_DIR, "tests/fixtures/nt52-i386/frames.bin.gz")
DECOYS = ("Wait", "Open", "Shut", "Driv", "Leak", "Path", "None", "Data", "Abcd", "Efgh", "Zqxw", "RIFF", "WAVE", "Root",
          "Temp", "Devi", "Tags", "Pool", "Fabr", "Corp")


def setUpModule():
    global IMAGES, TRUTH
    made = tempfile.TemporaryDirectory(prefix="kmem-drivers-")
    unittest.addModuleCleanup(made.cleanup)
    IMAGES = made.name
    TRUTH = build_drivers(IMAGES)


def pairs(report):
    return {(candidate["driver"], row["tag"]) for row in report["tags"] for candidate in row["candidates"]
            if candidate["source"] == "image_scan"}


class Recorded(Case):
    def capture(self):
        path = os.path.join(self.folder, "nt.kmem")
        subprocess.run([*RUNNER, os.environ["KMEM_NT_CAPTURE"], path_for_exe(FRAMES), path_for_exe(path)], check=True,
                       stdin=subprocess.DEVNULL, timeout=240)
        return path


class Attribute(Recorded):
    def attribute(self, *arguments):
        done = run("attribute", "--format", "json", *arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def test_precision_and_recall(self):
        began = time.monotonic()
        report = self.attribute(path_for_exe(IMAGES))
        took = time.monotonic() - began
        self.assertEqual(report["searched"]["images"], len(TRUTH))
        self.assertEqual(report["skipped"], [])
        found = pairs(report)
        true = {(driver, tag) for driver, tags in TRUTH.items() for tag in tags}
        for machine in ("x64", "x86", "x64ms", "arm64"):
            mine = {pair for pair in true if pair[0].endswith(machine + ".sys")}
            seen = {pair for pair in found if pair[0].endswith(machine + ".sys")}
            print(f"{machine}: {len(mine)} tags, {len(seen)} found, {len(seen - mine)} wrong, {len(mine - seen)} missed")
            self.assertGreater(len(mine), 15)
        precision, recall = len(found & true) / len(found), len(found & true) / len(true)
        print(f"{len(TRUTH)} drivers, {len(true)} tags in them, {len(found)} found in {took:.2f} s: "
              f"precision {precision:.3f}, recall {recall:.3f}; wrong {sorted(found - true)}")
        self.assertGreaterEqual(sum(name.endswith(("x64.sys", "x86.sys")) for name in TRUTH), 30)
        self.assertGreaterEqual(precision, 0.95)
        self.assertGreaterEqual(recall, 0.95)
        self.assertEqual({pair for pair in found if pair[1] in DECOYS}, set())

    def test_every_compiler_level_and_frame(self):
        """gcc and clang, x86 with and without frame pointers, each with a table of imports."""
        folder = os.path.join(self.folder, "more")
        os.mkdir(folder)
        truth = build_more_drivers(folder)
        found = pairs(self.attribute(path_for_exe(folder)))
        true = {(driver, tag) for driver, tags in truth.items() for tag in tags}
        precision, recall = len(found & true) / len(found), len(found & true) / len(true)
        print(f"{len(truth)} drivers, {len(true)} tags: precision {precision:.3f}, recall {recall:.3f}; "
              f"missed {sorted(true - found)}, wrong {sorted(found - true)}")
        self.assertGreaterEqual(len(true), 400)
        self.assertGreaterEqual(precision, 0.97)
        self.assertGreaterEqual(recall, 0.98)

    def test_a_tag_of_several_drivers_names_them_all(self):
        holders = {}
        for driver, tags in TRUTH.items():
            for tag in tags:
                holders.setdefault(tag, set()).add(driver)
        tag = max(holders, key=lambda tag: len(holders[tag]))
        self.assertGreater(len(holders[tag]), 2)
        row, = self.attribute("--tag", tag, path_for_exe(IMAGES))["tags"]
        self.assertEqual(row["tag"], tag)
        self.assertEqual({one["driver"] for one in row["candidates"]}, holders[tag])
        for one in row["candidates"]:
            self.assertGreaterEqual(one["places"], 1)
            self.assertIn(one["evidence"], ("argument", "loaded", "immediate", "data"))
            self.assertTrue(one["path"].endswith(one["driver"]))
        table = run("attribute", "--tag", tag, path_for_exe(IMAGES))
        self.assertEqual(table.returncode, 0, table.stderr)
        for driver in holders[tag]:
            self.assertRegex(table.stdout, rf"(?m)\b{driver} +(argument|loaded|immediate|data) x\d+$")

    def test_one_file_and_a_tag_that_nobody_holds(self):
        name = min(TRUTH)
        report = self.attribute("--tag", "Zq~7", path_for_exe(os.path.join(IMAGES, name)))
        self.assertEqual(report["searched"]["images"], 1)
        self.assertEqual([(row["tag"], row["candidates"]) for row in report["tags"]], [("Zq~7", [])])

    def test_pooltag_text_is_told_beside_the_image(self):
        name = min(name for name in TRUTH if TRUTH[name])
        tag = min(TRUTH[name])
        listing = os.path.join(self.folder, "pooltag.txt")
        with open(listing, "w", encoding="ascii") as out:
            out.write(f"// ours\r\n{tag} - known.sys - <b>what it is for</b>\r\n")
        row, = self.attribute("--tag", tag, "--drivers.pooltag-file", path_for_exe(listing),
                              path_for_exe(os.path.join(IMAGES, name)))["tags"]
        self.assertEqual([(one["driver"], one["source"]) for one in row["candidates"]],
                         [(name, "image_scan"), ("known.sys", "pooltag.txt")])
        self.assertEqual(row["description"], "<b>what it is for</b>")

    def test_what_cannot_be_searched_is_said(self):
        empty = os.path.join(self.folder, "empty")
        os.mkdir(empty)
        for path, words in ((empty, "no *.sys, *.exe or *.dll in it"), (os.path.join(self.folder, "absent"), "nothing to search")):
            done = run("attribute", path_for_exe(path))
            self.assertEqual((done.returncode, done.stdout), (2, ""))
            self.assertIn(words, done.stderr)
        with open(os.path.join(empty, "broken.sys"), "wb") as out:
            out.write(b"MZ" + bytes(100))
        done = run("attribute", path_for_exe(empty))
        self.assertEqual(done.returncode, 2)
        self.assertIn("not a program image", done.stderr)
        good = os.path.join(IMAGES, min(TRUTH))
        done = run("attribute", path_for_exe(empty), path_for_exe(good))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"(?s)^1 image, .*Not usable\n  \S*broken\.sys: not a program image")

    def test_by_tag_without_images(self):
        done = run("attribute", "--tag", "MmSt", "--tag", "Irp", "--collector.source", f"replay:{path_for_exe(self.capture())}")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"(?m)^Irp +nonpaged +ntoskrnl\.exe +builtin +requests to drivers")
        self.assertRegex(done.stdout, r"(?m)^MmSt +paged +ntoskrnl\.exe +builtin +memory manager")


class EverywhereElse(Recorded):
    """A recorded NT kernel, and a driver that is made to hold its tag Even as well."""

    def test_serve_searches_in_the_background_and_tells(self):
        drivers = os.path.join(self.folder, "drivers")
        os.mkdir(drivers)
        (name, _), = build_drivers(drivers, by_mingw=1, by_clang=0).items()
        found = json.loads(run("attribute", "--format", "json", path_for_exe(drivers)).stdout)["tags"]
        tag = next(row["tag"] for row in found if row["candidates"][0]["evidence"] == "argument").encode()
        with open(os.path.join(drivers, name), "rb") as image:
            content = image.read()
        with open(os.path.join(drivers, name), "wb") as image:
            image.write(content.replace(tag, b"Even"))
        with open(os.path.join(self.folder, "pooltag.txt"), "w", encoding="ascii") as out:
            out.write("Even - nt!ob - Event objects\n")
        state = os.path.join(self.folder, "state")
        flags = ["--collector.source", f"replay:{path_for_exe(self.capture())}", "--sampling.interval=1s",
                 "--scrape.min-interval=0s", "--drivers.pooltag-file", path_for_exe(os.path.join(self.folder, "pooltag.txt")),
                 "--drivers.folders", path_for_exe(drivers), "--storage.path", path_for_exe(state)]
        with Exporter(*flags) as exporter:
            def rows():
                return [dict(labels) for metric, labels in exporter.page().samples if metric == "kmem_pool_tag_info"]

            self.assertEqual([row["driver"] for row in rows() if row["tag"] == "Even"], ["nt!ob"])
            row = wait_until(lambda: next((row for row in rows() if row["tag"] == "Even" and name in row["driver"]), None), 40,
                             "the search has been there")
            self.assertEqual(row, {"pool": "nonpaged", "tag": "Even", "driver": f"nt!ob, {name}",
                                   "description": "Event objects", "source": "pooltag.txt, image_scan"})
            tags = [(row["pool"], row["tag"]) for row in rows()]
            self.assertEqual(len(tags), len(set(tags)), "one row a tag")
            status, _, body = exporter.get("/api/v1/tags")
            self.assertEqual(status, 200)
            self.assertIn(name, body.decode())
            status, _, body = exporter.get("/")
            self.assertEqual(status, 200)
            self.assertIn(f"nt!ob, {name}", body.decode())
        self.assertTrue(os.path.exists(os.path.join(state, "drivers.state")))
        with Exporter(*flags) as again:
            self.assertIn(f'driver="nt!ob, {name}"', again.page().text, "known from before, without a search")

    def test_top_and_once(self):
        source = ("--collector.source", f"replay:{path_for_exe(self.capture())}")
        top = run("top", "--once", *source)
        self.assertEqual(top.returncode, 0, top.stderr)
        self.assertRegex(top.stdout, r"(?m)^ *MmSt +.*ntoskrnl\.exe")
        once = run("once", *source)
        self.assertEqual(once.returncode, 0, once.stderr)
        self.assertRegex(once.stdout, r'(?m)^kmem_pool_tag_info\{pool="paged",tag="MmSt",driver="ntoskrnl\.exe",description="memory manager')


if __name__ == "__main__":
    unittest.main(verbosity=2)
