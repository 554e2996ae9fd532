"""The rules, as promtool and amtool of Debian see them: 8 weeks by the hour of what leaks and what does not, the words of
every alert, and that names, runbooks and routes belong together.
Also a tool: `rules_test.py --rates 30` says how often layer 2 calls a made-up history a leak, and after how many days."""
import glob
import json
import os
import re
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from histories import BENIGN, DAY, HOURS, LEAKS, MIB, ONSET, Host, judged_host, windows_exporter_host, young_host

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
RULES = os.path.join(ROOT, "dashboards/prometheus")
RUNBOOKS = os.path.join(ROOT, "dashboards/runbooks")
ALERTMANAGER = os.path.join(ROOT, "dashboards/alertmanager/alertmanager.yml")
GROUPS = {"kmem-windows-exporter": ["kmem-windows-exporter-floors", "kmem-windows-exporter-alerts"],
          "kmem-floors": ["kmem-floors", "kmem-floors-alerts"],
          "kmem-agent": ["kmem-leaks", "kmem-levels", "kmem-exporter"]}
FIRED = 'ALERTS{{instance="{host}",alertstate="firing"{more}}}'


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def alerts_of(path):
    """[(name, its text in the file)]: our own files, so our own layout is known."""
    parts = re.split(r"^ {6}- alert: ", read(path), flags=re.M)[1:]
    return [(part.split("\n", 1)[0], re.split(r"^ {6}- record: |^ {2}- name: ", part, flags=re.M)[0]) for part in parts]


def promtool_test(hosts, files, evaluation, expectations):
    """A running `promtool test rules` over the hosts' series."""
    tests = []
    for host in hosts:
        expected = expectations[host.shape]
        tests.append({"expr": f"group by (alertname, severity) (max_over_time({FIRED.format(host=host.name, more='')}[56d:6h]))",
                      "eval_time": f"{HOURS - 1}h",
                      "exp_samples": [{"labels": f'{{alertname="{name}", severity="{severity}"}}', "value": 1}
                                      for name, severity in sorted(expected)]})
        for (name, severity), (first, last) in expected.items():
            more = f',alertname="{name}",severity="{severity}"'
            tests.append({"expr": f"group((min(min_over_time(timestamp({FIRED.format(host=host.name, more=more)})[56d:6h]))"
                                  f" / {DAY} >= {first}) <= {last})",
                          "eval_time": f"{HOURS - 1}h", "exp_samples": [{"labels": "{}", "value": 1}]})
        if host.shape == "leakstale":  # and what is gone is said no more
            tests.append({"expr": f'count(ALERTS{{instance="{host.name}"}})', "eval_time": "1120h", "exp_samples": []})
    order = [group for file, groups in GROUPS.items() if file in files for group in groups if "alerts" not in group]
    order += [group for file, groups in GROUPS.items() if file in files for group in groups if "alerts" in group]
    document = {"rule_files": [os.path.join(RULES, f"{file}.rules.yml") for file in files],
                "evaluation_interval": evaluation, "group_eval_order": order,
                "tests": [{"interval": "1h", "input_series": [line for host in hosts for line in host.series],
                           "promql_expr_test": tests}]}
    with tempfile.NamedTemporaryFile("w", suffix=".yml", prefix="kmem-rules-", delete=False) as file:
        json.dump(document, file)
    process = subprocess.Popen(["promtool", "test", "rules", file.name], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               text=True)
    return process, file.name


SILENT = {shape: {} for shape in BENIGN}
LEAK, RUNOUT = "KmemPoolLeakSuspected", "KmemPoolExhaustionPredicted"
# (alert, severity) -> between which days it first fires; leaks begin on day 10, the judging exporter says so on day 21.
JUDGED = SILENT | {
    "leak05": {(LEAK, "ticket"): (21, 21.5), ("KmemPagedPoolAboveTrimThreshold", "ticket"): (45, 56),
               ("KmemPoolNearLimit", "ticket"): (45, 56)},
    "leak1": {(LEAK, "ticket"): (21, 21.5), ("KmemPagedPoolAboveTrimThreshold", "ticket"): (28, 40),
              ("KmemPoolNearLimit", "ticket"): (28, 40)},
    "leak2": {(LEAK, "ticket"): (21, 21.5), ("KmemPagedPoolAboveTrimThreshold", "ticket"): (18, 25),
              ("KmemPoolNearLimit", "ticket"): (18, 25), ("KmemPoolNearLimit", "page"): (28, 37),
              (RUNOUT, "ticket"): (24, 33), (RUNOUT, "page"): (32, 41),
              ("KmemCommitNearLimit", "ticket"): (35, 42), ("KmemCommitNearLimit", "page"): (39, 46)},
    "leakgap": {(LEAK, "ticket"): (21, 21.5), ("KmemPagedPoolAboveTrimThreshold", "ticket"): (20, 30),
                ("KmemPoolNearLimit", "ticket"): (20, 30), ("KmemPoolNearLimit", "page"): (34, 45),
                (RUNOUT, "ticket"): (30, 42), (RUNOUT, "page"): (42, 52), ("KmemCommitNearLimit", "ticket"): (45, 54)},
    "leakstale": {(LEAK, "ticket"): (21, 21.5), ("KmemPagedPoolAboveTrimThreshold", "ticket"): (20, 30),
                  ("KmemPoolNearLimit", "ticket"): (20, 30), ("KmemPoolNearLimit", "page"): (32, 42),
                  (RUNOUT, "ticket"): (30, 42)},
}
