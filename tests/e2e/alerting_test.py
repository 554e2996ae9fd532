"""From a leak to the pager with Debian's Prometheus and Alertmanager, our rules and the example's routes: a leak that
is served live, and one that only backfilled history shows. The calm host beside it pages nobody."""

import glob
import http.server
import json
import math
import os
import re
import signal
import subprocess
import threading
import time
import unittest
import urllib.parse
import urllib.request

from harness import SOURCE_DIR, Case, Exporter, free_port, run, wait_until

RULES = os.path.join(SOURCE_DIR, "dashboards/prometheus")
EXAMPLE = os.path.join(SOURCE_DIR, "dashboards/alertmanager")
FRAMES = os.path.join(SOURCE_DIR, "tests/fixtures/nt52-i386/frames.bin.gz")
LEAKY, CALM = "leaky:10054", "calm:10054"
MIB, HOUR, DAY = 1 << 20, 3600, 86400
PATIENCE = 480  # seconds; on an idle machine everything takes less than a minute


class Pager:
    """What Alertmanager's receivers were sent: .alerts of (receiver, alert)."""

    def __init__(self):
        self.alerts = []
        pager = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                pager.alerts += [(self.path[1:], alert) for alert in message["alerts"]]
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def pages(self):
        return [alert for receiver, alert in self.alerts if receiver == "page"]


class Alerting(Case):
    def setUp(self):
        super().setUp()
        self.pager = Pager()
        self.addCleanup(self.pager.server.server_close)
        self.addCleanup(self.pager.server.shutdown)
        self.alertmanager = f"127.0.0.1:{free_port()}"
        # Routes, groups and inhibition are the example's; receivers and waits are ours.
        with open(os.path.join(EXAMPLE, "alertmanager.yml"), encoding="utf-8") as file:
            text = file.read().split("\nreceivers:\n")[0]
        text = re.sub(r"(group_wait|group_interval): \w+", r"\1: 1s", text)
        text = re.sub(r" *mute_time_intervals: .*\n", "", text)
        text = (
            text.replace("[kmem.tmpl]", f"[{EXAMPLE}/kmem.tmpl]")
            + "\nreceivers:\n"
            + "".join(
                f'  - {{name: {name}, webhook_configs: [{{url: "{self.pager.url}/{name}"}}]}}\n'
                for name in ("page", "ticket")
            )
        )
        self.start(
            [
                "prometheus-alertmanager",
                f"--config.file={self.file('alertmanager.yml', text)}",
                f"--storage.path={self.folder}/alertmanager",
                f"--web.listen-address={self.alertmanager}",
                "--cluster.listen-address=",
            ]
        )

    def start(self, command):
        log = open(os.path.join(self.folder, os.path.basename(command[0]) + ".log"), "ab")
        self.addCleanup(log.close)
        server = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.addCleanup(self.stop, server)
        return server

    @staticmethod
    def stop(server):
        if server.poll() is None:
            server.send_signal(signal.SIGTERM)
        server.wait(60)

    def start_prometheus(self, targets):
        """`targets`: instance -> address."""
        listen = f"127.0.0.1:{free_port()}"
        for path in glob.glob(RULES + "/*.rules.yml"):
            with open(path, encoding="utf-8") as file:  # what is recorded by the hour comes within this test
                self.file(os.path.basename(path), file.read().replace("interval: 1h", "interval: 5s"))
        config = {
            "global": {"scrape_interval": "1s", "evaluation_interval": "2s"},
            "rule_files": [self.folder + "/*.rules.yml"],
            "alerting": {"alertmanagers": [{"static_configs": [{"targets": [self.alertmanager]}]}]},
            "scrape_configs": [
                {
                    "job_name": "kmem",
                    "static_configs": [
                        {"targets": [address], "labels": {"instance": name}} for name, address in targets.items()
                    ],
                }
            ],
        }
        server = self.start(
            [
                "prometheus",
                f"--config.file={self.file('prometheus.yml', json.dumps(config))}",
                f"--storage.tsdb.path={self.folder}/data",
                "--storage.tsdb.retention.time=90d",
                f"--web.listen-address={listen}",
            ]
        )
        self.prometheus = f"http://{listen}/api/v1"
        wait_until(
            lambda: server.poll() is not None or self.answers(f"http://{listen}/-/ready"), PATIENCE, "Prometheus"
        )
        self.assertIsNone(server.poll())
        return server

    @staticmethod
    def answers(url):
        try:
            with urllib.request.urlopen(url, timeout=40) as response:
                return response.status == 200
        except OSError:
            return False

    def ask(self, path, **parameters):
        body = urllib.parse.urlencode(parameters).encode() or None
        with urllib.request.urlopen(f"{self.prometheus}/{path}", body, timeout=240) as response:
            return json.load(response)["data"]

    def capture(self, kind):
        path = os.path.join(self.folder, kind + ".kmem")
        subprocess.run(
            [os.path.join(os.environ["KMEM_TOOLS"], "made_capture"), kind, FRAMES, path], check=True, timeout=60
        )
        return path

    def serve(self, kind, interval):
        exporter = Exporter(
            "--collector.source",
            "replay:" + self.capture(kind),
            f"--sampling.interval={interval}",
            "--scrape.min-interval=0s",
        )
        self.addCleanup(exporter.__exit__)
        return f"127.0.0.1:{exporter.port}"

    def the_page(self):
        page = wait_until(lambda: self.pager.pages(), PATIENCE, "the page")[0]
        self.assertEqual(
            {name: page["labels"][name] for name in ("alertname", "severity", "job", "instance", "pool")},
            {
                "alertname": "KmemPoolExhaustionPredicted",
                "severity": "page",
                "job": "kmem",
                "instance": LEAKY,
                "pool": "nonpaged",
            },
        )
        self.assertEqual(page["status"], "firing")
        self.assertEqual(page["annotations"]["runbook_url"], f"http://{LEAKY}/runbooks/KmemPoolExhaustionPredicted")
        self.assertIn("var-instance=leaky%3A10054", page["annotations"]["dashboard_url"])
        return page

    def assert_nobody_heard_of_the_calm_host(self):
        time.sleep(5)  # some more evaluations
        self.assertEqual(self.ask("query", query=f'max(up{{instance="{CALM}"}})')["result"][0]["value"][1], "1")
        self.assertEqual([alert for _, alert in self.pager.alerts if alert["labels"].get("instance") != LEAKY], [])
        self.assertEqual(self.ask("query", query=f'max_over_time(ALERTS{{instance!="{LEAKY}",instance!=""}}[1h])')["result"], [])


