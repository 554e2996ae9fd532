"""What the dashboards are made of: panels, rows, variables, annotations, as plain dictionaries of Grafana's JSON."""

import re

DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
# Filled in at the end, by settings.json's host_labels: joins, matchers and what a legend names.
SELECT = "<<select>>"
HOST_LABELS = ["job", "instance"]
SETTINGS = {}
GREEN, YELLOW, RED, BLUE = "green", "yellow", "red", "blue"
GRID_WIDTH = 24
DAYS = "suffix: days"  # Grafana's own units of time turn 10 days into weeks, which no alert does


def use(settings):
    """Before any dashboard is built."""
    HOST_LABELS[:] = settings["host_labels"]
    SETTINGS.update(settings)


def more_labels():
    return [name for name in HOST_LABELS if name not in ("job", "instance")]


def with_links(expression):
    """A link needs a value of every variable: All, where a host has no such label."""
    for name in more_labels():
        expression = f'label_replace({expression}, "link_{name}", "$1", "{name}", "(.+)")'
        expression = f'label_replace({expression}, "link_{name}", "All", "link_{name}", "")'
    return expression


def filled(value):
    """`value` with the marks of every text in it filled in."""
    if isinstance(value, dict):
        return {name: filled(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [filled(inner) for inner in value]
    if not isinstance(value, str):
        return value
    words = {
        "host": ", ".join(HOST_LABELS),
        "peers": ", ".join(name for name in HOST_LABELS if name != "instance"),
        "select": ", ".join(f'{name}=~"${name}"' for name in HOST_LABELS),
        "select_peers": ", ".join(f'{name}=~"${name}"' for name in HOST_LABELS if name != "instance"),
        # The job, too: two may ask one host, by its agent and by another exporter's name.
        "who": " ".join("{{%s}}" % name for name in ["instance", "job", *more_labels()]),
        "job": SETTINGS["job"],
    }
    return re.sub(r"<<(\w+)>>", lambda found: words[found[1]], value)


def of(metric, more="", select=SELECT):
    """The metric of the chosen hosts. What every target has is asked of the exporters only, for the chosen jobs may be All."""
    if not metric.startswith("kmem_") and ":" not in metric:
        select = 'job=~"<<job>>", ' + select
    return f"{metric}{{{select}{', ' + more if more else ''}}}"


def with_driver(expression, more="", info="kmem_pool_tag_info"):
    """The tags of `expression`, with the drivers they are attributed to; those without stay."""
    tag = "on (<<host>>, pool, tag)"
    known = f"max by (<<host>>, pool, tag, driver) ({of(info, more)})"
    return f"{known} * {tag} group_left () ({expression}) or {tag} ({expression})"


def ends(resource):
    """What ends a pool, and what its time left divides by what, as a table. `resource`: a matcher."""
    # Page table entries are no bytes: they have a graph of their own.
    which, same = f'resource{resource}, resource!="system_ptes"', "on (<<host>>, resource)"
    room, pace = of("kmem_exhaustion_room", which), of("kmem_exhaustion_pace_per_second", which)
    return table(
        "What ends it, and when",
        "Room to the smallest bound, what the pool gains, and the one divided by the other; no time where nothing grows.",
        {
            "room": room,
            "pace": f"(0 * {room} + 1) * {same} group_left () ({pace} > 0) * 3600",
            "left": f"{room} / {same} group_left () ({pace} > 0) / 86400",
        },
        {
            "instance": "Host",
            "resource": "Pool",
            "bound": "Ends with",
            "room": "Room",
            "pace": "Growth an hour",
            "left": "Time left",
        },
        "bytes",
        None,
        "No limit is known",
        ("Room", False),
        overrides=[column("Time left", ("unit", DAYS), ("decimals", 1))],
    )


def growth_an_hour(words, metric, matchers, legend, empty, **more):
    """Slopes of minutes and hours, of what `metric` and `matchers` name."""
    slopes = of(metric, matchers + ', window=~"5m|1h|6h"') + " * 3600"
    return graph("Growth an hour", words, [(slopes, legend + " over {{window}}")], "bytes", empty=empty, **more)


def steps(*pairs):
    """steps(GREEN, (5, YELLOW), (9, RED)): the first colour is for everything below."""
    first, *rest = pairs
    return {
        "mode": "absolute",
        "steps": [{"color": first, "value": None}] + [{"color": color, "value": value} for value, color in rest],
    }


def steps_of_days():
    """Time left, as the alerts see it."""
    days = SETTINGS["thresholds"]
    return steps(RED, (days["days_page"], YELLOW), (days["days_ticket"], GREEN))


def steps_near(what):
    """Shares of a limit, as the alerts see them. what: pool or commit."""
    shares = SETTINGS["thresholds"]
    return steps(GREEN, (shares[what + "_near_ticket"], YELLOW), (shares[what + "_near_page"], RED))


def target(expression, legend="", instant=False, table=False):
    return {
        "datasource": DATASOURCE,
        "editorMode": "code",
        "expr": expression,
        "legendFormat": legend or "__auto",
        "instant": instant,
        "range": not instant,
        "format": "table" if table else "time_series",
    }


def panel(kind, title, description, targets, unit, thresholds=None, empty=None, **more):
    defaults = {
        "unit": unit,
        "thresholds": thresholds or steps(GREEN),
        "mappings": more.pop("mappings", []),
        "custom": more.pop("custom", {}),
        "color": more.pop("color", {"mode": "palette-classic"}),
    }
    defaults.update({name: more.pop(name) for name in ("decimals", "min", "max", "links") if name in more})
    if empty is not None:
        defaults["noValue"] = empty
    for index, row in enumerate(targets):
        row["refId"] = chr(ord("A") + index)
    return {
        "type": kind,
        "title": title,
        "description": description,
        "datasource": DATASOURCE,
        "targets": targets,
        "fieldConfig": {"defaults": defaults, "overrides": more.pop("overrides", [])},
        **more,
    }


def stat(title, description, expression, unit, thresholds=None, empty="no data", **more):
    options = {
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": more.pop("fields", ""), "values": False},
        "colorMode": "value",
        "graphMode": "none",
        "justifyMode": "auto",
        "textMode": more.pop("text", "auto"),
        "orientation": "auto",
    }
    more.setdefault("color", {"mode": "thresholds"})
    return panel(
        "stat", title, description, [target(expression, instant=True)], unit, thresholds, empty, options=options, **more
    )


def graph(
    title,
    description,
    rows,
    unit,
    thresholds=None,
    empty="no data in this time range",
    lines=False,
    stack=False,
    log=False,
    **more,
):
    """rows: (expression, legend). Links of a series name all its labels."""
    if "links" in more:
        rows = [(with_links(expression), *legend) for expression, *legend in rows]
    custom = {
        "drawStyle": "line",
        "lineWidth": 1,
        "fillOpacity": 30 if stack else 0,
        "showPoints": "never",
        "spanNulls": False,
        "stacking": {"mode": "normal" if stack else "none", "group": "A"},
        "thresholdsStyle": {"mode": "line" if lines else "off"},
        "scaleDistribution": {"type": "log", "log": 10} if log else {"type": "linear"},
    }
    options = {
        "legend": {
            "displayMode": "table",
            "placement": "bottom",
            "showLegend": True,
            "calcs": ["min", "max", "lastNotNull"],
            "sortBy": "Last *",
            "sortDesc": True,
        },
        "tooltip": {"mode": "multi", "sort": "desc"},
    }
    return panel(
        "timeseries",
        title,
        description,
        [target(*row) for row in rows],
        unit,
        thresholds,
        empty,
        custom=custom,
        options=options,
        **more,
    )


def column(name, *properties):
    """Settings of one table column: column("Time left", ("unit", "s"))"""
    return {
        "matcher": {"id": "byName", "options": name},
        "properties": [{"id": key, "value": value} for key, value in properties],
    }


def columns_like(name, *properties):
    """The same for every series whose legend begins so, whatever host it names."""
    return {
        "matcher": {"id": "byRegexp", "options": f"/^{name}\\b/"},
        "properties": [{"id": key, "value": value} for key, value in properties],
    }


def link(title, uid, host, **variables):
    """To another dashboard with the same time range; host: of a label, how to say its value in a row or a series."""
    hosts = {name: host(name if name in ("job", "instance") else "link_" + name) for name in HOST_LABELS}
    chosen = "".join(f"&var-{name}={value}" for name, value in {**hosts, **variables}.items())
    return {
        "title": title,
        "url": f"/d/{uid}?${{__url_time_range}}&${{datasource:queryparam}}{chosen}",
        "targetBlank": False,
    }


def of_series(label):
    return "${__field.labels.%s}" % label


def of_row(label):
    return cell({"instance": "Host", "job": "Job"}.get(label, label))


def cell(field):
    return '${__data.fields["%s"]:percentencode}' % field


def table(
    title, description, queries, columns, unit="short", thresholds=None, empty="nothing to show", sort=None, **more
):
    """queries: {column: expression}; columns: {label or value column: shown name} in order, what is not named is hidden."""
    overrides = more.pop("overrides", [])
    if "instance" in columns:
        hidden = ["link_" + name for name in more_labels()]
        shown = {name: name.capitalize() for name in ["job", *more_labels()]}
        columns = {**columns, **shown, **{name: name for name in hidden}}
        overrides = [*overrides, *(column(name, ("custom.hidden", True)) for name in hidden)]
        queries = {name: with_links(expression) for name, expression in queries.items()}
    targets = [target(expression, instant=True, table=True) for expression in queries.values()]
    values = {("Value" if len(queries) == 1 else f"Value #{chr(ord('A') + i)}"): name for i, name in enumerate(queries)}
    shown = {}
    for name, show in columns.items():
        shown[next((raw for raw, query in values.items() if query == name), name)] = show
    transformations = [] if len(queries) == 1 else [{"id": "merge", "options": {}}]
    transformations.append({"id": "filterFieldsByName", "options": {"include": {"names": list(shown)}}})
    transformations.append(
        {
            "id": "organize",
            "options": {
                "excludeByName": {},
                "indexByName": {name: index for index, name in enumerate(shown)},
                "renameByName": shown,
            },
        }
    )
    options = {
        "showHeader": True,
        "cellHeight": "sm",
        "footer": {"show": False},
        "sortBy": [{"displayName": sort[0], "desc": sort[1]}] if sort else [],
    }
    return panel(
        "table",
        title,
        description,
        targets,
        unit,
        thresholds,
        empty,
        transformations=transformations,
        options=options,
        custom={"filterable": False},
        color={"mode": "thresholds"},
        overrides=overrides,
        **more,
    )


def row(title):
    return {"type": "row", "title": title, "collapsed": False, "panels": []}


def layout(rows):
    """rows: a row() or (height, [(panel, width)]); gives the panels with their places and numbers."""
    panels, y = [], 0
    for item in rows:
        height, across = (1, [(item, GRID_WIDTH)]) if isinstance(item, dict) else item
        x = 0
        for one, width in across:
            panels.append({"id": len(panels) + 1, "gridPos": {"h": height, "w": width, "x": x, "y": y}, **one})
            x += width
        assert x <= GRID_WIDTH, (x, across[0][0]["title"])
        y += height
    return panels


def variable(name, label, query, multi=True, everyone=True):
    """everyone: offers All, which is then what a first visit shows."""
    wide = {"multi": True, "includeAll": everyone, "allValue": ".+"} if multi else {"multi": False, "includeAll": False}
    return {
        "name": name,
        "label": label,
        "type": "query",
        "datasource": {"type": "prometheus", "uid": "$datasource"},
        "query": query,
        "definition": query,
        "refresh": 2,
        "sort": 1,
        "hide": 0,
        "regex": "",
        "options": [],
        "current": {},
        **wide,
    }


def annotation(name, color, expression, title, text, step="1m"):
    return {
        "name": name,
        "datasource": DATASOURCE,
        "enable": True,
        "hide": False,
        "iconColor": color,
        "expr": expression,
        "titleFormat": title,
        "textFormat": text,
        "step": step,
        "useValueForTime": False,
    }


def dashboard(uid, title, description, rows, variables, annotations, time_from="now-30d"):
    built_in = {
        "builtIn": 1,
        "datasource": {"type": "grafana", "uid": "-- Grafana --"},
        "enable": True,
        "hide": True,
        "iconColor": "rgba(0, 211, 255, 1)",
        "name": "Annotations & Alerts",
        "type": "dashboard",
    }
    datasource = {
        "name": "datasource",
        "label": "Data source",
        "type": "datasource",
        "query": "prometheus",
        "refresh": 1,
        "hide": 0,
        "regex": "",
        "multi": False,
        "includeAll": False,
        "options": [],
        "current": {},
    }
    links = [
        {
            "type": "dashboards",
            "tags": ["kmem"],
            "title": "Kernel memory",
            "asDropdown": False,
            "includeVars": True,
            "keepTime": True,
            "targetBlank": False,
            "icon": "external link",
            "tooltip": "",
            "url": "",
        }
    ]
    return filled({
        "uid": uid,
        "title": title,
        "description": description,
        "tags": ["kmem"],
        "schemaVersion": 39,
        "version": 1,
        "editable": False,
        "graphTooltip": 1,
        "refresh": "1m",
        "timezone": "",
        "time": {"from": time_from, "to": "now"},
        "timepicker": {},
        "weekStart": "",
        "fiscalYearStartMonth": 0,
        "liveNow": False,
        "links": links,
        "annotations": {"list": [built_in, *annotations]},
        "templating": {"list": [datasource, *variables]},
        "panels": layout(rows),
    })


def job_and_instance(metric="kmem_exporter_build_info", everyone=True):
    """The host's labels, each of what those before it left. All jobs are those that have the metric: see of(). A label that
    no host has is All, which matches its absence."""
    rows, before = [], []
    for name in HOST_LABELS:
        of_those = "{" + ", ".join(before) + "}" if before else ""
        row = variable(
            name,
            name.capitalize(),
            f"label_values({metric}{of_those}, {name})",
            everyone=everyone if name in ("job", "instance") else True,
        )
        if name in more_labels():
            row["allValue"] = ".*"
        rows.append(row)
        before.append(f'{name}=~"${name}"')
    return rows


BOOTS = annotation(
    "Boots",
    BLUE,
    "(time() - " + of("kmem_boot_time_seconds") + ") * 1000 < 600000 + 2 * $__interval_ms",
    "Boot",
    "<<who>> started",
)
FAILURES = annotation(
    "Failed allocations",
    RED,
    "(time() - " + of("kmem_pool_failure_last_event_timestamp_seconds") + ") * 1000 < 600000 + 2 * $__interval_ms",
    "{{provider}} {{event_id}}",
    "<<who>>: the kernel could not allocate",
)
ALERTS = annotation(
    "Alerts",
    YELLOW,
    'ALERTS{alertname=~"Kmem.+", alertstate="firing", <<select>>}',
    "{{alertname}}",
    "<<who>> {{pool}} {{tag}}",
)
