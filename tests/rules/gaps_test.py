"""What alerts do while a host is not seen: a missed scrape ends none, a host that dies of its problem is a page, what is gone is
told for 15 minutes and no longer; and what has happened is told although its ticket would wait for Monday."""

import json
import os
import re
import tempfile
import unittest

import yaml
from rules_test import PAGE, ROOT, RULES, TICKET, alerts, left_open, promtool_test, read

HOST = 'job="kmem",instance="a:1"'
FIRING = 'ALERTS{alertstate="firing"}'
# Metrics of a host for which every trend and level alert of the agent's layer fires.
TROUBLE = {
    f'kmem_pool_bytes{{{HOST},pool="paged"}}': 95,
    f'kmem_pool_limit_bytes{{{HOST},pool="paged"}}': 100,
    f'kmem_pool_trim_threshold_bytes{{{HOST},pool="paged"}}': 80,
    f'kmem_exhaustion_seconds{{{HOST},resource="paged"}}': 100_000,
    f'kmem_exhaustion_seconds{{{HOST},resource="commit"}}': 100_000,
    f"kmem_commit_bytes{{{HOST}}}": 96,
    f"kmem_commit_limit_bytes{{{HOST}}}": 100,
    f'kmem_memory_management_setting{{{HOST},name="vm.overcommit_memory"}}': 2,
    f'kmem_exhaustion_seconds{{{HOST},resource="system_ptes"}}': 100_000,
    f"kmem_system_ptes_free{{{HOST}}}": 11_000,
    f"kmem_system_ptes_free_boot_max{{{HOST}}}": 100_000,
    f'kmem_pool_tag_leak_suspect{{{HOST},pool="paged",tag="Leak"}}': 1,
}
BOTH = {
    (name, severity)
    for name in (
        "KmemPoolNearLimit",
        "KmemPoolExhaustionPredicted",
        "KmemCommitNearLimit",
        "KmemCommitExhaustionPredicted",
        "KmemSystemPtesExhaustionPredicted",
    )
    for severity in (PAGE, TICKET)
} | {("KmemSystemPtesLow", PAGE), ("KmemPagedPoolAboveTrimThreshold", TICKET), ("KmemPoolLeakSuspected", TICKET)}


def samples(wanted):
    return [{"labels": f'{{alertname="{name}", severity="{severity}"}}', "value": 1} for name, severity in wanted]


def run(series, asked, files=("kmem-agent",)):
    """asked: [(PromQL, time, samples)]"""
    document = {
        "rule_files": [os.path.join(RULES, f"{file}.rules.yml") for file in files],
        "evaluation_interval": "1m",
        "tests": [
            {
                "interval": "1m",
                "input_series": [{"series": name, "values": values} for name, values in series.items()],
                "promql_expr_test": [{"expr": expr, "eval_time": at, "exp_samples": found} for expr, at, found in asked],
            }
        ],
    }
    with tempfile.NamedTemporaryFile("w", suffix=".yml", prefix="kmem-gaps-") as out:
        json.dump(document, out)
        out.flush()
        return promtool_test(out.name)


def firing(more=""):
    return f'group by (alertname, severity) (ALERTS{{alertstate="firing",alertname!~"KmemExporterDown|KmemJobAbsent"{more}}})'