class Live(Alerting):
    def test_a_leak_that_is_served_at_speed_pages(self):
        # Eleven days in 44 seconds; the exporter's own engine, by the recording's clock, says what leaks.
        self.start_prometheus({LEAKY: self.serve("filling", "1s"), CALM: self.serve("steady", "1s")})
        page = self.the_page()
        self.assertEqual(page["labels"]["evidence"], "agent")
        found = re.fullmatch(
            r"The nonpaged pool of leaky:10054 is full in (\d\.\d) days: [\d.]+MiB of 256MiB in use, "
            r"([\d.]+)MiB more every day\. "
            r'Tag "Thre" of driver ntoskrnl\.exe gains ([\d.]+)MiB a day\.',
            page["annotations"]["description"],
        )
        self.assertIsNotNone(found, page["annotations"]["description"])
        days, pool_gain, tag_gain = (float(word) for word in found.groups())
        self.assertTrue(1.5 <= days <= 3.0, days)  # it ends 1.8 days before the pool is full
        self.assertAlmostEqual(pool_gain, 10, delta=0.5)
        self.assertAlmostEqual(tag_gain, 10, delta=0.5)

        # What grows now is told before it is called a leak, and the same days end both.
        def fired(name):
            query = f'max_over_time(ALERTS{{alertname="{name}",alertstate="firing"}}[1h])'
            return [row["metric"] for row in self.ask("query", query=query)["result"]]

        suspected = wait_until(lambda: fired("KmemPoolLeakSuspected"), PATIENCE, "the leak is suspected")
        self.assertEqual([(row["instance"], row["tag"]) for row in suspected], [(LEAKY, "Thre")])
        surges = wait_until(lambda: fired("KmemPoolSurge"), PATIENCE, "the surge is told")
        self.assertEqual(
            [(row["instance"], row["pool"], row["severity"]) for row in surges], [(LEAKY, "nonpaged", "ticket")]
        )
        self.assert_nobody_heard_of_the_calm_host()


