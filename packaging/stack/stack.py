#!/usr/bin/env python3
"""The demonstration stack on loopback: exporter, Prometheus with the rules and eight weeks of demonstration history,
Alertmanager with a printer of what it sends, Grafana where installed, and a start page. Ctrl-C stops all of it.

  stack.py up --exporter EXE --data FOLDER       (what packaging/run.sh --stack calls)
  stack.py prepare --exporter EXE --data FOLDER  history and configuration only (what compose.yml's first container does)
"""

import argparse
import importlib.util
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request

import demo_history
from demo_hosts import HISTORY_SECONDS, HOSTS, STEP

ROOT = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../.."))
HERE = os.path.join(ROOT, "packaging/stack")
RULES = os.path.join(ROOT, "dashboards/prometheus")
GRAFANA = os.path.join(ROOT, "dashboards/grafana")
# A stack that stood still for longer would show a hole where "now" is.
FRESH_SECONDS = 6 * 3600
FRAMES = os.path.join(ROOT, "tests/fixtures/nt52-i386/frames.bin.gz")
# Replayed hosts with eight weeks behind them: a capture's kind, and what leaks.
REPLAYED = {"leaking": ("leak", ["nonpaged/Thre"]), "calm": ("steady", [])}
PORTS = {"start": 10050, "exporter": 10054, "leaking": 10055, "calm": 10056, "demo": 10060, "prometheus": 9090, "alertmanager": 9093, "printer": 9095, "grafana": 3000}
# History has a point every half hour; live series end by their stale markers all the same.
LOOKBACK = f"{STEP // 60 + 5}m"
RETENTION = f"{HISTORY_SECONDS // 86400 + 34}d"


def prometheus_config(at, rules=RULES, remote_write=None, scrape_interval="15s", evaluation_interval="1m"):
    with open(os.path.join(HERE, "prometheus.yml"), encoding="utf-8") as template:
        text = template.read()
    demo = "\n".join(
        f'      - {{targets: ["{host.instance}"], labels: {{__param_host: {host.name}}}}}' for host in HOSTS.values()
    )
    for name, value in {
        "RULES": rules,
        "EXPORTER": at["exporter"],
        "DEMO": at["demo"],
        "DEMO_HOSTS": demo,
        "PROMETHEUS": at["prometheus"],
        "ALERTMANAGER": at["alertmanager"],
        "SCRAPE_INTERVAL": scrape_interval,
        "EVALUATION_INTERVAL": evaluation_interval,
    }.items():
        text = text.replace(f"@{name}@", value)
    return text + (f"remote_write:\n  - url: {remote_write}\n" if remote_write else "")


def alertmanager_config(at):
    """Inhibition is that of dashboards/alertmanager, as it stands there."""
    with open(os.path.join(ROOT, "dashboards/alertmanager/alertmanager.yml"), encoding="utf-8") as shipped:
        rules = shipped.read().partition("\ninhibit_rules:\n")[2].partition("\n\n")[0]
    with open(os.path.join(HERE, "alertmanager.yml"), encoding="utf-8") as template:
        return template.read().replace("@PRINTER@", at["printer"]).replace("@INHIBIT_RULES@", rules)


def demonstration_rules(data, at, interval="1m"):
    """The shipped ones, but what they record every few minutes for the Fleet dashboard is there after `interval`, and their links
    lead to what runs here: the made-up hosts have no pages, and without Grafana the start page draws."""
    spec = importlib.util.spec_from_file_location("generate", os.path.join(ROOT, "dashboards/generate.py"))
    generate = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generate)
    settings = json.loads(generate.read(os.path.join(ROOT, "dashboards/settings.json")))
    settings["runbooks"] = f"http://{at['exporter']}/runbooks"
    settings["grafana"] = f"http://{at['grafana' if grafana_command(data, at) else 'start']}"
    folder = os.path.join(data, "rules")
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    for name in os.listdir(RULES):
        text = generate.filled(generate.read(os.path.join(generate.SOURCE, name)), settings)
        write(os.path.join(folder, name), text.replace("interval: 4m\n", f"interval: {interval}\n"))
    return folder


def write(path, text):
    with open(path, "w", encoding="utf-8") as out:
        out.write(text)
    return path


