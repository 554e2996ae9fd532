"""User-space instructions a scrape, counted by valgrind: they are the same whatever else a machine does. The kernel's
files are those of proc_tree.py, so that they do not depend on the machine's either; a compiler or C library of another
day may move them by some percent, and the bounds leave that much.
A count is the difference between a run of many scrapes and one of few, over one connection, by their difference. Bounds are of
a scrape, as what a series costs depends on how many share in what every scrape costs.
Usage: instructions_bench.py EXPORTER     Prints a table and JSON; exits 1 when a bound is broken."""
import http.client
import json
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time

from proc_tree import ProcTree

EXE = sys.argv[1]
FEW, MANY = 5, 25
ROOM = 1.05
# Thousands of instructions a scrape: (plain, gzip).
BOUNDS = {"every slab cache": (["--tags.all"], 545, 1015), "default": ([], 400, 670)}
# A CPU without carry-less products has the page's CRC by zlib: so many instructions a byte more, at most.
CRC_BY_TABLES = 0 if "pclmulqdq" in pathlib.Path("/proc/cpuinfo").read_text().split() else 2
ACCEPT = "application/openmetrics-text;version=1.0.0;q=0.6,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"


class Scraper:
    def __init__(self, port, look):
        self.connection, self.look, self.looks = http.client.HTTPConnection("127.0.0.1", port, timeout=60), look, 0

    def get(self, path, headers):
        self.connection.request("GET", path, headers=headers)
        response = self.connection.getresponse()
        return response.status, response.getheader("Content-Encoding"), response.read()

    def scrape(self, packed):
        self.look(self.looks)
        self.looks += 1
        status, encoding, body = self.get("/metrics", {"Accept": ACCEPT, **({"Accept-Encoding": "gzip"} if packed else {})})
        assert (status, encoding) == (200, "gzip" if packed else None), (status, encoding)
        return body


class PortTaken(Exception):
    """By another program, between the probe and the start."""


def start(flags, tree):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    # No second tick, and patience for a reading that valgrind makes slow.
    process = subprocess.Popen(
        ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", EXE, f"--path.procfs={tree.proc}", f"--path.sysfs={tree.sys}",
         "--scrape.min-interval=0s", "--scrape.timeout=1m", "--sampling.interval=1h", "--log.level=error",
         f"--web.listen-address=127.0.0.1:{port}", *flags], stderr=subprocess.PIPE, text=True)
    end = time.monotonic() + 60
    while True:
        try:
            scraper = Scraper(port, tree.look)
            if scraper.get("/-/ready", {})[0] == 200:
                return process, scraper
        except OSError:
            if process.poll() is not None:
                errors = process.stderr.read()
                if "is in use" in errors:
                    raise PortTaken(errors) from None
                sys.exit(errors)
            if time.monotonic() > end:
                process.kill()
                raise
        time.sleep(0.2)


def settle(process):
    """Until what is done once, beside, is done: no CPU for a second."""
    def spent():
        return pathlib.Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()[11:13]
    before, end = None, time.monotonic() + 60
    while (now := spent()) != before and time.monotonic() < end:
        before = now
        time.sleep(1)


def run_once(flags, plain, packed, at_least=0):
    """Instructions of a whole run, the last page of either kind, and how long it lived: `at_least` so many seconds."""
    with tempfile.TemporaryDirectory() as folder:
        process, scraper = start(flags, ProcTree(folder))
        born = time.monotonic()
        try:
            settle(process)
            pages = [b"", b""]
            for packed_page, count in enumerate((plain, packed)):
                for _ in range(count):
                    pages[packed_page] = scraper.scrape(bool(packed_page))
            time.sleep(max(0, born + at_least - time.monotonic()))
            life = time.monotonic() - born
        finally:
            process.terminate()
            errors = process.communicate(timeout=60)[1]
    return int(re.search(r"Collected : (\d+)", errors).group(1)), pages, life


def run(*how):
    for _ in range(3):
        try:
            return run_once(*how)
        except PortTaken as error:
            taken = error
    raise taken


if shutil.which("valgrind") is None:
    sys.exit("valgrind is needed: packaging/install-packages.sh test")
broken, figures = [], {}
print(f"{'instructions a scrape':24}{'series':>8}{'bytes':>8}{'plain':>12}{'gzip':>12}{'a series':>18}")
for name, (flags, *bounds) in BOUNDS.items():
    # The longest first: what is done once, beside, some seconds after the start, then falls into all three.
    gzip, _, life = run(flags, FEW, MANY)
    plain, _, life = run(flags, MANY, FEW, life)
    base, pages, _ = run(flags, FEW, FEW, life)
    counts = [(total - base) / (MANY - FEW) for total in (plain, gzip)]
    series = sum(1 for line in pages[0].splitlines() if not line.startswith(b"#"))
    bounds[1] += CRC_BY_TABLES * len(pages[0]) / 1000
    each = [count / series for count in counts]
    print(f"{name:24}{series:>8}{len(pages[0]):>8}{counts[0]:>12.0f}{counts[1]:>12.0f}{each[0]:>9.0f}{each[1]:>9.0f}"
          f"   (at most {bounds[0]:.0f},000 and {bounds[1]:.0f},000, and 5 %)")
    figures[name] = {"series": series, "page_bytes": len(pages[0]), "packed_bytes": len(pages[1]), "plain": counts[0], "gzip": counts[1]}
    broken += [f"{name}: {got:.0f} > {bound:.0f},000" for got, bound in zip(counts, bounds) if got > bound * 1000 * ROOM]
print(json.dumps(figures))
sys.exit("; ".join(broken) if broken else 0)
