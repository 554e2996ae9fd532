"""How much of its time the machine withholds: what a process that mostly sleeps wakes too late, and what a short piece of
work takes longer than at best, as a share of all time. Other virtual machines on the same host do that; no load of our
own does, as long as a processor is free now and then.
Usage: stalls.py FILE    makes the file, writes the share in percent and the longest stall in seconds on SIGTERM, and ends"""
import signal
import sys
import time

SLEEP, LOOPS = 0.02, range(5000)
stopped = False


def stop(*_):
    global stopped
    stopped = True


signal.signal(signal.SIGTERM, stop)
open(sys.argv[1], "w").close()  # it is there
begin = time.monotonic()
late, works = [], []
while not stopped:
    before = time.monotonic()
    time.sleep(SLEEP)
    woke = time.monotonic()
    for _ in LOOPS:
        pass
    late.append(max(0.0, woke - before - SLEEP))
    works.append(time.monotonic() - woke)
best = min(works)
lost = sum(late) + sum(works) - best * len(works)
with open(sys.argv[1], "w") as out:
    out.write(f"{100 * lost / (time.monotonic() - begin):.0f} {max(max(late), max(works) - best):.1f}\n")