def prepare(exe, data, at, keep=False, **settings):
    """Configuration, and the history unless it is there and fresh, or to be kept."""
    os.makedirs(data, exist_ok=True)
    write(os.path.join(data, "prometheus.yml"), prometheus_config(at, **settings))
    write(os.path.join(data, "alertmanager.yml"), alertmanager_config(at))
    tsdb, known = os.path.join(data, "prometheus"), os.path.join(data, "demo.json")
    alive = os.path.join(data, "alive")  # touched while the stack runs
    newest = max((os.path.getmtime(path) for path in (alive, known) if os.path.exists(path)), default=0)
    if os.path.isdir(tsdb) and (keep or time.time() - newest < FRESH_SECONDS):
        return
    print("making eight weeks of demonstration history ...", flush=True)
    shutil.rmtree(tsdb, ignore_errors=True)
    demo_history.make(exe, data, int(time.time()) // STEP * STEP)
    os.rename(os.path.join(data, "blocks"), tsdb)


def prepare_replayed(tools, data):
    for name, (kind, leaks) in REPLAYED.items():
        capture, state = os.path.join(data, name + ".kmem"), os.path.join(data, name + "-state")
        if not os.path.exists(capture):
            shutil.rmtree(state, ignore_errors=True)
            subprocess.run([os.path.join(tools, "made_capture"), kind, FRAMES, capture + ".new"], check=True)
            # A state is kept for the source of that name.
            os.rename(capture + ".new", capture)
            subprocess.run([os.path.join(tools, "aged_state"), capture, state, *leaks], check=True, stderr=subprocess.DEVNULL)


def address(port):
    """The usual port, or any where that is 0 or taken: below those that the kernel gives to connections, so that none of
    theirs comes in between."""
    for wanted in [port] * bool(port) + random.sample(range(12000, 32000), 100):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", wanted))
                return f"127.0.0.1:{wanted}"
            except OSError:
                continue
    raise SystemExit("no free port on 127.0.0.1")


def grafana_command(data, at):
    """None where Grafana is not installed."""
    home = os.environ.get("GRAFANA_HOME", "/usr/share/grafana")
    binary = shutil.which("grafana") or shutil.which("grafana-server") or shutil.which("grafana", path=f"{home}/bin")
    if binary is None or not os.path.isdir(home):
        return None
    host, port = at["grafana"].split(":")
    environment = {
        "GF_PATHS_DATA": os.path.join(data, "grafana"),
        "GF_PATHS_LOGS": os.path.join(data, "grafana"),
        "GF_PATHS_PROVISIONING": os.path.join(GRAFANA, "provisioning"),
        "GF_SERVER_HTTP_ADDR": host,
        "GF_SERVER_HTTP_PORT": port,
        "GF_AUTH_ANONYMOUS_ENABLED": "true",
        "GF_ANALYTICS_REPORTING_ENABLED": "false",
        "KMEM_PROMETHEUS_URL": "http://" + at["prometheus"],
        "KMEM_DASHBOARDS": GRAFANA,
        "KMEM_SCRAPE_INTERVAL": f"{STEP // 60}m",
    }
    server = [] if binary.endswith("-server") else ["server"]
    return [binary, *server, "--homepath", home], environment


class Stack:
    def __init__(self, exe, data, at):
        self.exe, self.data, self.at, self.running = exe, data, at, {}

    def start(self, name, command, environment=None):
        log = open(os.path.join(self.data, name + ".log"), "wb") if name != "printer" else None
        # Sessions of their own: Ctrl-C comes to this program alone, which stops them in order.
        self.running[name] = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **(environment or {})},
        )
        if log:
            log.close()

    def up(self):
        at, data, python = self.at, self.data, sys.executable
        for name in REPLAYED if "leaking" in at else ():
            replay = [f"--collector.source=replay:{data}/{name}.kmem", f"--storage.path={data}/{name}-state", "--sampling.interval=1h"]
            self.start(name, [self.exe, "serve", f"--web.listen-address={at[name]}", *replay])
        self.start("start", [python, os.path.join(HERE, "start_page.py"), "--address", at["start"], "--data", data])
        # It would not repeat today what it sent in an earlier run.
        shutil.rmtree(os.path.join(data, "alertmanager"), ignore_errors=True)
        self.start(
            "exporter", [self.exe, "serve", f"--web.listen-address={at['exporter']}", f"--storage.path={data}/state"]
        )
        self.start(
            "demo",
            [
                python,
                os.path.join(HERE, "demo_hosts.py"),
                "serve",
                "--address",
                at["demo"],
                "--history",
                os.path.join(data, "demo.json"),
            ],
        )
        self.start("printer", [python, os.path.join(HERE, "webhook_printer.py"), "--address", at["printer"]])
        self.start(
            "alertmanager",
            [
                "prometheus-alertmanager" if shutil.which("prometheus-alertmanager") else "alertmanager",
                f"--config.file={data}/alertmanager.yml",
                f"--storage.path={data}/alertmanager",
                f"--web.listen-address={at['alertmanager']}",
                "--cluster.listen-address=",
            ],
        )
        self.start(
            "prometheus",
            [
                "prometheus",
                f"--config.file={data}/prometheus.yml",
                f"--storage.tsdb.path={data}/prometheus",
                f"--storage.tsdb.retention.time={RETENTION}",
                f"--query.lookback-delta={LOOKBACK}",
                # What fires before it has found Alertmanager is lost until it is sent again.
                "--rules.alert.resend-delay=10s",
                f"--web.listen-address={at['prometheus']}",
            ],
        )
        if grafana := grafana_command(data, at):
            self.start("grafana", *grafana)

    def wait_ready(self, seconds=60):
        health = {
            "exporter": "/-/ready",
            "leaking": "/-/ready",
            "calm": "/-/ready",
            "start": "/",
            "demo": f"/metrics?host={next(iter(HOSTS))}",
            "alertmanager": "/-/ready",
            "prometheus": "/-/ready",
            "grafana": "/api/health",
        }
        end = time.monotonic() + seconds
        for name in self.running:
            while name in health and not self.answers(name, health[name]):
                self.check()
                if time.monotonic() > end:
                    raise SystemExit(f"{name} does not answer; its log is {self.data}/{name}.log")
                time.sleep(0.1)

    def answers(self, name, path):
        try:
            with urllib.request.urlopen(f"http://{self.at[name]}{path}", timeout=5) as response:
                return response.status == 200
        except OSError:
            return False

    def check(self):
        for name, process in self.running.items():
            if process.poll() is not None:
                raise SystemExit(f"{name} ended with {process.returncode}; its log is {self.data}/{name}.log")

    def stop(self):
        for process in self.running.values():
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in self.running.values():
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def tell(self):
        print(f"""
  Start page    http://{self.at["start"]}     all of it: pages, dashboards drawn from this Prometheus, alerts
  Prometheus    http://{self.at["prometheus"]}     8 weeks of demo-* hosts, and this machine
  Alertmanager  http://{self.at["alertmanager"]}     what it sends is printed here
  exporter      http://{self.at["exporter"]}""")
        if "grafana" in self.running:
            print(f"  Grafana       http://{self.at['grafana']}/d/kmem-fleet")
        else:
            print(
                f"  Grafana       is not installed; import dashboards/grafana/*.json into yours, or use {HERE}/compose.yml"
            )
        print("\nCtrl-C stops all of it.", flush=True)


