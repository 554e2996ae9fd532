"""analyze and backfill of 8 weeks by the hour of 1,000 tags, beside awk that only sums the same lines and gzip that packs
them; the bounds are ratios to gzip, which is the same program everywhere.
Usage: analyze_bench.py EXPORTER. Fails when a bound is broken."""
import json
import math
import os
import random
import resource
import subprocess
import sys
import tempfile
import time

OF_GZIP, BACKFILL_OF_GZIP = 2.0, 6.0  # of its CPU time at level 6
MEGABYTES = 64


def leaks(tag):
    return tag % 50 == 7


def write_history(path, tags=1000):
    noise = random.Random(7)
    levels = [noise.randint(20_000, 30_000_000) + (5_000_000 if leaks(i) else 0) for i in range(tags)]
    start = 1_767_225_600
    with open(path, "w", encoding="ascii") as out:
        out.write("timestamp,pool,tag,bytes,allocs,frees,boot_time\n")
        for hour in range(56 * 24):
            cycle = 0.03 * math.sin(hour / 24 * 2 * math.pi)
            rows = []
            for i, level in enumerate(levels):
                growth = 0.01 * hour / 24 if leaks(i) else 0
                held = int(level * (1 + cycle + growth + 0.02 * noise.random()))
                pool = "paged" if i % 2 else "nonpaged"
                rows.append(f"{start + hour * 3600},{pool},T{i:03d},{held},{hour + held // 100},{hour},"
                            f"{start - 3600}\n")
            out.write("".join(rows))


def measured(*command):
    """(CPU seconds, wall seconds, output)"""
    before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, time.monotonic() - begin, done.stdout


def main():
    exporter = sys.argv[1]
    broken = []
    with tempfile.TemporaryDirectory(prefix="kmem-bench-") as folder:
        path, page = os.path.join(folder, "history.csv"), os.path.join(folder, "history.om")
        write_history(path)
        size = os.path.getsize(path) / 1e6
        cpu, wall, out = measured(exporter, "analyze", "--format=json", path)
        resident = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        history, subjects = json.loads(out)["history"], json.loads(out)["subjects"]
        found = sum(subject["verdict"] == "leak" for subject in subjects)
        print(f"analyze  {size:.0f} MB, {history['snapshots']} snapshots, {history['subjects']} subjects, {found} "
              f"leaks: {cpu:.2f} s CPU, {wall:.2f} s, {resident:.0f} MB resident")
        packed, _, _ = measured("sh", "-c", 'gzip -6 < "$1" | wc -c', "sh", path)
        print(f"gzip     of the same lines: {packed:.2f} s CPU; analyze takes {cpu / packed:.2f} times that")
        if cpu > OF_GZIP * packed:
            broken.append(f"analyze takes {cpu / packed:.2f} times what gzip takes, more than {OF_GZIP}")
        if resident > MEGABYTES:
            broken.append(f"analyze takes {resident:.0f} MB, more than {MEGABYTES}")
        if (history["subjects"], found) != (1000, 20):
            broken.append(f"analyze finds {found} leaks of 20 in {history['subjects']} subjects of 1000")
        cpu, wall, _ = measured("awk", "-F,", "{sum[$3] += $4} END {for (tag in sum) print tag, sum[tag]}", path)
        print(f"awk      sums of the same lines: {cpu:.2f} s CPU, {wall:.2f} s")
        cpu, wall, _ = measured(exporter, "backfill", path, "--output", page, "--log.level=error")
        print(f"backfill {os.path.getsize(page) / 1e6:.0f} MB written: {cpu:.2f} s CPU, {wall:.2f} s")
        if cpu > BACKFILL_OF_GZIP * packed:
            broken.append(f"backfill takes {cpu / packed:.2f} times what gzip takes, more than {BACKFILL_OF_GZIP}")
    for fault in broken:
        print("BROKEN:", fault)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
