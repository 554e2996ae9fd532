"""The plans for a fleet: examples that the servers accept, hosts that are found and shared out, remote_write as
VictoriaMetrics reads it, and figures that measure.py still finds."""

import glob
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

import yaml
from dashboards import SOURCE_DIR, Api, selectors

FLEET = os.path.join(SOURCE_DIR, "packaging/fleet")
RULES_FOLDER = os.path.join(SOURCE_DIR, "dashboards/prometheus")
RULES = sorted(glob.glob(os.path.join(RULES_FOLDER, "*.rules.yml")))
sys.path.insert(0, FLEET)
import measure  # noqa: E402
import remote_write  # noqa: E402
import site_rules  # noqa: E402
from measure import get, metric, ready, stack  # noqa: E402

EXE = os.environ["KMEM_EXE"]
KEEP = os.environ["KMEM_KEEP"]
# What a ruler takes in one group unless it is told otherwise.
MIMIR_RULES_A_GROUP = 20
# packaging/fleet/README.md's figures, by how much a busy machine and another kernel may change them.
MEMORY_TOLERANCE, CPU_TOLERANCE = 2.5, 4


def content(name):
    with open(os.path.join(FLEET, name), encoding="utf-8") as file:
        return file.read()


def promtool(*arguments, folder=FLEET):
    done = subprocess.run(["promtool", *arguments], cwd=folder, capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def discovered(config, folder, job="kmem"):
    """[labels after relabelling] of the hosts that are kept."""
    path = os.path.join(folder, "config.yml")
    with open(path, "w", encoding="utf-8") as out:
        out.write(config)
    status, text = promtool("check", "service-discovery", "--timeout=2s", path, job, folder=folder)
    assert status == 0, text
    rows, _ = json.JSONDecoder().raw_decode(text[text.index("[") :])
    return [row["labels"] for row in rows if row.get("labels")]


def without_dns(config):
    """There is no example.net to ask."""
    read = yaml.safe_load(config)
    for job in read["scrape_configs"]:
        job.pop("dns_sd_configs", None)
    return yaml.safe_dump(read)


class Examples(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="kmem-fleet-")
        self.addCleanup(shutil.rmtree, self.folder)
        shutil.copytree(os.path.join(FLEET, "targets"), os.path.join(self.folder, "targets"))

    def test_prometheus_takes_them(self):
        for name, more in (
            ("prometheus-edge.yml", ["--agent"]),
            ("prometheus-edge.yml", []),
            ("prometheus-shard.yml", []),
        ):
            status, text = promtool("check", "config", *more, name)
            self.assertEqual(status, 0, text)
        self.assertIn(f"{len(RULES)} rule files found", text)
        # What follows the series of a host is told in one place, the README.
        self.assertNotRegex(content("prometheus-edge.yml") + content("vmagent-edge.yml"), r"\d,\d+ samples")
        # A fault is seen.
        with open(os.path.join(self.folder, "bad.yml"), "w", encoding="utf-8") as out:
            out.write(content("prometheus-edge.yml").replace("refresh_interval", "refresh_internal"))
        self.assertNotEqual(promtool("check", "config", "bad.yml", folder=self.folder)[0], 0)

    def test_vmagent_takes_its_own_file_and_sends_no_replica(self):
        """KMEM_VMAGENT: one more vmagent, as the newest."""
        for program in filter(None, ("vmagent", os.environ.get("KMEM_VMAGENT"))):

            def checked(name, program=program):
                return subprocess.run(
                    [
                        program,
                        "-dryRun",
                        "-promscrape.config=" + os.path.join(FLEET, name),
                        "-promscrape.config.strictParse=true",
                        "-remoteWrite.url=http://127.0.0.1:9/",
                    ],
                    capture_output=True,
                    text=True,
                )

            done = checked("vmagent-edge.yml")
            self.assertEqual(done.returncode, 0, done.stderr)
            refused = checked("prometheus-edge.yml")  # a fault is seen
            self.assertNotEqual(refused.returncode, 0)
            self.assertIn("remote_write", refused.stderr)
        mine, theirs = (yaml.safe_load(content(name)) for name in ("vmagent-edge.yml", "prometheus-edge.yml"))
        self.assertEqual(mine["global"]["external_labels"], {"site": "hamburg"})
        self.assertEqual(theirs["global"]["external_labels"], {"site": "hamburg", "replica": "a"})
        one, other = mine["scrape_configs"][0], theirs["scrape_configs"][0]
        for name in ("job_name", "dns_sd_configs", "relabel_configs", "sample_limit"):
            self.assertEqual(one[name], other[name])

    def test_victoria_metrics_own_ruler_takes_the_rules(self):
        for path in RULES:
            done = subprocess.run(["vmalert", "-dryRun", "-rule=" + path], capture_output=True, text=True)
            self.assertEqual(done.returncode, 0, done.stderr)

    def test_mimir_has_room_for_the_rules(self):
        groups = [group for path in RULES for group in yaml.safe_load(open_text(path))["groups"]]
        limits = yaml.safe_load(content("mimir-overrides.yml"))["overrides"]["kmem"]
        # 20 sites, and the floors in parts of 150 hosts.
        floors = yaml.safe_load(open_text(os.path.join(RULES_FOLDER, "kmem-floors.rules.yml")))["groups"]
        self.assertLessEqual(len(groups) * 20 + len(floors) * 10_000 // 150, limits["ruler_max_rule_groups_per_tenant"])
        self.assertGreaterEqual(len(groups), limits["ruler_tenant_shard_size"], "more rulers than groups")
        self.assertEqual(
            {group["name"]: len(group["rules"]) for group in groups if len(group["rules"]) > MIMIR_RULES_A_GROUP}, {}
        )
        self.assertEqual(len({group["name"] for group in groups}), len(groups), "two groups of one name")
        # A day of every tag, at a point a minute and 120 points a chunk.
        self.assertGreaterEqual(limits["max_fetched_chunks_per_query"], 10_000 * 60 * (1440 // 120 + 1))
        # A host that is at its bound of series still fits.
        self.assertGreaterEqual(limits["max_global_series_per_user"], 10_000 * 700)
        self.assertGreaterEqual(limits["ingestion_rate"], 10_000 * 700 / measure.INTERVAL)

    def test_hosts_of_a_file_are_found_with_their_labels(self):
        found = discovered(without_dns(content("prometheus-edge.yml")), self.folder)
        self.assertEqual(
            {labels["instance"]: (labels["site"], labels["role"]) for labels in found},
            {
                "files-01.example.net:10054": ("hamburg", "files"),
                "files-02.example.net:10054": ("hamburg", "files"),
                "sql-01.example.net:10054": ("hamburg", "sql"),
            },
        )

    def test_four_shards_share_the_hosts_and_none_is_lost(self):
        hosts = [f"host-{i}.example.net:10054" for i in range(200)]
        with open(os.path.join(self.folder, "targets/windows.json"), "w", encoding="utf-8") as out:
            json.dump([{"targets": hosts}], out)
        text = content("prometheus-shard.yml").replace("../../dashboards", os.path.join(SOURCE_DIR, "dashboards"))
        self.assertIn('regex: "0"', text)
        shares = [
            [
                labels["instance"]
                for labels in discovered(
                    text.replace('regex: "0"', f'regex: "{shard}"').replace('shard: "0"', f'shard: "{shard}"'),
                    self.folder,
                )
            ]
            for shard in range(4)
        ]
        self.assertEqual(sorted(sum(shares, [])), sorted(hosts))
        for share in shares:
            self.assertTrue(30 < len(share) < 70, len(share))

    def test_a_host_of_srv_records_keeps_a_short_name(self):
        job = yaml.safe_load(content("prometheus-edge.yml"))["scrape_configs"][0]
        rule = job["relabel_configs"][0]
        self.assertEqual(rule["source_labels"], ["__meta_dns_name", "__address__"])

        def instance(name, address):
            found = re.fullmatch(rule["regex"], f"{name};{address}")
            return found and found.expand(rule["replacement"].replace("$", "\\"))

        srv, plain = job["dns_sd_configs"]
        self.assertEqual(instance(srv["names"][0], "files-01.example.net.:10054"), "files-01:10054")
        self.assertIsNone(instance(plain["names"][0], "10.0.0.7:10054"))


class SiteRules(unittest.TestCase):
    SITES = ("berlin", "bremen", "hamburg")

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="kmem-fleet-")
        self.addCleanup(shutil.rmtree, self.folder)

    def write(self, *arguments):
        return subprocess.run([sys.executable, os.path.join(FLEET, "site_rules.py"), "--out", self.folder, *arguments],
                              capture_output=True, text=True)

    def documents(self):
        return {name: yaml.safe_load(open_text(os.path.join(self.folder, name))) for name in sorted(os.listdir(self.folder))
                if name.endswith(".rules.yml")}

    def test_no_rule_reads_hosts_of_two_sites_and_none_is_lost(self):
        self.assertEqual(self.write(*self.SITES).returncode, 0)
        whole = [rule for path in RULES for group in yaml.safe_load(open_text(path))["groups"] for rule in group["rules"]]
        sited = [rule for rule in whole if rule.get("alert") not in ("KmemRetentionTooShort", "KmemJobAbsent")]
        made, names = {site: [] for site in self.SITES}, []
        for file, document in self.documents().items():
            names += [group["name"] for group in document["groups"]]
            rules = [rule for group in document["groups"] for rule in group["rules"]]
            if file != "kmem-rest.rules.yml":
                made[file.split(".")[1]] += rules
        self.assertEqual(len(names), len(set(names)))
        for site, rules in made.items():
            self.assertEqual([rule.get("record", rule.get("alert")) for rule in rules],
                             [rule.get("record", rule.get("alert")) for rule in sited])
            for rule, before in zip(rules, sited):
                # By a parser of its own, which does not know offsets.
                read, was = (selectors(re.sub(r"\boffset \w+", "", text)) for text in (rule["expr"], before["expr"]))
                self.assertEqual([matchers.pop("site", None) for _, matchers, _, _ in read], [("=", site)] * len(read), rule["expr"])
                self.assertEqual(read, was)
                for text in rule.get("annotations", {}).values():
                    self.assertNotIn("up{job=", text)  # of any host
        rest = self.documents()["kmem-rest.rules.yml"]["groups"][0]["rules"]
        self.assertEqual([rule["alert"] for rule in rest], ["KmemJobAbsent", "KmemRetentionTooShort", "KmemHostsWithoutRules"])

    def test_servers_take_them_and_tell_the_same_alerts(self):
        self.assertEqual(self.write(*self.SITES).returncode, 0)
        paths = [os.path.join(self.folder, name) for name in os.listdir(self.folder)]
        done = subprocess.run(["vmalert", "-dryRun", *("-rule=" + path for path in paths)], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        test = yaml.safe_load(open_text(os.path.join(SOURCE_DIR, "tests/rules/texts_sites.yml")))
        test["rule_files"] = [path for path in paths if "kmem-agent." in path or "rest" in path]
        test["group_eval_order"] = [f"{name}-{site}" for name in test["group_eval_order"] for site in self.SITES] + ["kmem-rest"]
        # The link of a host that is down leads to another of its site, and here there is none.
        for row in test["tests"][0]["alert_rule_test"]:
            if row["alertname"] == "KmemExporterDown":
                row["exp_alerts"][0]["exp_annotations"]["runbook_url"] = ""
        self.assert_told(test, 0)
        # Hosts of a site without rules, and of none.
        test["tests"] = [{"interval": "1m", "input_series": [
            {"series": f'up{{job="kmem",instance="{instance}"{site}}}', "values": "1x60"}
            for instance, site in (("a", ',site="berlin"'), ("b", ',site="kiel"'), ("c", ""), ("d", ""))],
            "promql_expr_test": [{"expr": 'sum by (site) (ALERTS{alertname="KmemHostsWithoutRules",alertstate="firing"})',
                                  "eval_time": "30m", "exp_samples": [{"labels": '{site="kiel"}', "value": 1}, {"labels": "{}", "value": 1}]}]}]
        self.assert_told(test, 0)
        test["tests"][0]["promql_expr_test"][0]["exp_samples"].pop()
        self.assert_told(test, 1)  # a fault is seen

    def test_they_follow_the_settings(self):
        settings = os.path.join(self.folder, "settings.json")
        with open(settings, "w", encoding="utf-8") as out:
            shipped = json.loads(open_text(os.path.join(SOURCE_DIR, "dashboards/settings.json")))
            json.dump({**shipped, "job": "kernel-.*", "severity": {"page": "critical", "ticket": "warning"},
                       "runbooks": "https://wiki.example/kmem"}, out)
        self.assertEqual(self.write("--settings", settings, *self.SITES).returncode, 0)
        rule = self.documents()["kmem-rest.rules.yml"]["groups"][0]["rules"][-1]
        self.assertEqual((rule["alert"], rule["labels"]), ("KmemHostsWithoutRules", {"severity": "warning"}))
        self.assertIn('up{job=~"kernel-.*", site!~', rule["expr"])
        self.assertEqual(rule["annotations"]["runbook_url"], "https://wiki.example/kmem/KmemHostsWithoutRules")
        self.assertTrue(os.path.exists(os.path.join(SOURCE_DIR, "dashboards/runbooks/KmemHostsWithoutRules.md")))

    def assert_told(self, test, status):
        path = os.path.join(self.folder, "test.json")
        with open(path, "w", encoding="utf-8") as out:
            json.dump(test, out)
        found, text = promtool("test", "rules", path)
        self.assertEqual(found, status, text)

    def test_the_plan_tells_how_many_hosts_a_site_may_have(self):
        self.assertEqual(site_rules.chunks_a_series("min_over_time(a[1d]) and last_over_time(a[1h])"), 15)
        self.assertEqual(site_rules.chunks_a_series("a > 1"), 1)
        told = dict(line.split(": ") for line in self.write(*self.SITES).stdout.splitlines())
        for path in RULES:
            name, document = os.path.basename(path).removesuffix(".rules.yml"), yaml.safe_load(open_text(path))
            few, many = (site_rules.hosts_within(document, 60, limit) for limit in (2_000_000, 10_000_000))
            self.assertEqual(told[name], f"{few} hosts a site")
            self.assertIn(f"| `{name}` | {few:,} | {many:,} |", content("README.md"))

    def test_what_cannot_be_is_refused(self):
        for arguments, said in ((["a", "a"], "twice"), (['a"b'], "not a value"), (["--label=1", "a"], "not a label"),
                                (["--label=job", "a"], "asks for job already"), (["--rules=/nowhere", "a"], "no *.rules.yml")):
            done = self.write(*arguments)
            self.assertEqual(done.returncode, 1, arguments)
            self.assertIn(said, done.stderr)


def open_text(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


class Ruler(unittest.TestCase):
    """vmalert drops an alert of whose texts one fails; Prometheus tells it with the fault in the text."""

    def test_alerts_of_jobs_that_have_no_host_are_told(self):
        folder = tempfile.mkdtemp(prefix="kmem-fleet-")
        self.addCleanup(shutil.rmtree, folder)
        store, ruler = stack.address(0), stack.address(0)
        made = subprocess.run([sys.executable, os.path.join(FLEET, "site_rules.py"), "--out", folder, "hamburg"], capture_output=True)
        self.assertEqual(made.returncode, 0, made.stderr)
        # KmemJobAbsent of all sites, KmemHostsWithoutRules of hosts without a site.
        rules = [os.path.join(RULES_FOLDER, "kmem-agent.rules.yml"), os.path.join(folder, "kmem-rest.rules.yml")]

        def run(command, health):
            process = measure.start(command, folder)
            self.addCleanup(process.wait, 60)
            self.addCleanup(process.terminate)
            ready(health, process)

        run(["victoria-metrics", f"-storageDataPath={folder}/store", f"-httpListenAddr={store}", "-search.latencyOffset=0s"],
            f"http://{store}/health")
        now = int(time.time())
        ended = [(at, 1) for at in range(now - 3600, now - 1500, 60)]
        going = [(at, 1) for at in range(now - 3600, now + 60, 30)]
        remote_write.send(f"http://{store}/api/v1/write", [
            remote_write.time_series({"__name__": "up", "job": job, "instance": "a:10054", **labels}, points)
            for job, labels, points in (("kmem", {"site": "hamburg"}, ended), ("kmem-win", {}, going))])
        get(f"http://{store}/internal/force_flush")
        get(f"http://{store}/internal/resetRollupResultCache")
        run(["vmalert", *("-rule=" + path for path in rules), f"-datasource.url=http://{store}", f"-remoteWrite.url=http://{store}",
             "-notifier.url=http://127.0.0.1:9", f"-httpListenAddr={ruler}", "-evaluationInterval=1s"], f"http://{ruler}/health")
        for _ in range(300):
            rows = json.loads(get(f"http://{ruler}/api/v1/alerts"))["data"]["alerts"] or []
            told = {row["name"]: row["annotations"]["runbook_url"] for row in rows}
            if {"KmemJobAbsent", "KmemHostsWithoutRules"} <= set(told):
                break
            time.sleep(0.1)
        self.assertEqual({name: told.get(name) for name in ("KmemJobAbsent", "KmemHostsWithoutRules")},
                         {name: f"http://a:10054/runbooks/{name}" for name in ("KmemJobAbsent", "KmemHostsWithoutRules")})


class RemoteWrite(unittest.TestCase):
    def test_bytes(self):
        one = remote_write.time_series({"b": "2", "__name__": "x"}, [(1.5, 1.0)])
        self.assertEqual(
            one,
            bytes.fromhex(
                "0a 25"  # timeseries, 37 bytes
                "0a 0d 0a 08 5f 5f 6e 61 6d 65 5f 5f 12 01 78"  # label __name__ = x, first by order of names
                "0a 06 0a 01 62 12 01 32"  # label b = 2
                "12 0c 09 00 00 00 00 00 00 f0 3f 10 dc 0b"
            ),
        )  # 1.0 at 1500 ms
        self.assertEqual(remote_write.varint(300), b"\xac\x02")
        # Length, one literal with four bytes of length less one, the bytes.
        self.assertEqual(remote_write.snappy(b"abc"), b"\x03\xfc\x02\x00\x00\x00abc")
        self.assertEqual(remote_write.snappy(b""), b"\x00")


class Edge(unittest.TestCase):
    """prometheus-edge.yml as it is, but for the addresses: an agent scrapes the exporter and sends to VictoriaMetrics."""

    def test_the_store_gets_what_the_edge_scrapes_with_its_site(self):
        folder = tempfile.mkdtemp(prefix="kmem-fleet-")
        self.addCleanup(shutil.rmtree, folder)
        exporter, store, edge = (stack.address(0) for _ in range(3))

        def run(command, health):
            process = measure.start(command, folder)
            self.addCleanup(end, process)
            ready(health, process)

        def end(process):
            process.send_signal(signal.SIGTERM)
            process.wait(120)

        run([EXE, "serve", f"--web.listen-address={exporter}"], f"http://{exporter}/-/ready")
        run(
            [
                "victoria-metrics",
                f"-storageDataPath={folder}/store",
                f"-httpListenAddr={store}",
                "-search.latencyOffset=0s",
            ],
            f"http://{store}/health",
        )
        os.mkdir(os.path.join(folder, "targets"))
        with open(os.path.join(folder, "targets/linux.json"), "w", encoding="utf-8") as out:
            json.dump([{"targets": [exporter], "labels": {"role": "web"}}], out)
        config = without_dns(
            content("prometheus-edge.yml")
            .replace("scrape_interval: 60s", "scrape_interval: 1s")
            .replace("http://mimir:8080/api/v1/push", f"http://{store}/api/v1/write")
        )
        self.assertIn(store, config)
        with open(os.path.join(folder, "edge.yml"), "w", encoding="utf-8") as out:
            out.write(config)
        run(
            [
                "prometheus",
                "--enable-feature=agent",
                f"--config.file={folder}/edge.yml",
                f"--storage.agent.path={folder}/wal",
                f"--web.listen-address={edge}",
            ],
            f"http://{edge}/-/ready",
        )
        api = Api(f"http://{store}")
        for _ in range(1500):
            found = api.instant('kmem_pool_bytes{pool="slab_unreclaimable"}', time.time())
            if found:
                break
            time.sleep(0.1)
        self.assertEqual(
            [row["metric"] for row in found],
            [
                {
                    "__name__": "kmem_pool_bytes",
                    "job": "kmem",
                    "instance": exporter,
                    "pool": "slab_unreclaimable",
                    "site": "hamburg",
                    "replica": "a",
                    "role": "web",
                }
            ],
        )
        # Everything the exporter has arrives, and the limits of a host leave room.
        mine = sum(not line.startswith("#") for line in get(f"http://{exporter}/metrics").splitlines())
        theirs = int(
            float(api.instant('count({job="kmem", __name__=~"(kmem|process)_.+"})', time.time())[0]["value"][1])
        )
        self.assertAlmostEqual(mine, theirs, delta=10)
        self.assertLess(mine, yaml.safe_load(config)["scrape_configs"][0]["sample_limit"] / 2)
        self.assertEqual(metric(f"http://{edge}", "prometheus_remote_storage_samples_failed_total"), 0)


class Cost(unittest.TestCase):
    def test_a_small_measurement_finds_what_the_plan_says(self):
        """4 and 16 hosts for 6 seconds, 6 hours on disk: the plan's figures are of a larger and longer run."""
        done = subprocess.run(
            [
                sys.executable,
                os.path.join(FLEET, "measure.py"),
                "--exporter",
                EXE,
                "--hosts=16",
                "--seconds=6",
                "--hours=6",
            ],
            capture_output=True,
            text=True,
            timeout=600,
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        os.makedirs(KEEP, exist_ok=True)
        with open(os.path.join(KEEP, "fleet.json"), "w", encoding="utf-8") as out:
            out.write(done.stdout)
        found = json.loads(done.stdout)["measured"]
        small, large = found["sizes"]
        self.assertEqual((small["hosts"], large["hosts"]), (4, 16))
        self.assertGreaterEqual(large["series"], 16 * found["series_a_host"])
        self.assertGreater(large["samples"], 16 * found["series_a_host"] * 4)
        self.assertLess(found["series_a_host"], 1000)
        self.assertLess(found["page_bytes"], 96 * 1024)
        said = json.loads(re.search(r"<!-- measured (.*?) -->", content("README.md"), re.DOTALL)[1])
        self.assertLess(found["memory_bytes_a_series"], said["memory_bytes_a_series"] * MEMORY_TOLERANCE)

        # Seconds are this machine's. Prometheus and VictoriaMetrics ran on it alike, and four times the hosts take no more
        # a sample than a few do.
        def ratio(figures):
            return figures["cpu_microseconds_a_sample"] / figures["victoria_cpu_microseconds_a_sample"]

        self.assertLess(ratio(found), ratio(said) * CPU_TOLERANCE)
        # It read its log again, and what it then took is of that start.
        for size in (small, large):
            self.assertGreater(size["restart"]["cpu_seconds"], 0)
            self.assertGreater(size["restart"]["seconds"], 0)
            self.assertLess(size["restart"]["most_resident_bytes"], size["resident_bytes"] * 3)
        a_sample = [size["cpu_seconds"] / size["samples"] for size in (small, large)]
        self.assertLess(a_sample[1], 2 * a_sample[0])
        for name in ("disk_bytes_a_sample", "victoria_disk_bytes_a_sample"):
            self.assertTrue(said[name] / 2 < found[name] < said[name] * 2, (name, found[name], said[name]))

    def test_the_plan_is_what_follows_from_the_figures(self):
        """10,000 and 100,000 hosts in README.md are the measured figures times hosts, samples and days, and nothing else."""
        text = content("README.md")
        said = json.loads(re.search(r"<!-- measured (.*?) -->", text, re.DOTALL)[1])
        fleet, larger = measure.fleet(said), measure.fleet(said, 100_000)
        self.assertEqual(fleet["series"], 500 * 10_000)
        self.assertAlmostEqual(fleet["samples_a_second"], fleet["series"] / 60)
        rows = re.findall(r"^\| ([a-z_]+) \| [^|]*\| ([\d.,]+) \| ([\d.,]+) \|$", text, re.MULTILINE)
        for name, few, many in rows:
            self.assertEqual((few, many), (f"{fleet[name]:,.{digits(few)}f}", f"{larger[name]:,.{digits(many)}f}"), name)
        self.assertEqual({name for name, *_ in rows}, set(fleet))


def digits(text):
    return len(text.partition(".")[2])


if __name__ == "__main__":
    unittest.main(verbosity=2)
