"""The demonstration stack as its user starts it: every panel has data, or is meant to be empty; VictoriaMetrics, fed by
remote_write, answers the same. What was asked and answered, and a picture of it, stays in KMEM_KEEP."""

import glob
import html
import json
import math
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.request

import yaml

import render
from dashboards import SOURCE_DIR, UIDS, Api, Filled, annotations, ask, choices, load, panels_of, selectors, variable_query

sys.path.insert(0, os.path.join(SOURCE_DIR, "packaging/stack"))
sys.path.insert(0, os.path.join(SOURCE_DIR, "packaging/fleet"))
import demo_hosts  # noqa: E402
import remote_write  # noqa: E402
import stack  # noqa: E402

EXE = os.environ["KMEM_EXE"]
KEEP = os.environ["KMEM_KEEP"]
HOUR, DAY = 3600, 86400
OF_PROMETHEUS = {"up", "ALERTS", "scrape_samples_scraped", "scrape_duration_seconds"}
# (dashboard, panel, target): why none of the hosts has it.
EMPTY = {
    ("kmem-exporter", "What cannot be read", 0): "everything can be read",
    ("kmem-exporter", "Refused rows", 0): "no row is malformed",
    ("kmem-exporter", "Refused connections", 0): "nobody attacks",
    ("kmem-exporter", "Tags pushed out", 0): "the cap is not reached",
    ("kmem-exporter", "Trouble with kept history", 0): "the disk works",
    ("kmem-fleet", "Exporters", 4): "everything can be read",
    ("kmem-host", "Other kernel memory", 3): "the made-up hosts tell no working sets and lists, which unaccounted memory needs",
    ("kmem-leak", "Size", 3): "nor large allocations by tag",
}


# Prometheus' --query.max-samples unless it is told otherwise; points of a graph as wide as a screen; packaging/fleet/README.md's
# hosts; sites of a fleet, each of which leaders are recorded for.
MAX_SAMPLES, WIDE, HOSTS, SITES = 50_000_000, 1920, 10_000, 20
PATIENCE = 5  # a slow or busy machine is not broken


def wait_until(condition, limit, what):
    end = time.monotonic() + limit * PATIENCE
    while time.monotonic() < end:
        try:
            if value := condition():
                return value
        except OSError:
            pass
        time.sleep(0.2)
    raise AssertionError(f"waited {limit * PATIENCE} s in vain: {what}")


