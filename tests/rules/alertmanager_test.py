"""Alertmanager's example: amtool takes it, every alert goes where its severity says, what says more silences what says
less (in a running Alertmanager), and mail and chat read well and stay harmless."""

import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
import unittest
import urllib.request

import yaml
from rules_test import PAGE, ROOT, TICKET, alerts, read

FOLDER = os.path.join(ROOT, "dashboards/alertmanager")
CONFIG = os.path.join(FOLDER, "alertmanager.yml")
TEMPLATE = os.path.join(FOLDER, "kmem.tmpl")


def amtool(*args):
    return subprocess.run(["amtool", *args], capture_output=True, text=True, timeout=240)


class Config(unittest.TestCase):
    def test_amtool_takes_it(self):
        done = amtool("check-config", CONFIG)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        for found in ("global config", "route", "10 inhibit rules", "2 receivers", "1 templates"):
            self.assertIn(f" - {found}\n", done.stdout)

    def receivers(self, **labels):
        done = amtool("config", "routes", "test", f"--config.file={CONFIG}", *(f"{k}={v}" for k, v in labels.items()))
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout.strip()

    def test_every_alert_goes_where_its_severity_says(self):
        for name, severity in sorted({(rule["alert"], rule["labels"]["severity"]) for _, rule in alerts()}):
            self.assertEqual(self.receivers(alertname=name, severity=severity, instance="a:10054"), severity, name)
        self.assertEqual(self.receivers(alertname="SomethingElse", severity="page"), TICKET)

    def test_a_page_comes_at_night_and_a_ticket_on_monday(self):
        page, _, ticket = yaml.safe_load(read(CONFIG))["route"]["routes"]
        self.assertNotIn("mute_time_intervals", page)
        self.assertEqual(ticket["mute_time_intervals"], ["nights_and_weekends"])


# instance -> its alerts as (alertname, severity, pool, (provider, event_id) or None, whether it is silenced)
LEAK, RUNOUT, NEAR = "KmemPoolLeakSuspected", "KmemPoolExhaustionPredicted", "KmemPoolNearLimit"
SURGE, FAILURES, DOWN = "KmemPoolSurge", "KmemPoolAllocationFailures", "KmemExporterDown"
MANY_DOWN = "KmemHostsDown"
HOSTS = {
    "suspicion": [(LEAK, TICKET, "paged", False)],
    "exhaustion": [
        (RUNOUT, TICKET, "paged", False),
        (LEAK, TICKET, "paged", True),
        (LEAK, TICKET, "nonpaged", False),
        ("KmemPagedPoolAboveTrimThreshold", TICKET, "paged", True),
        ("KmemFleetTagOutlier", TICKET, "paged", True),
        ("KmemSystemPtesLow", TICKET, None, False),
    ],
    "page": [(RUNOUT, PAGE, "paged", False), (RUNOUT, TICKET, "paged", True), (RUNOUT, TICKET, "nonpaged", False)],
    "near": [(NEAR, PAGE, "paged", False), (NEAR, TICKET, "paged", True), (RUNOUT, PAGE, "paged", True)],
    "nearly": [(NEAR, TICKET, "paged", False), (RUNOUT, TICKET, "paged", False), (LEAK, TICKET, "paged", True)],
    "surge": [
        (SURGE, TICKET, "paged", False),
        (RUNOUT, TICKET, "paged", True),
        (LEAK, TICKET, "paged", True),
        ("KmemPagedPoolAboveTrimThreshold", TICKET, "paged", True),
        (RUNOUT, TICKET, "nonpaged", False),
        (LEAK, TICKET, "nonpaged", True),
        ("KmemCommitExhaustionPredicted", PAGE, None, False),
    ],
    "surge of hours": [
        (SURGE, PAGE, "paged", False),
        (SURGE, TICKET, "paged", True),
        (RUNOUT, PAGE, "paged", True),
        (RUNOUT, TICKET, "paged", True),
        (LEAK, TICKET, "paged", True),
        (SURGE, TICKET, "nonpaged", False),
        (RUNOUT, PAGE, "slab_unreclaimable", False),
    ],
    # A ticket silences no page.
    "surge of days": [(RUNOUT, PAGE, "paged", False), (RUNOUT, TICKET, "paged", True), (SURGE, TICKET, "paged", True)],
    "surge at the limit": [
        (NEAR, PAGE, "paged", False),
        (NEAR, TICKET, "paged", True),
        (SURGE, PAGE, "paged", False),
        (SURGE, TICKET, "paged", True),
        (RUNOUT, PAGE, "paged", True),
    ],
    "surge near the limit": [
        (NEAR, PAGE, "paged", False),
        (SURGE, TICKET, "paged", True),
        (NEAR, TICKET, "nonpaged", False),
        (SURGE, TICKET, "nonpaged", False),
    ],
    "ptes": [
        ("KmemSystemPtesLow", PAGE, None, False),
        ("KmemSystemPtesExhaustionPredicted", PAGE, None, True),
        ("KmemCommitExhaustionPredicted", TICKET, None, False),
    ],
    "commit": [("KmemCommitNearLimit", PAGE, None, False), ("KmemCommitExhaustionPredicted", PAGE, None, True)],
    # Event 2020 is no reason to be silent about event 2004.
    "events": [(FAILURES, PAGE, ("Srv", "2020"), False), (FAILURES, TICKET, ("Detector", "2004"), False)],
    "died": [(DOWN, PAGE, None, False), (DOWN, TICKET, None, True), (NEAR, PAGE, "paged", True)],
    "down": [
        (DOWN, TICKET, None, False),
        (RUNOUT, PAGE, "paged", True),
        (SURGE, PAGE, "nonpaged", True),
        (LEAK, TICKET, "paged", True),
        ("KmemTrendHistoryLost", TICKET, None, True),
    ],
    # Of a job of their own; the first is of no one host. A ticket that is silenced silences what is of its host all the same.
    "": [(MANY_DOWN, TICKET, None, False)],
    "far": [(DOWN, TICKET, None, True), (LEAK, TICKET, "paged", True)],
    "far died": [(DOWN, PAGE, None, False), (DOWN, TICKET, None, True)],
}


