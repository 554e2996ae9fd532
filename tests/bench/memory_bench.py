"""Resident memory with 4,096 subjects of history, and how much more there is while that is saved: with a sampling a second
and a saving every ten. The kernel's files are made, and a third of the caches changes from one look to the next.
Usage: memory_bench.py EXPORTER     Exits 1 when a bound is broken."""
import gzip
import http.client
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

from proc_tree import ProcTree, noise

EXE = sys.argv[1]
SUBJECTS = 4096
RESIDENT_KIB, MORE_KIB = 16 * 1024, 2 * 1024
STATE_BYTES = 12_000_000  # at least: else not all of the history was saved


def figure(pid, name):
    return int(re.search(rf"^{name}:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text(), re.M)[1])


def list_caches(tree, look):
    """In place and in one piece, as the kernel has it: the exporter keeps the file open."""
    rows = [f"cache-{i:04}        {100 + noise(i * 10 + look % 7 * (i % 3 == 0)) % 90} 192 {192 + i % 7 * 64} 21 1 : tunables 0 0 0 : "
            "slabdata 200 200 0\n" for i in range(SUBJECTS)]
    with open(tree.proc / "slabinfo", "r+b", buffering=0) as table:
        head = b"".join(table.read().splitlines(True)[:2])
        table.seek(0)
        table.write(head + "".join(rows).encode())
        table.truncate()


with tempfile.TemporaryDirectory(prefix="kmem-memory-bench-") as folder:
    tree, state = ProcTree(folder), pathlib.Path(folder) / "state" / "trend.state"
    tree.look(0)
    list_caches(tree, 0)
    process = subprocess.Popen([EXE, f"--path.procfs={tree.proc}", f"--path.sysfs={tree.sys}", "--scrape.min-interval=0s",
                                "--sampling.interval=1s", "--storage.save-interval=10s", f"--storage.path={state.parent}",
                                "--drivers.enabled=false", "--web.listen-address=127.0.0.1:0"], stderr=subprocess.PIPE, text=True)
    try:
        port = None
        while port is None:
            line = process.stderr.readline()
            if not line:
                sys.exit(f"it does not start: {process.wait()}")
            port = (found := re.search(r'msg="listening" address=127\.0\.0\.1:(\d+)', line)) and int(found[1])
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        resident, savings, saved, end = [], 0, None, time.monotonic() + 120
        while savings < 3 and time.monotonic() < end:
            if saved is not None:
                pathlib.Path(f"/proc/{process.pid}/clear_refs").write_text("5")  # the peak begins anew
            before = state.stat().st_mtime_ns if state.exists() else 0
            while time.monotonic() < end:
                list_caches(tree, int(time.monotonic()))
                connection.request("GET", "/metrics", headers={"Accept-Encoding": "gzip"})
                page = gzip.decompress(connection.getresponse().read()).decode()
                tags = sum(int(count) for count in re.findall(r"^kmem_pool_tags\{.*\} (\d+)$", page, re.M))
                assert tags >= SUBJECTS, f"only {tags} caches are seen"
                resident.append(figure(process.pid, "VmRSS"))
                if state.exists() and state.stat().st_mtime_ns != before:
                    break
                time.sleep(0.25)
            savings += 1
            saved = figure(process.pid, "VmHWM")
        size = state.stat().st_size
    finally:
        process.terminate()
        process.communicate(timeout=60)
usual = sorted(resident[len(resident) // 2:])[len(resident) // 4]
print(f"{SUBJECTS} subjects: {usual} KiB resident (at most {RESIDENT_KIB}), up to {saved} KiB while {size} bytes are saved "
      f"({saved - usual} more, at most {MORE_KIB})")
broken = [what for what, bad in (("resident", usual > RESIDENT_KIB), ("while saving", saved - usual > MORE_KIB),
                                 ("not all was saved", size < STATE_BYTES)) if bad]
sys.exit("; ".join(broken) if broken else 0)
