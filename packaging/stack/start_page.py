#!/usr/bin/env python3
"""The demonstration's start page: what runs where, what fires, and the dashboards drawn from this Prometheus, for machines that
have no Grafana.  start_page.py --address 127.0.0.1:10050 --data FOLDER   (the folder's addresses.json says where the rest is)"""

import argparse
import html
import http.server
import json
import os
import re
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

ROOT = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../.."))
sys.path.insert(0, os.path.join(ROOT, "tests/dashboards"))
sys.dont_write_bytecode = True
try:
    import dashboards  # noqa: E402
    import render  # noqa: E402
except ImportError as missing:
    sys.exit(f"start_page: wants the folder tests/dashboards of the source, which draws: {missing}")

TITLES = {
    ("kmem-fleet", "all"): "Fleet: who runs out first, suspects",
    ("kmem-host", "windows"): "Host: demo-files-01, a Windows file server whose scan filter leaks",
    ("kmem-host", "linux"): "Host: demo-web-03, Linux, whose connection table surges",
    ("kmem-host", "live"): "Host: this machine",
    ("kmem-leak", "leak"): "Leak: tag Sfv1 of demo-files-01",
    ("kmem-leak", "surge"): "Leak: cache nf_conntrack of demo-web-03, a surge",
    ("kmem-leak", "calm"): "Leak: cache kmalloc-64 of demo-web-03, calm",
    ("kmem-exporter", "all"): "Exporter: the exporters themselves",
}
# Web pages of servers, as far as this build of them has any; what answers is linked.
PAGES = {
    "prometheus": ("/query", "/alerts", "/rules", "/targets", "/classic/graph", "/classic/alerts", "/classic/rules", "/classic/targets",
                   "/api/v1/rules?type=alert", "/api/v1/targets?state=active",
                   "/federate?match[]=kmem_leak_suspects", "/metrics"),
    "alertmanager": ("/#/alerts", "/api/v2/alerts", "/api/v2/status", "/metrics"),
}
# Debian builds both without their web interface, and says so where it was.
NO_INTERFACE = (b"The Debian package of the",)
STYLE = """:root{color-scheme:light dark}body{font:15px/1.45 system-ui,sans-serif;max-width:1080px;margin:24px auto;padding:0 16px}
h1{font-size:24px;margin:0 0 4px}h2{font-size:17px;margin:28px 0 8px}p{margin:4px 0 10px}.quiet{opacity:.7}
.cards{display:grid;grid-template-columns:repeat(auto-fill,minmax(300px,1fr));gap:12px}
.card{border:1px solid #8886;border-radius:8px;padding:10px 14px}.card b{display:block}.card p{margin:4px 0}
table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:4px 10px 4px 0;vertical-align:top;border-bottom:1px solid #8883}
.page{color:#c4162a;font-weight:600}.ticket{color:#b26a00;font-weight:600}@media(prefers-color-scheme:dark){.page{color:#ff7383}.ticket{color:#f2a65a}}
ul{margin:4px 0;padding-left:20px}.scroll{overflow-x:auto}.what{min-width:380px}.state{min-width:190px}"""


def link(url, text):
    return f'<a href="{html.escape(url)}">{html.escape(text)}</a>'


