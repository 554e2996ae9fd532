"""analyze asks a real Prometheus, over TLS and with a password: 8 weeks of demonstration hosts, and of what a
windows_exporter and a node_exporter have; the same verdicts as from files."""
import base64
import json
import math
import os
import ssl
import subprocess
import sys
import time
import unittest
import urllib.parse
import urllib.request

from harness import SOURCE_DIR, Case, free_port, run

sys.path.insert(0, os.path.join(SOURCE_DIR, "packaging/stack"))
import demo_history  # noqa: E402

HOUR, DAY = 3600, 86400
END = int(time.time()) // HOUR * HOUR - HOUR
START = END - 56 * DAY
REBOOT = START + 30 * DAY + 5 * HOUR
LEAK_A_DAY = 300_000
PASSWORD_HASH = "$2b$04$lOfWI6jZjBM0mFLUqMTWC.JK/oeAbc6jkGEcBqVLk6lVMVop39LT6"  # of "secret"


def leak_bytes(now):
    return 50_000_000 + LEAK_A_DAY * (now - (START if now < REBOOT else REBOOT)) // DAY


def calm_bytes(now, host):
    return int(30_000_000 + 100_000 * host + 100_000 * math.sin(now / DAY * 2 * math.pi + host))


def boot(now):
    return START - DAY if now < REBOOT else REBOOT - 60


def fleet():
    """(metric, labels, value of a time): two exporters of either kind, the first of each with a leak."""
    for host in range(2):
        leaks = leak_bytes if host == 0 else (lambda now: calm_bytes(now, 1))
        windows, node = {"job": "windows", "instance": f"win{host}:9182"}, {"job": "node", "instance": f"lin{host}:9100"}
        yield "windows_memory_pool_nonpaged_bytes", windows, leaks
        yield "windows_memory_pool_paged_bytes", windows, lambda now, host=host: calm_bytes(now, host)
        yield "windows_memory_free_system_page_table_entries", windows, lambda now: 16_000_000 + now // HOUR % 7
        yield "windows_system_boot_time_timestamp", windows, boot
        yield "node_memory_SUnreclaim_bytes", node, leaks
        yield "node_boot_time_seconds", node, boot
        for slab, value in (("leaky_cache", leaks), ("calm_cache", lambda now, host=host: calm_bytes(now, host))):
            labels = {**node, "slab": slab}
            yield "node_slabinfo_objects", labels, lambda now, value=value: value(now) // 4096 * 16
            yield "node_slabinfo_object_size_bytes", labels, lambda now: 256
            yield "node_slabinfo_objects_per_slab", labels, lambda now: 16
            yield "node_slabinfo_pages_per_slab", labels, lambda now: 1


