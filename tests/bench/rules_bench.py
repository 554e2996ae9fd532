"""What evaluating the rules costs Prometheus, on simulated hosts, and from that for 1,000 of them:
  a minute of the alerts (evaluated every minute) and of the hourly floors, in CPU seconds; series that the rules add;
  heap. Hosts have 80 tags, 20 processes, a point a minute, and are calm; the floors of three weeks are there. Nothing is
  scraped, so that what Prometheus does is the rules' alone: the last points count as the present.
Usage: rules_bench.py [HOSTS]     Prints a table and JSON; exits 1 when a bound is broken."""

import glob
import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
RULES = os.path.join(ROOT, "dashboards/prometheus")
HOSTS = int(sys.argv[1]) if len(sys.argv) > 1 else 20
FLEET = 1000
TAGS, PROCESSES, MINUTE, HOUR, DAY = 80, 20, 60, 3600, 86400
EVERY, WATCHED = 5, 30  # seconds: how often a group is evaluated here, and for how long that is watched at least
LONGEST = 600  # seconds that a slow machine has for as many evaluations
# A fixed load on the same server that the CPU time is measured by: the mean of a day of every tag.
YARDSTICK = """groups:
  - name: yardstick
    rules:
      - {record: "yardstick:kmem_pool_tag_bytes:avg1d", expr: "avg_over_time(kmem_pool_tag_bytes[1d])"}
"""
# For 1,000 hosts: 1.2 to 1.5 times what was measured (0.48 to 0.62 as busy as the machine is; 1,500 MiB).
BOUNDS = {"of_yardstick": 0.75, "series_a_host": 125, "memory_mib": 1700}


def series(name, host, **labels):
    inside = ",".join(
        f'{key}="{value}"' for key, value in {"job": "kmem", "instance": f"host-{host}:10054", **labels}.items()
    )
    return f"{name}{{{inside}}} "


def layout(host):
    """(family, series, level) by how much of its past the rules read."""
    tags = [{"pool": "paged" if i % 2 else "nonpaged", "tag": f"T{i:03}"} for i in range(TAGS)]
    day = [("kmem_pool_tag_bytes", labels, 4e6) for labels in tags]
    day += [("kmem_pool_bytes", {"pool": pool}, 1e8) for pool in ("paged", "nonpaged")]
    day += [("kmem_pool_limit_bytes", {"pool": pool}, 3e8) for pool in ("paged", "nonpaged")]
    day += [
        ("kmem_pool_headroom_bytes", {"pool": pool, "bound": bound}, 2e8)
        for pool in ("paged", "nonpaged")
        for bound in ("pool_limit", "commit_limit")
    ]
    day += [
        ("kmem_commit_bytes", {}, 8e9),
        ("kmem_commit_limit_bytes", {}, 15e9),
        ("kmem_system_ptes_free", {}, 60e3),
        ("kmem_boot_time_seconds", {}, 1e9),
        ("kmem_trend_history_seconds", {}, 3e6),
        ("kmem_trend_state_failures_total", {"reason": "unwritable"}, 0),
    ]
    day += [("kmem_process_handles", {"process": f"p{i}", "pid": i}, 3000) for i in range(PROCESSES)]
    now = [("kmem_pool_tag_leak_suspect", labels, 0) for labels in tags]
    now += [
        ("kmem_pool_tag_info", {**labels, "driver": "a.sys", "description": "d", "source": "builtin"}, 1)
        for labels in tags
    ]
    resources = ("paged", "nonpaged", "commit", "system_ptes")
    now += [("kmem_exhaustion_seconds", {"resource": name}, 1e9) for name in resources]
    now += [("kmem_exhaustion_pace_per_second", {"resource": name}, 0) for name in resources]
    now += [(f"kmem_{kind}_suspects", {"pool": pool}, 0) for kind in ("leak", "surge") for pool in ("paged", "nonpaged")]
    now += [
        ("kmem_pool_trend_bytes_per_second", {"pool": pool, "window": window}, 3)
        for pool in ("paged", "nonpaged")
        for window in ("5m", "1h", "6h", "1d", "7d", "28d")
    ]
    now += [
        ("kmem_pool_trim_threshold_bytes", {"pool": "paged"}, 24e7),
        ("kmem_system_ptes_free_boot_max", {}, 62e3),
        ("kmem_system_ptes_trend_per_second", {"window": "7d"}, 0),
        ("up", {}, 1),
        ("kmem_pool_failure_events_total", {"provider": "Srv", "event_id": "2020"}, 0),
    ]
    now += [("kmem_scrape_collector_success", {"collector": f"c{i}"}, 1) for i in range(8)]
    floors = [("subject:kmem_bytes:min1d", {**labels, "subject": "tag"}, 4e6) for labels in tags]
    floors += [("subject:kmem_bytes:min1d", {"pool": pool, "subject": "pool"}, 1e8) for pool in ("paged", "nonpaged")]
    floors += [
        ("subject:kmem_bytes:min1d", {"subject": "commit"}, 8e9),
        ("instance:kmem_system_ptes_free:max1d", {}, 60e3),
    ]
    floors += [
        ("instance_process:kmem_process_handles:min1d", {"process": f"p{i}", "pid": i}, 3000) for i in range(PROCESSES)
    ]
    for rows, kind in ((day, "day"), (now, "now"), (floors, "floors")):
        for name, labels, level in rows:
            yield kind, name, series(name, host, **labels), level


