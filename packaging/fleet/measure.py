#!/usr/bin/env python3
"""What a fleet costs, measured on a few simulated hosts and extrapolated. Needs prometheus, promtool, victoria-metrics.

  measure.py --exporter kmem_exporter [--hosts 100] [--seconds 60] [--hours 24]
  measure.py --exporter kmem_exporter --steady 3 [--hosts 100] [--profile lean]

Scraping: HOSTS pages of a real exporter (values moved a little each time) scraped every second for SECONDS, and a
quarter of them. Disk: HOURS of the demonstration hosts, a point a minute, as blocks of Prometheus and by remote_write.
--steady: what a fleet does all day: a scrape a minute for so many minutes after the first two, by one Prometheus without rules
and one with all of them, side by side; then the Fleet dashboard's queries."""

import argparse
import http.server
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../stack"))
import demo_history  # noqa: E402
import demo_hosts  # noqa: E402
import remote_write  # noqa: E402
import stack  # noqa: E402

FLEET, INTERVAL, RETENTION_DAYS = 10_000, 60, 90
# A Windows host with 40 exported tags and weeks of history; README.md says how that was found.
EXPECTED_SERIES, EXPECTED_PAGE_BYTES_GZIP = 500, 8_600
BLOCKS = 10  # Prometheus merges blocks up to a tenth of the retention
GIB = 1 << 30


def get(url):
    with urllib.request.urlopen(url, timeout=60) as response:
        return response.read().decode()


def ready(url, process):
    for _ in range(600):
        if process.poll() is not None:
            raise SystemExit(f"{process.args[0]} ended with {process.returncode}")
        try:
            return get(url)
        except OSError:
            time.sleep(0.1)
    raise SystemExit(f"{process.args[0]} does not answer")


def metric(base, name):
    """The sum of what the server says of itself under this name, whatever the labels."""
    return sum(map(float, re.findall(rf"^{name}(?:{{.*}})? (\S+)$", get(base + "/metrics"), re.MULTILINE)))


def start(command, folder):
    with open(os.path.join(folder, os.path.basename(command[0]) + ".log"), "wb") as log:
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)


def cpu_seconds(process):
    """What it has used by the kernel's clock of it; /proc/PID/stat counts in hundredths, too coarse for a short run."""
    return time.clock_gettime(~process.pid << 3 | 2)  # as clock_getcpuclockid(3) makes it


def stop(process):
    process.send_signal(signal.SIGTERM)
    if process.wait(60) not in (0, -signal.SIGTERM):
        raise SystemExit(f"{process.args[0]} ended with {process.returncode}")


class Page(http.server.BaseHTTPRequestHandler):
    """Every host's page: the real one, every gauge of bytes a little different in every answer."""

    protocol_version = "HTTP/1.1"
    lines: tuple = ()
    served = 0

    def do_GET(self):
        Page.served += 1
        turn = Page.served % 64 * 4096
        body = "".join(head + (str(int(value) + turn) if moves else value) + "\n" for head, value, moves in self.lines)
        data = body.encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


def parsed(page):
    for line in page.splitlines():
        head, _, value = line.rpartition(" ")
        moves = not line.startswith("#") and "bytes" in head and value.isdigit()
        yield (line, "", False) if line.startswith("#") else (head + " ", value, moves)


def counted(base, process):
    """What it has used and taken so far: (CPU seconds, samples)."""
    return cpu_seconds(process), metric(base, "prometheus_tsdb_head_samples_appended_total")


def serving(page):
    """Serves the page for every host; gives the server."""
    Page.lines = tuple(parsed(page))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
    server.handle_error = lambda *_: None  # Prometheus hangs up when it ends
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def prometheus(server, hosts, seconds, folder, name, rules=()):
    """The process that scrapes so many hosts of the server every `seconds`, and its address."""
    at = f"127.0.0.1:{server.server_address[1]}"
    config, listen = os.path.join(folder, name + ".yml"), stack.address(0)
    relabel = [
        {"source_labels": ["__address__"], "target_label": "instance"},
        {"target_label": "__address__", "replacement": at},
    ]
    job = {
        "job_name": "kmem",
        "static_configs": [{"targets": [f"host-{i}:10054" for i in range(hosts)]}],
        "relabel_configs": relabel,
    }
    every = f"{seconds}s"
    settings = {"scrape_interval": every, "scrape_timeout": f"{min(seconds, 10)}s", "evaluation_interval": "1m"}
    with open(config, "w", encoding="utf-8") as out:
        json.dump({"global": settings, "rule_files": list(rules), "scrape_configs": [job]}, out)
    base, tsdb = "http://" + listen, os.path.join(folder, f"tsdb-{name}")
    process = start(
        ["prometheus", f"--config.file={config}", f"--storage.tsdb.path={tsdb}", f"--web.listen-address={listen}"],
        folder,
    )
    ready(base + "/-/ready", process)
    return process, base


