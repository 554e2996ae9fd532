"""Hosts without kmem_exporter: the names of each windows_exporter release, and node_exporter's, become floors and boot times
and end in the alerts on floors."""

import json
import os
import tempfile
import unittest

from rules_test import DAY, GROUPS, RULES, promtool_test

HOURS = 28 * 24
# release -> the metrics it has; the memory collector's other names never changed. Boot 100 days before.
WINDOWS = {
    "0.16": {"nonpaged": "windows_memory_pool_nonpaged_bytes_total", "boot": "windows_system_system_up_time"},
    "0.29": {"nonpaged": "windows_memory_pool_nonpaged_bytes", "boot": "windows_system_system_up_time"},
    "0.30": {"nonpaged": "windows_memory_pool_nonpaged_bytes", "boot": "windows_system_boot_time_timestamp"},
    "0.31": {"nonpaged": "windows_memory_pool_nonpaged_bytes", "boot": "windows_system_boot_time_timestamp_seconds"},
    "no system": {"nonpaged": "windows_memory_pool_nonpaged_bytes", "boot": None},
}
MIB = 1 << 20


def run(file, series, alerts, records=(), order=-1):
    """Groups have hours of their own: readers first (-1), which see what is recorded an hour later, or last (1)."""
    document = {
        "rule_files": [os.path.join(RULES, f"{name}.rules.yml") for name in ("kmem-floors", file)],
        "evaluation_interval": "1h",
        "group_eval_order": GROUPS[file][::order],
        "tests": [
            {
                "interval": "1h",
                "input_series": [{"series": name, "values": values} for name, values in series],
                "promql_expr_test": [
                    {
                        "expr": "group by (alertname, instance, pool, tag, subject) (ALERTS)",
                        "eval_time": f"{HOURS - 1}h",
                        "exp_samples": [{"labels": labels, "value": 1} for labels in alerts],
                    },
                    *(
                        {"expr": expr, "eval_time": "30h", "exp_samples": [{"labels": labels, "value": value}]}
                        for expr, labels, value in records
                    ),
                ],
            }
        ],
    }
    with tempfile.NamedTemporaryFile("w", suffix=".yml", prefix="kmem-exporters-") as out:
        json.dump(document, out)
        out.flush()
        return promtool_test(out.name)


class Exporters(unittest.TestCase):
    def test_every_release_of_windows_exporter_is_read_and_a_young_kernel_is_no_leak_in_any(self):
        series, alerts, records = [], [], []
        for index, (release, names) in enumerate(WINDOWS.items()):
            where, young = f'job="windows",instance="w{index}"', f'job="windows",instance="young{index}"'
            # 1 MiB a day from 50 MiB: a leak.
            series.append((f"{names['nonpaged']}{{{where}}}", f"{50 * MIB}+{MIB // 24}x{HOURS}"))
            series.append((f"windows_memory_commit_limit{{{where}}}", f"{8192 * MIB}+0x{HOURS}"))
            if names["boot"]:
                series.append((f"{names['boot']}{{{where}}}", f"-{100 * DAY}+0x{HOURS}"))
                series.append((f"{names['nonpaged']}{{{young}}}", f"{50 * MIB}+{MIB // 24}x{HOURS}"))
                series.append((f"{names['boot']}{{{young}}}", f"{HOURS * 3600 - 4 * DAY}+0x{HOURS}"))
            alerts.append(f'{{alertname="KmemPoolLeakSuspected", instance="w{index}", pool="nonpaged", subject="pool"}}')
            recorded = "instance:kmem_boot_time_seconds:last1h"
            records.append(
                (f'{recorded}{{instance="w{index}"}}', f"{recorded}{{{where}}}", -100 * DAY if names["boot"] else 0)
            )
        for order in (-1, 1):
            code, output = run("kmem-windows-exporter", series, alerts, records, order)
            self.assertEqual(code, 0, output)

    def test_hosts_with_node_exporter_only(self):
        leak, calm = f"{200 * MIB}+{4 * MIB // 24}x{HOURS}", f"{200 * MIB}+0x{HOURS}"
        series = []
        # 4 MiB a day: 100 MiB last for 25 days, 40 for 10.
        for host, values, left in (("leaky", leak, 100), ("ending", leak, 40), ("calm", calm, 40)):
            where = f'job="node",instance="{host}"'
            series += [
                (f"node_memory_SUnreclaim_bytes{{{where}}}", values),
                (f"node_memory_VmallocUsed_bytes{{{where}}}", values),
                (f"node_memory_MemAvailable_bytes{{{where}}}", f"{left * MIB}+0x{HOURS}"),
                (f"node_boot_time_seconds{{{where}}}", f"-{100 * DAY}+0x{HOURS}"),
            ]
            for slab in ("kmalloc-256", "dentry", "ext4_inode_cache"):
                step = 0 if host == "calm" else 600
                series.append((f'node_slabinfo_objects{{{where},slab="{slab}"}}', f"100000+{step}x{HOURS}"))
                series.append((f'node_slabinfo_object_size_bytes{{{where},slab="{slab}"}}', f"256+0x{HOURS}"))
        alerts = []
        for host in ("leaky", "ending"):
            alerts += [
                f'{{alertname="KmemPoolLeakSuspected", instance="{host}", pool="slab_unreclaimable", tag="kmalloc-256", subject="tag"}}',
                # The cache is to blame for the slab; nothing is known of vmalloc but its size.
                f'{{alertname="KmemPoolLeakSuspected", instance="{host}", pool="vmalloc", subject="pool"}}',
            ]
        alerts += [
            f'{{alertname="KmemPoolExhaustionPredicted", instance="ending", pool="{pool}", subject="pool"}}'
            for pool in ("slab_unreclaimable", "vmalloc")
        ]
        code, output = run("kmem-node-exporter", series, alerts)
        self.assertEqual(code, 0, output)


if __name__ == "__main__":
    unittest.main(verbosity=2)
