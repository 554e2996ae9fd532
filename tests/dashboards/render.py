#!/usr/bin/env python3
"""A plain picture of the dashboards with real data, where there is no Grafana: layout, titles, values, lines, thresholds.

render.py http://127.0.0.1:9090 FOLDER    an HTML page a dashboard; with chromium installed, --screenshots too,
or their upper part by --screenshots=HEIGHT: dashboards/leak.png is kmem-leak-leak.png of --screenshots=900"""

import html
import math
import os
import re
import shutil
import subprocess
import sys
import time

import dashboards

COLORS = (
    "#73bf69",
    "#f2cc0c",
    "#5794f2",
    "#ff780a",
    "#e02f44",
    "#b877d9",
    "#37872d",
    "#fade2a",
    "#8ab8ff",
    "#ffa6b0",
    "#c4162a",
    "#96d98d",
    "#1f60c4",
    "#fa6400",
    "#a352cc",
    "#c0d8ff",
)
NAMED = {"green": "#73bf69", "yellow": "#f2cc0c", "red": "#e02f44", "blue": "#5794f2", "purple": "#b877d9"}
ROW_PIXELS, WIDTH = 36, 1600


def scaled(value, units, base):
    for unit in units:
        if abs(value) < base or unit == units[-1]:
            return f"{value:.3g} {unit}".strip() if abs(value) < 1000 else f"{value:.0f} {unit}".strip()
        value /= base
    return ""


def show(value, unit):
    """As Grafana would, nearly."""
    if value is None or math.isnan(value):
        return "-"
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    if unit == "bytes":
        return scaled(value, ("B", "KiB", "MiB", "GiB", "TiB"), 1024)
    if unit == "percentunit":
        return f"{value * 100:.3g} %"
    if unit == "s":
        for size, name in (
            (365.25 * 86400, "years"),
            (7 * 86400, "weeks"),
            (86400, "days"),
            (3600, "hours"),
            (60, "mins"),
            (1, "s"),
            (1e-3, "ms"),
        ):
            if abs(value) >= size or name == "ms":
                return f"{value / size:.3g} {name}" if value else "0 s"
    if unit == "dateTimeAsIso":
        return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(value / 1000))
    if unit in ("ops", "reqps"):
        return scaled(value, ("", "K", "M"), 1000) + (" ops/s" if unit == "ops" else " req/s")
    if unit.startswith("suffix:"):
        return f"{value:.3g}{unit[7:]}"
    if unit == "none":
        return f"{value:g}"
    return scaled(value, ("", "K", "Mil", "Bil"), 1000)


def legend(target, labels):
    text = target["legendFormat"]
    if text == "__auto":
        return ", ".join(f"{k}={v}" for k, v in sorted(labels.items()) if k not in ("__name__", "job")) or "value"
    for name, value in labels.items():
        text = text.replace("{{" + name + "}}", value)
    return dashboards.re.sub(r"\{\{\w+\}\}", "", text)


def color_at(thresholds, value):
    chosen = "green"
    for step in thresholds["steps"]:
        if step["value"] is None or value >= step["value"]:
            chosen = step["color"]
    return NAMED[chosen]


def overrides(panel, name):
    return {
        prop["id"]: prop["value"]
        for row in panel["fieldConfig"]["overrides"]
        if row["matcher"]["options"] == name
        or row["matcher"]["id"] == "byRegexp"
        and re.search(row["matcher"]["options"].strip("/"), name)
        for prop in row["properties"]
    }


def stat(panel, results):
    defaults = panel["fieldConfig"]["defaults"]
    if not results[0]:
        return f'<div class="stat">{html.escape(defaults.get("noValue", ""))}</div>'
    tiles = []
    for series in results[0]:
        value = float(series["value"][1])
        text, color = show(value, defaults["unit"]), color_at(defaults["thresholds"], value)
        for mapping in defaults["mappings"]:
            option = mapping["options"].get(f"{value:g}")
            if option:
                text, color = option["text"], NAMED[option["color"]]
        if defaults["color"]["mode"] == "fixed":
            color = NAMED[defaults["color"]["fixedColor"]]
        tiles.append(f'<div class="stat" style="color:{color}">{html.escape(text)}</div>')
    return '<div class="tiles">' + "".join(tiles) + "</div>"


