#!/usr/bin/env python3
"""What a fleet costs, measured on a few simulated hosts and extrapolated. Needs prometheus, promtool, victoria-metrics.

  measure.py --exporter kmem_exporter [--hosts 100] [--seconds 60] [--hours 24]
  measure.py --exporter kmem_exporter --steady 3 [--hosts 100] [--profile lean] [--page FILE]

Scraping: HOSTS pages of a real exporter (values moved a little each time) scraped every second for SECONDS, and a
quarter of them; then Prometheus is ended and started again: what replaying SECONDS samples a series costs (180 are the three hours
a fleet's log reaches back). Disk: HOURS of the demonstration hosts, a point a minute, as blocks of Prometheus and by remote_write.
--steady: what a fleet does all day: a scrape a minute for so many minutes after the first two, side by side by one Prometheus
without rules and one with all of them, one VictoriaMetrics without and one with vmalert; then the Fleet dashboard's queries and,
of VictoriaMetrics, a restart. Needs vmalert. --page: a page of /metrics of another host in place of this machine's."""

import argparse
import gzip
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
# A host at its bound; README.md lists what hosts have.
EXPECTED_SERIES, EXPECTED_PAGE_BYTES_GZIP = 500, 9_850
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


def most_resident_bytes(process):
    with open(f"/proc/{process.pid}/status", encoding="ascii") as file:
        return int(re.search(r"VmHWM:\s+(\d+) kB", file.read())[1]) * 1024


def restarted(process, health, folder):
    """The program again, and what it took until it answered."""
    stop(process)
    begun = time.monotonic()
    process = start(process.args, folder)
    ready(health, process)
    return process, {"seconds": time.monotonic() - begun, "cpu_seconds": cpu_seconds(process),
                     "most_resident_bytes": most_resident_bytes(process)}


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


APPENDED = "prometheus_tsdb_head_samples_appended_total"
VICTORIA_SCRAPED = 'vm_rows_inserted_total{type="promscrape"}'


def counted(base, *processes, samples=APPENDED):
    """What they have used and taken so far: (CPU seconds, samples)."""
    return sum(map(cpu_seconds, processes)), metric(base, samples)


def serving(page):
    """Serves the page for every host; gives the server."""
    Page.lines = tuple(parsed(page))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
    server.handle_error = lambda *_: None  # Prometheus hangs up when it ends
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def scrape_job(server, hosts):
    at = f"127.0.0.1:{server.server_address[1]}"
    relabel = [
        {"source_labels": ["__address__"], "target_label": "instance"},
        {"target_label": "__address__", "replacement": at},
    ]
    return {
        "job_name": "kmem",
        "static_configs": [{"targets": [f"host-{i}:10054" for i in range(hosts)]}],
        "relabel_configs": relabel,
    }