def scraped(page, hosts, seconds, folder):
    """What a Prometheus that scrapes so many hosts every second spends."""
    server = serving(page)
    process, base = prometheus(server, hosts, 1, folder, f"hosts-{hosts}")
    try:
        time.sleep(3)
        before = counted(base, process)
        time.sleep(seconds)
        cpu, samples = (now - first for now, first in zip(counted(base, process), before))
        return {
            "hosts": hosts,
            "series": metric(base, "prometheus_tsdb_head_series"),
            "samples": samples,
            "cpu_seconds": cpu,
            "resident_bytes": metric(base, "process_resident_memory_bytes"),
        }
    finally:
        stop(process)
        server.shutdown()


def steady(page, hosts, minutes, folder):
    """Ingestion, rules and queries apart: the second Prometheus does what the first one does, and the rules."""
    sys.path.insert(0, os.path.join(HERE, "../../tests/dashboards"))
    import dashboards

    server, running, told = serving(page), [], {}
    rules = [os.path.join(stack.RULES, "*.rules.yml")]
    try:
        for name, files in (("ingestion", ()), ("with_rules", rules)):
            running.append((name, *prometheus(server, hosts, INTERVAL, folder, name, files)))
        time.sleep(2 * INTERVAL)  # every series is there, and every rule was evaluated
        before = {name: counted(base, process) for name, process, base in running}
        time.sleep(minutes * 60)
        for name, process, base in running:
            cpu, samples = (now - first for now, first in zip(counted(base, process), before[name]))
            told[name] = {"cpu_seconds_a_minute": cpu / minutes, "samples_a_minute": samples / minutes,
                          "series": metric(base, "prometheus_tsdb_head_series"),
                          "resident_bytes": metric(base, "process_resident_memory_bytes")}
        _, process, base = running[1]
        api, fleet_dashboard = dashboards.Api(base), dashboards.load()["kmem-fleet"]
        values = {"cluster": ".*", "site": ".*", "job": "kmem", "instance": ".+", "repeat": {}}
        cpu = cpu_seconds(process)
        dashboards.ask(api, fleet_dashboard, values)
        told["fleet_dashboard_cpu_seconds"] = cpu_seconds(process) - cpu
    finally:
        for _, process, _ in running:
            stop(process)
        server.shutdown()
    alone, both = told["ingestion"], told["with_rules"]
    return {"hosts": hosts, "cpu_microseconds_a_sample": alone["cpu_seconds_a_minute"] / alone["samples_a_minute"] * 1e6,
            "rules_cpu_seconds_a_minute_a_1000_hosts": (both["cpu_seconds_a_minute"] - alone["cpu_seconds_a_minute"]) / hosts * 1000,
            "memory_bytes_a_series": alone["resident_bytes"] / alone["series"],
            "memory_bytes_a_scraped_series_with_rules": both["resident_bytes"] / alone["series"], **told}