def table(panel, results):
    defaults = panel["fieldConfig"]["defaults"]
    rows = {}
    for index, result in enumerate(results):
        column = "Value" if len(results) == 1 else f"Value #{chr(65 + index)}"
        for series in result:
            labels = {k: v for k, v in series["metric"].items() if k != "__name__"}
            rows.setdefault(tuple(sorted(labels.items())), dict(labels))[column] = float(series["value"][1])
    names = panel["transformations"][-1]["options"]["renameByName"]
    hidden = {name for name in names.values() if overrides(panel, name).get("custom.hidden")}
    hidden |= {name for raw, name in names.items() if raw in ("cluster", "site") and not any(dict(key).get(raw) for key in rows)}
    if not rows:
        return f'<div class="empty">{html.escape(defaults.get("noValue", ""))}</div>'
    by = panel["options"]["sortBy"][0] if panel["options"]["sortBy"] else None
    shown = list(rows.values())
    if by:
        raw = next(key for key, value in names.items() if value == by["displayName"])
        shown.sort(
            key=lambda row: row.get(raw, -math.inf) if raw.startswith("Value") else str(row.get(raw, "")),
            reverse=by["desc"],
        )
    out = ["<table><tr>" + "".join(f"<th>{html.escape(name)}</th>" for name in names.values() if name not in hidden) + "</tr>"]
    for row in shown[:20]:
        cells = []
        for raw, name in names.items():
            if name in hidden:
                continue
            value, special = row.get(raw, ""), overrides(panel, name)
            if raw.startswith("Value"):
                if value == "":
                    value = special.get("noValue", "")
                else:
                    mapped = [m["options"].get(f"{value:g}") for m in special.get("mappings", [])]
                    color = color_at(defaults["thresholds"], value) if "custom.cellOptions" in special else "inherit"
                    text = show(value, special.get("unit", defaults["unit"]))
                    if mapped and mapped[0]:
                        text, color = mapped[0]["text"], NAMED[mapped[0]["color"]]
                    cells.append(f'<td class="number" style="color:{color}">{html.escape(text)}</td>')
                    continue
            cells.append(f"<td>{html.escape(str(value))}</td>")
        out.append("<tr>" + "".join(cells) + "</tr>")
    return "".join(out) + "</table>"


def lines_of(panel, results):
    for target, result in zip(panel["targets"], results):
        for series in result:
            points = [(at, float(value)) for at, value in series["values"]]
            yield legend(target, series["metric"]), [p for p in points if not math.isinf(p[1]) and not math.isnan(p[1])]


