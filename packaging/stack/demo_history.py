#!/usr/bin/env python3
"""Eight weeks of the demonstration hosts as blocks of Prometheus: CSV -> `kmem_exporter backfill` -> promtool, plus the
metrics that no recording holds.  demo_history.py --exporter EXE --output FOLDER [--end T]

FOLDER gets blocks/, and demo.json with the history's end and what `analyze` says of it, for demo_hosts.py serve."""

import argparse
import calendar
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

from demo_hosts import COUNTERS, HISTORY_SECONDS, HOSTS, STEP, Run, label_text, number_text

JOB = "kmem"
# promtool reads its input once a block: few, long blocks.
BLOCK_DURATION = "500h"


def unix(text):
    return calendar.timegm(time.strptime(text, "%Y-%m-%dT%H:%M:%SZ"))


def verdicts_of(exe, csv):
    done = subprocess.run([exe, "analyze", "--format", "json", csv], capture_output=True, text=True, check=True)
    return {
        f"{row['pool']}/{row['tag']}": {
            "since": unix(row["since"]),
            "first_detected": unix(row["first_detected"]),
            "confidence": round(row["confidence"], 3),
        }
        for row in json.loads(done.stdout)["subjects"]
        if row["verdict"] == "leak" and row["kind"] == "tag"
    }


class Families:
    """Samples of all hosts by family, in the order that OpenMetrics wants."""

    def __init__(self):
        self.lines = {}

    def add(self, name, line):
        self.lines.setdefault(name, []).append(line)

    def write(self, path):
        with open(path, "w", encoding="utf-8") as out:
            for name, lines in self.lines.items():
                counter = name in COUNTERS
                out.write(
                    f"# TYPE {name.removesuffix('_total') if counter else name} {'counter' if counter else 'gauge'}\n"
                )
                out.writelines(lines)
            out.write("# EOF\n")


def openmetrics(exe, end, folder, families):
    """Fills `families`, gives the verdicts by host."""
    verdicts = {}
    for host in HOSTS.values():
        csv, page = os.path.join(folder, host.name + ".csv"), os.path.join(folder, host.name + ".om")
        start = end - HISTORY_SECONDS
        with open(csv, "w", encoding="utf-8") as out:
            out.writelines(Run(host, end).csv(start, end))
        verdicts[host.name] = verdicts_of(exe, csv)
        target = ["--label", f"job={JOB}", "--label", f"instance={host.instance}"]
        subprocess.run(
            [exe, "backfill", csv, "--output", page, *target],
            check=True,
            stderr=subprocess.DEVNULL,
        )
        with open(page, encoding="utf-8") as recorded:
            for line in recorded:
                if not line.startswith("#"):
                    families.add(line[: line.index("{")], line)
        own = (("job", JOB), ("instance", host.instance))
        run = Run(host, end, verdicts[host.name])
        for now in range(start, end + 1, STEP):
            families.add("up", f"up{{{label_text(own)}}} 1 {now}\n")
            for name, labels, value in (*run.rest(now), *run.leaders(now)):
                families.add(name, f"{name}{{{label_text(own + labels)}}} {number_text(value)} {now}\n")
    return verdicts


def make(exe, output, end):
    os.makedirs(output, exist_ok=True)
    families = Families()
    with tempfile.TemporaryDirectory(dir=output) as folder:
        verdicts = openmetrics(exe, end, folder, families)
        page = os.path.join(folder, "history.om")
        families.write(page)
        blocks = os.path.join(output, "blocks")
        shutil.rmtree(blocks, ignore_errors=True)
        done = subprocess.run(
            [
                "promtool",
                "tsdb",
                "create-blocks-from",
                f"--max-block-duration={BLOCK_DURATION}",
                "-q",
                "openmetrics",
                page,
                blocks,
            ],
            capture_output=True,
            text=True,
        )
        if done.returncode != 0:
            raise SystemExit("promtool: " + done.stdout + done.stderr)
    with open(os.path.join(output, "demo.json"), "w", encoding="utf-8") as out:
        json.dump({"end": end, "verdicts": verdicts}, out, indent=1)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--exporter", required=True)
    parser.add_argument("--output", required=True)
    parser.add_argument("--end", type=int, default=int(time.time()))
    arguments = parser.parse_args()
    make(arguments.exporter, arguments.output, arguments.end // STEP * STEP)
    return 0


if __name__ == "__main__":
    sys.exit(main())
