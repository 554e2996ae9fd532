"""The dashboards as Grafana would ask them: variables filled in, every query with its panel; and what names PromQL uses."""

import glob
import json
import os
import re
import time
import urllib.error
import urllib.parse
import urllib.request

SOURCE_DIR = os.environ.get("KMEM_SOURCE_DIR") or os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))
FOLDER = os.path.join(SOURCE_DIR, "dashboards/grafana")
UIDS = ("kmem-fleet", "kmem-host", "kmem-leak", "kmem-exporter")
DAY = 86400


def load():
    """uid -> dashboard"""
    made = {}
    for path in sorted(glob.glob(os.path.join(FOLDER, "*.json"))):
        with open(path, encoding="utf-8") as file:
            dashboard = json.load(file)
        made[dashboard["uid"]] = dashboard
    return made


def panels_of(dashboard):
    return [panel for panel in dashboard["panels"] if panel["type"] != "row"]


def variable_query(query):
    """PromQL of a variable's query: of label_values(metric{...}, label) or of query_result(expression)."""
    function, inside = re.fullmatch(r"(\w+)\((.+)\)", query).groups()
    return inside if function == "query_result" else inside.rsplit(",", 1)[0]


def seconds(text):
    """now-30d -> 30 days"""
    number, unit = re.fullmatch(r"now-(\d+)([dhm])", text).groups()
    return int(number) * {"d": DAY, "h": 3600, "m": 60}[unit]


class Filled:
    """Grafana's variables and macros for one choice of values and one width of the screen."""

    def __init__(self, values, span, scrape_interval=1800, points=700):
        self.values = values
        self.span = span
        self.step = max(scrape_interval, self._round(span / points))
        rate = max(self.step + scrape_interval, 4 * scrape_interval)
        self.macros = {
            "__rate_interval": f"{rate}s",
            "__interval_ms": str(self.step * 1000),
            "__interval": f"{self.step}s",
            "__range": f"{span}s",
        }

    @staticmethod
    def _round(wanted):
        return next((step for step in (15, 60, 300, 600, 1800, 3600, 7200, 10800, 21600, 43200) if step >= wanted), DAY)

    def __call__(self, text):
        for name, value in self.macros.items():
            text = re.sub(rf"\$(?:{{{name}}}|{name}\b)", value, text)

        def value_of(found):
            return self.values.get(found[1] or found[2], found[0]).replace("\\", "\\\\")

        return re.sub(r"\$(?:\{(\w+)\}|(\w+))", value_of, text)


KEYWORDS = frozenset("and or unless on ignoring group_left group_right by without offset bool inf nan".split())
_TOKEN = re.compile(
    r"""(?P<string>"(?:[^"\\]|\\.)*")|(?P<variable>\$\w+)|(?P<name>[A-Za-z_:][\w:]*)|(?P<range>\[[^\]]*\])|(?P<other>\S)"""
)
_MATCHER = re.compile(r'\s*(\w+)\s*(=~|!~|!=|=)\s*"((?:[^"\\]|\\.)*)"\s*(?:,|$)')


def selectors(expression):
    """[(metric, {label: (operator, value)}, range or None, the function right around it or None)]"""
    found, tokens = [], list(_TOKEN.finditer(expression))
    calls, i = [], 0

    def text(index):
        return tokens[index].group() if index < len(tokens) else ""

    while i < len(tokens):
        kind, value = tokens[i].lastgroup, tokens[i].group()
        if value == "(":
            before = tokens[i - 1] if i else None
            calls.append(before.group() if before is not None and before.lastgroup == "name" else None)
        elif value == ")":
            calls.pop()
        elif kind == "name" and value in ("by", "without", "on", "ignoring", "group_left", "group_right"):
            if text(i + 1) == "(":  # labels, no metrics
                while text(i) != ")":
                    i += 1
        elif (
            kind == "name"
            and value.lower() not in KEYWORDS
            and text(i + 1) != "("
            and not (text(i + 1) in ("by", "without") and text(i + 2) == "(")
        ):
            matchers = {}
            if text(i + 1) == "{":
                end = next(j for j in range(i + 1, len(tokens)) if text(j) == "}")
                inside = expression[tokens[i + 1].end() : tokens[end].start()]
                matchers = {name: (operator, wanted) for name, operator, wanted in _MATCHER.findall(inside)}
                i = end
            over = text(i + 1) if i + 1 < len(tokens) and tokens[i + 1].lastgroup == "range" else None
            found.append((value, matchers, over, calls[-1] if calls else None))
        i += 1
    return found