class Gaps(unittest.TestCase):
    def test_a_host_whose_labels_change_ends_no_other_hosts_alert(self):
        """As pods do that begin anew."""
        series = {}
        for bound, of in (("available_memory", "kmem_physical_memory_bytes"), ("commit_limit", "kmem_commit_limit_bytes")):
            for pod, values in (("old", "100x20 stale"), ("new", "_x21 100x40")):
                series[f'{of}{{job="kmem",instance="b:1",pod="{pod}"}}'] = values
            series[f"{of}{{{HOST}}}"] = "100x61"
            series[f'kmem_pool_headroom_bytes{{{HOST},pool="paged",bound="{bound}"}}'] = "10x61"
        series[f'kmem_exhaustion_seconds{{{HOST},resource="paged"}}'] = "100000x61"
        wanted = samples({("KmemPoolExhaustionPredicted", PAGE), ("KmemPoolExhaustionPredicted", TICKET)})
        code, output = run(series, [(firing(), f"{at}m", wanted) for at in (20, 25, 30, 35, 60)])
        self.assertEqual(code, 0, output)

    def test_one_missed_scrape_ends_no_alert_and_what_is_gone_is_told_for_a_quarter_of_an_hour(self):
        series = {name: f"{value}x30 stale {value}x20 stale" for name, value in TROUBLE.items()}
        # It had ten days of history, and has one.
        series[f"kmem_trend_history_seconds{{{HOST}}}"] = "864000x5 86400x24 stale 86400x20 stale"
        series[f"up{{{HOST}}}"] = "1x30 0 1x20 0x60"
        asked = [(firing(), f"{at}m", samples(BOTH | {("KmemTrendHistoryLost", TICKET)})) for at in (30, 31, 32, 33, 45, 51, 52, 60, 65)]
        # Nothing was set back to "pending" either.
        asked += [('ALERTS{alertstate="pending",alertname!="KmemExporterDown"}', f"{at}m", []) for at in (31, 32, 33, 45)]
        asked.append((firing(), "69m", []))
        code, output = run(series, asked)
        self.assertEqual(code, 0, output)

    def test_over_a_gap_a_limit_that_does_not_bind_stays_one(self):
        series = {
            f"kmem_commit_bytes{{{HOST}}}": "99x30 stale _x3 99x30",
            f"kmem_commit_limit_bytes{{{HOST}}}": "50x30 stale _x3 50x30",
            f'kmem_memory_management_setting{{{HOST},name="vm.overcommit_memory"}}': "0x30 stale _x3 0x30",
        }
        code, output = run(series, [('sum(max_over_time(ALERTS{alertname="KmemCommitNearLimit"}[60m]))', "60m", [])])
        self.assertEqual(code, 0, output)

    def test_windows_exporter_too(self):
        where = 'job="windows",instance="w:1"'
        series = {
            f"windows_memory_free_system_page_table_entries{{{where}}}": "11000x30 stale 11000x30",
            f"windows_memory_committed_bytes{{{where}}}": "96x30 stale 96x30",
            f"windows_memory_commit_limit{{{where}}}": "100x30 stale 100x30",
        }
        wanted = {("KmemSystemPtesLow", PAGE), ("KmemCommitNearLimit", PAGE), ("KmemCommitNearLimit", TICKET)}
        code, output = run(series, [(firing(), f"{at}m", samples(wanted)) for at in (30, 31, 32)], ["kmem-windows-exporter"])
        self.assertEqual(code, 0, output)

    def test_the_floors_do_not_speak_for_an_agent_that_misses_a_scrape(self):
        for file, rule in alerts():
            if "kmem_trend_history_seconds >=" in rule["expr"]:
                self.fail(f"{file}: {rule['expr']}")
            if "kmem_trend_history_seconds" in rule["expr"] and file == "kmem-floors":
                self.assertIn("last_over_time(kmem_trend_history_seconds[2h]) >=", rule["expr"])