class Asked(Case):
    def command(self, *arguments):
        done = subprocess.run(arguments, capture_output=True, text=True, timeout=200)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def get(self, path):
        request = urllib.request.Request(self.url + path)
        request.add_header("Authorization", "Basic " + base64.b64encode(b"kmem:secret").decode())
        return urllib.request.urlopen(request, timeout=60, context=self.tls)

    def serve(self, families):
        page, data = os.path.join(self.folder, "history.om"), os.path.join(self.folder, "data")
        families.write(page)
        self.command("promtool", "tsdb", "create-blocks-from", "--max-block-duration=500h", "-q", "openmetrics", page, data)
        self.command("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", self.path("key.pem"), "-out",
                     self.path("cert.pem"), "-days", "2", "-subj", "/CN=localhost", "-addext",
                     "subjectAltName=DNS:localhost,IP:127.0.0.1")
        web = self.file("web.yml", "tls_server_config: {cert_file: cert.pem, key_file: key.pem}\n"
                                   f"basic_auth_users: {{kmem: '{PASSWORD_HASH}'}}\n")
        self.tls = ssl.create_default_context(cafile=self.path("cert.pem"))
        port = free_port()
        self.url = f"https://127.0.0.1:{port}"
        self.start_prometheus(data, port, lambda: self.get("/-/ready").status == 200, f"--web.config.file={web}")

    def path(self, name):
        return os.path.join(self.folder, name)

    def analyze(self, *arguments):
        done = run("analyze", "--format", "json", *arguments, timeout=200)
        self.assertEqual(done.returncode, 0, done.stderr)
        report = json.loads(done.stdout)
        self.assertEqual(report["skipped"], [])
        return {host["host"]: host for host in report.get("hosts", [{"host": "", **report}])}

    @staticmethod
    def leaks(host):
        return {(row["kind"], row["pool"], row["tag"]): row for row in host["subjects"] if row["verdict"] == "leak"}

    def assert_same(self, asked, read):
        self.assertEqual(set(self.leaks(asked)), set(self.leaks(read)))
        for key, row in self.leaks(asked).items():
            other = self.leaks(read)[key]
            self.assertAlmostEqual(row["slope_bytes_per_day"], other["slope_bytes_per_day"],
                                   delta=0.05 * abs(other["slope_bytes_per_day"]))
            self.assertLess(abs(demo_history.unix(row["since"]) - demo_history.unix(other["since"])), 2 * DAY)

    def test_the_same_verdicts_as_from_files(self):
        demo_history.HOSTS = dict(list(demo_history.HOSTS.items())[:1])
        families = demo_history.Families()
        verdicts = demo_history.openmetrics(os.environ["KMEM_EXE"], END, self.folder, families)
        for name, labels, value in sorted(fleet(), key=lambda row: row[0]):
            text = ",".join(f'{label}="{word}"' for label, word in labels.items())
            for now in range(START, END + 1, HOUR):
                families.add(name, f"{name}{{{text}}} {value(now)} {now}\n")
        self.serve(families)
        client = self.file("client.yml", "basic_auth: {username: kmem, password_file: password}\n"
                                         "tls_config: {ca_file: cert.pem}\n")
        self.file("password", "secret\n")
        asked = self.analyze(f"--prometheus.url={self.url}", "--prometheus.config", client, "--range=1346h")
        demo = list(demo_history.HOSTS.values())[0]
        self.assertEqual(set(asked), {demo.instance, "win0:9182", "win1:9182", "lin0:9100", "lin1:9100"})
        found = {f"{pool}/{tag}" for kind, pool, tag in self.leaks(asked[demo.instance]) if kind == "tag"}
        self.assertEqual(found, set(verdicts[demo.name]))
        csv = self.analyze(self.path(demo.name + ".csv"))[""]
        tags = {key: row for key, row in self.leaks(asked[demo.instance]).items() if key[0] == "tag"}
        for key, row in tags.items():
            self.assertAlmostEqual(row["slope_bytes_per_day"], self.leaks(csv)[key]["slope_bytes_per_day"],
                                   delta=0.05 * row["slope_bytes_per_day"])
        self.assertEqual(list(asked)[-1] in ("win1:9182", "lin1:9100"), True)  # worst first

        read = self.answers()
        self.assertEqual(set(read), set(asked) - {demo.instance})
        for host, analysis in read.items():
            self.assert_same(asked[host], analysis)
        for host, subjects in (("win0:9182", {("pool", "nonpaged", "")}),
                               ("lin0:9100", {("pool", "slab_unreclaimable", ""), ("tag", "slab_unreclaimable", "leaky_cache")}),
                               ("win1:9182", set()), ("lin1:9100", set())):
            self.assertEqual(set(self.leaks(asked[host])), subjects, host)
            for row in self.leaks(asked[host]).values():
                self.assertAlmostEqual(row["slope_bytes_per_day"], LEAK_A_DAY, delta=0.05 * LEAK_A_DAY)

        one = self.analyze(f"--prometheus.url={self.url}/", "--prometheus.config", client, "--label=instance=win0:9182",
                           "--range=1346h")
        self.assertEqual(set(one), {""})
        self.assert_same(one[""], asked["win0:9182"])
        without = run("analyze", f"--prometheus.url={self.url}", "--prometheus.config",
                      self.file("ca.yml", "tls_config: {ca_file: cert.pem}\n"))
        self.assertEqual((without.returncode, without.stdout), (2, ""))
        self.assertIn("answered 401", without.stderr)
        stranger = run("analyze", f"--prometheus.url={self.url}")
        self.assertEqual((stranger.returncode, stranger.stdout), (2, ""))

    def answers(self):
        """What people have who asked for it themselves: an answer a metric, one behind the other."""
        texts = []
        for name in sorted({row[0] for row in fleet()}):
            query = urllib.parse.urlencode({"query": name, "start": START, "end": END, "step": HOUR})
            with self.get(f"/api/v1/query_range?{query}") as answer:
                texts.append(answer.read().decode())
        return self.analyze(self.file("answers.json", "\n".join(texts)))


if __name__ == "__main__":
    unittest.main(verbosity=2)