class Api:
    """Prometheus' HTTP API, of whichever server speaks it."""

    def __init__(self, base, timeout=240):
        self.base, self.timeout = base, timeout

    def _get(self, path, **parameters):
        url = f"{self.base}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        try:
            with urllib.request.urlopen(url, timeout=self.timeout) as response:
                return json.load(response)["data"]
        except urllib.error.HTTPError as refused:
            raise ValueError(
                f"{refused.code} {refused.read().decode(errors='replace')}: {parameters.get('query')}"
            ) from None

    def instant(self, query, at):
        return self._get("query", query=query, time=at)["result"]

    def range(self, query, start, end, step):
        # VictoriaMetrics moves the range to whole steps for its cache, unless told not to.
        return self._get("query_range", query=query, start=start, end=end, step=step, nocache="1")["result"]

    def peak(self, query, end, start=None, step=None):
        """How many samples Prometheus held at once for it, which --query.max-samples bounds."""
        times = {"time": end} if start is None else {"start": start, "end": end, "step": step}
        told = self._get("query" if start is None else "query_range", query=query, stats="all", **times)
        return told["stats"]["samples"]["peakSamples"]

    def values(self, label, selector, start, end):
        return self._get(f"label/{label}/values", **{"match[]": selector, "start": start, "end": end})


def ask(api, dashboard, values, now=None, span=None):
    """[(panel, [result of each target])], with repeated panels once a value of their variable."""
    now = now or time.time()
    span = span or seconds(dashboard["time"]["from"])
    answers, whole = [], span
    for panel in panels_of(dashboard):
        span = seconds("now-" + panel["timeFrom"]) if "timeFrom" in panel else whole
        repeat = panel.get("repeat")
        for value in values.get("repeat", {}).get(repeat, [None]) if repeat else [None]:
            filled = Filled({**values, **({repeat: value} if value else {})}, span)
            results = []
            for target in panel["targets"]:
                query = filled(target["expr"])
                results.append(
                    api.instant(query, now) if target["instant"] else api.range(query, now - span, now, filled.step)
                )
            answers.append(({**panel, "title": filled(panel["title"])}, results))
    return answers


def annotations(api, dashboard, values, now=None):
    """[(name, colour, [when])]: where a run of points begins, as Grafana puts its marks."""
    now, span = now or time.time(), seconds(dashboard["time"]["from"])
    marks = []
    for row in dashboard["annotations"]["list"]:
        if "expr" not in row:
            continue
        filled = Filled(values, span)
        begins = set()
        for series in api.range(filled(row["expr"]), now - span, now, filled.step):
            times = [at for at, value in series["values"] if float(value) > 0]
            begins |= {at for before, at in zip([0, *times], times) if at - before > filled.step}
        marks.append((row["name"], row["iconColor"], sorted(begins)))
    return marks


def choices(api, now):
    """The values of the variables that show each dashboard: [(uid, name, values)]"""

    def values(instance, pool=".+", tag=".+", repeat=(), job="kmem"):
        return {"cluster": ".*", "site": ".*", "job": job, "instance": instance, "shown": ".+", "pool": pool, "tag": tag, "repeat": {"pool": list(repeat)}}

    live = next(name for name in api.values("instance", "kmem_exporter_http_requests_total", now - 600, now))
    windows, linux = "demo-files-01:10054", "demo-web-03:10054"
    return [
        ("kmem-fleet", "all", values(".+", job=".+")),
        ("kmem-host", "windows", values(windows, repeat=("nonpaged", "paged"))),
        ("kmem-host", "linux", values(linux, repeat=("slab_unreclaimable", "slab_reclaimable"))),
        ("kmem-host", "live", values(live, repeat=("slab_unreclaimable", "slab_reclaimable", "vmalloc", "percpu"))),
        ("kmem-leak", "leak", values(windows, "paged", "Sfv1")),
        ("kmem-leak", "surge", values(linux, "slab_unreclaimable", "nf_conntrack")),
        ("kmem-leak", "calm", values(linux, "slab_unreclaimable", "kmalloc-64")),
        ("kmem-exporter", "all", values(".+", job=".+")),
    ]
