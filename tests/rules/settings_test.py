"""One setting for external labels, severities and runbooks: what is committed comes from it, every join, query and link
keeps it, two sites with hosts of one name are told apart in every alert, and the mixin gives the same."""

import copy
import glob
import json
import os
import re
import subprocess
import sys
import tempfile
import unittest

import yaml
from rules_test import GROUPS, HERE, PROMTOOL, ROOT, RULES, SETTINGS, alerts, promtool_test, read, rules_of

DASHBOARDS = os.path.join(ROOT, "dashboards")
OTHER = {
    **SETTINGS,
    "host_labels": ["region", "job", "instance"],
    "severity": {"page": "critical", "ticket": "warning"},
    "runbooks": "https://wiki.corp.example/kmem",
    "grafana": "https://grafana.corp.example",
    "job": "kernel-.*",
    "time_zone": "Europe/Berlin",
    "mixin_rules": ["kmem-agent", "kmem-node-exporter"],
    "thresholds": {**SETTINGS["thresholds"], "pool_near_page": 0.85, "days_page": 5},
}


def generated(settings, folder):
    path = os.path.join(folder, "settings.json")
    with open(path, "w", encoding="utf-8") as out:
        json.dump(settings, out)
    return subprocess.run(
        [sys.executable, os.path.join(DASHBOARDS, "generate.py"), "--settings", path, "--out", folder],
        capture_output=True,
        text=True,
    )


def files(folder):
    return {
        name: read(os.path.join(folder, name))
        for name in ["mixin/rules.json", "alertmanager/alertmanager.yml", "alertmanager/kmem.tmpl"]
        + [f"prometheus/{file}.rules.yml" for file in GROUPS]
        + [f"grafana/{name}" for name in ("kmem-fleet.json", "kmem-host.json", "kmem-leak.json", "kmem-exporter.json")]
    }


def only(document, instance):
    """One host of the file's; without its peers there is no KmemFleetTagOutlier."""
    for test in document["tests"]:
        test["input_series"] = [row for row in test["input_series"] if f'instance="{instance}"' in row["series"]]
        for row in test["alert_rule_test"]:
            row["exp_alerts"] = [
                alert
                for alert in row["exp_alerts"]
                if alert["exp_labels"]["instance"] == instance and row["alertname"] != "KmemFleetTagOutlier"
            ]
    return document


def told(alert, site):
    """The description names the site right behind the host."""
    text, host = alert["exp_annotations"]["description"], alert["exp_labels"].get("instance")
    return text.replace(host, f"{host} of site {site}", 1) if host else text


def both_sites(document):
    """The same hosts in two sites: everything is said twice, each with its site."""
    document = copy.deepcopy(document)
    document["rule_files"] = [os.path.normpath(os.path.join(HERE, path)) for path in document["rule_files"]]
    for test in document["tests"]:
        test["input_series"] = [
            {**row, "series": row["series"].replace("{", f'{{site="{site}",', 1)}
            for row in test["input_series"]
            for site in ("berlin", "hamburg")
        ]
        for row in test["alert_rule_test"]:
            row["exp_alerts"] = [
                {
                    "exp_labels": {**alert["exp_labels"], "site": site},
                    "exp_annotations": {
                        **alert["exp_annotations"],
                        "description": told(alert, site),
                        **{
                            name: re.sub(r"(var-instance=[^&]*)", rf"\1&var-site={site}", text)
                            for name, text in alert["exp_annotations"].items()
                            if name == "dashboard_url"
                        },
                    },
                }
                for alert in row["exp_alerts"]
                for site in ("berlin", "hamburg")
            ]
    return document


