"""A real Prometheus scrapes the program; promtool checks its pages; node_exporter's values are held against ours."""
import json
import os
import re
import shutil
import signal
import subprocess
import time
import unittest
import urllib.parse
import urllib.request

from harness import Case, Exporter, Page, free_port, run, wait_until


def promtool_check(page_text):
    return subprocess.run(["promtool", "check", "metrics"], input=page_text, capture_output=True, text=True, timeout=120)


def fetch(url):
    with urllib.request.urlopen(url, timeout=40) as response:
        return response.read().decode()


class Promtool(Case):
    def test_the_page_has_nothing_to_complain_about(self):
        done = promtool_check(run("once").stdout)
        self.assertEqual((done.returncode, done.stdout + done.stderr), (0, ""))


    def test_openmetrics_is_what_promtools_strict_parser_takes(self):
        # `check metrics` knows the text format only; the backfill command reads OpenMetrics, with timestamps.
        with Exporter() as exporter:
            _, headers, body = exporter.get("/metrics", {"Accept": "application/openmetrics-text;version=1.0.0"})
        self.assertTrue(headers["Content-Type"].startswith("application/openmetrics-text; version=1.0.0"))
        lines = body.decode().splitlines()
        now = int(time.time())
        page = self.file("page.om", "".join(line + ("\n" if line.startswith("#") else f" {now}\n") for line in lines))
        done = subprocess.run(["promtool", "tsdb", "create-blocks-from", "openmetrics", page, f"{self.folder}/blocks"],
                              capture_output=True, text=True, timeout=240)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        series = sum(not line.startswith("#") for line in lines)
        # Its report of the block counts every series that it took.
        self.assertRegex(done.stdout, rf"\b{series}\b")


class Scraped(Case):
    def start_prometheus(self, target):
        port = free_port()
        config = self.file("prometheus.yml", f"""
global: {{scrape_interval: 3s, scrape_timeout: 3s}}
scrape_configs:
  - job_name: kmem
    static_configs: [{{targets: ["{target}"]}}]
""")
        log = open(os.path.join(self.folder, "prometheus.log"), "w+")
        self.addCleanup(log.close)
        server = subprocess.Popen(["prometheus", f"--config.file={config}", f"--storage.tsdb.path={self.folder}/data",
                                   f"--web.listen-address=127.0.0.1:{port}"], stdout=log, stderr=subprocess.STDOUT)

        def stop():
            server.send_signal(signal.SIGTERM)
            server.wait(120)
        self.addCleanup(stop)
        self.prometheus = f"http://127.0.0.1:{port}"
        return log

    def query(self, expression):
        text = fetch(f"{self.prometheus}/api/v1/query?query={urllib.parse.quote(expression)}")
        return {frozenset(row["metric"].items()): float(row["value"][1]) for row in json.loads(text)["data"]["result"]}

    def test_prometheus_scrapes_without_a_warning(self):
        with Exporter() as exporter:
            log = self.start_prometheus(f"127.0.0.1:{exporter.port}")

            def up():
                try:
                    return list(self.query('up{job="kmem"}').values()) == [1.0]
                except OSError:
                    return False
            wait_until(up, 30, "up 1")
            time.sleep(2)
            for metric in ("kmem_pool_bytes", "kmem_pool_tag_bytes", "kmem_commit_bytes", "kmem_pool_other_bytes"):
                self.assertTrue(self.query(metric), metric)
            # What is exported and what is not is all there is.
            tags = self.query("sum by (pool) (kmem_pool_tag_bytes) + on (pool) kmem_pool_other_bytes")
            self.assertTrue(tags)
            self.assertTrue(self.query("kmem_exporter_build_info"))
            series = list(self.query("scrape_samples_scraped").values())[0]
            self.assertLessEqual(series, 1000)
            with open(log.name) as lines:
                complaints = [line for line in lines if re.search(r"level=(warn|error)", line)]
            self.assertEqual(complaints, [])


class Peers(Case):
    def test_values_agree_with_node_exporter_and_the_kernel(self):
        port = free_port()
        peer = subprocess.Popen(["prometheus-node-exporter", "--collector.disable-defaults", "--collector.slabinfo",
                                 "--collector.meminfo", "--collector.vmstat", f"--web.listen-address=127.0.0.1:{port}"],
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(lambda: (peer.kill(), peer.wait()))

        def theirs():
            try:
                return Page(fetch(f"http://127.0.0.1:{port}/metrics"))
            except OSError:
                return None
        wait_until(theirs, 15, "node_exporter answers")
        with Exporter("--tags.all", "--scrape.min-interval=0s") as exporter:
            exporter.page()
            before, ours, after = theirs(), exporter.page(), theirs()
        page_bytes = os.sysconf("SC_PAGESIZE")

        def slab(page):
            pages = page.family("node_slabinfo_pages_per_slab")
            objects, sizes = page.family("node_slabinfo_objects"), page.family("node_slabinfo_objects_per_slab")
            return {dict(key)["slab"]: objects[key] / sizes[key] * pages[key] * page_bytes
                    for key in pages if sizes[key] > 0 and objects[key] > 0}

        low, high = slab(before), slab(after)
        mine = {dict(key)["tag"]: value for key, value in ours.family("kmem_pool_tag_bytes").items()
                if dict(key)["pool"].startswith("slab_")}
        same = sorted(set(low) & set(high))
        self.assertGreater(len(same), 50)
        self.assertEqual([name for name in same if name not in mine], [])
        # A cache may change between the three readings; one that did not must be equal to the byte.
        still = [name for name in same if low[name] == high[name]]
        self.assertGreater(len(still), 50)
        self.assertLessEqual(sum(mine[name] != low[name] for name in still), len(still) // 50)
        for name in same:
            span = max(abs(high[name] - low[name]), 64 * 1024)
            self.assertLessEqual(abs(mine[name] - low[name]), max(span * 4, low[name] * 0.05), name)

        for metric, theirs_name, labels in (
                ("kmem_commit_limit_bytes", "node_memory_CommitLimit_bytes", {}),
                ("kmem_physical_memory_bytes", "node_memory_MemTotal_bytes", {}),
                ("kmem_commit_bytes", "node_memory_Committed_AS_bytes", {}),
                ("kmem_pool_bytes", "node_memory_SUnreclaim_bytes", {"pool": "slab_unreclaimable"}),
                ("kmem_pool_bytes", "node_memory_SReclaimable_bytes", {"pool": "slab_reclaimable"}),
                ("kmem_pool_bytes", "node_memory_VmallocUsed_bytes", {"pool": "vmalloc"}),
                ("kmem_pool_bytes", "node_memory_Percpu_bytes", {"pool": "percpu"})):
            first, last, value = before.value(theirs_name), after.value(theirs_name), ours.value(metric, **labels)
            slack = max(abs(last - first) * 4, 0.02 * first, 4 * 1024 * 1024 if "commit_bytes" in metric else 256 * 1024)
            if metric in ("kmem_commit_limit_bytes", "kmem_physical_memory_bytes"):
                slack = 0
            self.assertLessEqual(abs(value - first), slack, metric)


if __name__ == "__main__":
    shutil.which("prometheus") or exit("prometheus is not installed")
    unittest.main(verbosity=2)
