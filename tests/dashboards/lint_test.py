"""The committed dashboards are what the generator writes, and keep the 17 rules of grafana/dashboard-linter."""

import json
import os
import re
import subprocess
import sys
import tempfile
import unittest

import yaml

import dashboards
from dashboards import FOLDER, UIDS, load, panels_of, selectors

RULES = {}
UNITS = {"none", "short", "bytes", "percentunit", "s", "ops", "reqps", "dateTimeAsIso", "suffix: days"}
LINTED_PANELS = ("stat", "table", "timeseries")


def rule(name):
    def register(check):
        RULES[name] = check
        return check

    return register


def variables(dashboard, kind=None):
    return [row for row in dashboard["templating"]["list"] if kind in (None, row["type"])]


def targets(dashboard):
    for panel in panels_of(dashboard):
        for index, target in enumerate(panel.get("targets", [])):
            yield panel, index, target


def finding(text, panel=None, target=None):
    return {"text": text, "panel": panel and panel["title"], "targetIdx": None if target is None else str(target)}


@rule("template-datasource-rule")
def _(dashboard):
    named = [(row["name"], row["label"], row["query"]) for row in variables(dashboard, "datasource")]
    if named != [("datasource", "Data source", "prometheus")]:
        yield finding(f"data source variable: {named}")


def required_variable(dashboard, name):
    rows = [row for row in variables(dashboard, "query") if row["name"] == name]
    if len(rows) != 1:
        yield finding(f"{len(rows)} variables {name}")
        return
    row = rows[0]
    if row["datasource"]["uid"] not in ("$datasource", "${datasource}"):
        yield finding(f"{name} does not use the data source variable")
    if row["label"] != name.capitalize() or not row["multi"] or row.get("allValue") != ".+":
        yield finding(f"{name}: label, multi or allValue")


@rule("template-job-rule")
def _(dashboard):
    yield from required_variable(dashboard, "job")


@rule("template-instance-rule")
def _(dashboard):
    yield from required_variable(dashboard, "instance")


@rule("template-label-promql-rule")
def _(dashboard):
    for row in variables(dashboard, "query"):
        found = re.fullmatch(r"(label_values|label_names|metrics|query_result)\(.+\)", row["query"])
        if not found or not selectors(dashboards.variable_query(row["query"])):
            yield finding(f"{row['name']}: {row['query']}")


@rule("template-on-time-change-reload-rule")
def _(dashboard):
    for row in variables(dashboard, "query"):
        if row["refresh"] != 2:
            yield finding(f"{row['name']} is not refreshed when the time range changes")


@rule("panel-datasource-rule")
def _(dashboard):
    for panel in panels_of(dashboard):
        if panel["datasource"] != {"type": "prometheus", "uid": "${datasource}"}:
            yield finding("data source", panel)


@rule("panel-title-description-rule")
def _(dashboard):
    for panel in panels_of(dashboard):
        if not panel["title"] or not panel["description"]:
            yield finding("title or description is missing", panel)


@rule("panel-units-rule")
def _(dashboard):
    for panel in panels_of(dashboard):
        units = [panel["fieldConfig"]["defaults"]["unit"]]
        units += [
            prop["value"]
            for row in panel["fieldConfig"]["overrides"]
            for prop in row["properties"]
            if prop["id"] == "unit"
        ]
        if not UNITS.issuperset(units):
            yield finding(f"units {units}", panel)


@rule("panel-no-targets-rule")
def _(dashboard):
    for panel in panels_of(dashboard):
        if not panel.get("targets"):
            yield finding("no targets", panel)


@rule("target-logql-rule")
def _(dashboard):
    for panel, index, target in targets(dashboard):
        if target["datasource"]["type"] != "prometheus":
            yield finding("not a Prometheus target", panel, index)


@rule("target-logql-auto-rule")
def _(dashboard):
    for panel, index, target in targets(dashboard):
        if "$__auto" in target["expr"]:
            yield finding("$__auto belongs to LogQL", panel, index)