class Sites(unittest.TestCase):
    def test_every_alert_is_told_once_a_site_where_two_sites_share_the_names_of_their_hosts(self):
        paths = sorted(set(glob.glob(os.path.join(HERE, "texts_*.yml"))) - {os.path.join(HERE, "texts_sites.yml")})
        self.assertGreater(len(paths), 4)
        for path in paths:
            document = yaml.safe_load(read(path))
            if path.endswith("texts_floors.yml"):  # weeks of every rule: one host says enough
                document = only(document, "old:10054")
            document = both_sites(document)
            with tempfile.NamedTemporaryFile("w", suffix=".yml", prefix="kmem-sites-") as out:
                json.dump(document, out)
                out.flush()
                code, output = promtool_test(out.name)
            self.assertEqual(code, 0, f"{path}: {output}")

    def test_every_join_keeps_every_label(self):
        labels, peers = SETTINGS["host_labels"], [name for name in SETTINGS["host_labels"] if name != "instance"]
        joins = 0
        texts = [(file, text) for file in GROUPS for rule in rules_of(file) for text in [rule["expr"]]]
        for path in glob.glob(os.path.join(DASHBOARDS, "grafana/*.json")):
            dashboard = json.loads(read(path))
            texts += [
                (path, row["expr"]) for panel in dashboard["panels"] for row in panel.get("targets", [])
            ]
        for where, text in texts:
            for kind, inside in re.findall(r"\b(on|by) ?\(([^)]*)\)", text):
                named = [name.strip() for name in inside.split(",")]
                if kind == "by" and named == ["pool"]:
                    continue
                if "job" in named:
                    joins += 1
                    self.assertEqual(named[: len(peers)], peers, f"{where}: {text}")
                if "instance" in named:
                    self.assertEqual(named[: len(labels)], labels, f"{where}: {text}")
                if kind == "on" and named != [""]:  # nothing in common: whether there is anything at all
                    self.assertIn("job", named, f"{where}: {text}")
        self.assertGreater(joins, 60)

    def test_every_query_in_an_alerts_text_asks_its_own_host(self):
        labels = SETTINGS["host_labels"]
        wanted, peers = [f"{name}=%q" for name in labels], [f"{name}=%q" for name in labels if name != "instance"]
        asked = 0
        for file, rule in alerts():
            for query in re.findall(r'printf "((?:[^"\\]|\\.)*)"[^}]*\| query', rule["annotations"]["description"]):
                for selector in re.findall(r"\{([^}]*)\}", query):
                    expected = peers if ":median" in query or rule["alert"] == "KmemHostsDown" else wanted
                    self.assertEqual(selector.split(",")[: len(expected)], expected, f"{file}: {query}")
                    asked += 1
        self.assertGreater(asked, 100)

    def test_alertmanager_groups_and_silences_within_a_site(self):
        config = yaml.safe_load(read(os.path.join(DASHBOARDS, "alertmanager/alertmanager.yml")))
        for labels in [config["route"]["group_by"], *(rule["equal"] for rule in config["inhibit_rules"])]:
            self.assertLessEqual(set(SETTINGS["host_labels"]) - {"instance"}, set(labels))
        of_one_host = [rule for rule in config["inhibit_rules"] if "instance" in rule["equal"]]
        (many,) = [rule["source_matchers"] for rule in config["inhibit_rules"] if rule not in of_one_host]
        self.assertEqual(many, ['alertname="KmemHostsDown"'])