def patience(seconds):
    """One program answers for all hosts, and others may work beside it: a late page is one all the same."""
    return max(1, seconds * 5 // 6)


def prometheus(server, hosts, seconds, folder, name, rules=()):
    """The process that scrapes so many hosts of the server every `seconds`, and its address."""
    config, listen = os.path.join(folder, name + ".yml"), stack.address(0)
    every = f"{seconds}s"
    settings = {"scrape_interval": every, "scrape_timeout": f"{patience(seconds)}s", "evaluation_interval": "1m"}
    with open(config, "w", encoding="utf-8") as out:
        json.dump({"global": settings, "rule_files": list(rules), "scrape_configs": [scrape_job(server, hosts)]}, out)
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
        found = {
            "hosts": hosts,
            "series": metric(base, "prometheus_tsdb_head_series"),
            "samples": samples,
            "cpu_seconds": cpu,
            "resident_bytes": metric(base, "process_resident_memory_bytes"),
        }
        process, found["restart"] = restarted(process, base + "/-/ready", folder)
        return found
    finally:
        stop(process)
        server.shutdown()


def victorias(server, hosts, folder, name, rules=()):
    """A VictoriaMetrics that scrapes so many hosts every minute, with a vmalert where there are rules; and its address."""
    config, listen = os.path.join(folder, name + ".yml"), stack.address(0)
    with open(config, "w", encoding="utf-8") as out:
        json.dump({"global": {"scrape_interval": f"{INTERVAL}s", "scrape_timeout": f"{patience(INTERVAL)}s"}, "scrape_configs": [scrape_job(server, hosts)]}, out)
    base = "http://" + listen
    processes = [start(["victoria-metrics", f"-storageDataPath={folder}/{name}", f"-httpListenAddr={listen}",
                        f"-promscrape.config={config}", "-loggerLevel=WARN"], folder)]
    ready(base + "/health", processes[0])
    if rules:
        alerts = stack.address(0)
        processes.append(start(["vmalert", f"-datasource.url={base}", f"-remoteWrite.url={base}", "-notifier.url=http://127.0.0.1:9",
                                f"-httpListenAddr={alerts}", "-loggerLevel=ERROR", *("-rule=" + path for path in rules)], folder))
        ready(f"http://{alerts}/health", processes[1])
    return processes, base


def steady(page, hosts, minutes, folder):
    """Ingestion, rules and queries apart: the second of each does what the first one does, and the rules."""
    sys.path.insert(0, os.path.join(HERE, "../../tests/dashboards"))
    import dashboards

    server, running, told = serving(page), {}, {}
    rules = [os.path.join(stack.RULES, "*.rules.yml")]
    try:
        for name, files in (("ingestion", ()), ("with_rules", rules)):
            process, base = prometheus(server, hosts, INTERVAL, folder, name, files)
            running[name] = [process], base, APPENDED, "prometheus_tsdb_head_series"
            running["victoria_" + name] = (*victorias(server, hosts, folder, "victoria-" + name, files), VICTORIA_SCRAPED,
                                           'vm_cache_entries{type="storage/hour_metric_ids"}')
        time.sleep(2 * INTERVAL)  # every series is there, and every rule was evaluated

        def now():
            return {name: counted(base, *processes, samples=taken) for name, (processes, base, taken, _) in running.items()}

        def hosts_up(base):
            """Fewer than there are: figures of another fleet, for the machine had no time."""
            return sum(float(row["value"][1]) for row in dashboards.Api(base).instant("count(up == 1)", time.time()))

        before = now()
        time.sleep(minutes * 60)
        after = now()
        for name, (processes, base, _, series) in running.items():
            cpu, samples = (last - first for last, first in zip(after[name], before[name]))
            told[name] = {"cpu_seconds_a_minute": cpu / minutes, "samples_a_minute": samples / minutes,
                          "series": metric(base, series), "resident_bytes": metric(base, "process_resident_memory_bytes"),
                          "hosts_up": hosts_up(base)}
        told["with_rules"]["missed_evaluations"] = metric(running["with_rules"][1], "prometheus_rule_group_iterations_missed_total")
        fleet_dashboard = dashboards.load()["kmem-fleet"]
        values = {"cluster": ".*", "site": ".*", "job": "kmem", "instance": ".+", "repeat": {}}
        for name, shown in (("with_rules", ""), ("victoria_with_rules", "victoria_")):
            processes, base, *_ = running[name]
            panels = {}
            for panel in dashboards.panels_of(fleet_dashboard):
                cpu = cpu_seconds(processes[0])
                dashboards.ask(dashboards.Api(base), {**fleet_dashboard, "panels": [panel]}, values)
                panels[panel["title"]] = panels.get(panel["title"], 0) + cpu_seconds(processes[0]) - cpu
            told[shown + "fleet_dashboard_cpu_seconds"] = sum(panels.values())
            told[shown + "fleet_panels_cpu_seconds"] = dict(sorted(panels.items(), key=lambda row: -row[1]))
        processes, base, *_ = running["victoria_ingestion"]
        processes[0], told["victoria_restart"] = restarted(processes[0], base + "/health", folder)
    finally:
        for processes, *_ in running.values():
            for process in reversed(processes):
                stop(process)
        server.shutdown()
    found = {"hosts": hosts}
    for shown in ("", "victoria_"):
        alone, both = told[shown + "ingestion"], told[shown + "with_rules"]
        more = both["cpu_seconds_a_minute"] - alone["cpu_seconds_a_minute"]
        found |= {shown + "scraped_cpu_microseconds_a_sample": alone["cpu_seconds_a_minute"] / alone["samples_a_minute"] * 1e6,
                  shown + "rules_cpu_seconds_a_minute_a_1000_hosts": more / hosts * 1000,
                  shown + "resident_bytes_a_series": alone["resident_bytes"] / alone["series"],
                  shown + "resident_bytes_a_scraped_series_with_rules": both["resident_bytes"] / alone["series"]}
    return found | told


def scraping(page, hosts, seconds, folder):
    """Two sizes, so that what a server without hosts needs is told apart from what a host costs."""
    small, large = (scraped(page, count, seconds, folder) for count in (max(1, hosts // 4), hosts))
    grown = large["resident_bytes"] - small["resident_bytes"]
    replay = large["restart"]["cpu_seconds"] - small["restart"]["cpu_seconds"]
    more = large["series"] - small["series"]
    return {
        "sizes": [small, large],
        "cpu_microseconds_a_sample": large["cpu_seconds"] / large["samples"] * 1e6,
        "memory_bytes_a_series": grown / more,
        "replay_cpu_microseconds_a_series": replay / more * 1e6,
        "replay_memory_share": large["restart"]["most_resident_bytes"] / large["resident_bytes"],
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


def fleet(measured, hosts=FLEET):
    """So many hosts from what one sample and one series cost; nothing here is measured."""
    series = EXPECTED_SERIES * hosts
    samples = series / INTERVAL
    kept = samples * 86400 * RETENTION_DAYS
    index = series * measured["index_bytes_a_series_and_block"] * BLOCKS
    victoria_index = series * measured["victoria_index_bytes_a_series_and_day"] * RETENTION_DAYS
    memory = series * measured["memory_bytes_a_series"] / GIB
    found = {
        "series": series,
        "samples_a_second": samples,
        "cores_to_ingest": samples * measured["cpu_microseconds_a_sample"] / 1e6,
        "memory_gib": memory,
        "disk_gib": (kept * measured["disk_bytes_a_sample"] + index) / GIB,
        "replay_cpu_seconds": series * measured["replay_cpu_microseconds_a_series"] / 1e6,
        "replay_memory_gib": memory * measured["replay_memory_share"],
        "victoria_cores_to_ingest": samples * measured["victoria_cpu_microseconds_a_sample"] / 1e6,
        "victoria_disk_gib": (kept * measured["victoria_disk_bytes_a_sample"] + victoria_index) / GIB,
        "network_mib_a_second": EXPECTED_PAGE_BYTES_GZIP * hosts / INTERVAL / (1 << 20),
    }
    if "victoria_resident_bytes_a_series" in measured:  # by --steady
        found |= {
            "scraped_cores": samples * measured["scraped_cpu_microseconds_a_sample"] / 1e6,
            "victoria_scraped_cores": samples * measured["victoria_scraped_cpu_microseconds_a_sample"] / 1e6,
            "victoria_memory_gib": series * measured["victoria_resident_bytes_a_series"] / GIB,
        }
    return found


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
    parser.add_argument("--page", metavar="FILE")
    parser.add_argument("--profile", default="default", help="of the exporter whose page it is")
    arguments = parser.parse_args()
    folder = tempfile.mkdtemp(prefix="kmem-fleet-")
    try:
        if arguments.page:
            with open(arguments.page, "rb") as file:
                data = file.read()
            page, zipped = data.decode(), len(gzip.compress(data))
        else:
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
    json.dump({"measured": measured, "fleet_of_10000": fleet(measured), "fleet_of_100000": fleet(measured, 10 * FLEET)}, sys.stdout, indent=1)
    print()
    return 0


if __name__ == "__main__":
    sys.exit(main())