class Inhibition(unittest.TestCase):
    def test_what_says_more_silences_what_says_less_on_the_same_host_and_pool(self):
        folder = tempfile.mkdtemp(prefix="kmem-alertmanager-")
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        log_path = os.path.join(folder, "log")
        with open(log_path, "wb") as log:
            server = subprocess.Popen(
                [
                    "prometheus-alertmanager",
                    f"--config.file={CONFIG}",
                    f"--storage.path={folder}/data",
                    "--web.listen-address=127.0.0.1:0",
                    "--cluster.listen-address=",
                ],
                stdout=log,
                stderr=log,
            )

        def stop():
            server.send_signal(signal.SIGTERM)
            server.wait(120)

        self.addCleanup(stop)

        def until(condition, what):
            end = time.monotonic() + 150
            while time.monotonic() < end:
                if value := condition():
                    return value
                time.sleep(0.1)
            self.fail(f"waited in vain for {what}; {read(log_path)}")

        base = until(lambda: re.search(r"[Ll]istening.* address=(127\S+)", read(log_path)), "its address")[1]
        posted = [
            {
                "labels": {
                    "alertname": name,
                    "severity": severity,
                    "job": "kmem-far" if host in ("", "far", "far died") else "kmem",
                    "instance": host,
                    **({"pool": of} if isinstance(of, str) else dict(zip(("provider", "event_id"), of or ()))),
                }
            }
            for host, rows in HOSTS.items()
            for name, severity, of, _ in rows
        ]
        request = urllib.request.Request(
            f"http://{base}/api/v2/alerts", json.dumps(posted).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=40) as response:
            self.assertEqual(response.status, 200)

        def seen():
            with urllib.request.urlopen(f"http://{base}/api/v2/alerts", timeout=40) as response:
                rows = json.loads(response.read())
            out = {host: [] for host in HOSTS}
            for row in rows:
                labels = row["labels"]
                event = (labels["provider"], labels["event_id"]) if "provider" in labels else None
                out[labels.get("instance", "")].append(
                    (labels["alertname"], labels["severity"], labels.get("pool", event), bool(row["status"]["inhibitedBy"]))
                )
            return {host: sorted(rows, key=str) for host, rows in out.items()}

        wanted = {host: sorted(rows, key=str) for host, rows in HOSTS.items()}
        end = time.monotonic() + 60
        while (now := seen()) != wanted and time.monotonic() < end:
            time.sleep(0.1)
        self.assertEqual(now, wanted)


