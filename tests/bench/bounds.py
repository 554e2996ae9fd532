"""Runs a Google Benchmark program and holds its figures to what was promised. Usage: bounds.py PROGRAM"""
import json
import math
import os
import subprocess
import sys

program = sys.argv[1]
repetitions, seconds = (2, 0.05) if os.path.basename(program) == "trend_bench" else (30, 0.01)
done = subprocess.run([program, f"--benchmark_repetitions={repetitions}", f"--benchmark_min_time={seconds}",
                       "--benchmark_enable_random_interleaving=true", "--benchmark_format=json"],
                      capture_output=True, text=True)
if done.returncode:
    sys.exit(f"{program} failed:\n{done.stderr}")
SCALE = {"ns": 1e-3, "us": 1, "ms": 1e3, "s": 1e6}
# The fastest of the repetitions: what else the machine does only ever adds.
cpu_us = {}
for row in json.loads(done.stdout)["benchmarks"]:
    if row.get("error_occurred"):
        sys.exit(f"{row['name']}: {row['error_message']}")
    if row["run_type"] == "iteration":
        name = row["run_name"]
        cpu_us[name] = min(cpu_us.get(name, float("inf")), row["cpu_time"] * SCALE[row["time_unit"]])
for name, value in sorted(cpu_us.items()):
    print(f"{value:12.1f} us CPU  {name}")

broken = []


def bound(what, value, good):
    print(f"{'ok' if good else 'BROKEN':6}  {what}: {value:.2f}")
    if not good:
        broken.append(what)


kind = os.path.basename(program)
if kind == "encode_bench":
    ratios = {}
    for name, theirs in cpu_us.items():
        if name.startswith("encode_prometheus_cpp/"):
            size = name.split("/", 1)[1]
            ratios[size] = theirs / cpu_us[f"encode_ours<kmem::encode::Format::kText004>/{size}"]
            # A neighbour that fills the caches costs ours more than it costs streams of strings.
            bound(f"TextSerializer / ours, {size} (at least 5)", ratios[size], ratios[size] >= 5)
    mean = math.prod(ratios.values()) ** (1 / len(ratios))
    bound("TextSerializer / ours, geometric mean of the sizes (at least 8)", mean, mean >= 8)
elif kind == "pipeline_bench":
    ratio = cpu_us["whole_scrape"] / cpu_us["yardstick"]
    bound("parse, select, encode 5,000 tags / 100,000 steps of the yardstick (at most 6)", ratio, ratio <= 6)
    print(f"        that is {cpu_us['whole_scrape'] / cpu_us['floor_copy']:.0f} times a bare copy of the table")
elif kind == "trend_bench":
    pass  # it holds itself to its bounds and reports an error where one is broken
else:
    sys.exit(f"no bounds are known for {kind}")
sys.exit(1 if broken else 0)