def write(path, now):
    spans = {"day": (now - 25 * HOUR, MINUTE), "now": (now - HOUR, MINUTE), "floors": (now - 21 * DAY, HOUR)}
    times = {
        kind: [f" {at}\n" for at in range(start // step * step, now, step)] for kind, (start, step) in spans.items()
    }
    chance, samples = random.Random(1), 0
    noise = [chance.random() * 0.02 for _ in range(4096)]
    with open(path, "w", encoding="utf-8") as out:
        families = {}
        for host in range(HOSTS):
            for kind, name, head, level in layout(host):
                families.setdefault(name, []).append((kind, head, level))
        for name, rows in families.items():
            counter = name.endswith("_total")
            out.write(f"# TYPE {name.removesuffix('_total')} {'counter' if counter else 'gauge'}\n")
            for kind, head, level in rows:
                moves, first = (
                    level > 1 and name not in ("kmem_boot_time_seconds", "kmem_trend_history_seconds"),
                    chance.randrange(4096),
                )
                out.writelines(
                    f"{head}{int(level * (1 + noise[(first + i) & 4095])) if moves else int(level)}{at}"
                    for i, at in enumerate(times[kind])
                )
                samples += len(times[kind])
        out.write("# EOF\n")
    return samples


class Prometheus:
    """A running server with the groups that `wanted` names, evaluated every few seconds."""

    def __init__(self, folder, wanted, own_rules=""):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            listen = f"127.0.0.1:{probe.getsockname()[1]}"
        self.base = "http://" + listen
        for path in glob.glob(RULES + "/kmem-[af]*.rules.yml"):
            with open(path, encoding="utf-8") as file:
                head, *groups = re.split(r"^(?=  - name: )", file.read(), flags=re.M)
            kept = [
                re.sub(r"interval: 1h", f"interval: {EVERY}s", group)
                for group in groups
                if wanted(re.match(r"  - name: (\S+)", group)[1])
            ]
            with open(os.path.join(folder, os.path.basename(path)), "w", encoding="utf-8") as out:
                out.write(head + "".join(kept) if kept else "groups: []\n")
        with open(os.path.join(folder, "own.rules.yml"), "w", encoding="utf-8") as out:
            out.write(own_rules or "groups: []\n")
        config = os.path.join(folder, "prometheus.yml")
        with open(config, "w", encoding="utf-8") as out:
            json.dump({"global": {"evaluation_interval": f"{EVERY}s"}, "rule_files": [folder + "/*.rules.yml"]}, out)
        with open(os.path.join(folder, "log"), "ab") as log:
            self.process = subprocess.Popen(
                [
                    "prometheus",
                    f"--config.file={config}",
                    f"--storage.tsdb.path={folder}/data",
                    "--storage.tsdb.retention.time=90d",
                    "--query.lookback-delta=14m",
                    f"--web.listen-address={listen}",
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        end = time.monotonic() + LONGEST
        while not self.ready():
            if self.process.poll() is not None or time.monotonic() > end:
                raise SystemExit("Prometheus does not answer")
            time.sleep(0.2)

    def ready(self):
        try:
            with urllib.request.urlopen(self.base + "/-/ready", timeout=10) as response:
                return response.status == 200
        except OSError:
            return False

    def said(self):
        with urllib.request.urlopen(self.base + "/metrics", timeout=60) as response:
            text = response.read().decode()

        def of(name):
            return sum(float(value) for value in re.findall(rf"^{name}(?:{{.*}})? (\S+)$", text, re.M))

        return {
            "cpu": of("process_cpu_seconds_total"),
            "heap": of("go_memstats_heap_inuse_bytes"),
            "iterations": of("prometheus_rule_group_iterations_total"),
            "series": of("prometheus_tsdb_head_series"),
            "failures": of("prometheus_rule_evaluation_failures_total"),
        }

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(120)


def measure(folder, wanted, groups, own_rules=""):
    """CPU seconds of one evaluation of all `groups` groups, and what the server says at the end."""
    server = Prometheus(folder, wanted, own_rules)
    try:
        # The first evaluation finds nothing in memory.
        end = time.monotonic() + LONGEST
        while (before := server.said())["iterations"] < groups and time.monotonic() < end:
            time.sleep(0.5)
        watched = WATCHED if groups else WATCHED / 3
        begin = time.monotonic()
        time.sleep(watched)
        after = server.said()
        while after["iterations"] - before["iterations"] < 3 * groups and time.monotonic() < end:
            time.sleep(1)
            after = server.said()
        watched = time.monotonic() - begin
    finally:
        server.stop()
    if after["failures"]:
        raise SystemExit(f"{after['failures']:.0f} evaluations failed")
    rounds = (after["iterations"] - before["iterations"]) / max(groups, 1)
    if groups and rounds < 2:
        raise SystemExit("too few evaluations to say anything")
    return (after["cpu"] - before["cpu"]) / (rounds if groups else watched), after, rounds, watched / max(rounds, 1)


def main():
    folder = tempfile.mkdtemp(prefix="kmem-rules-bench-")
    try:
        page = os.path.join(folder, "history.om")
        samples = write(page, int(time.time()) // MINUTE * MINUTE)
        subprocess.run(
            [
                "promtool",
                "tsdb",
                "create-blocks-from",
                "-q",
                "--max-block-duration=1000h",
                "openmetrics",
                page,
                folder + "/data",
            ],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        os.remove(page)
        idle, without, _, _ = measure(folder, lambda name: False, 0)
        floors, with_floors, floor_rounds, floor_seconds = measure(folder, lambda name: name == "kmem-floors", 1)
        alerts, _, alert_rounds, alert_seconds = measure(folder, lambda name: name != "kmem-floors", 4)
        yardstick, _, _, yardstick_seconds = measure(folder, lambda name: False, 1, YARDSTICK)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    floors, alerts = max(floors - idle * floor_seconds, 0), max(alerts - idle * alert_seconds, 0)
    yardstick = max(yardstick - idle * yardstick_seconds, 1e-9)
    memory = (with_floors["heap"] - without["heap"]) / (1 << 20)
    added = (with_floors["series"] - without["series"]) / HOSTS
    print(
        f"{HOSTS} hosts, {samples:,} samples of history; {floor_rounds:.0f} and {alert_rounds:.0f} evaluations watched"
    )
    print(f"  the hourly floors    {floors / HOSTS * 1e3:8.2f} ms of CPU a host and hour")
    print(f"  all the alerts       {alerts / HOSTS * 1e3:8.2f} ms of CPU a host and minute")
    print(f"  series added         {added:8.1f} a host")
    print(f"  heap                 {memory / HOSTS:8.2f} MiB a host, evaluation of the floors included")
    fleet = {
        "cpu_seconds_a_minute": (floors / 60 + alerts) / HOSTS * FLEET,
        "of_yardstick": (floors / 60 + alerts) / yardstick,
        "series_a_host": added,
        "memory_mib": memory / HOSTS * FLEET,
    }
    print(f"{FLEET} hosts, {FLEET / HOSTS:.0f} times that:")
    print(
        f"  {fleet['cpu_seconds_a_minute']:.2f} s of CPU a minute: {alerts / HOSTS * FLEET:.2f} s for the alerts, "
        f"{floors / HOSTS * FLEET / 60:.2f} s for the floors ({floors / HOSTS * FLEET:.0f} s every hour)"
    )
    print(f"  {fleet['series_a_host'] * FLEET:,.0f} series, {fleet['memory_mib']:,.0f} MiB")
    print(f"  a minute of that is {fleet['of_yardstick']:.2f} times the mean of a day of every tag: {yardstick * 1e3:.0f} ms")
    print(json.dumps(fleet))
    broken = [f"{name} {fleet[name]:.2f} > {bound}" for name, bound in BOUNDS.items() if fleet[name] > bound]
    for line in broken:
        print("BROKEN", line)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