class Settings(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="kmem-settings-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def test_what_is_committed_is_what_the_generator_writes(self):
        done = generated(SETTINGS, self.folder)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(files(self.folder), files(DASHBOARDS))

    def test_other_settings_reach_every_file(self):
        done = generated(OTHER, self.folder)
        self.assertEqual(done.returncode, 0, done.stderr)
        made = files(self.folder)
        rules = [os.path.join(self.folder, f"prometheus/{file}.rules.yml") for file in GROUPS]
        self.assertEqual(subprocess.run([PROMTOOL, "check", "rules", *rules], capture_output=True).returncode, 0)
        check = subprocess.run(
            ["amtool", "check-config", os.path.join(self.folder, "alertmanager/alertmanager.yml")], capture_output=True
        )
        self.assertEqual(check.returncode, 0, check.stdout)
        for name, text in made.items():
            self.assertNotRegex(text, r"\b(site|cluster)\b(=~|=%q|,)", name)
            if name != "mixin/rules.json":  # which has the words still to be filled in
                self.assertNotIn("<<", text, name)
                self.assertNotRegex(text, r'severity(: |="|=~")(page|ticket)', name)
        agent = yaml.safe_load(made["prometheus/kmem-agent.rules.yml"])
        near = [rule for group in agent["groups"] for rule in group["rules"] if rule.get("alert") == "KmemPoolNearLimit"]
        self.assertEqual([rule["labels"]["severity"] for rule in near], ["critical", "warning"])
        self.assertIn("> 0.85", near[0]["expr"])
        self.assertIn("location: Europe/Berlin", made["alertmanager/alertmanager.yml"])
        for group in agent["groups"]:
            for rule in group["rules"]:
                if "alert" in rule:
                    self.assertRegex(
                        rule["annotations"]["runbook_url"], rf"^https://wiki\.corp\.example/kmem/{rule['alert']}(\?|$)"
                    )
        fleet = {panel["title"]: panel for panel in json.loads(made["grafana/kmem-fleet.json"])["panels"]}
        for title, values in (
            ("Pool used of its limit", [None, 0.8, 0.85]),
            ("Commit used of its limit", [None, 0.9, 0.95]),
            ("First to run out", [None, 5, 14]),
        ):
            colours = fleet[title]["fieldConfig"]["defaults"]["thresholds"]["steps"]
            self.assertEqual([row["value"] for row in colours], values, title)
        self.assertIn('up{job=~\\"kernel-.*\\", ', made["grafana/kmem-fleet.json"])
        variables = [row["name"] for row in json.loads(made["grafana/kmem-host.json"])["templating"]["list"]]
        self.assertEqual(variables, ["datasource", "region", "job", "instance", "pool"])

    def test_settings_that_cannot_be_are_refused(self):
        for change, word in (
            ({"host_labels": ["site", "instance"]}, "host_labels"),
            ({"host_labels": ["job", "job", "instance"]}, "host_labels"),
            ({"host_labels": ["job", "instance", "a b"]}, "a b"),
            ({"severity": {"page": "x", "ticket": "x"}}, "severity"),
            ({"time_zone": "Berlin time"}, "time_zone"),
            ({"mixin_rules": ["kmem-agents"]}, "mixin_rules"),
            ({"tresholds": 1}, "tresholds is no setting"),
            ({"thresholds": {**SETTINGS["thresholds"], "day_page": 1}}, "thresholds.day_page is no setting"),
            ({"thresholds": {"days_page": 3}}, "thresholds.days_ticket is missing"),
            ({"thresholds": {**SETTINGS["thresholds"], "days_page": 30}}, "days_page is more than days_ticket"),
            ({"thresholds": {**SETTINGS["thresholds"], "pool_near_page": 0.7}}, "pool_near_page is less"),
            ({"thresholds": {**SETTINGS["thresholds"], "commit_near_page": 95}}, "thresholds.commit_near_page: want a share"),
            ({"severity": "page"}, "severity: want"),
            ({"scheme": "ftp"}, "scheme"),
            ({"job": "kmem["}, "job: no regular expression"),
            ({"time_zone": "Berlin"}, "time_zone"),
            ({"runbooks": "https://wiki/x/"}, "runbooks: want"),
        ):
            done = generated({**SETTINGS, **change}, self.folder)
            self.assertEqual(done.returncode, 1)
            self.assertIn(word, done.stderr)
            self.assertNotIn("Traceback", done.stderr)

    def test_the_mixin_gives_the_same_rules_and_dashboards(self):
        for settings in (SETTINGS, OTHER):
            done = generated(settings, self.folder)
            self.assertEqual(done.returncode, 0, done.stderr)
            mixin = os.path.join(DASHBOARDS, "mixin/mixin.libsonnet")
            changed = f"((import '{mixin}') + {{ _config:: {json.dumps(settings)} }})"
            made = subprocess.run(
                ["jsonnet", "-e", f"local m = {changed}; {{ rules: m.prometheusRulesFiles, all: m.prometheusRules, "
                 "alerts: m.prometheusAlerts, dashboards: m.grafanaDashboards }"],
                capture_output=True,
                text=True,
            )
            self.assertEqual(made.returncode, 0, made.stderr)
            made = json.loads(made.stdout)
            for file in GROUPS:
                name = f"{file}.rules.yml"
                self.assertEqual(
                    made["rules"][name], yaml.safe_load(read(os.path.join(self.folder, "prometheus", name))), name
                )
            self.assertEqual(set(made["rules"]), {f"{file}.rules.yml" for file in GROUPS})
            chosen = [f"{file}.rules.yml" for file in settings["mixin_rules"]]
            self.assertEqual(made["all"]["groups"], [group for name in chosen for group in made["rules"][name]["groups"]])
            self.assertEqual(
                sum(len(group["rules"]) for group in made["alerts"]["groups"]),
                sum("alert" in rule for group in made["all"]["groups"] for rule in group["rules"]),
            )
            path = os.path.join(self.folder, "all.json")
            with open(path, "w", encoding="utf-8") as out:
                json.dump(made["all"], out)
            check = subprocess.run([PROMTOOL, "check", "rules", path], capture_output=True, text=True)
            self.assertEqual(check.returncode, 0, check.stderr)
            self.assertNotIn("duplicate", check.stdout)
        for name, dashboard in made["dashboards"].items():
            self.assertEqual(dashboard, json.loads(read(os.path.join(DASHBOARDS, "grafana", name))))


if __name__ == "__main__":
    unittest.main(verbosity=2)