class DiesOfIt(unittest.TestCase):
    PAGE_OF = 'group by (alertname, severity) (ALERTS{alertname=~"KmemPoolNearLimit|KmemExporterDown",alertstate="firing",severity="page"%s})'

    def test_a_host_that_dies_of_what_the_page_said_stays_a_page(self):
        near, down = ("KmemPoolNearLimit", PAGE), ("KmemExporterDown", PAGE)
        series = {
            f"up{{{HOST}}}": "1x30 0x300 1x60",
            f'kmem_pool_bytes{{{HOST},pool="nonpaged"}}': "99x30 stale",
            f'kmem_pool_limit_bytes{{{HOST},pool="nonpaged"}}': "100x30 stale",
            # Of another site, of the same name, in good health: down there is a ticket.
            f'up{{site="x",{HOST}}}': "1x30 0x300",
        }
        asked = [
            (self.PAGE_OF % "", "30m", samples([near])),
            # At no minute is there neither.
            *((f'count({self.PAGE_OF % ""}) > 0', f"{at}m", [{"labels": "{}", "value": 2}]) for at in (38, 40, 43)),
            (f'sum(count_over_time(group({self.PAGE_OF % ""})[319m:1m]))', "330m", [{"labels": "{}", "value": 320 - left_open()}]),
            *((self.PAGE_OF % "", at, samples([down])) for at in ("60m", "2h", "5h")),
            (self.PAGE_OF % "", "6h", []),
            (self.PAGE_OF % ',site="x"', "60m", []),
            ('ALERTS{alertname="KmemExporterDown",severity="ticket",alertstate="firing",site="x"} == 1', "60m",
             [{"labels": f'ALERTS{{alertname="KmemExporterDown",severity="ticket",alertstate="firing",site="x",{HOST}}}', "value": 1}]),
        ]
        code, output = run(series, asked)
        self.assertEqual(code, 0, output)

    def test_a_host_that_dies_a_day_after_its_page_was_over_is_a_ticket(self):
        series = {
            f"up{{{HOST}}}": "1x150 0x60",
            f'kmem_pool_bytes{{{HOST},pool="nonpaged"}}': "99x30 10x120 stale",
            f'kmem_pool_limit_bytes{{{HOST},pool="nonpaged"}}': "100x150 stale",
        }
        asked = [(f'group by (alertname, severity) ({FIRING})', "170m", samples([("KmemExporterDown", TICKET)]))]
        code, output = run(series, asked)
        self.assertEqual(code, 0, output)


class ToAndFro(unittest.TestCase):
    """`for:` begins anew with every good sample, so none may come of what is bad more often than not."""

    HIGH, LOW = "95 95 95 85 ", "11000 11000 11000 12500 "

    def series(self, high, low, up):
        return {
            f'kmem_pool_bytes{{{HOST},pool="paged"}}': high,
            f'kmem_pool_limit_bytes{{{HOST},pool="paged"}}': "100x120",
            f'kmem_pool_trim_threshold_bytes{{{HOST},pool="paged"}}': "90x120",
            f"kmem_commit_bytes{{{HOST}}}": high.replace("95", "96"),
            f"kmem_commit_limit_bytes{{{HOST}}}": "100x120",
            f"kmem_system_ptes_free{{{HOST}}}": low,
            f"up{{{HOST}}}": up,
            f'kmem_scrape_collector_success{{{HOST},collector="pool_tags"}}': up,
            'windows_memory_committed_bytes{instance="w:1"}': high.replace("95", "96"),
            'windows_memory_commit_limit{instance="w:1"}': "100x120",
            'windows_memory_free_system_page_table_entries{instance="w:1"}': low,
        }

    TOLD = {
        ("KmemPoolNearLimit", PAGE),
        ("KmemPoolNearLimit", TICKET),
        ("KmemPagedPoolAboveTrimThreshold", TICKET),
        ("KmemCommitNearLimit", PAGE),
        ("KmemCommitNearLimit", TICKET),
        ("KmemSystemPtesLow", PAGE),
        ("KmemExporterDown", PAGE),
        ("KmemExporterDown", TICKET),
        ("KmemCollectorFailing", TICKET),
    }
    ALL = 'group by (alertname, severity) (ALERTS{alertstate="firing"%s})'
    FILES = ("kmem-agent", "kmem-windows-exporter")

    def test_what_is_bad_most_of_the_time_is_told_and_stays(self):
        series = self.series(self.HIGH * 25, self.LOW * 25, "0 0 0 0 1 " * 20)
        asked = [(self.ALL % "", f"{at}m", samples(self.TOLD)) for at in (40, 41, 42, 43, 44, 60, 80, 99)]
        wanted = {("KmemCommitNearLimit", PAGE), ("KmemCommitNearLimit", TICKET), ("KmemSystemPtesLow", PAGE)}
        asked += [(self.ALL % ',instance="w:1"', f"{at}m", samples(wanted)) for at in (40, 41, 42, 43)]
        code, output = run(series, asked, self.FILES)
        self.assertEqual(code, 0, output)

    def test_every_other_sample_is_enough(self):
        series = self.series("95 85 " * 50, "11000 12500 " * 50, "0 1 " * 50)
        told = self.TOLD - {("KmemCollectorFailing", TICKET)}  # what is read every other time is there
        code, output = run(series, [(self.ALL % "", f"{at}m", samples(told)) for at in (40, 41, 60, 99)], self.FILES)
        self.assertEqual(code, 0, output)

    def test_a_single_bad_sample_is_nothing(self):
        one = ("{0} " * 10 + "{1} " + "{0} " * 19) * 3
        series = self.series(one.format(50, 95), one.format(50000, 11000), one.format(1, 0))
        code, output = run(series, [('count(max_over_time(ALERTS{alertstate="firing"}[89m]))', "89m", [])], self.FILES)
        self.assertEqual(code, 0, output)

    def test_it_ends_when_the_good_ones_prevail(self):
        series = self.series("95x30 50x60", "11000x30 50000x60", "0x30 1x60")
        code, output = run(series, [(self.ALL % "", "30m", samples(self.TOLD)), (self.ALL % "", "60m", [])], self.FILES)
        self.assertEqual(code, 0, output)