def graph(panel, results, width, height, span, marks):
    defaults = panel["fieldConfig"]["defaults"]
    lines = [line for line in lines_of(panel, results) if line[1]]
    if not lines:
        return f'<div class="empty">{html.escape(defaults.get("noValue", ""))}</div>'
    log = defaults["custom"]["scaleDistribution"]["type"] == "log"
    flat = [value for _, points in lines for _, value in points]
    low, high = min(flat), max(flat)
    low = defaults.get("min", low)
    high = max(high, defaults.get("max", high))
    steps = defaults["thresholds"]["steps"][1:] if defaults["custom"]["thresholdsStyle"]["mode"] != "off" else []
    if log:
        low = min([low] + [s["value"] for s in steps])
    if high == low:
        low, high = low - abs(low or 1) * 0.1, high + abs(high or 1) * 0.1

    def scale(value):
        return math.log10(max(value, 1e-9)) if log else value

    legend_height = min(len(lines), 6) * 15 + 16
    left, bottom, top = 84, 18, 6
    inner_w, inner_h = width - left - 10, height - legend_height - bottom - top - 30
    end = max(at for _, points in lines for at, _ in points)
    start = end - span

    def x(at):
        return left + (at - start) / span * inner_w

    def y(value):
        return top + inner_h - (scale(value) - scale(low)) / (scale(high) - scale(low)) * inner_h

    out = [f'<svg width="{width}" height="{inner_h + top + bottom}">']
    for i in range(5):
        at = scale(low) + (scale(high) - scale(low)) * i / 4
        value = 10**at if log else at
        out.append(
            f'<line x1="{left}" x2="{left + inner_w}" y1="{y(value):.1f}" y2="{y(value):.1f}" stroke="#333"/>'
            f'<text x="{left - 6}" y="{y(value) + 4:.1f}" text-anchor="end">{show(value, defaults["unit"])}</text>'
        )
    for i in range(7):
        at = start + span * i / 6
        out.append(
            f'<text x="{x(at):.0f}" y="{inner_h + top + 14}" text-anchor="middle">'
            + time.strftime("%m-%d" if span > 3 * 86400 else "%H:%M", time.gmtime(at))
            + "</text>"
        )
    for step in steps:
        if low <= step["value"] <= high:
            out.append(
                f'<line x1="{left}" x2="{left + inner_w}" y1="{y(step["value"]):.1f}" y2="{y(step["value"]):.1f}" '
                f'stroke="{NAMED[step["color"]]}" stroke-dasharray="4 4"/>'
            )
    for _, color, times in marks:
        for at in times:
            out.append(
                f'<line x1="{x(at):.1f}" x2="{x(at):.1f}" y1="{top}" y2="{top + inner_h}" stroke="{NAMED[color]}" '
                'stroke-dasharray="2 3"/>'
            )
    rows = []
    for index, (name, points) in enumerate(lines):
        color = COLORS[index % len(COLORS)]
        special = overrides(panel, name)
        if "color" in special:
            color = NAMED[special["color"]["fixedColor"]]
        dash = ' stroke-dasharray="8 6"' if "custom.lineStyle" in special else ""
        for run in runs(points):
            path = " ".join(f"{x(at):.1f},{y(value):.1f}" for at, value in run if at >= start)
            out.append(f'<polyline points="{path}" fill="none" stroke="{color}" stroke-width="1.3"{dash}/>')
        if len(points) == 1:
            out.append(f'<circle cx="{x(points[0][0]):.1f}" cy="{y(points[0][1]):.1f}" r="2.5" fill="{color}"/>')
        values = [value for _, value in points]
        rows.append(
            (
                values[-1],
                f'<tr><td><i style="background:{color}"></i>{html.escape(name)}</td>'
                + "".join(
                    f'<td class="number">{html.escape(show(v, defaults["unit"]))}</td>'
                    for v in (min(values), max(values), values[-1])
                )
                + "</tr>",
            )
        )
    out.append("</svg>")
    # The colours are in the order of the answer, the legend largest last value first.
    if panel["options"]["legend"].get("sortDesc"):
        rows.sort(key=lambda row: -row[0])
    shown = [text for _, text in rows]
    more = f"<tr><td>and {len(rows) - 6} more</td></tr>" if len(rows) > 6 else ""
    return (
        "".join(out)
        + '<table class="legend"><tr><th></th><th>min</th><th>max</th><th>last</th></tr>'
        + "".join(shown[:6])
        + more
        + "</table>"
    )


STYLE = """body{background:#111217;color:#ccccdc;font:12px sans-serif;margin:10px;position:relative}
.panel{position:absolute;background:#181b1f;border:1px solid #2c2f33;overflow:hidden;box-sizing:border-box}
.panel h3{font-size:12px;margin:5px 8px}.row{position:absolute;font-weight:bold;padding-top:8px}
.stat{font-size:28px;text-align:center;padding-top:22px;flex:1}.tiles{display:flex}.empty{text-align:center;padding-top:50px;color:#888}
table{width:100%;border-collapse:collapse;font-size:12px}th{text-align:left;color:#6e9fff}td,th{padding:2px 8px}
.legend td,.legend th{padding:0 8px;font-size:11px}.number{text-align:right}i{display:inline-block;width:10px;height:3px;margin-right:5px}
svg text{fill:#999;font-size:10px}"""


