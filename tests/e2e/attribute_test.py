"""attribute as its user runs it: over drivers that mingw builds here, of which it is known what they hold."""
import json
import os
import sys
import tempfile
import time
import unittest

from harness import SOURCE_DIR, WINDOWS, Case, path_for_exe, run

sys.path.insert(0, os.path.join(SOURCE_DIR, "tests/support"))
from driver_maker import build_drivers  # noqa: E402


class Drivers(Case):
    @classmethod
    def setUpClass(cls):
        cls.made = tempfile.TemporaryDirectory(prefix="kmem-drivers-")
        cls.addClassCleanup(cls.made.cleanup)
        cls.images = cls.made.name
        cls.truth = build_drivers(cls.images)

    def attribute(self, *arguments, exit_code=0):
        done = run("attribute", "--format", "json", *arguments)
        self.assertEqual(done.returncode, exit_code, done.stderr)
        return json.loads(done.stdout)

    def test_precision_and_recall(self):
        began = time.monotonic()
        report = self.attribute(path_for_exe(self.images))
        took = time.monotonic() - began
        self.assertEqual(report["searched"]["images"], len(self.truth))
        self.assertGreaterEqual(len(self.truth), 30)
        found = {(candidate["driver"], row["tag"]) for row in report["tags"] for candidate in row["candidates"]
                 if candidate["source"] == "image_scan"}
        true = {(driver, tag) for driver, tags in self.truth.items() for tag in tags}
        precision, recall = len(found & true) / len(found), len(found & true) / len(true)
        print(f"{len(self.truth)} drivers, {len(true)} tags in them, {len(found)} found in {took:.2f} s: "
              f"precision {precision:.3f}, recall {recall:.3f}")
        print("missed", sorted(true - found), "wrong", sorted(found - true))
        self.assertGreaterEqual(precision, 0.95)
        self.assertGreaterEqual(recall, 0.95)


if __name__ == "__main__":
    unittest.main(verbosity=2)