class Backfilled(Alerting):
    """Exporters that have just been installed, and four weeks that others recorded, in CSV."""

    def backfill(self, instance, now, threads, pool):
        """`threads`, `pool`: bytes at a time."""
        lines = ["timestamp,pool,tag,bytes,allocs,frees,boot_time\n"]
        for at in range(now - 28 * DAY, now + 1, HOUR // 2):
            lines.append(
                f"{at},nonpaged,,{pool(at)},,,{now - 42 * DAY}\n{at},nonpaged,Thre,{threads(at)},{threads(at) // 624},0,"
                f"{now - 42 * DAY}\n"
            )
        page = os.path.join(self.folder, "history.om")
        done = run(
            "backfill",
            self.file("history.csv", "".join(lines)),
            "--output",
            page,
            "--label",
            "job=kmem",
            "--label",
            f"instance={instance}",
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        self.blocks(page)

    def blocks(self, page):
        made = subprocess.run(
            [
                "promtool",
                "tsdb",
                "create-blocks-from",
                "-q",
                "--max-block-duration=1000h",
                "openmetrics",
                page,
                f"{self.folder}/data",
            ],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
        self.assertEqual(made.returncode, 0, made.stdout + made.stderr)

    def record(self, now):
        """The recording rules over the past, as `promtool tsdb create-blocks-from rules` does, but in one block: what
        rests on another rule comes in a later round."""
        done, rounds = set(), 0
        while True:
            server = self.start_prometheus({})
            rules = [
                rule
                for group in self.ask("rules?type=record")["groups"]
                for rule in group["rules"]
                if group["name"] == "kmem-floors"
            ]
            left = [rule for rule in rules if rule["name"] not in done]
            ready = [
                rule
                for rule in left
                if not any(other["name"] != rule["name"] and other["name"] in rule["query"] for other in left)
            ]
            lines = {}
            for rule in ready:
                for row in self.ask("query_range", query=rule["query"], start=now - 27 * DAY, end=now, step=HOUR)[
                    "result"
                ]:
                    labels = {**row["metric"], **rule.get("labels", {})}
                    labels.pop("__name__", None)
                    text = ",".join(f'{name}="{value}"' for name, value in labels.items())
                    lines.setdefault(rule["name"], []).extend(
                        f"{rule['name']}{{{text}}} {value} {at}\n" for at, value in row["values"]
                    )
            self.stop(server)
            if lines:
                self.blocks(
                    self.file(
                        "recorded.om",
                        "".join(f"# TYPE {name} gauge\n" + "".join(samples) for name, samples in lines.items())
                        + "# EOF\n",
                    )
                )
            done |= {rule["name"] for rule in ready}
            rounds += 1
            if len(ready) == len(left):
                return rounds

    def test_a_leak_that_backfilled_history_shows_pages(self):
        now = int(time.time()) // (HOUR // 2) * (HOUR // 2)

        def threads(at):
            return int((228 - 6 * (now - at) / DAY + math.sin(at * 2 * math.pi / DAY)) * MIB)

        def steady(at):
            return int((120 + 4 * math.sin(at * 2 * math.pi / DAY)) * MIB)

        self.backfill(LEAKY, now, threads, lambda at: threads(at) + 17 * MIB)
        self.backfill(CALM, now, steady, lambda at: steady(at) + 17 * MIB)
        self.assertEqual(self.record(now // HOUR * HOUR), 3)
        self.start_prometheus({LEAKY: self.serve("full", "1h"), CALM: self.serve("steady", "1h")})
        page = self.the_page()
        self.assertEqual(page["labels"]["evidence"], "prometheus")
        found = re.fullmatch(
            r"The nonpaged pool of leaky:10054 is full in (\d\.\d) days: [\d.]+MiB of 256MiB in use, "
            r"([\d.]+)MiB more every day for three weeks\. "
            r'Tag "Thre" of driver ntoskrnl\.exe gains ([\d.]+)MiB a day\.',
            page["annotations"]["description"],
        )
        self.assertIsNotNone(found, page["annotations"]["description"])
        days, pool_gain, tag_gain = (float(word) for word in found.groups())
        self.assertAlmostEqual(days, (256 - 228 - 17 - 1) / 6, delta=0.3)
        self.assertAlmostEqual(pool_gain, 6, delta=0.3)
        self.assertAlmostEqual(tag_gain, 6, delta=0.3)
        self.assert_nobody_heard_of_the_calm_host()


if __name__ == "__main__":
    unittest.main(verbosity=2)