def parses(expression, folder):
    """promtool's word on an expression, as a rule of its own."""
    filled = dashboards.Filled({name: "x" for name in ("job", "instance", "pool", "tag")}, 86400)(expression)
    path = os.path.join(folder, "rules.yml")
    with open(path, "w", encoding="utf-8") as out:
        json.dump({"groups": [{"name": "one", "rules": [{"record": "x:x:x", "expr": filled}]}]}, out)
    done = subprocess.run(["promtool", "check", "rules", path], capture_output=True, text=True)
    return done.returncode == 0, done.stdout + done.stderr


@rule("target-promql-rule")
def _(dashboard):
    """All in one file first: promtool names each that does not parse."""
    filled = dashboards.Filled({name: "x" for name in ("job", "instance", "pool", "tag")}, 86400)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "rules.yml")
        rows = [
            {"record": f"x:x:x{i}", "expr": filled(target["expr"])}
            for i, (_, _, target) in enumerate(targets(dashboard))
        ]
        with open(path, "w", encoding="utf-8") as out:
            json.dump({"groups": [{"name": "all", "rules": rows}]}, out)
        if subprocess.run(["promtool", "check", "rules", path], capture_output=True).returncode == 0:
            return
        for panel, index, target in targets(dashboard):
            fine, why = parses(target["expr"], folder)
            if not fine:
                yield finding(why, panel, index)


@rule("target-rate-interval-rule")
def _(dashboard):
    for panel, index, target in targets(dashboard):
        for metric, _, over, function in selectors(target["expr"]):
            if function in ("rate", "irate") and over != "[$__rate_interval]":
                yield finding(f"{function}({metric}{over})", panel, index)


def required_matcher(dashboard, name):
    for panel, index, target in targets(dashboard):
        for metric, matchers, _, _ in selectors(target["expr"]):
            if matchers.get(name) != ("=~", f"${name}"):
                yield finding(f'{metric} without {name}=~"${name}"', panel, index)


@rule("target-job-rule")
def _(dashboard):
    yield from required_matcher(dashboard, "job")


@rule("target-instance-rule")
def _(dashboard):
    yield from required_matcher(dashboard, "instance")


@rule("target-counter-agg-rule")
def _(dashboard):
    for panel, index, target in targets(dashboard):
        for metric, _, over, function in selectors(target["expr"]):
            if metric.endswith("_total") and (function not in ("rate", "irate", "increase") or over is None):
                yield finding(f"{metric} is a counter", panel, index)


@rule("uneditable-dashboard")
def _(dashboard):
    if dashboard["editable"]:
        yield finding("editable")


def exclusions():
    """(rule, dashboard, panel, targetIdx or None) -> reason, of the .lint file"""
    with open(os.path.join(FOLDER, ".lint"), encoding="utf-8") as file:
        read = yaml.safe_load(file)
    return {
        (name, entry["dashboard"], entry["panel"], entry.get("targetIdx")): entry.get("reason") or rows.get("reason")
        for name, rows in read["exclusions"].items()
        for entry in rows["entries"]
    }


