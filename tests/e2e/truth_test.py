"""8 weeks of known truth in every shape that people have (tests/exporter/commands/truth_shapes.cpp), by the shipped program's
backfill and promtool into a real Prometheus: every sample it then holds is the truth's, and none is missing."""
import concurrent.futures
import json
import os
import subprocess
import unittest
import urllib.parse
import urllib.request

from harness import Case, free_port, run

WRAP = 2**32


class Expected:
    """What a Prometheus has to hold of one shape: series by name and labels, by the hour."""

    def __init__(self, shape, truth):
        self.shape, self.truth, self.tags = shape, truth, truth["tags"]
        self.hours = range(len(truth["boot"]))

    def rounded(self, tag):
        unit = self.shape["unit_bytes"]
        return [value // unit * unit for value in self.tags[tag]["bytes"]]

    def live(self, tag):
        per = self.shape["allocation_bytes"]
        up = per - 1 if self.shape["pool"] == "vmalloc" else 0  # its last area is a small one
        return [(value + up) // per - self.shape["idle"] for value in self.rounded(tag)]

    def counter(self, tag, name):
        """As 64 bits would have counted: on from the first reading, and anew with each boot."""
        total, counted, before = 0, [], None
        for hour, value in enumerate(self.tags[tag][name]):
            if before is None or hour == self.truth["reboot"]:
                total = value
            else:
                total += (value - before) % WRAP
            before = value
            counted.append(total)
        return counted

    def series(self):
        pool, subject = self.shape["pool"], self.shape["subject"]
        total = [sum(values) for values in zip(*(self.rounded(tag) for tag in range(len(self.tags))))]
        if subject.endswith(".exe"):
            since = [hour if hour < self.truth["reboot"] else hour - self.truth["reboot"] for hour in self.hours]
            return {("kmem_process_handles", "", subject): [1000 + 10 * hours for hours in since]}
        if subject != "Leak":
            return {("kmem_pool_tag_bytes", pool, subject) if subject else ("kmem_pool_bytes", pool, ""): total}
        found = {}
        for tag, name in enumerate(self.shape["tags"]):
            found["kmem_pool_tag_bytes", pool, name] = self.rounded(tag)
            if self.shape["counted"]:
                found["kmem_pool_tag_outstanding_allocations", pool, name] = self.live(tag)
                if pool == "nonpaged":
                    found["kmem_pool_tag_allocations_total", pool, name] = self.counter(tag, "allocations")
                    found["kmem_pool_tag_frees_total", pool, name] = self.counter(tag, "frees")
        return found


class Truth(Case):
    def path(self, name):
        return os.path.join(self.folder, name)

    def backfill(self, shape):
        page = self.path(shape["file"] + ".om")
        done = run("backfill", self.path(shape["file"]), "--output", page, "--label", "instance=" + shape["file"], "--tags.all",
                   timeout=100)
        self.assertEqual(done.returncode, 0, (shape["name"], done.stderr))
        self.assertIn("promtool tsdb create-blocks-from --max-block-duration=500h openmetrics", done.stderr)
        return page

    def serve(self, pages):
        whole, data = self.path("history.om"), self.path("data")
        with open(whole, "wb") as out:
            for page in pages:
                with open(page, "rb") as one:
                    out.write(one.read().removesuffix(b"# EOF\n"))
                os.remove(page)
            out.write(b"# EOF\n")
        subprocess.run(["promtool", "tsdb", "create-blocks-from", "--max-block-duration=500h", "-q", "openmetrics", whole, data],
                       check=True, timeout=300)
        os.remove(whole)
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.start_prometheus(data, port, lambda: urllib.request.urlopen(self.url + "/-/ready", timeout=5).status == 200)

    def held(self, selector, start, hours):
        """All that Prometheus has of it: name, pool, tag or process -> [[time, text of the value]]."""
        query = urllib.parse.urlencode({"query": f"{selector}[{hours + 2}h]", "time": start + hours * 3600})
        with urllib.request.urlopen(f"{self.url}/api/v1/query?{query}", timeout=100) as answer:
            series = json.load(answer)["data"]["result"]
        found = {}
        for one in series:
            labels = one["metric"]
            key = labels["__name__"], labels.get("pool", ""), labels.get("tag", labels.get("process", ""))
            self.assertNotIn(key, found)
            found[key] = one["values"]
        return found

    def assert_held(self, shape, truth, start):
        wanted = Expected(shape, truth).series()
        names, hours = "|".join(sorted({name for name, _, _ in wanted})), len(truth["boot"])
        of = next(iter(wanted))
        where = f'pool="{of[1]}"' if of[1] else f'process="{of[2]}"'
        held = self.held(f'{{__name__=~"{names}",instance="{shape["file"]}",{where}}}', start, hours)
        self.assertEqual(set(held), set(wanted), shape["name"])
        for key, values in wanted.items():
            # A recording's milliseconds may stand beside the hour.
            there = [(int(time), float(value)) for time, value in held[key]]
            true = [(start + 3600 * hour, value) for hour, value in enumerate(values)]
            if there != true:  # told by its first difference, not by a diff of lists
                first = next((pair for pair in zip(there, true) if pair[0] != pair[1]), (len(there), len(true)))
                self.fail(f"{shape['name']} {key}: {first[0]} is held, {first[1]} is true")
        return len(wanted) * hours

    def assert_boots(self, shape, truth, start):
        held = self.held(f'kmem_boot_time_seconds{{instance="{shape["file"]}"}}', start, len(truth["boot"]))
        if not held:
            return 0
        (values,) = held.values()
        told = [(truth["boot"][(int(time) - start) // 3600], float(value)) for time, value in values]
        # sar tells when it began anew, minutes after the boot.
        self.assertEqual([(boot, value) for boot, value in told if not -60 <= value - boot <= 300], [], shape["name"])
        self.assertEqual(len({value for _, value in told}), len({boot for boot, _ in told}), shape["name"])
        self.assertGreaterEqual(len(values), len(truth["boot"]) - truth["reboot"], shape["name"])
        return len(values)

    def test_every_sample_is_the_truths(self):
        subprocess.run([os.path.join(os.environ["KMEM_TOOLS"], "truth_files"), self.folder], check=True, timeout=200)
        with open(self.path("truth.json")) as file:
            known = json.load(file)
        self.assertGreaterEqual(len(known["shapes"]), 38)
        with concurrent.futures.ThreadPoolExecutor(2) as both:
            pages = list(both.map(self.backfill, known["shapes"]))
        self.serve(pages)
        samples = boots = 0
        for shape in known["shapes"]:
            truth = known[shape["truth"]]
            samples += self.assert_held(shape, truth, known["start"])
            boots += self.assert_boots(shape, truth, known["start"])
        print(f"{samples} samples of {len(known['shapes'])} shapes are the truth's, and {boots} of boots")
        self.assertGreater(samples, 1_000_000)
        self.assertGreater(boots, 20_000)


if __name__ == "__main__":
    unittest.main(verbosity=2)
