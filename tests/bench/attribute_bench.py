"""attribute over 200 MB of driver images, beside what it replaces, strings and grep, and beside counting the same bytes.
Usage: attribute_bench.py EXPORTER. Fails when a bound is broken."""
import glob
import os
import resource
import subprocess
import sys
import tempfile
import time

BYTES = 200_000_000
OF_STRINGS = 1.25    # times what strings and grep take
MEGABYTES = 64
RUNS = 3             # the fastest counts: what else the machine does only ever adds
LIBRARIES = ("/usr/lib/gcc/{}-w64-mingw32/*/*.dll", "/usr/{}-w64-mingw32/lib/*.dll")


def fill(folder):
    """Real program images of both widths, without what no driver ships with (debug information), to 200 MB."""
    images = []
    for machine in ("x86_64", "i686"):
        for pattern in LIBRARIES:
            for path in sorted(glob.glob(pattern.format(machine))):
                stripped = os.path.join(folder, f"{machine}-{os.path.basename(path)}")
                subprocess.run([f"{machine}-w64-mingw32-strip", "-o", stripped, path], check=True)
                with open(stripped, "rb") as image:
                    images.append(image.read())
                os.remove(stripped)
    if not images:
        sys.exit("no DLLs of mingw are here to be searched")
    size = count = 0
    while size < BYTES:
        image = images[count % len(images)]
        with open(os.path.join(folder, f"driver{count:04d}.sys"), "wb") as out:
            out.write(image)
        size += len(image)
        count += 1
    return size, count


def fastest(*command):
    """(CPU seconds, wall seconds, output) of the fastest run"""
    best = None
    for _ in range(RUNS):
        before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=True)
        wall, after = time.monotonic() - begin, resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        if best is None or cpu < best[0]:
            best = cpu, wall, done.stdout
    return best


def main():
    exporter = sys.argv[1]
    broken = []
    with tempfile.TemporaryDirectory(prefix="kmem-bench-") as folder:
        size, count = fill(folder)
        images = sorted(glob.glob(os.path.join(folder, "*.sys")))
        cpu, wall, out = fastest(exporter, "attribute", folder)
        resident = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        read, read_wall, _ = fastest("sh", "-c", 'cat "$@" | wc -c', "sh", *images)
        strings, strings_wall, _ = fastest("sh", "-c", 'cat "$@" | strings -a | grep -c Leak; true', "sh", *images)
        print(f"cat | wc   {size / 1e6:.0f} MB in {count} images: {read:.2f} s CPU, {read_wall:.2f} s")
        print(f"attribute  the same: {cpu:.2f} s CPU, {wall:.2f} s, {resident:.0f} MB resident; "
              f"{cpu / read:.0f} times that")
        print(f"strings | grep of one tag: {strings:.2f} s CPU, {strings_wall:.2f} s; attribute is {cpu / strings:.2f} of it")
        if not out.startswith(f"{count} images".encode()):
            broken.append("not every image was searched")
        if cpu > OF_STRINGS * strings:
            broken.append(f"attribute takes {cpu / strings:.2f} times what strings and grep take, more than {OF_STRINGS}")
        if resident > MEGABYTES:
            broken.append(f"attribute takes {resident:.0f} MB, more than {MEGABYTES}")
    for fault in broken:
        print("BROKEN:", fault)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
