"""What the kernel is asked for a scrape over a kept connection, and how often an idle agent wakes: exporter/http/README.md
says what each call is for, and this holds it. Usage: syscalls_bench.py EXPORTER COUNT_CALLS
Exits 1 when there are more."""
import collections
import http.client
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time

from proc_tree import ProcTree

EXE, COUNT_CALLS = sys.argv[1:]
SCRAPES = 15
# A folder's file comes whole at one call, and a list's end by another: meminfo, slabinfo and its end, statm.
MOST = {"poll": 1, "recvfrom": 1, "sendto": 1, "futex": 4, "pread64": 1 + 2 + 1, "clock_gettime": 1, "fstat": 1}
SECONDS = 5  # with a sampling a second


class Agent:
    def __init__(self, *flags, log=None):
        self.folder = tempfile.TemporaryDirectory()
        self.tree = ProcTree(self.folder.name)
        self.process = subprocess.Popen(
            [*([COUNT_CALLS, log] if log else []), EXE, f"--path.procfs={self.tree.proc}", f"--path.sysfs={self.tree.sys}",
             "--scrape.min-interval=0s", "--web.listen-address=127.0.0.1:0", *flags], stderr=subprocess.PIPE, text=True)
        self.port = None
        while self.port is None:
            line = self.process.stderr.readline()
            if not line:
                sys.exit(f"it does not start: {self.process.wait()}")
            found = re.search(r'msg="listening" address=127\.0\.0\.1:(\d+)', line)
            self.port = found and int(found[1])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.communicate(timeout=60)
        self.folder.cleanup()


def scrape_calls():
    """Of each scrape."""
    each = []
    with tempfile.NamedTemporaryFile() as log, Agent("--sampling.interval=1h", "--drivers.enabled=false", log=log.name) as agent:
        path = pathlib.Path(log.name)
        connection = http.client.HTTPConnection("127.0.0.1", agent.port, timeout=60)
        time.sleep(0.5)
        for number in range(SCRAPES):
            agent.tree.look(number)
            before = path.stat().st_size
            connection.request("GET", "/metrics", headers={"Accept-Encoding": "gzip"})
            response = connection.getresponse()
            assert response.status == 200 and response.read()
            time.sleep(0.05)  # until all threads sleep again
            each.append(collections.Counter(line.split()[1] for line in path.read_text()[before:].splitlines()))
    return each


def waits_of(pid):
    tasks = pathlib.Path(f"/proc/{pid}/task").iterdir()
    return {task.name: int(re.search(r"^voluntary_ctxt_switches:\s*(\d+)", (task / "status").read_text(), re.M)[1]) for task in tasks}


def idle_waits():
    """How often each thread that was woken was."""
    with Agent("--sampling.interval=1s", "--drivers.enabled=false") as agent:
        time.sleep(1.5)
        before = waits_of(agent.process.pid)
        time.sleep(SECONDS)
        after = waits_of(agent.process.pid)
    return sorted((after[task] - before.get(task, 0) for task in after if after[task] != before.get(task, 0)), reverse=True)


# A scrape that took long on a busy machine sends those of the next minute to other threads.
for _ in range(3):
    each = scrape_calls()
    # Now and then a scrape counts the processes' descriptors, or looks at what changes seldom.
    calls = {name: statistics.median_low(one[name] for one in each) for name in sorted(set().union(*each))}
    calls = {name: count for name, count in calls.items() if count}
    typical = sum(calls.values())
    if all(count <= MOST.get(name, 0) for name, count in calls.items()):
        break
woken = idle_waits()
print(f"system calls a scrape: {typical} (at most {sum(MOST.values())}): {calls}")
print(f"threads woken in {SECONDS} s with a sampling a second: {woken} times (at most {2 * SECONDS + 3} and {SECONDS + 2})")
broken = [f"{name}: {count} > {MOST.get(name, 0)}" for name, count in calls.items() if count > MOST.get(name, 0)]
if typical < sum(MOST.values()) - 2:
    broken.append("so few cannot be: they are not counted")
# The thread that samples waits for its time and for the answer of the one that reads; the others sleep.
if len(woken) != 2 or woken[0] > 2 * SECONDS + 3 or woken[1] > SECONDS + 2:
    broken.append(f"an idle agent's threads were woken {woken} times")
sys.exit("; ".join(broken) if broken else 0)
