"""Kept state against kill -9: at any moment, under load, the next run finds files that it can use."""
import os
import random
import re
import signal
import stat
import subprocess
import threading
import time
import unittest

from harness import EXE, Case, Exporter, free_port, run, wait_until

KILLS = 200
FILES = ("selection.state", "trend.state")


class Scrapers:
    """Scrapes a port without a pause, whoever listens there."""

    def __init__(self, port, count=2):
        self.stopping = False
        self.answered = 0
        self.threads = [threading.Thread(target=self._scrape, args=(port,), daemon=True) for _ in range(count)]
        for thread in self.threads:
            thread.start()

    def _scrape(self, port):
        import http.client
        while not self.stopping:
            try:
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=40)
                connection.request("GET", "/metrics")
                self.answered += connection.getresponse().status == 200
                connection.close()
            except (OSError, http.client.HTTPException):
                time.sleep(0.002)

    def stop(self):
        self.stopping = True
        for thread in self.threads:
            thread.join(5)


class KilledAtAnyMoment(Case):
    def test_every_restart_finds_valid_state(self):
        randomness = random.Random(0x6B6D656D)
        port = free_port()
        scrapers = Scrapers(port)
        self.addCleanup(scrapers.stop)
        state = os.path.join(self.folder, "state")
        log_path = self.file("log")
        seen = {name: set() for name in FILES}
        complete = 0
        # How long this machine takes from the start to the last file: most kills are to fall before, into and just after.
        begin = time.monotonic()
        with Exporter(f"--storage.path={self.folder}/pace"):
            wait_until(lambda: all(os.path.exists(f"{self.folder}/pace/{name}") for name in FILES), 30, "state")
            pace = time.monotonic() - begin
        for _ in range(KILLS):
            # Membership changes from run to run, so that each writes both files within its first milliseconds.
            command = [EXE, f"--web.listen-address=127.0.0.1:{port}", f"--storage.path={state}", "--sampling.interval=1s",
                       "--storage.save-interval=10s", f"--tags.top-bytes={randomness.randint(1, 60)}",
                       f"--tags.max-exported={randomness.randint(30, 60)}", "--scrape.min-interval=0s"]
            with open(log_path, "a") as log:
                process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log)
            # Some live to be scraped and to tick.
            quick = randomness.random() < 0.9
            time.sleep(randomness.uniform(0, 1.25 * pace) if quick else pace + randomness.uniform(0.05, 1.2))
            process.send_signal(signal.SIGKILL)
            process.wait(60)
            complete += all(os.path.exists(os.path.join(state, name)) for name in FILES)
            for name in FILES:
                try:
                    seen[name].add(os.stat(os.path.join(state, name)).st_ino)
                except FileNotFoundError:
                    pass
        scrapers.stop()
        with open(log_path) as log:
            lines = log.read()
        self.assertNotIn("starting afresh", lines)
        # A machine that is busy enough answers no read within its second, which is no matter of the state.
        self.assertEqual([line for line in lines.splitlines() if "level=error" in line and "nothing can be read" not in line], [])
        self.assertEqual([name for name in os.listdir(state) if ".bad-" in name], [])
        # The kills fell before, into and after the writing, or the test would show nothing.
        self.assertGreater(complete, KILLS // 2)
        self.assertGreater(scrapers.answered, 0)
        for name in FILES:
            self.assertGreater(len(seen[name]), 1, f"{name} was hardly ever replaced")
        with Exporter(f"--storage.path={state}") as exporter:
            page = exporter.page()
            self.assertGreater(page.value("kmem_trend_history_seconds"), 1)
            for reason in ("damaged", "unreadable", "other_version", "other_host", "unwritable"):
                self.assertEqual(page.value("kmem_trend_state_failures_total", reason=reason), 0)
            self.assertEqual(exporter.stop(), 0)
            self.assertNotIn("level=warn", re.sub(r".*collector.*\n", "", exporter.log))


class LosesOneInterval(Case):
    def test_what_was_saved_before_the_kill_is_there_after_it(self):
        state = os.path.join(self.folder, "state")
        with Exporter(f"--storage.path={state}", "--sampling.interval=1s", "--storage.save-interval=10s") as exporter:
            saved_at = lambda: exporter.page().value("kmem_trend_state_last_save_timestamp_seconds")
            first = saved_at()
            wait_until(lambda: saved_at() > first + 8, 30, "it is saved again")
            page = exporter.page()
            since = time.time() - page.value("kmem_trend_state_last_save_timestamp_seconds")
            before = page.value("kmem_trend_history_seconds")
            subjects = page.value("kmem_trend_subjects")
            self.assertGreater(subjects, 0)
            exporter.stop(signal.SIGKILL)
        with Exporter(f"--storage.path={state}") as exporter:
            page = exporter.page()
            self.assertGreaterEqual(page.value("kmem_trend_history_seconds"), before - since - 1)
            self.assertGreaterEqual(page.value("kmem_trend_subjects"), subjects)


class OneWriter(Case):
    def test_a_second_one_on_the_same_storage_refuses(self):
        state = os.path.join(self.folder, "state")
        with Exporter(f"--storage.path={state}") as exporter:
            second = run("serve", f"--storage.path={state}", "--web.listen-address=127.0.0.1:0", timeout=30)
            self.assertEqual(second.returncode, 1)
            self.assertIn("another kmem_exporter keeps its history in this storage.path", second.stderr)
            self.assertTrue(exporter.page().has("kmem_trend_subjects"))
            self.assertEqual(exporter.stop(), 0)
        for name in FILES:
            self.assertEqual(os.stat(os.path.join(state, name)).st_mode & 0o777, 0o600, name)
        self.assertEqual(os.stat(state).st_mode & 0o777, 0o700)
        with open("/etc/machine-id", "rb") as file:
            machine = file.read().strip()
        for name in FILES:
            with open(os.path.join(state, name), "rb") as file:
                self.assertNotIn(machine or b"no machine-id here", file.read(), name)
        with Exporter(f"--storage.path={state}") as exporter:
            self.assertEqual(exporter.stop(), 0)


class Output(Case):
    def test_a_device_is_written_and_stays(self):
        device = os.path.join(self.folder, "null")
        try:
            os.mknod(device, stat.S_IFCHR | 0o600, os.makedev(1, 3))
            with open(device, "wb"):
                pass
        except OSError:
            self.skipTest("device nodes cannot be made or used here")
        self.assertEqual(run("once", f"--output={device}").returncode, 0)
        self.assertTrue(stat.S_ISCHR(os.stat(device).st_mode), "a file stands in the device's place")
        self.assertEqual(os.listdir(self.folder), ["null"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