class Start:
    def __init__(self, data):
        with open(os.path.join(data, "addresses.json"), encoding="utf-8") as file:
            self.at = json.load(file)
        self.api = dashboards.Api(f"http://{self.at['prometheus']}")

    def got(self, server, path):
        """None where it does not answer, or only says that it has no such page."""
        try:
            with urllib.request.urlopen(f"http://{self.at[server]}{path.partition('#')[0]}", timeout=10) as answer:
                body = answer.read(1 << 20)
                return None if any(words in body for words in NO_INTERFACE) else body
        except OSError:
            return None

    def exporters(self):
        told = {
            "exporter": "This machine. Its history begins now: a verdict takes 7 days.",
            "leaking": "Windows Server 2003, replayed: handles of threads leak, eight weeks of it.",
            "calm": "The same kind of machine on which nothing leaks.",
        }
        for name, words in told.items():
            if name not in self.at or self.got(name, "/-/healthy") is None:
                continue
            base = f"http://{self.at[name]}"
            title = {"exporter": "This machine", "leaking": "A leaking host", "calm": "A calm host"}[name]
            yield (f'<div class="card"><b>{link(base + "/", title)}</b><p>{html.escape(words)}</p><p>{link(base + "/metrics", "metrics")} · '
                   f'{link(base + "/api/v1/status", "status as JSON")}</p></div>')

    def alerts(self):
        """Rows of what Alertmanager holds: it knows what is silenced by what."""
        body = self.got("alertmanager", "/api/v2/alerts")
        rows = json.loads(body) if body else []
        names = {row["fingerprint"]: row["labels"].get("alertname", "an alert without a name") for row in rows}
        rows.sort(key=lambda row: (row["status"]["state"] != "active", row["labels"].get("severity", ""), row["labels"].get("instance", "")))
        for row in rows:
            labels, notes, alert = row["labels"], row.get("annotations", {}), names[row["fingerprint"]]
            by = sorted({names.get(other, "another alert") for other in row["status"]["inhibitedBy"]})
            state = "told" if not by else "not told: " + ", ".join(by) + " says it"
            where = {key: labels[key] for key in ("pool", "tag") if key in labels}
            runbook = f"http://{self.at['exporter']}/runbooks/{alert}?{urllib.parse.urlencode(where)}"
            place = " ".join([labels.get("instance", ""), *where.values()])
            severity = labels.get("severity", "")
            yield (f'<tr><td class="{html.escape(severity)}">{html.escape(severity)}</td><td>{link(runbook, alert)}</td>'
                   f"<td>{html.escape(place)}</td><td class=what>{html.escape(notes.get('description') or notes.get('summary', ''))}</td>"
                   f"<td class=state>{html.escape(state)}</td></tr>")

    def servers(self):
        for server, paths in PAGES.items():
            links = [link(f"http://{self.at[server]}{path}", path.removeprefix("/classic/").strip("/#")) for path in paths if self.got(server, path)]
            yield f'<div class="card"><b>{server.capitalize()}</b><p>{" · ".join(links) or "does not answer"}</p></div>'
        if "grafana" in self.at and self.got("grafana", "/api/health"):
            yield f'<div class="card"><b>{link("http://" + self.at["grafana"] + "/d/kmem-fleet", "Grafana")}</b><p>The same dashboards.</p></div>'

    def page(self):
        drawn = "".join(f"<li>{link(f'/dashboards/{uid}/{name}', title)}</li>" for (uid, name), title in TITLES.items())
        alerts = "".join(self.alerts()) or '<tr><td colspan="5">None yet: rules are evaluated every minute.</td></tr>'
        return (
            f'<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>kmem_exporter '
            f"demonstration</title><style>{STYLE}</style><h1>kmem_exporter demonstration</h1>"
            f'<p class="quiet">Everything runs on this machine, on loopback. The hosts demo-* are made up; Ctrl-C where it was started '
            f'stops all of it.</p><h2>Status pages</h2><div class="cards">{"".join(self.exporters())}</div>'
            f"<h2>Dashboards, drawn from this Prometheus</h2><ul>{drawn}</ul>"
            f"<h2>Alerts now</h2><div class=scroll><table><tr><th>Severity<th>Alert<th>Where<th>What<th>Alertmanager</tr>{alerts}</table></div>"
            f'<h2>Servers</h2><div class="cards">{"".join(self.servers())}</div></html>'
        )

    def dashboard(self, uid, name):
        """None where there is no such picture."""
        now = time.time()
        chosen = next((values for *key, values in dashboards.choices(self.api, now) if tuple(key) == (uid, name)), None)
        if chosen is None:
            return None
        return self.draw(uid, chosen, TITLES.get((uid, name), "").partition(": ")[2], now)

    def linked(self, uid, query):
        """Where an alert leads: Grafana's own address of a dashboard, /d/kmem-host?var-instance=..."""
        asked = {name.removeprefix("var-"): value for name, value in urllib.parse.parse_qsl(query) if name.startswith("var-")}
        if uid not in dashboards.UIDS:
            return None
        chosen = {"cluster": ".*", "site": ".*", **{name: ".+" for name in ("job", "instance", "shown", "pool", "tag")},
                  **{name: re.escape(value) if name in ("job", "instance") else value for name, value in asked.items()}}
        now = time.time()
        instance = asked.get("instance", "")
        pools = self.api.values("pool", "kmem_pool_bytes{instance=%s}" % json.dumps(instance), now - 3600, now)
        return self.draw(uid, {**chosen, "repeat": {"pool": pools}}, " ".join(asked.values()), now)

    def draw(self, uid, chosen, title, now):
        made = dashboards.load()[uid]
        text, height = render.page(made, dashboards.ask(self.api, made, chosen, now), chosen,
                                   dashboards.annotations(self.api, made, chosen, now))
        head = (f'<style>body{{margin-top:44px;width:{render.WIDTH}px;height:{height}px}}nav{{position:absolute;top:-34px;left:0;font-size:15px}}'
                f'nav a{{color:#6e9fff;margin-right:16px}}</style><nav>{link("/", "Start page")}<b>{html.escape(made["title"])}</b> '
                f"{html.escape(title)}</nav>"
                # A window that is narrower shows all of it, smaller.
                f"<script>(onresize = () => document.documentElement.style.zoom = Math.min(1, innerWidth / {render.WIDTH + 20}))()</script>")
        return text.replace("</style>", "</style>" + head, 1)


class Handler(http.server.BaseHTTPRequestHandler):
    start = None

    def do_GET(self):
        path = self.path.partition("?")[0]
        try:
            parts = path.strip("/").split("/")
            if path == "/":
                text, status = self.start.page(), 200
            elif parts[0] == "dashboards" and len(parts) == 3 and (text := self.start.dashboard(*parts[1:])):
                status = 200
            elif parts[0] == "d" and len(parts) == 2 and (text := self.start.linked(parts[1], self.path.partition("?")[2])):
                status = 200
            else:
                text, status = "there is no such page\n", 404
        except (OSError, ValueError, StopIteration) as error:
            text, status = f"not yet: {error or 'nothing was scraped so far'}\n", 503
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=utf-8" if status == 200 else "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--address", required=True)
    parser.add_argument("--data", required=True)
    arguments = parser.parse_args()
    Handler.start = Start(arguments.data)
    host, port = arguments.address.rsplit(":", 1)
    http.server.ThreadingHTTPServer((host, int(port)), Handler).serve_forever()


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(0)
