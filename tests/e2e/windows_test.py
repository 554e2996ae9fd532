"""The .exe under Wine: commands, the page with what Wine truly has, and a capture of a real NT kernel."""
import os
import subprocess
import time
import unittest

from harness import RUNNER, SOURCE_DIR, WINDOWS, Case, Exporter, Page, path_for_exe, run, wait_until

FRAMES = os.path.join(SOURCE_DIR, "tests/fixtures/nt52-i386/frames.bin.gz")


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

    def test_wildcards_are_names_as_no_shell_makes_them(self):
        for name, bytes_ in (("day-1.csv", 1), ("day-2.csv", 2), ("other.csv", 3)):
            self.file(name, f"timestamp,pool,tag,bytes\n{1_600_000_000 + bytes_},paged,Even,{bytes_}\n")
        done = run("analyze", "--explain", path_for_exe(os.path.join(self.folder, "DAY-?.*")))
        self.assertEqual((done.stdout.count("day-1.csv: CSV"), done.stdout.count("day-2.csv: CSV"),
                          done.stdout.count("other.csv")), (1, 1, 0), done.stdout + done.stderr)
        done = run("attribute", path_for_exe(os.path.join(self.folder, "*.sys")))
        self.assertEqual(done.returncode, 2)
        self.assertIn("*.sys: no file has such a name", done.stderr)

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
    """A real 32-bit NT kernel, recorded while it leaked, through whichever program is under test."""

    def setUp(self):
        super().setUp()
        self.capture = os.path.join(self.folder, "leak.kmem")
        subprocess.run([*RUNNER, os.environ["KMEM_NT_CAPTURE"], path_for_exe(FRAMES), path_for_exe(self.capture)],
                       check=True, stdin=subprocess.DEVNULL, timeout=240)

    def test_every_tag_metric_is_there_and_the_leak_rises(self):
        with Exporter("--collector.source", f"replay:{path_for_exe(self.capture)}", "--sampling.interval=1s",
                      "--scrape.min-interval=0s", "--metrics.profile=full") as exporter:
            even = {"pool": "nonpaged", "tag": "Even"}
            outstanding = []
            # Until the last, where a replay stays.
            while len(outstanding) < 3 or outstanding[-1] > outstanding[-3]:
                page = exporter.page()
                outstanding.append(page.value("kmem_pool_tag_outstanding_allocations", **even))
                time.sleep(1.2)
            # One of the first of the readings, and all of them in order.
            self.assertLess(outstanding[0], outstanding[-1] / 2)
            self.assertEqual(outstanding, sorted(outstanding))
            self.assertGreater(outstanding[-1], 11_000)
            # 48 bytes each, but for a handful of larger ones.
            self.assertAlmostEqual(page.value("kmem_pool_tag_bytes", **even) / 48, outstanding[-1], delta=20)
            self.assertEqual(page.value("kmem_pool_tag_allocations_total", **even) -
                             page.value("kmem_pool_tag_frees_total", **even), outstanding[-1])
            for pool in ("paged", "nonpaged"):
                self.assertGreater(page.value("kmem_pool_bytes", pool=pool), 1 << 20)
                self.assertGreater(page.value("kmem_pool_tags", pool=pool), 40)
                self.assertGreater(page.value("kmem_pool_allocations_total", pool=pool), 1000)
                self.assertGreaterEqual(page.value("kmem_pool_other_bytes", pool=pool), 0)
            self.assertTrue(page.has("kmem_pool_tag_bytes", pool="paged", tag="Obtb"))
            self.assertGreater(max(page.family("kmem_process_handles").values()), 10_000)
            self.assertTrue(page.has("kmem_process_handles", process="System", pid="4"))
            self.assertGreater(page.value("kmem_process_pool_bytes", process="csrss.exe", pid="120", pool="paged"), 4000)
            # This kernel reports 0 for both, which is none.
            self.assertFalse(page.has("kmem_system_ptes_free"))
            self.assertFalse(page.has("kmem_pool_resident_bytes"))

    def test_limits_and_failures_of_server_2003_over_a_kill(self):
        capture = path_for_exe(os.path.join(self.folder, "events.kmem"))
        maker = os.path.join(os.environ["KMEM_TOOLS"], "made_capture" + (".exe" if WINDOWS else ""))
        subprocess.run([*RUNNER, maker, "events", path_for_exe(FRAMES), capture], check=True, stdin=subprocess.DEVNULL,
                       timeout=240)
        arguments = ("--collector.source", f"replay:{capture}", "--sampling.interval=1s", "--scrape.min-interval=0s",
                     "--storage.path", path_for_exe(os.path.join(self.folder, "state")))
        srv = {"provider": "Srv", "event_id": "2020"}
        with Exporter(*arguments) as exporter:
            wait_until(lambda: exporter.page().value("kmem_pool_failure_events_total", **srv) == 3, 15, "three events")
            page = exporter.page()
            self.assertEqual(page.value("kmem_pool_limit_bytes", pool="paged"), 343 << 20)
            self.assertEqual(page.value("kmem_pool_limit_info", pool="paged", source="kernel", rule="registry_quota"), 1)
            # PoolUsageMaximum is 60 there.
            self.assertEqual(page.value("kmem_pool_trim_threshold_bytes", pool="paged"), (343 << 20) * 60 // 100)
            self.assertEqual(page.value("kmem_pool_limit_info", pool="nonpaged", source="estimate",
                                        rule="2000_2003_x86"), 1)
            self.assertEqual(page.value("kmem_pool_failure_events_total", provider="Srv", event_id="2019"), 0)
            self.assertEqual(page.value("kmem_pool_failure_last_event_timestamp_seconds", **srv), 1_200_000_003)
            self.assertEqual(page.value("kmem_system_ptes_free_boot_max"), page.value("kmem_system_ptes_free"))
            self.assertEqual(exporter.log.count("paged pool is empty, status 0xc000009a"), 3)
            wait_until(lambda: os.path.exists(os.path.join(self.folder, "state", "failures.state")), 10, "state")
            time.sleep(5)  # a tick after the last event
        with Exporter(*arguments) as exporter:  # the one before was killed
            time.sleep(2.5)
            self.assertEqual(exporter.page().value("kmem_pool_failure_events_total", **srv), 3)
            self.assertNotIn("paged pool is empty", exporter.log)


if __name__ == "__main__":
    unittest.main(verbosity=2)
