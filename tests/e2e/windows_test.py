"""The .exe under Wine: commands, the page with what Wine truly has, and a capture of a real NT kernel."""
import os
import time
import unittest

from harness import SOURCE_DIR, Case, Exporter, Page, path_for_exe, run

CAPTURE = path_for_exe(os.path.join(SOURCE_DIR, "tests/fixtures/nt52-i386/leak.kmem"))


class Commands(Case):
    def test_once_gives_what_wine_has_and_nothing_invented(self):
        done = run("once")
        self.assertEqual(done.returncode, 0, done.stderr)
        page = Page(done.stdout)
        self.assertGreater(page.value("kmem_commit_bytes"), 0)
        self.assertGreater(page.value("kmem_commit_limit_bytes"), page.value("kmem_commit_bytes"))
        self.assertGreater(page.value("kmem_physical_memory_bytes"), 1 << 28)
        self.assertGreater(page.value("kmem_boot_time_seconds"), 1.5e9)
        self.assertTrue(page.has("kmem_process_handles"))
        # Wine answers class 2 with zeros for these and does not know class 22 at all.
        for absent in ("kmem_pool_bytes", "kmem_system_ptes_free", "kmem_commit_peak_bytes", "kmem_pool_tag_bytes",
                       "kmem_file_cache_bytes", "kmem_process_pool_bytes"):
            self.assertFalse(page.has(absent), absent)
        self.assertEqual(page.value("kmem_scrape_collector_success", collector="performance"), 1)

    def test_check_config(self):
        example = path_for_exe(os.path.join(SOURCE_DIR, "config", "kmem_exporter.yml"))
        self.assertEqual(run("check-config", example).returncode, 0)
        bad = run("check-config", path_for_exe(self.file("bad.yml", "web:\n  max_request: 3\n")))
        self.assertEqual(bad.returncode, 2)
        self.assertIn("max_requests", bad.stderr)

    def test_a_typo_names_the_nearest_right_word(self):
        done = run("--web.listen-adress=:1")
        self.assertEqual(done.returncode, 2)
        self.assertIn("--web.listen-address", done.stderr)

    def test_serve_answers(self):
        with Exporter() as exporter:
            status, headers, body = exporter.get("/metrics")
            self.assertEqual((status, headers["Content-Type"]), (200, "text/plain; version=0.0.4; charset=utf-8"))
            self.assertTrue(Page(body.decode()).has("process_resident_memory_bytes"))
            self.assertEqual(exporter.get("/-/healthy")[0], 200)
            self.assertEqual(exporter.get("/")[0], 200)

    def test_record_and_replay(self):
        path = path_for_exe(os.path.join(self.folder, "wine.kmem"))
        done = run("record", "--output", path, "--interval", "1s", "--duration", "2s")
        self.assertEqual(done.returncode, 0, done.stderr)
        done = run("once", "--collector.source", f"replay:{path}")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertTrue(Page(done.stdout).has("kmem_commit_bytes"))


class Replay(Case):
    """Runs for both programs: tests/CMakeLists.txt gives it the native one too."""

    def test_the_recorded_leak_rises(self):
        with Exporter("--collector.source", f"replay:{CAPTURE}", "--sampling.interval=1s",
                      "--scrape.min-interval=0s") as exporter:
            values = []
            for _ in range(5):
                page = exporter.page()
                values.append(page.value("kmem_pool_tag_outstanding_allocations", pool="nonpaged", tag="Even"))
                time.sleep(1.2)
        self.assertGreater(page.value("kmem_pool_bytes", pool="nonpaged"), 1 << 20)
        self.assertTrue(page.has("kmem_pool_tag_bytes", pool="paged"))
        self.assertTrue(page.has("kmem_pool_tag_allocations_total", pool="nonpaged", tag="Even"))
        self.assertEqual(values, sorted(values))
        self.assertGreater(values[-1], values[0])


if __name__ == "__main__":
    unittest.main(verbosity=2)