class Lint(unittest.TestCase):
    def test_the_committed_json_is_what_the_generator_writes(self):
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run([sys.executable, os.path.join(FOLDER, "generate.py"), folder], check=True)
            self.assertEqual(sorted(os.listdir(folder)), sorted(uid + ".json" for uid in UIDS))
            for name in os.listdir(folder):
                with (
                    open(os.path.join(folder, name), encoding="utf-8") as made,
                    open(os.path.join(FOLDER, name), encoding="utf-8") as committed,
                ):
                    self.assertEqual(made.read(), committed.read(), name)

    def test_the_17_rules(self):
        self.assertEqual(len(RULES), 17)
        excluded, used = exclusions(), set()
        for uid, dashboard in load().items():
            for name, check in RULES.items():
                for found in check(dashboard):
                    keys = [(name, dashboard["title"], found["panel"], index) for index in (found["targetIdx"], None)]
                    key = next((key for key in keys if key in excluded), None)
                    used.add(key)
                    self.assertIsNotNone(key, f"{uid}: {name}: {found}")
        self.assertEqual(set(excluded) - used, set(), "exclusions of nothing")
        for key, reason in excluded.items():
            self.assertTrue(reason, f"no reason for {key}")

    def test_the_rules_see_what_is_wrong(self):
        """A dashboard with one fault a rule: each is found by its rule."""

        def broken(change):
            dashboard = json.loads(json.dumps(load()["kmem-exporter"]))
            first = panels_of(dashboard)[0]
            change(dashboard, first, first["targets"][0], {row["name"]: row for row in dashboard["templating"]["list"]})
            return {name for name, check in RULES.items() if list(check(dashboard))}

        def expression(text):
            return lambda d, p, t, v: t.update(expr=text)

        chosen = 'job=~"$job", instance=~"$instance"'
        self.assertEqual(broken(lambda d, p, t, v: None), set())
        for name, change in {
            "template-datasource-rule": lambda d, p, t, v: v["datasource"].update(name="source"),
            "template-job-rule": lambda d, p, t, v: v["job"].update(multi=False),
            "template-instance-rule": lambda d, p, t, v: v["instance"].update(allValue=None),
            "template-label-promql-rule": lambda d, p, t, v: v["job"].update(query="labels(up, job)"),
            "template-on-time-change-reload-rule": lambda d, p, t, v: v["job"].update(refresh=1),
            "panel-datasource-rule": lambda d, p, t, v: p.update(datasource={"type": "prometheus", "uid": "abc"}),
            "panel-title-description-rule": lambda d, p, t, v: p.update(description=""),
            "panel-units-rule": lambda d, p, t, v: p["fieldConfig"]["defaults"].update(unit="furlongs"),
            "panel-no-targets-rule": lambda d, p, t, v: p.update(targets=[]),
            "target-logql-rule": lambda d, p, t, v: t.update(datasource={"type": "loki", "uid": "x"}),
            "target-logql-auto-rule": expression(f'up{{{chosen}, range="$__auto"}}'),
            "target-promql-rule": expression(f"sum(up{{{chosen}}}"),
            "target-rate-interval-rule": expression(f"rate(up{{{chosen}}}[5m])"),
            "target-job-rule": expression('up{instance=~"$instance"}'),
            "target-instance-rule": expression('up{job=~"$job"}'),
            "target-counter-agg-rule": expression(f"x_total{{{chosen}}}"),
            "uneditable-dashboard": lambda d, p, t, v: d.update(editable=True),
        }.items():
            self.assertEqual(broken(change), {name})

    def test_what_a_file_must_have_to_be_provisioned(self):
        for uid, dashboard in load().items():
            self.assertEqual(dashboard["schemaVersion"], 39)
            self.assertNotIn("id", dashboard)
            self.assertNotIn("__inputs", dashboard)
            self.assertEqual(dashboard["uid"], uid)
            self.assertEqual(len({panel["id"] for panel in dashboard["panels"]}), len(dashboard["panels"]))
            self.assertTrue(all(panel["type"] in (*LINTED_PANELS, "row") for panel in dashboard["panels"]))
            self.assertTrue([link for link in dashboard["links"] if link["tags"] == ["kmem"] and link["includeVars"]])
            self.assertGreater(len(dashboard["annotations"]["list"]), 1)
            for panel in panels_of(dashboard):
                self.assertTrue(panel["fieldConfig"]["defaults"].get("noValue"), panel["title"])
                self.assertIsNone(panel["fieldConfig"]["defaults"]["thresholds"]["steps"][0]["value"])

    def test_what_shrinks_is_not_cut_off(self):
        """A slope below 0 is a pool that gives back."""
        slopes = [
            panel
            for dashboard in load().values()
            for panel in panels_of(dashboard)
            if panel["type"] == "timeseries" and any(re.search("_trend_(bytes|a_day)", target["expr"]) for target in panel["targets"])
        ]
        self.assertEqual(
            sorted(panel["title"] for panel in slopes),
            ["Growth a day", "Growth an hour", "Growth an hour", "Growth of the pools, a day"],
        )
        for panel in slopes:
            shown = panel["fieldConfig"]["defaults"]
            self.assertNotIn("min", shown, panel["title"])
            self.assertEqual(shown["custom"]["scaleDistribution"], {"type": "linear"})

    def test_what_fleet_draws_over_time_follows_no_host(self):
        """Points of every host of 10,000 are more samples than Prometheus holds for a query."""
        fleet = load()["kmem-fleet"]
        drawn = [target["expr"] for panel in panels_of(fleet) for target in panel["targets"] if not target["instant"]]
        drawn += [row["expr"] for row in fleet["annotations"]["list"] if "expr" in row]
        self.assertEqual(len(drawn), 7)
        for metric, *_ in (found for expression in drawn for found in selectors(expression)):
            self.assertTrue(metric.endswith(":leaders") or metric == "ALERTS", metric)

    def test_what_exporter_draws_over_time_is_of_those_that_lead(self):
        exporter = load()["kmem-exporter"]
        drawn = [target["expr"] for panel in panels_of(exporter) for target in panel["targets"] if not target["instant"]]
        drawn += [row["expr"] for row in exporter["annotations"]["list"] if "expr" in row]
        self.assertEqual(len(drawn), 15)
        (shown,) = [row for row in exporter["templating"]["list"] if row["name"] == "shown"]
        leading = {metric for metric, *_ in selectors(dashboards.variable_query(shown["query"]))}
        others = {"kmem_pool_tag_bytes", "kmem_exporter_http_request_duration_seconds_bucket"}  # of those with most tags, and slow to scrape
        for expression in drawn:
            self.assertEqual(expression.count('instance=~"$shown"'), len(selectors(expression)), expression)
            self.assertLessEqual({metric for metric, *_ in selectors(expression)}, leading | others)

    def test_a_link_of_a_series_names_only_labels_that_its_queries_give(self):
        linked = 0
        for uid, dashboard in load().items():
            for panel in panels_of(dashboard):
                for label in re.findall(r"__field\.labels\.(\w+)", json.dumps(panel["fieldConfig"])):
                    linked += 1
                    for target in panel["targets"]:
                        if label.startswith("link_"):
                            self.assertIn(f'"{label}", "All", "{label}", ""', target["expr"], f"{uid}: {panel['title']}")
                        else:
                            self.assertIn("{{%s}}" % label, target["legendFormat"], f"{uid}: {panel['title']}")
        self.assertEqual(linked, 5 * 4)

    def test_legends_and_tables_tell_the_job(self):
        for uid, dashboard in load().items():
            for panel in panels_of(dashboard):
                for target in panel["targets"]:
                    if "{{instance}}" in target["legendFormat"]:
                        self.assertIn("{{instance}} {{job}} {{cluster}} {{site}}", target["legendFormat"], f"{uid}: {panel['title']}")
                renamed = [row["options"]["renameByName"] for row in panel.get("transformations", []) if row["id"] == "organize"]
                if renamed and "instance" in renamed[0]:
                    self.assertEqual(renamed[0]["job"], "Job", f"{uid}: {panel['title']}")

    def test_all_jobs_are_all_exporters_and_nothing_else_that_is_scraped(self):
        for uid, dashboard in load().items():
            (job,) = [row for row in dashboard["templating"]["list"] if row["name"] == "job"]
            self.assertEqual(job["includeAll"], uid in ("kmem-fleet", "kmem-exporter"), uid)
            for panel, _, target in targets(dashboard):
                for name, inside in re.findall(r"\b(up|(?:scrape|process)_\w+)(\{[^}]*\}|(?=[^\w({]))", target["expr"]):
                    self.assertIn('{job=~"kmem.*", ', inside, f"{uid}: {panel['title']}: {name}")

    def test_entries_of_page_tables_are_not_drawn_as_bytes(self):
        for uid, dashboard in load().items():
            for panel, _, target in targets(dashboard):
                for metric, _, _, _ in selectors(target["expr"]):
                    if metric in ("kmem_exhaustion_room", "kmem_exhaustion_pace_per_second"):
                        self.assertIn('resource!="system_ptes"', target["expr"], f"{uid}: {panel['title']}")

    def test_panels_do_not_overlap(self):
        for uid, dashboard in load().items():
            cells = set()
            for panel in dashboard["panels"]:
                place = panel["gridPos"]
                self.assertLessEqual(place["x"] + place["w"], 24)
                mine = {
                    (x, y)
                    for x in range(place["x"], place["x"] + place["w"])
                    for y in range(place["y"], place["y"] + place["h"])
                }
                self.assertFalse(cells & mine, f"{uid}: {panel['title']}")
                cells |= mine

    def test_links_lead_to_dashboards_and_columns_that_exist(self):
        text = json.dumps(load())
        self.assertLessEqual(set(re.findall(r"/d/([a-z-]+)", text)), set(UIDS))
        for dashboard in load().values():
            for panel in panels_of(dashboard):
                fields = set(re.findall(r'__data\.fields\[\\"(\w+)\\"\]', json.dumps(panel)))
                shown = [
                    row["options"]["renameByName"]
                    for row in panel.get("transformations", [])
                    if row["id"] == "organize"
                ]
                for field in fields:
                    self.assertIn(field, shown[0].values(), panel["title"])