def message(**status):
    labels = {"alertname": RUNOUT, "severity": PAGE, "job": "kmem", "instance": "files1:10054", "pool": "paged"}
    notes = {
        "summary": "A kernel memory pool runs out on its trend.",
        "description": 'Full in 2.2 days. Tag "Sf<b" of driver <script>a&b</script>.sys gains 3MiB a day.',
        "runbook_url": "https://runbooks.example/KmemPoolExhaustionPredicted.md",
        "dashboard_url": "https://grafana.example/d/kmem-host?var-job=kmem&var-instance=files1%3A10054",
    }
    row = {
        "status": "firing",
        "labels": labels,
        "annotations": notes,
        "startsAt": "2026-03-01T05:06:07Z",
        "endsAt": "2026-03-02T08:09:00Z",
        **status,
    }
    return {
        "receiver": PAGE,
        "status": row["status"],
        "alerts": [row],
        "groupLabels": {},
        "commonLabels": labels,
        "commonAnnotations": notes,
        "externalURL": "http://alertmanager.example",
    }


class Templates(unittest.TestCase):
    def render(self, name, data, kind="text"):
        with tempfile.NamedTemporaryFile("w", suffix=".json") as out:
            json.dump(data, out)
            out.flush()
            done = amtool(
                "template",
                "render",
                f"--template.glob={TEMPLATE}",
                f"--template.type={kind}",
                f'--template.text={{{{ template "{name}" . }}}}',
                f"--template.data={out.name}",
            )
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout.strip()

    def test_a_subject_says_what_and_where(self):
        self.assertEqual(
            self.render("kmem.subject", message()),
            "PAGE: A kernel memory pool runs out on its trend. files1:10054, paged pool",
        )
        self.assertEqual(
            self.render("kmem.subject", message(status="resolved")),
            "Resolved: A kernel memory pool runs out on its trend. files1:10054, paged pool",
        )
        sites = message()
        sites["commonLabels"] = {**sites["commonLabels"], "cluster": "eu", "site": "berlin"}
        self.assertEqual(
            self.render("kmem.subject", sites),
            "PAGE: A kernel memory pool runs out on its trend. files1:10054 of cluster eu of site berlin, paged pool",
        )
        several = {
            **message(),
            "alerts": message()["alerts"] * 2,
            "commonLabels": {"severity": TICKET},
            "commonAnnotations": {},
        }
        self.assertEqual(self.render("kmem.subject", several), "Kernel memory: 2 alerts. several hosts")

    def test_mail(self):
        self.assertEqual(
            self.render("kmem.text", message()),
            """A kernel memory pool runs out on its trend.
Full in 2.2 days. Tag "Sf<b" of driver <script>a&b</script>.sys gains 3MiB a day.
  since    2026-03-01 05:06 UTC
  what now https://runbooks.example/KmemPoolExhaustionPredicted.md
  graphs   https://grafana.example/d/kmem-host?var-job=kmem&var-instance=files1%3A10054""",
        )
        html = self.render("kmem.html", message(), "html")
        self.assertIn("Sf&lt;b", html)
        self.assertNotIn("<script", html)
        self.assertIn('<a href="https://runbooks.example/KmemPoolExhaustionPredicted.md">what to do</a>', html)
        nowhere = message()
        nowhere["alerts"][0]["annotations"] = {**nowhere["commonAnnotations"], "runbook_url": "", "dashboard_url": ""}
        text = self.render("kmem.text", nowhere)
        self.assertIn("\n  what now dashboards/runbooks/KmemPoolExhaustionPredicted.md of kmem_exporter's files", text)
        self.assertNotIn("graphs", text)
        self.assertNotIn("href", self.render("kmem.html", nowhere, "html"))
        self.assertNotIn("|", self.render("kmem.chat", nowhere))
        over = self.render("kmem.text", message(status="resolved"))
        self.assertEqual(
            over, "No longer so:\n  A kernel memory pool runs out on its trend. Over at 2026-03-02 08:09 UTC."
        )

    def test_chat_shows_no_markup_that_a_host_made(self):
        text = self.render("kmem.chat", message())
        self.assertEqual(
            text.splitlines()[0],
            'Full in 2.2 days. Tag "Sf&lt;b" of driver &lt;script&gt;a&amp;b&lt;/script&gt;.sys gains 3MiB a day.',
        )
        self.assertIn("<https://runbooks.example/KmemPoolExhaustionPredicted.md|what to do>", text)
        self.assertEqual(
            self.render("kmem.link", message()),
            "https://grafana.example/d/kmem-host?var-job=kmem&var-instance=files1%3A10054",
        )


if __name__ == "__main__":
    unittest.main(verbosity=2)
