"""Another exporter carries the page: node_exporter's textfile collector reads what `once --output` writes.

What windows_exporter's collector, the same in kind, refuses as well is asked of the file itself: timestamps, a mark or CR,
families that the other exporter has, too. So the Windows program's file is tested with node_exporter, under Wine."""
import os
import re
import subprocess
import threading
import time
import unittest
import urllib.request

from harness import Case, Page, free_port, path_for_exe, run, wait_until


class Textfile(Case):
    def start_node_exporter(self):
        port = free_port()
        log = open(os.path.join(self.folder, "node_exporter.log"), "w+")
        self.addCleanup(log.close)
        server = subprocess.Popen(["prometheus-node-exporter", "--collector.disable-defaults", "--collector.textfile",
                                   f"--collector.textfile.directory={self.folder}",
                                   f"--web.listen-address=127.0.0.1:{port}"], stdout=log, stderr=subprocess.STDOUT)
        self.addCleanup(server.wait, 10)
        self.addCleanup(server.kill)
        self.log = log.name

        def answered():
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=40) as response:
                    return response.read().decode()
            except OSError:
                return None
        self.scrape = answered
        wait_until(answered, 15, "node_exporter answers")

    def test_node_exporter_shows_every_series(self):
        path = os.path.join(self.folder, "kmem.prom")
        done = run("once", "--output", path_for_exe(path))
        self.assertEqual((done.returncode, done.stdout), (0, ""))
        with open(path) as file:
            ours = Page(file.read())
        self.assertEqual(os.listdir(self.folder), ["kmem.prom"])  # nothing half written beside it
        self.start_node_exporter()
        theirs = Page(self.scrape())
        self.assertEqual(theirs.value("node_textfile_scrape_error"), 0)
        self.assertTrue(theirs.has("node_textfile_mtime_seconds"))
        self.assertGreater(len(ours.samples), 30)
        missing = {key for key in ours.samples if theirs.samples.get(key) != ours.samples[key]}
        self.assertEqual(missing, set())
        with open(self.log) as log:
            self.assertNotIn("error", log.read())

    def test_the_file_may_stand_in_any_exporter(self):
        path = os.path.join(self.folder, "kmem.prom")
        run("once", "--output", path_for_exe(path))
        with open(path, "rb") as file:
            text = file.read().decode("utf-8")  # a mark would stand before the first #
        self.assertTrue(text.startswith("# HELP kmem_") and text.endswith("\n") and "\r" not in text)
        names = {name for name, _ in Page(text).samples}  # which takes no timestamp
        self.assertEqual({name for name in names if not name.startswith("kmem_")}, set())
        told = [re.split(" ", line, maxsplit=3)[2] for line in text.splitlines() if line.startswith("# TYPE ")]
        self.assertEqual(len(told), len(set(told)))

    def test_a_reader_never_sees_half_a_file(self):
        path = os.path.join(self.folder, "kmem.prom")
        self.assertEqual(run("once", "--output", path_for_exe(path)).returncode, 0)
        over = threading.Event()
        torn, reads = [], 0

        def write():
            for _ in range(15):
                run("once", "--output", path_for_exe(path))
            over.set()
        writer = threading.Thread(target=write)
        writer.start()
        while not over.is_set():
            with open(path) as file:
                text = file.read()
            reads += 1
            if "# TYPE kmem_exporter_build_info" not in text or not text.endswith("\n"):
                torn.append(len(text))
            time.sleep(0.001)
        writer.join()
        self.assertGreater(reads, 30)
        self.assertEqual(torn, [])

    def test_an_unwritable_place_is_a_failure_and_leaves_nothing(self):
        done = run("once", "--output", path_for_exe(os.path.join(self.folder, "absent", "kmem.prom")))
        self.assertEqual(done.returncode, 1)
        self.assertIn("cannot be written", done.stderr)
        self.assertEqual(os.listdir(self.folder), [])


if __name__ == "__main__":
    unittest.main(verbosity=2)