def interrupted(*_):
    raise KeyboardInterrupt


def up(arguments):
    at = {name: address(0 if arguments.any_port else port) for name, port in PORTS.items()}
    if arguments.tools:
        os.makedirs(arguments.data, exist_ok=True)
        prepare_replayed(arguments.tools, arguments.data)
    else:
        at = {name: where for name, where in at.items() if name not in REPLAYED}
    settings = {name: getattr(arguments, name) for name in ("rules", "remote_write", "scrape_interval", "evaluation_interval")}
    if arguments.rules == RULES:
        settings["rules"] = demonstration_rules(arguments.data, at, arguments.evaluation_interval)
    prepare(arguments.exporter, arguments.data, at, **settings)
    write(os.path.join(arguments.data, "addresses.json"), json.dumps(at))
    stack = Stack(arguments.exporter, arguments.data, at)
    signal.signal(signal.SIGTERM, interrupted)
    try:
        stack.up()
        stack.wait_ready()
        stack.tell()
        while True:
            write(os.path.join(arguments.data, "alive"), "")
            stack.check()
            time.sleep(1)
    except KeyboardInterrupt:
        print("\nstopping", flush=True)
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        stack.stop()
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("up", "prepare"):
        command = commands.add_parser(name)
        command.add_argument("--exporter", required=True, help="the kmem_exporter program")
        command.add_argument("--data", required=True, help="folder for history, state and logs")
        if name == "up":
            command.add_argument("--any-port", action="store_true", help="free ports instead of the usual ones")
            command.add_argument("--tools", help="folder of made_capture and aged_state; without it no host is replayed")
            command.add_argument("--remote-write", help="URL that Prometheus also sends to")
            command.add_argument("--scrape-interval", default="15s")
            command.add_argument("--evaluation-interval", default="1m", help="of the rules")
        command.add_argument("--rules", default=RULES)
        if name == "prepare":
            for server in ("exporter", "demo", "prometheus", "alertmanager", "printer"):
                command.add_argument(f"--at-{server}", default=f"127.0.0.1:{PORTS[server]}")
    arguments = parser.parse_args()
    arguments.data = os.path.abspath(arguments.data)
    if arguments.command == "up":
        return up(arguments)
    at = {
        server: getattr(arguments, f"at_{server}")
        for server in ("exporter", "demo", "prometheus", "alertmanager", "printer")
    }
    # A Prometheus may be running on it.
    prepare(arguments.exporter, arguments.data, at, keep=True, rules=arguments.rules)
    return 0


if __name__ == "__main__":
    sys.exit(main())