class TakenAway(unittest.TestCase):
    """Service discovery gives a host no more: its series end, and none is 0."""

    DOWN = 'group by (instance, severity) (ALERTS{alertname="KmemExporterDown",alertstate="firing"})'

    def test_a_page_of_the_host_becomes_one_that_says_so_for_an_hour(self):
        series = {
            f"up{{{HOST}}}": "1x30 stale",
            f'kmem_pool_bytes{{{HOST},pool="paged"}}': "95x30 stale",
            f'kmem_pool_limit_bytes{{{HOST},pool="paged"}}': "100x30 stale",
            'up{job="kmem",instance="calm:1"}': "1x30 stale",
            'up{job="kmem",instance="stays:1"}': "1x180",
            # It has a label more and is another series, but the same host.
            'up{job="kmem",instance="changed:1"}': "1x30 stale",
            'up{job="kmem",instance="changed:1",env="x"}': "_x31 1x150",
            'kmem_pool_bytes{job="kmem",instance="changed:1",pool="paged"}': "95x120",
            'kmem_pool_limit_bytes{job="kmem",instance="changed:1",pool="paged"}': "100x120",
        }
        page = [{"labels": '{instance="a:1",severity="page"}', "value": 1}]
        near = 'count(ALERTS{alertname="KmemPoolNearLimit",severity="page",alertstate="firing",instance="a:1"})'
        asked = [(self.DOWN, f"{at}m", page) for at in (37, 45, 60, 89)]
        asked += [(near, "44m", [{"labels": "{}", "value": 1}]), (near, "50m", []), (self.DOWN, "95m", []), (self.DOWN, "34m", [])]
        code, output = run(series, asked)
        self.assertEqual(code, 0, output)


class ManyDown(unittest.TestCase):
    def test_a_dead_link_is_told_before_its_hosts_are_and_for_longer(self):
        def up(site, count, values):
            return {f'up{{job="kmem",site="{site}",instance="{site}{i}:1"}}': values for i in range(count)}

        series = {
            **up("dead", 5, "1x30 0x60 1x60"),
            # A tenth and less, and two of three, are told one by one.
            **up("few", 18, "1x150"), "up{job=\"kmem\",site=\"few\",instance=\"x:1\"}": "1x30 0x120",
            **up("two", 2, "1x30 0x120"), "up{job=\"kmem\",site=\"two\",instance=\"x:1\"}": "1x150",
        }
        many = 'group by (site, job) (ALERTS{alertname="KmemHostsDown",alertstate="firing"})'
        one = 'count by (site) (ALERTS{alertname="KmemExporterDown",alertstate="firing"})'
        dead = [{"labels": '{job="kmem",site="dead"}', "value": 1}]
        alone = [{"labels": '{site="few"}', "value": 1}, {"labels": '{site="two"}', "value": 2}]
        alerts = [{"labels": '{site="dead"}', "value": 5}, *alone]
        asked = [(many, "35m", []), (many, "41m", dead), (one, "41m", []), (many, "60m", dead), (one, "60m", alerts)]
        # The hosts answer again from minute 91.
        asked += [(one, "95m", alone), (many, "95m", dead), (many, "105m", [])]
        code, output = run(series, asked)
        self.assertEqual(code, 0, output)