def scraping(page, hosts, seconds, folder):
    """Two sizes, so that what a server without hosts needs is told apart from what a host costs."""
    small, large = (scraped(page, count, seconds, folder) for count in (max(1, hosts // 4), hosts))
    grown = large["resident_bytes"] - small["resident_bytes"]
    return {
        "sizes": [small, large],
        "cpu_microseconds_a_sample": large["cpu_seconds"] / large["samples"] * 1e6,
        "memory_bytes_a_series": grown / (large["series"] - small["series"]),
    }


def folder_bytes(path):
    return sum(os.path.getsize(os.path.join(root, name)) for root, _, names in os.walk(path) for name in names)


def disk(hours, folder):
    end = int(time.time()) // 3600 * 3600
    families, by_host, count = demo_history.Families(), {}, 0
    for host in demo_hosts.HOSTS.values():
        run, own = demo_hosts.Run(host, end), (("job", "kmem"), ("instance", host.instance))
        series = by_host.setdefault(host.name, {})
        for at in range(end - hours * 3600, end, INTERVAL):
            for name, labels, value in run.everything(at):
                text = demo_hosts.label_text(own + labels)
                families.add(name, f"{name}{{{text}}} {demo_hosts.number_text(value)} {at}\n")
                series.setdefault((name, own + labels), []).append((at, value))
                count += 1
    page, blocks = os.path.join(folder, "day.om"), os.path.join(folder, "blocks")
    families.write(page)
    subprocess.run(
        ["promtool", "tsdb", "create-blocks-from", "--max-block-duration=24h", "-q", "openmetrics", page, blocks],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    lines = sum(len(series) for series in by_host.values())
    index = sum(folder_bytes(os.path.join(blocks, block)) for block in os.listdir(blocks))
    chunks = sum(folder_bytes(os.path.join(blocks, block, "chunks")) for block in os.listdir(blocks))
    return {
        "samples_on_disk": count,
        "disk_bytes_a_sample": chunks / count,
        "index_bytes_a_series_and_block": (index - chunks) / lines,
        **victoria(by_host, count, lines, folder),
    }


def victoria(by_host, count, lines, folder):
    listen, data = stack.address(0), os.path.join(folder, "victoria")
    base = "http://" + listen
    process = start(
        ["victoria-metrics", f"-storageDataPath={data}", f"-httpListenAddr={listen}", "-loggerLevel=WARN"], folder
    )
    try:
        ready(base + "/metrics", process)
        before = cpu_seconds(process)
        for series in by_host.values():
            write = [
                remote_write.time_series({"__name__": name, **{key: str(value) for key, value in labels}}, samples)
                for (name, labels), samples in series.items()
            ]
            remote_write.send(base + "/api/v1/write", write)
        get(base + "/internal/force_flush")
        cpu = cpu_seconds(process) - before
        # It answers at once and merges afterwards; ending it in between would leave what is half merged.
        get(base + "/internal/force_merge")
        quiet = 0
        while quiet < 5:
            time.sleep(0.2)
            busy = metric(base, "vm_active_force_merges") + metric(base, "vm_active_merges")
            quiet = 0 if busy else quiet + 1
    finally:
        stop(process)
    return {
        "victoria_disk_bytes_a_sample": folder_bytes(os.path.join(data, "data")) / count,
        "victoria_index_bytes_a_series_and_day": folder_bytes(os.path.join(data, "indexdb")) / lines,
        "victoria_cpu_microseconds_a_sample": cpu / count * 1e6,
    }


def fleet(measured):
    """10,000 hosts from what one sample and one series cost; nothing here is measured."""
    series = EXPECTED_SERIES * FLEET
    samples = series / INTERVAL
    kept = samples * 86400 * RETENTION_DAYS
    index = series * measured["index_bytes_a_series_and_block"] * BLOCKS
    victoria_index = series * measured["victoria_index_bytes_a_series_and_day"] * RETENTION_DAYS
    return {
        "series": series,
        "samples_a_second": samples,
        "cores_to_ingest": samples * measured["cpu_microseconds_a_sample"] / 1e6,
        "memory_gib": series * measured["memory_bytes_a_series"] / GIB,
        "disk_gib": (kept * measured["disk_bytes_a_sample"] + index) / GIB,
        "victoria_cores_to_ingest": samples * measured["victoria_cpu_microseconds_a_sample"] / 1e6,
        "victoria_disk_gib": (kept * measured["victoria_disk_bytes_a_sample"] + victoria_index) / GIB,
        "network_mib_a_second": EXPECTED_PAGE_BYTES_GZIP * FLEET / INTERVAL / (1 << 20),
    }


def pages(exporter, profile="default"):
    """The page of this machine, and what it weighs on the wire."""
    listen = stack.address(0)
    process = subprocess.Popen(
        [exporter, "serve", f"--web.listen-address={listen}", f"--metrics.profile={profile}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        ready(f"http://{listen}/-/ready", process)
        request = urllib.request.Request(f"http://{listen}/metrics", headers={"Accept-Encoding": "gzip"})
        with urllib.request.urlopen(request, timeout=10) as response:
            zipped = len(response.read())
        return get(f"http://{listen}/metrics"), zipped
    finally:
        stop(process)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--exporter", required=True)
    parser.add_argument("--hosts", type=int, default=100)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--hours", type=int, default=24)
    parser.add_argument("--steady", type=int, metavar="MINUTES")
    parser.add_argument("--profile", default="default", help="of the exporter whose page it is")
    arguments = parser.parse_args()
    folder = tempfile.mkdtemp(prefix="kmem-fleet-")
    try:
        page, zipped = pages(arguments.exporter, arguments.profile)
        series = sum(not line.startswith("#") for line in page.splitlines())
        if arguments.steady:
            found = {"series_a_host": series, **steady(page, arguments.hosts, arguments.steady, folder)}
            json.dump(found, sys.stdout, indent=1)
            print()
            return 0
        measured = {
            "series_a_host": series,
            "page_bytes": len(page),
            "page_bytes_gzip": zipped,
            **scraping(page, arguments.hosts, arguments.seconds, folder),
            **disk(arguments.hours, folder),
        }
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    json.dump({"measured": measured, "fleet_of_10000": fleet(measured)}, sys.stdout, indent=1)
    print()
    return 0


if __name__ == "__main__":
    sys.exit(main())