def runs(points):
    """Lines do not lead over holes."""
    step = min((after[0] - before[0] for before, after in zip(points, points[1:])), default=0)
    run = points[:1]
    for before, point in zip(points, points[1:]):
        if point[0] - before[0] > 1.5 * step:
            yield run
            run = []
        run.append(point)
    yield run


def page(dashboard, answers, values, marks=()):
    """The HTML and its height. marks: what dashboards.annotations gives"""
    span = dashboards.seconds(dashboard["time"]["from"])
    filled = dashboards.Filled(values, span)
    unit = WIDTH / 24
    body, shift, last_id, column = [], 0, None, 0
    for row in (panel for panel in dashboard["panels"] if panel["type"] == "row"):
        row["top"] = row["gridPos"]["y"]
    blocks = [(row, None) for row in dashboard["panels"] if row["type"] == "row"] + answers
    blocks.sort(key=lambda block: (block[0]["gridPos"]["y"], block[0]["gridPos"]["x"]))
    bottom = 0
    for panel, results in blocks:
        place = panel["gridPos"]
        x, y, w, h = place["x"], place["y"] + shift, place["w"], place["h"]
        if panel.get("repeat"):
            column = column + 1 if last_id == panel["id"] else 0
            if column and column % 2 == 0:
                shift += h
                y += h
            x = column % 2 * w
        last_id = panel["id"]
        box = f"left:{x * unit:.0f}px;top:{y * ROW_PIXELS}px;width:{w * unit - 6:.0f}px;height:{h * ROW_PIXELS - 6}px"
        bottom = max(bottom, (y + h) * ROW_PIXELS)
        if panel["type"] == "row":
            body.append(f'<div class="row" style="{box}">{html.escape(filled(panel["title"]))}</div>')
            continue
        if panel["type"] == "timeseries":
            shown = dashboards.seconds("now-" + panel["timeFrom"]) if "timeFrom" in panel else span
            inside = graph(panel, results, w * unit - 16, h * ROW_PIXELS - 6, shown, marks)
        else:
            inside = (stat if panel["type"] == "stat" else table)(panel, results)
        body.append(
            f'<div class="panel" style="{box}" title="{html.escape(panel["description"])}">'
            f"<h3>{html.escape(panel['title'])}</h3>{inside}</div>"
        )
    return (
        f'<!doctype html><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{html.escape(dashboard["title"])}</title><style>{STYLE}</style>'
        + "".join(body)
    ), bottom + 30


def write(folder, name, dashboard, answers, values, marks=()):
    os.makedirs(folder, exist_ok=True)
    text, height = page(dashboard, answers, values, marks)
    path = os.path.join(folder, name + ".html")
    with open(path, "w", encoding="utf-8") as out:
        out.write(text)
    return path, height


def screenshot(path, height):
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium:
        subprocess.run(
            [
                chromium,
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                f"--screenshot={path[:-5]}.png",
                f"--window-size={WIDTH + 20},{height}",
                "--hide-scrollbars",
                "file://" + path,
            ],
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )


def main(base, folder):
    api, now = dashboards.Api(base), time.time()
    made = dashboards.load()
    for uid, name, values in dashboards.choices(api, now):
        answers, marks = (
            dashboards.ask(api, made[uid], values, now),
            dashboards.annotations(api, made[uid], values, now),
        )
        path, height = write(folder, f"{uid}-{name}", made[uid], answers, values, marks)
        for option in sys.argv[3:]:
            name, _, most = option.partition("=")
            if name == "--screenshots":
                screenshot(path, min(height, int(most or height)))
        print(path)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