class Compose(unittest.TestCase):
    PATH = os.path.join(dashboards.SOURCE_DIR, "packaging/stack/compose.yml")

    def setUp(self):
        with open(self.PATH, encoding="utf-8") as file:
            self.services = yaml.safe_load(file)["services"]

    def test_docker_compose_takes_it(self):
        # A copy, with a place for its state: root's home may not be writable.
        done = subprocess.run(["docker-compose", "-f", self.PATH, "config"], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(set(yaml.safe_load(done.stdout)["services"]), set(self.services))

    def test_what_it_mounts_and_copies_exists(self):
        folder = os.path.dirname(self.PATH)
        mounts = [row.split(":")[0] for service in self.services.values() for row in service.get("volumes", [])]
        mounts = [path for path in mounts if path.startswith(".")]
        self.assertEqual(len(mounts), 3)
        with open(os.path.join(folder, "Dockerfile"), encoding="utf-8") as file:
            copied = re.findall(r"^COPY (?!--from)(\S+) ", file.read(), re.MULTILINE)
        self.assertGreater(len(copied), 2)
        for path in mounts:
            self.assertTrue(os.path.exists(os.path.join(folder, path)), path)
        for path in copied:
            self.assertTrue(os.path.exists(os.path.join(dashboards.SOURCE_DIR, path)), path)

    def test_the_servers_take_what_its_first_container_prepares(self):
        command = self.services["prepare"]["command"][0].split(" && ")[0].split()
        self.assertEqual(command[:3], ["python3", "/opt/kmem/packaging/stack/stack.py", "prepare"])
        with tempfile.TemporaryDirectory() as data:
            os.mkdir(os.path.join(data, "prometheus"))  # history that is there is left alone
            command[:2] = [sys.executable, os.path.join(os.path.dirname(self.PATH), "stack.py")]
            command = [data if word == "/data" else word for word in command]
            subprocess.run(command, check=True)
            self.assertEqual(os.listdir(os.path.join(data, "prometheus")), [])
            with open(os.path.join(data, "prometheus.yml"), encoding="utf-8") as file:
                text = file.read()
            self.assertNotIn("127.0.0.1", text)
            self.assertNotIn("@", text.split("\n", 1)[1])
            # What it is told is what the containers are called and mount.
            hosts = set(re.findall(r'"(\w+):\d+"', text))
            self.assertLessEqual(hosts, set(self.services))
            self.assertTrue({"exporter", "demo", "prometheus", "alertmanager"} <= hosts, hosts)
            self.assertIn("/etc/kmem/rules/*.rules.yml", text)
            self.assertIn("../../dashboards/prometheus:/etc/kmem/rules:ro", self.services["prometheus"]["volumes"])
            for tool, name in (
                ("promtool check config", "prometheus.yml"),
                ("amtool check-config", "alertmanager.yml"),
            ):
                done = subprocess.run([*tool.split(), os.path.join(data, name)], capture_output=True, text=True)
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
