"""The shipped program with time running fast on a made kernel: hours of growth are told while there is time left, and
what only looks like it is not."""
import math
import os
import random
import threading
import time
import unittest

from harness import Case, Exporter

SHIM = os.path.join(os.environ.get("KMEM_TOOLS", ""), "libfast_clock.so")
SPEED = 400
ROOM = 2600 << 20  # of memory that is available, when nothing has grown
HEADS = ("slabinfo - version: 2.1\n"
         "# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab> : tunables <limit> <batchcount> "
         "<sharedfactor> : slabdata <active_slabs> <num_slabs> <sharedavail>\n")
SUSPECT = "kmem_pool_tag_surge_suspect"


class MadeKernel:
    """Every file is written in place and keeps its length: the exporter holds it open, as it does the kernel's."""

    def __init__(self, folder, seed, grown):
        self.proc, self.grown = folder, grown
        self.noise = random.Random(seed)
        self.caches = [(f"cache_{i:02d}", self.noise.randint(64, 2048), self.noise.randint(200, 8000)) for i in range(40)]
        self.phase = self.noise.random() * 24
        os.makedirs(folder)
        self.write("stat", f"cpu 0 0 0 0\nbtime {int(time.time() - 3600)}\n")
        self.write("vmstat", "oom_kill 0\n")
        self.show(0)

    def write(self, name, text):
        file = os.open(os.path.join(self.proc, name), os.O_WRONLY | os.O_CREAT, 0o644)
        os.pwrite(file, text.encode(), 0)
        os.close(file)

    def show(self, hour):
        day = 1 + 0.1 * math.sin((hour - self.phase) / 24 * 2 * math.pi)
        rows, pages = [], 0
        counts = [(name, size, int(count * day * (1 + self.noise.gauss(0, 0.01)))) for name, size, count in self.caches]
        for name, size, count in counts + [("grows", 1024, (int(self.grown(hour)) >> 10) + 100)]:
            slabs = count * size // 4096 + 1
            pages += slabs
            rows.append(f"{name:<17} {count:9} {count:9} {size:6} 4 1 : tunables 0 0 0 : slabdata {slabs:9} {slabs:9} 0\n")
        unreclaimable, left = pages * 4, max((ROOM >> 10) + 200_000 - pages * 4, 0)
        self.write("slabinfo", HEADS + "".join(rows))
        self.write("meminfo", "".join(f"{name + ':':<16}{kib:9} kB\n" for name, kib in {
            "MemTotal": 4 << 20, "MemFree": left // 2, "MemAvailable": left, "SwapTotal": 0, "Slab": unreclaimable + 40_000,
            "SReclaimable": 40_000, "SUnreclaim": unreclaimable, "KernelStack": 8000, "PageTables": 20_000,
            "CommitLimit": 2 << 20, "Committed_AS": 900_000, "VmallocUsed": 30_000, "Percpu": 3000}.items()))


class FastClock(Case):
    def live(self, grown, hours, seed):
        """The share of the room that was left when a surge was first told, or None; and the program's log."""
        kernel = MadeKernel(os.path.join(self.folder, f"proc{seed}"), seed, grown)
        told = None
        env = dict(os.environ, LD_PRELOAD=SHIM, KMEM_FAST_CLOCK=str(SPEED))
        with Exporter("serve", f"--path.procfs={kernel.proc}", "--storage.path=", "--scrape.timeout=1m",
                      "--log.level=info", env=env) as exporter:
            began = time.monotonic()
            while told is None and (hour := (time.monotonic() - began) * SPEED / 3600) < hours:
                kernel.show(hour)
                try:
                    page, labels = exporter.page(), {"pool": "slab_unreclaimable", "tag": "grows"}
                except OSError:  # its patience with a client is as fast as its clock, and a busy machine's client is not
                    continue
                if page.has(SUSPECT, **labels) and page.value(SUSPECT, **labels) == 1:
                    told = hour
                time.sleep(0.05)
            return told, exporter.log

    def test_hours_of_growth_are_told_in_time_and_a_step_is_not(self):
        def ends(calm, hours):
            return lambda hour: max(hour - calm, 0) / hours * ROOM
        courses = {1: (ends(3, 2), 5), 2: (ends(2.5, 0.75), 3.25), 3: (lambda hour: ROOM * 0.45 * (hour > 2), 5)}
        results = {}
        threads = [threading.Thread(target=lambda seed=seed, course=course: results.update({seed: self.live(*course, seed)}))
                   for seed, course in courses.items()]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for seed, calm, hours, least in ((1, 3, 2, 0.35), (2, 2.5, 0.75, 0.2)):
            told, log = results[seed]
            self.assertIsNotNone(told, log)
            self.assertGreater(told, calm)
            self.assertGreaterEqual((calm + hours - told) / hours, least, log)
            of_it = " kind=tag pool=slab_unreclaimable tag=grows"
            self.assertEqual(log.count('beyond all before"' + of_it), 1, log)
            # Before it can be told from a step, that it grows is said once.
            self.assertEqual(log.count('grows now, not long enough to tell a surge from a step"' + of_it), 1, log)
        told, log = results[3]
        self.assertIsNone(told, log)
        self.assertNotIn("beyond all before", log)


if __name__ == "__main__":
    unittest.main()
