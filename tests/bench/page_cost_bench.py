"""A scrape of Windows against an answer of the same size that does nothing, by the same server (page_cost.cpp), on an
NT kernel's recorded answers. Two measures: instructions of the program, which valgrind counts and which are held, and CPU
time with what Linux does for the sockets, which is printed beside: the least of interleaved rounds, as a ratio.
What a kernel does to answer stays out of both; the copy of its answer is in.
Usage: page_cost_bench.py PAGE_COST FRAMES_GZ     Prints a table and JSON; exits 1 when a bound is broken."""
import http.client
import json
import re
import subprocess
import sys
import time

EXE, FRAMES = sys.argv[1:3]
FEW, MANY = 22, 88  # whole rounds of the 11 readings
ROUNDS, EACH = 8, 60
ROOM = 1.08
# Instructions of a scrape more than the no-op's: (64-bit, 32-bit program).
BOUNDS = {"plain": (420_000, 615_000), "gzip": (1_100_000, 1_590_000)}
ACCEPT = "application/openmetrics-text;version=1.0.0;q=0.6,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"


class Program:
    def __init__(self, prefix=()):
        self.process = subprocess.Popen([*prefix, EXE, FRAMES], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True)
        self.connection = http.client.HTTPConnection("127.0.0.1", int(self.process.stdout.readline()), timeout=60)

    def get(self, path, count, kind):
        headers = {"Accept": ACCEPT, **({"Accept-Encoding": "gzip"} if kind == "gzip" else {})}
        body = b""
        for _ in range(count):
            self.connection.request("GET", path, headers=headers)
            response = self.connection.getresponse()
            body = response.read()
            assert response.status == 200, (path, response.status)
        return body

    def end(self):
        return self.process.communicate(timeout=60)[1]


def instructions(scrapes, noops, kind):
    program = Program(["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"])
    page = program.get("/metrics", scrapes, kind)
    nothing = program.get("/noop", noops, kind)
    assert abs(len(nothing) - len(page)) < 100, (len(nothing), len(page))
    return int(re.search(r"Collected : (\d+)", program.end()).group(1)), len(page)


def cpu_ratio(kind):
    program = Program()
    clock = ~program.process.pid << 3 | 2  # that process's CPU time, as clock_getcpuclockid(3) names it
    least = {"/metrics": 1e9, "/noop": 1e9}
    for _ in range(ROUNDS):
        for path in least:
            before = time.clock_gettime(clock)
            program.get(path, EACH, kind)
            least[path] = min(least[path], time.clock_gettime(clock) - before)
    program.end()
    return least["/metrics"] / least["/noop"]


with open(EXE, "rb") as file:
    narrow = file.read(5)[4] == 1  # ELF's class
figures, broken = {}, []
print(f"{'':8}{'bytes':>8}{'scrape':>12}{'no-op':>10}{'more':>12}{'times':>8}{'CPU, times the no-op':>24}   {32 if narrow else 64}-bit program")
for kind, bounds in BOUNDS.items():
    base, size = instructions(FEW, FEW, kind)
    scrape, noop = ((instructions(*counts, kind)[0] - base) / (MANY - FEW) for counts in ((MANY, FEW), (FEW, MANY)))
    ratio = cpu_ratio(kind)
    print(f"{kind:8}{size:>8}{scrape:>12.0f}{noop:>10.0f}{scrape - noop:>12.0f}{scrape / noop:>8.1f}{ratio:>24.1f}   (at most {bounds[narrow]} more, and 8 %)")
    figures[kind] = {"bytes": size, "scrape": scrape, "noop": noop, "instruction_ratio": scrape / noop, "cpu_ratio": ratio}
    if scrape - noop > bounds[narrow] * ROOM:
        broken.append(f"{kind}: {scrape - noop:.0f} > {bounds[narrow]}")
print(json.dumps(figures))
sys.exit("; ".join(broken) if broken else 0)
