"""How often the floors' rules call a made-up history a leak, and after how many days: rates.py COUNT [SHAPE...]
Not a test: dashboards/README.md's figures of the second layer come from it. promtool tells what it got where it expected nothing."""

import json
import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from histories import BENIGN, HOURS, LEAKS, MIB, ONSET, Host  # noqa: E402
from rules_test import rules_of  # noqa: E402

OTHERS = ("twosteps", "fill", "staircase")
WANTED = (
    "subject:kmem_bytes:min1d",
    "subject:kmem_bytes:weekly_rise",
    "subject:kmem_bytes:rise3w",
    "instance:kmem_boot_time_seconds:last1h",
)


def days_found(shape, count):
    """Day of the first finding of each of `count` histories that was found."""
    rules = [
        rule
        for rule in rules_of("kmem-floors")
        if rule.get("record") in WANTED and rule.get("labels", {}).get("subject", "tag") == "tag"
    ]
    host = Host(shape, shape, "kmem")
    host.boot()
    for i in range(count):
        host.scaled("kmem_pool_tag_bytes", 110 * MIB, f"T{i}", pool="paged", tag=f"T{i}")
    with tempfile.TemporaryDirectory() as folder:
        paths = [os.path.join(folder, name) for name in ("rules.yml", "test.yml")]
        # promtool bears 10,000 samples a query: a few tags at a time, every 6 hours.
        tests = [
            {
                "expr": 'min by (tag) (min_over_time(timestamp(subject:kmem_bytes:rise3w{tag=~"%s"})[56d:6h])) / 86400'
                % "|".join(f"T{i}" for i in range(first, min(first + 20, count))),
                "eval_time": f"{HOURS - 1}h",
                "exp_samples": [],
            }
            for first in range(0, count, 20)
        ]
        documents = (
            {"groups": [{"name": "floors", "rules": rules}]},
            {
                "rule_files": [paths[0]],
                "evaluation_interval": "1h",
                "tests": [{"interval": "1h", "input_series": host.series, "promql_expr_test": tests}],
            },
        )
        for path, document in zip(paths, documents):
            with open(path, "w", encoding="utf-8") as out:
                json.dump(document, out)
        done = subprocess.run(["promtool", "test", "rules", paths[1]], capture_output=True, text=True)
    text = done.stdout + done.stderr
    if "expression" in text or ("FAILED" not in text and "SUCCESS" not in text):
        raise SystemExit(text[:2000])
    return sorted(float(day) for day in re.findall(r'\{tag="T\d+"\} ([0-9.E+]+)', text))


def main():
    count, shapes = int(sys.argv[1]), sys.argv[2:] or [*BENIGN, *OTHERS, *LEAKS]
    for shape in shapes:
        found = days_found(shape, count)
        after = f", half of them within {found[len(found) // 2] - ONSET:.0f} days" if found and shape in LEAKS else ""
        print(f"{shape:10} {100 * len(found) / count:5.1f} %{after}", flush=True)


if __name__ == "__main__":
    main()