def content(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def known_metrics():
    readme = content(os.path.join(SOURCE_DIR, "exporter/metrics/README.md"))
    rows = re.findall(r"^\| ([a-z_]+) \| (gauge|counter|histogram) \|", readme, re.MULTILINE)
    names = {name for name, kind in rows if kind != "histogram"} | OF_PROMETHEUS
    for name, kind in rows:
        if kind == "histogram":
            names |= {f"{name}_bucket", f"{name}_sum", f"{name}_count"}
    for path in glob.glob(os.path.join(SOURCE_DIR, "dashboards/prometheus/*.rules.yml")):
        groups = yaml.safe_load(content(path))["groups"]
        names |= {rule["record"] for group in groups for rule in group["rules"] if "record" in rule}
    return names


class Rules(unittest.TestCase):
    def test_the_demonstration_has_the_shipped_rules_evaluates_them_sooner_and_links_what_runs_here(self):
        folder = tempfile.mkdtemp(prefix="kmem-stack-")
        self.addCleanup(shutil.rmtree, folder)
        at = {"exporter": "127.0.0.1:1", "start": "127.0.0.1:2", "grafana": "127.0.0.1:3"}
        made, changed = stack.demonstration_rules(folder, at), []
        graphs = f"http://{at['grafana' if stack.grafana_command(folder, at) else 'start']}/d/kmem-"
        self.assertEqual(sorted(os.listdir(made)), sorted(os.listdir(stack.RULES)))
        for name in os.listdir(made):
            mine, shipped = (yaml.safe_load(content(os.path.join(at, name)))["groups"] for at in (made, stack.RULES))
            for one, other in zip(mine, shipped, strict=True):
                for rule, before in zip(one["rules"], other["rules"], strict=True):
                    notes, was = rule.get("annotations", {}), before.get("annotations", {})
                    self.assertEqual(notes.keys(), was.keys())
                    if notes:
                        self.assertTrue(notes["runbook_url"].startswith(f"http://{at['exporter']}/runbooks/{rule['alert']}"), notes)
                        self.assertIn(graphs, notes.get("dashboard_url", graphs))
                        was.update({name: notes[name] for name in ("runbook_url", "dashboard_url") if name in notes})
                if one != other:
                    changed.append((one["name"], one["interval"], other["interval"], {**one, "interval": ""} == {**other, "interval": ""}))
        self.assertEqual(changed, [("kmem-fleet", "1m", "4m", True)])


class Names(unittest.TestCase):
    def test_every_query_names_only_metrics_that_exist(self):
        known = known_metrics()
        self.assertGreater(len(known), 60)
        for uid, dashboard in load().items():
            queries = [target["expr"] for panel in panels_of(dashboard) for target in panel["targets"]]
            queries += [variable_query(row["query"]) for row in dashboard["templating"]["list"] if row["type"] == "query"]
            queries += [row["expr"] for row in dashboard["annotations"]["list"] if "expr" in row]
            for query in queries:
                found = selectors(query)
                self.assertTrue(found, query)
                for metric, _, _, _ in found:
                    self.assertIn(metric, known, f"{uid}: {query}")


class Running(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="kmem-stack-")
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        shutil.rmtree(KEEP, ignore_errors=True)
        os.makedirs(KEEP)
        cls.victoria = stack.address(0)
        log = open(os.path.join(cls.folder, "victoria.log"), "wb")
        cls.addClassCleanup(log.close)
        server = subprocess.Popen(
            [
                "victoria-metrics",
                f"-storageDataPath={cls.folder}/victoria",
                f"-httpListenAddr={cls.victoria}",
                "-retentionPeriod=1y",
                "-search.latencyOffset=0s",
                "-search.maxStalenessInterval=35m",
                "-loggerLevel=WARN",
            ],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
        cls.addClassCleanup(cls.end, server)
        cls.start()
        cls.now = time.time()
        cls.answers = {
            (uid, name): (values, ask(cls.api, load()[uid], values, cls.now))
            for uid, name, values in choices(cls.api, cls.now)
        }

    @staticmethod
    def end(process, sig=signal.SIGTERM):
        if process.poll() is None:
            process.send_signal(sig)
        return process.wait(160)

    @classmethod
    def start(cls):
        data = os.path.join(cls.folder, "data")
        cls.out = open(os.path.join(KEEP, "stack.log"), "a+", encoding="utf-8")
        cls.addClassCleanup(cls.out.close)
        cls.begin = cls.out.seek(0, os.SEEK_END)
        cls.stack = subprocess.Popen(
            [
                sys.executable,
                os.path.join(SOURCE_DIR, "packaging/stack/stack.py"),
                "up",
                "--exporter",
                EXE,
                "--data",
                data,
                "--any-port",
                "--tools",
                os.environ["KMEM_TOOLS"],
                "--scrape-interval=1s",
                "--evaluation-interval=5s",
                f"--remote-write=http://{cls.victoria}/api/v1/write",
            ],
            stdin=subprocess.DEVNULL,
            stdout=cls.out,
            stderr=cls.out,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        cls.addClassCleanup(cls.end, cls.stack)

        def said():
            assert cls.stack.poll() is None, "the stack ended; see " + cls.out.name
            return "Ctrl-C" in (text := cls.said()) and text

        cls.told = wait_until(said, 120, "the stack says where it is")
        with open(os.path.join(data, "addresses.json"), encoding="utf-8") as file:
            cls.at = json.load(file)
        cls.api = Api("http://" + cls.at["prometheus"])
        # Rates want two scrapes with a request answered before each.
        wait_until(
            lambda: cls.api.instant(
                'count(rate(kmem_exporter_http_requests_total{handler="metrics"}[1m]) > 0) and on () (count(up{job="kmem"} == 1) == 5)',
                time.time(),
            ),
            60,
            "five hosts are scraped",
        )
        wait_until(
            lambda: cls.api.instant(
                "count(instance:kmem_scrape_seconds:leaders) == 5 and on () pool_tag_driver:kmem_leak_suspect:info", time.time()
            ),
            60,
            "the Fleet dashboard's rules are evaluated",
        )
        # Evaluated, sent to Alertmanager, printed.
        hosts = {"KmemPoolSurge": 1, "KmemPoolExhaustionPredicted": 1}
        wait_until(
            lambda: all(len(cls.printed().get(("ticket", name), ())) >= count for name, count in hosts.items()),
            60,
            "alerts are printed",
        )

    @classmethod
    def said(cls):
        """What the stack has said since it was last started."""
        with open(cls.out.name, encoding="utf-8") as file:
            file.seek(cls.begin)
            return file.read()

    @classmethod
    def printed(cls):
        """{(severity, alert): {instances}} of what Alertmanager had printed."""
        found = {}
        for line in cls.said().splitlines():
            if row := re.match(r"\[firing\] (\w+) (Kmem\w+) instance=(\S+)", line):
                found.setdefault((row[1], row[2]), set()).add(row[3])
        return found

    def test_1_every_panel_returns_data_or_is_meant_to_be_empty(self):
        seen = {}
        for (uid, name), (values, answers) in self.answers.items():
            kept = []
            for panel, results in answers:
                for index, result in enumerate(results):
                    # Repeated panels have their own titles.
                    title = next(row["title"] for row in panels_of(load()[uid]) if row["id"] == panel["id"])
                    seen[(uid, title, index)] = seen.get((uid, title, index), False) or bool(result)
                kept.append(
                    {
                        "panel": panel["title"],
                        "targets": [target["expr"] for target in panel["targets"]],
                        "results": results,
                    }
                )
            with open(os.path.join(KEEP, f"{uid}-{name}.json"), "w", encoding="utf-8") as out:
                json.dump({"variables": values, "panels": kept}, out)
        empty = {key for key, has in seen.items() if not has}
        self.assertEqual(empty, set(EMPTY))
        self.assertGreater(len(seen), 90)

    def test_2_what_the_panels_say_is_what_the_hosts_did(self):
        def one(uid, name, title):
            return next(results for panel, results in self.answers[(uid, name)][1] if panel["title"] == title)

        def value(result):
            return float(result[0]["value"][1])

        suspects = one("kmem-fleet", "all", "Leak suspects")[0]  # the stat; the table of the same name comes after it
        self.assertEqual(value(suspects), 1)
        # Of all jobs; Prometheus scrapes itself, too.
        self.assertEqual(value(one("kmem-fleet", "all", "Hosts scraped")[0]), 5)
        growth, size, sure = [
            results for panel, results in self.answers[("kmem-fleet", "all")][1] if panel["title"] == "Leak suspects"
        ][1]
        self.assertEqual(
            [(row["metric"]["instance"], row["metric"]["tag"], row["metric"]["driver"]) for row in growth],
            [("demo-files-01:10054", "Sfv1", "scanflt.sys")],
        )
        self.assertAlmostEqual(value(growth), 2.72 * 2**20, delta=0.15 * 2**20)
        self.assertAlmostEqual(value(size), 152 * 2**20, delta=8 * 2**20)
        self.assertGreater(value(sure), 0.8)
        left = one("kmem-fleet", "all", "Who runs out first")[0]
        self.assertEqual(
            {row["metric"]["resource"]: row["metric"]["instance"].split(":")[0] for row in left},
            {"slab_unreclaimable": "demo-web-03", "paged": "demo-files-01", "system_ptes": "demo-files-01"},
        )
        lasts = {row["metric"]["resource"]: float(row["value"][1]) for row in left}
        self.assertTrue(12 / 24 < lasts["slab_unreclaimable"] < 22 / 24, lasts)  # days
        self.assertTrue(5 < lasts["paged"] < 20, lasts)
        self.assertGreater(value(one("kmem-fleet", "all", "Alerts")[0]), 1)
        self.assertEqual(value(one("kmem-host", "windows", "Failed allocations")[0]), 3)
        verdicts = {name: value(one("kmem-leak", name, "Verdict")[0]) for name in ("calm", "surge", "leak")}
        self.assertEqual(verdicts, {"calm": 0, "surge": 1, "leak": 2})
        growth, size = one("kmem-host", "linux", "Surging tags")
        self.assertEqual([row["metric"]["tag"] for row in size], ["nf_conntrack"])
        self.assertEqual(growth[0]["metric"]["driver"], "nf_conntrack")
        self.assertAlmostEqual(value(growth), 450 * 2**20, delta=5 * 2**20)
        self.assertTrue(4.5 * 2**30 < value(size) < 5.5 * 2**30, value(size))
        room, pace, ends = one("kmem-leak", "surge", "What ends it, and when")
        self.assertEqual([row["metric"]["bound"] for row in room], ["available_memory"])
        self.assertAlmostEqual(value(room) / value(pace), value(ends) * 24, delta=0.01)
        self.assertAlmostEqual(value(pace), 450 * 2**20, delta=2**20)
        windows = {row["metric"]["window"] for row in one("kmem-leak", "surge", "Growth an hour")[0]}
        self.assertEqual(windows, {"5m", "1h", "6h"})
        self.assertEqual(one("kmem-leak", "leak", "Growth an hour")[0], [])
        size = [results for panel, results in self.answers[("kmem-leak", "leak")][1] if panel["title"] == "Size"][1][0]
        self.assertGreater(len(size[0]["values"]), 50 * 24 / 2)
        others = one("kmem-leak", "leak", "The same tag on other hosts")[0]
        self.assertEqual(len(others), 3)

    def test_3_queries_of_a_fleet_are_within_what_prometheus_holds(self):
        """Rules, and every panel and mark of every dashboard with All hosts where it has that: by what they hold of five here."""
        here = len(self.api.instant('up{job="kmem"}', self.now))
        self.assertEqual(here, 5)
        # A fleet's host has 60 tags.
        tags = 60 / (len(self.api.instant("kmem_pool_tag_bytes", self.now)) / here)
        held = {}
        for path in glob.glob(os.path.join(stack.RULES, "*.rules.yml")):
            for number, rule in enumerate(rule for group in yaml.safe_load(content(path))["groups"] for rule in group["rules"]):
                held[path, number] = self.api.peak(rule["expr"], self.now) / here * HOSTS * tags
        steps = 20
        for uid, dashboard in load().items():
            chosen = {row["name"]: row for row in dashboard["templating"]["list"]}
            values = next(values for (known, _), (values, _) in self.answers.items() if known == uid)
            values = {**values, "pool": next(iter(values["repeat"]["pool"]), values["pool"])}
            filled = Filled(values, steps * 1800)
            asked = [
                (panel["title"], target["expr"], target["instant"], WIDE * panel["gridPos"]["w"] / 24)
                for panel in panels_of(dashboard)
                for target in panel["targets"]
            ] + [(row["name"], row["expr"], False, WIDE) for row in dashboard["annotations"]["list"] if "expr" in row]
            shown = 0
            if "shown" in chosen:
                query = variable_query(chosen["shown"]["query"])
                shown = sum(map(int, re.findall(r"topk\((\d+), ", query)))
                asked.append(("shown", query, True, 1))
            for title, text, instant, points in asked:
                query, read = filled(text), selectors(text)
                one = not chosen["instance"]["includeAll"] and all(row[1].get("instance") for row in read)
                if all(":leaders" in metric for metric, *_ in read):
                    of_fleet, of_these = 25 * SITES, here  # 25 of each site, however many hosts there are
                else:
                    of_fleet = 1 if one else shown if '"$shown"' in text else HOSTS
                    have = [self.hosts_with(metric, matchers, filled) for metric, matchers, *_ in read]
                    of_these = min(filter(None, have), default=here)
                if instant:
                    peak, points = self.api.peak(query, self.now), 1
                else:
                    peak = self.api.peak(query, self.now, self.now - (steps - 1) * 1800, 1800) / steps
                more = tags if any(row[0] == "kmem_pool_tag_bytes" and "tag" not in row[1] for row in read) else 1
                held[uid, title, text] = peak / of_these * points * of_fleet * more
        with open(os.path.join(KEEP, "samples.json"), "w", encoding="utf-8") as out:
            json.dump(sorted(((count, *map(str, key)) for key, count in held.items()), reverse=True), out, indent=1)
        self.assertEqual({key[0] for key in held if key[0] in UIDS}, set(UIDS))
        self.assertEqual({key: count for key, count in held.items() if count > MAX_SAMPLES}, {})

    def hosts_with(self, metric, matchers, filled):
        asked = filled(", ".join(f'{name}{operator}"{value}"' for name, (operator, value) in matchers.items()))
        found = self.api.instant(f"count(count by (job, instance) (last_over_time({metric}{{{asked}}}[1h])))", self.now)
        return int(found[0]["value"][1]) if found else 0

    def test_3_boots_failures_and_starts_are_annotations(self):
        for uid, name in (("kmem-host", "windows"), ("kmem-exporter", "all")):
            dashboard, values = load()[uid], self.answers[(uid, name)][0]
            for mark, _, times in annotations(self.api, {**dashboard, "time": {"from": "now-56d"}}, values, self.now):
                self.assertTrue(0 < len(times) < 10, (mark, times))

    def test_3_one_message_a_pool_and_calm_hosts_say_nothing(self):
        printed = self.printed()
        leaking, surging = "demo-files-01:10054", "demo-web-03:10054"
        wanted = {("ticket", "KmemPoolSurge"): {surging}, ("ticket", "KmemPoolExhaustionPredicted"): {leaking}}
        self.assertEqual({key: where for key, where in printed.items() if key in wanted}, wanted)
        self.assertEqual({place for where in printed.values() for place in where}, {leaking, surging})
        self.assertNotIn(("ticket", "KmemPoolLeakSuspected"), printed)
        with urllib.request.urlopen(f"http://{self.at['alertmanager']}/api/v2/alerts?inhibited=true&active=false", timeout=20) as answer:
            silent = {(row["labels"]["alertname"], row["labels"]["instance"]) for row in json.load(answer)}
        self.assertTrue({("KmemPoolLeakSuspected", leaking), ("KmemPoolExhaustionPredicted", surging)} <= silent, silent)
        lines = content(self.out.name).splitlines()
        line = next(line for line in lines if "KmemPoolSurge" in line)
        for word in ("pool=slab_unreclaimable", "nf_conntrack", "available memory", "450MiB less every hour"):
            self.assertIn(word, line)
        line = next(line for line in lines if "KmemPoolExhaustionPredicted" in line)
        for word in ("pool=paged", "Sfv1", "scanflt.sys", "MiB", "days"):
            self.assertIn(word, line)

    def test_3_the_start_page_leads_everywhere(self):
        """Every link answers; the dashboards among them are drawn."""
        def got(url):
            with urllib.request.urlopen(url, timeout=120) as answer:
                return answer.read().decode()

        base = f"http://{self.at['start']}"
        page = got(base)
        links = [html.unescape(url) for url in re.findall(r'href="([^"]+)"', page)]
        texts = {url: got(url if url.startswith("http") else base + url) for url in links}
        drawn = {url: text for url, text in texts.items() if url.startswith("/dashboards/")}
        self.assertEqual(len(drawn), 8)
        for url, text in drawn.items():
            self.assertIn("<polyline", text, url)
        self.assertIn("Sfv1", drawn["/dashboards/kmem-leak/leak"])
        # As alerts link it, of one host.
        self.assertIn("<polyline", got(f"{base}/d/kmem-exporter?var-job=kmem&var-instance=demo-files-01:10054"))
        self.assertIn("not told: KmemPoolExhaustionPredicted says it", page)
        self.assertIn("<title>Leak: tag Thre", texts[f"http://{self.at['leaking']}/"])
        self.assertNotIn("<title>Leak", texts[f"http://{self.at['calm']}/"])
        self.assertGreater(sum(url.startswith(f"http://{self.at['prometheus']}/") for url in links), 3)

    def test_3_the_links_of_every_alert_lead_somewhere(self):
        with urllib.request.urlopen(f"http://{self.at['alertmanager']}/api/v2/alerts", timeout=20) as answer:
            rows = json.load(answer)
        followed = {}
        for row in rows:
            notes = row["annotations"]
            self.assertTrue(notes["runbook_url"] and notes["dashboard_url"], notes)
            followed[notes["runbook_url"]] = row
            followed.setdefault((row["labels"].get("instance"), notes["dashboard_url"].partition("?")[0]), row)
        self.assertGreater(len(followed), 4)
        for key, row in followed.items():
            url = key if isinstance(key, str) else row["annotations"]["dashboard_url"]
            with urllib.request.urlopen(url, timeout=120) as answer:
                text = answer.read().decode()
            if "/d/" in url and url.startswith(f"http://{self.at['start']}/"):
                self.assertIn("<polyline", text, url)
                self.assertIn(row["labels"]["instance"], text)

    def test_4_pictures(self):
        for (uid, name), (values, answers) in self.answers.items():
            marks = annotations(self.api, load()[uid], values, self.now)
            path, height = render.write(KEEP, f"{uid}-{name}", load()[uid], answers, values, marks)
            text = content(path)
            self.assertGreater(height, 1000)
            self.assertEqual(text.count("<h3>"), len(answers))
            self.assertEqual("scanflt.sys" in text, name in ("windows", "leak") or uid == "kmem-fleet")

    def test_5_victoria_metrics_answers_the_same(self):
        """Prometheus sends it what it scrapes; the weeks before come by the same protocol, an hour apart."""
        live = Api(f"http://{self.victoria}")
        # Both are asked of the same moment: what grows with time, or begins anew every hour, is no difference.
        wait_until(
            lambda: len(live.instant(f'timestamp(up{{job="kmem"}}) >= {self.now}', time.time())) == 5,
            60,
            "remote_write brings the live hosts",
        )
        with open(os.path.join(self.folder, "data/demo.json"), encoding="utf-8") as file:
            known = json.load(file)
        for name, host in demo_hosts.HOSTS.items():
            run = demo_hosts.Run(host, known["end"], known["verdicts"][name])
            series = {}
            for at in range(known["end"] - 56 * DAY, known["end"] + 1, HOUR):
                for metric, labels, value in run.everything(at):
                    series.setdefault((metric, labels), []).append((at, value))
            remote_write.send(
                f"http://{self.victoria}/api/v1/write",
                [
                    remote_write.time_series(
                        {
                            "__name__": metric,
                            "job": "kmem",
                            "instance": host.instance,
                            **{key: str(value) for key, value in labels},
                        },
                        samples,
                    )
                    for (metric, labels), samples in series.items()
                ],
            )
        urllib.request.urlopen(f"http://{self.victoria}/internal/force_flush", timeout=120).read()
        urllib.request.urlopen(f"http://{self.victoria}/internal/resetRollupResultCache", timeout=120).read()
        compared = 0
        for (uid, name), (values, answers) in self.answers.items():
            theirs = ask(live, load()[uid], values, self.now)
            for (panel, results), (_, others) in zip(answers, theirs, strict=True):
                for target, result, other in zip(panel["targets"], results, others, strict=True):
                    where = f"{uid} {name}: {panel['title']}: {target['expr']}"
                    finite = [row for row in result if not target["instant"] or math.isfinite(float(row["value"][1]))]
                    self.assertEqual(bool(other), bool(finite), where)
                    if target["instant"] and len(finite) == len(other) == 1:
                        # Seconds or the same in days: a scrape lies between the two answers.
                        slack = 0.01 if panel["fieldConfig"]["defaults"]["unit"] == "suffix: days" else 120
                        mine, his = float(finite[0]["value"][1]), float(other[0]["value"][1])
                        self.assertAlmostEqual(mine, his, delta=max(abs(mine) * 0.05, slack), msg=where)
                        compared += 1
        self.assertGreater(compared, 30)

        # Its own ruler finds the leak with the same rules.
        ruler = stack.address(0)
        log = open(os.path.join(self.folder, "vmalert.log"), "wb")
        self.addCleanup(log.close)
        process = subprocess.Popen(
            [
                "vmalert",
                f"-rule={SOURCE_DIR}/dashboards/prometheus/kmem-agent.rules.yml",
                f"-httpListenAddr={ruler}",
                f"-datasource.url=http://{self.victoria}",
                f"-remoteWrite.url=http://{self.victoria}",  # what is recorded is read by the alerts
                f"-notifier.url=http://{self.at['alertmanager']}",
                "-evaluationInterval=2s",
            ],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
        self.addCleanup(self.end, process)

        def suspects():
            with urllib.request.urlopen(f"http://{ruler}/api/v1/alerts", timeout=20) as response:
                return [
                    alert
                    for alert in json.load(response)["data"]["alerts"] or []
                    if alert["name"] == "KmemPoolLeakSuspected"
                ]

        alerts = wait_until(suspects, 30, "vmalert finds the leak")
        self.assertEqual(
            [(alert["labels"]["instance"], alert["labels"]["tag"]) for alert in alerts],
            [("demo-files-01:10054", "Sfv1")],
        )

    def test_6_ctrl_c_stops_all_and_the_second_start_is_quick(self):
        self.assertEqual(self.end(self.stack, signal.SIGINT), 0)
        for name in ("exporter", "demo", "prometheus", "alertmanager", "printer"):
            with self.assertRaises(OSError, msg=name):
                urllib.request.urlopen(f"http://{self.at[name]}/", timeout=8)
        self.start()
        self.assertNotIn("making", self.told)
        history = self.api.instant(
            'count_over_time(kmem_pool_bytes{instance="demo-files-01:10054", pool="paged"}[57d])', time.time()
        )
        self.assertGreater(float(history[0]["value"][1]), 2600)
        # What Alertmanager sends is printed.
        message = {
            "alerts": [
                {
                    "status": "firing",
                    "labels": {"alertname": "KmemTest", "severity": "page", "tag": "Sfv1"},
                    "annotations": {"description": "it\nleaks"},
                }
            ]
        }
        urllib.request.urlopen(
            urllib.request.Request(f"http://{self.at['printer']}/", json.dumps(message).encode()), timeout=5
        )
        wait_until(lambda: "[firing] page KmemTest tag=Sfv1: it leaks\n" in content(self.out.name), 5, "it is printed")


if __name__ == "__main__":
    unittest.main(verbosity=2)