class Told(unittest.TestCase):
    def test_a_collector_of_a_new_host_fails_for_half_an_hour_before_that_is_said(self):
        series = {f'kmem_scrape_collector_success{{{HOST},collector="pool_tags"}}': "_x10 0x60"}
        series[f"up{{{HOST}}}"] = "1x70"
        name = 'count(ALERTS{alertname="KmemCollectorFailing",alertstate="firing"})'
        code, output = run(series, [(name, "38m", []), (name, "42m", [{"labels": "{}", "value": 1}])])
        self.assertEqual(code, 0, output)

    def test_where_the_only_job_is_gone_one_ticket_says_so(self):
        absent = 'ALERTS{alertname="KmemJobAbsent",alertstate="firing"}'
        told = {"labels": 'ALERTS{alertname="KmemJobAbsent",alertstate="firing",severity="ticket",job="kmem"}', "value": 1}
        later = {"labels": 'ALERTS{alertname="KmemJobAbsent",alertstate="firing",severity="ticket"}', "value": 1}
        series = {f"up{{{HOST}}}": "1x30 stale"}
        code, output = run(series, [(absent, "60m", [told]), (absent, "20h", [told]), (absent, "26h", [later])])
        self.assertEqual(code, 0, output)

    def test_retention_is_asked_of_the_prometheus_that_evaluates_the_floors_only(self):
        series = {}
        for instance, group in (("ours:9090", "/etc/kmem.yml;kmem-floors"), ("site:9090", "/etc/kmem.yml;kmem-floors-hamburg"),
                                ("theirs:9090", "/etc/other.yml;node"), ("agent:9090", None)):
            where = f'job="prometheus",instance="{instance}"'
            series[f"prometheus_tsdb_lowest_timestamp_seconds{{{where}}}"] = "0x60"
            series[f"prometheus_tsdb_time_retentions_total{{{where}}}"] = "5x60"
            if group:
                series[f'prometheus_rule_group_rules{{{where},rule_group="{group}"}}'] = "3x60"
        short = 'group by (instance) (ALERTS{alertname="KmemRetentionTooShort",alertstate="firing"})'
        wanted = [{"labels": f'{{instance="{name}:9090"}}', "value": 1} for name in ("ours", "site")]
        code, output = run(series, [(short, "50m", wanted)], ["kmem-floors"])
        self.assertEqual(code, 0, output)


class NightsAndWeekends(unittest.TestCase):
    """Alertmanager tells nothing of an alert that begins and ends while its route is mute."""

    CONFIG = yaml.safe_load(read(os.path.join(ROOT, "dashboards/alertmanager/alertmanager.yml")))

    def route_of(self, **labels):
        def fits(matcher):
            name, operator, value = re.fullmatch(r'(\w+)(=~|=)"(.*)"', matcher).groups()
            return bool(re.fullmatch(value if operator == "=~" else re.escape(value), labels.get(name, "")))

        return next(route for route in self.CONFIG["route"]["routes"] if all(map(fits, route["matchers"])))

    def test_what_has_happened_is_not_muted(self):
        events = set()
        for _, rule in alerts():
            # Ends by itself though nothing was mended: the window over an event, or over what was there before, has passed.
            event = bool(re.search(r"\bincrease\(|\[1d\]\)+ (unless|-)", rule["expr"]))
            if event and rule["labels"]["severity"] == TICKET:
                events.add(rule["alert"])
        self.assertEqual(events, {"KmemPoolAllocationFailures", "KmemTrendHistoryLost", "KmemJobAbsent"})
        muted = {
            rule["alert"]
            for _, rule in alerts()
            if "mute_time_intervals" in self.route_of(alertname=rule["alert"], severity=rule["labels"]["severity"])
        }
        self.assertEqual(muted & events, set())
        self.assertIn("KmemPoolLeakSuspected", muted)
        self.assertNotIn("mute_time_intervals", self.route_of(alertname="KmemExporterDown", severity=PAGE))

    def test_night_is_where_the_settings_say(self):
        (interval,) = self.CONFIG["time_intervals"]
        self.assertEqual({row["location"] for row in interval["time_intervals"]}, {"UTC"})


if __name__ == "__main__":
    unittest.main(verbosity=2)
