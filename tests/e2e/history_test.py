"""analyze and backfill as their user runs them: history from elsewhere, and a real Prometheus that answers over it."""
import datetime
import json
import math
import os
import re
import signal
import subprocess
import unittest
import urllib.parse
import urllib.request

from harness import RUNNER, SOURCE_DIR, Case, free_port, path_for_exe, run, wait_until

FIXTURES = os.path.join(SOURCE_DIR, "tests/fixtures")
START = 1_767_225_600  # 2026-01-01T00:00:00Z
STEP = 6 * 3600
END = START + 56 * 86400 - STEP
LEAK_A_DAY = 400_000


def leak_bytes(time):
    return 20_000_000 + LEAK_A_DAY * (time - START) // 86400


def calm_bytes(time):
    cycle = 0.05 * math.sin((time - START) / 86400 * 2 * math.pi)
    return int(30_000_000 * (1 + cycle + 0.01 * math.sin(time * 12.9898)))


def eight_weeks_csv():
    lines = ["timestamp,pool,tag,bytes,allocs,frees"]
    for time in range(START, END + 1, STEP):
        lines.append(f"{time},nonpaged,,{leak_bytes(time) + calm_bytes(time) + 5_000_000},,")
        lines.append(f"{time},nonpaged,Leak,{leak_bytes(time)},{leak_bytes(time) // 500 + 1000},1000")
        lines.append(f"{time},nonpaged,Calm,{calm_bytes(time)},5000,0")
    return "\n".join(lines) + "\n"


class Analyze(Case):
    def analyze(self, *paths, exit_code=0):
        done = run("analyze", "--format", "json", "--all", *[path_for_exe(path) for path in paths])
        self.assertEqual(done.returncode, exit_code, done.stderr)
        return json.loads(done.stdout)

    def test_the_leak_is_found_and_nothing_else(self):
        path = self.file("history.csv", eight_weeks_csv() + "1767225600,nonpaged\n")
        report = self.analyze(path)
        self.assertEqual(report["history"], {"start": "2026-01-01T00:00:00Z", "end": "2026-02-25T18:00:00Z",
                                             "snapshots": 224, "boots": 1, "subjects": 3})
        found = {subject["tag"]: subject for subject in report["subjects"]}
        verdicts = {tag: row["verdict"] for tag, row in found.items()}
        self.assertEqual(verdicts, {"Leak": "leak", "": "leak", "Calm": "ok"})
        self.assertAlmostEqual(found["Leak"]["slope_bytes_per_day"], LEAK_A_DAY, delta=LEAK_A_DAY * 0.1)
        self.assertEqual(found["Leak"]["bytes_last"], leak_bytes(END))
        self.assertEqual([(row["file"], row["line"]) for row in report["skipped"]], [(path_for_exe(path), 674)])

    def test_the_text_report(self):
        done = run("analyze", path_for_exe(self.file("history.csv", eight_weeks_csv())))
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        lines = done.stdout.splitlines()
        self.assertEqual(lines[1], "Verdict  2 leaks, 0 to watch")
        leak = [line for line in lines if " Leak " in line]
        self.assertEqual(len(leak), 1)
        self.assertRegex(leak[0], r"^LEAK +nonpaged +Leak +2026-01-0\d +\+3[89]\d KiB ")
        self.assertNotIn("Calm", done.stdout)

    def test_poolmon_as_people_post_it(self):
        for name in ("poolmon_sessions.txt", "poolmon_cp1252.txt", "poolmon_log_crlf.txt", "memsnap.log",
                     "perfmon.csv"):
            report = self.analyze(os.path.join(FIXTURES, "history", name))
            self.assertGreater(report["history"]["subjects"], 0, name)
            self.assertGreater(report["history"]["snapshots"], 0, name)

    def test_the_recorded_leak_of_a_real_kernel(self):
        capture = os.path.join(self.folder, "leak.kmem")
        subprocess.run([*RUNNER, os.environ["KMEM_NT_CAPTURE"],
                        path_for_exe(os.path.join(FIXTURES, "nt52-i386/frames.bin.gz")), path_for_exe(capture)],
                       check=True, stdin=subprocess.DEVNULL, timeout=240)
        report = self.analyze(capture)
        even = [row for row in report["subjects"] if (row["pool"], row["tag"]) == ("nonpaged", "Even")]
        self.assertEqual(len(even), 1)
        # Its last reading holds more than 11,000 of them, of 48 bytes each; minutes are no evidence of a leak.
        self.assertGreater(even[0]["bytes_last"], 11_000 * 48)
        self.assertEqual(even[0]["verdict"], "ok")

    def test_nothing_usable_is_exit_code_2(self):
        letter = path_for_exe(self.file("letter.txt", "Dear Sir or Madam,\n"))
        output = os.path.join(self.folder, "out.om")
        for arguments in (["analyze", letter], ["analyze", letter + ".absent"], ["analyze"],
                          ["backfill", letter, "--output", path_for_exe(output)]):
            done = run(*arguments)
            self.assertEqual((done.returncode, done.stdout), (2, ""), arguments)
            self.assertIn("letter.txt" if len(arguments) > 1 else "expected FILE", done.stderr)
        self.assertFalse(os.path.exists(output))

    def test_nothing_to_judge_is_exit_code_2_with_a_report(self):
        path = path_for_exe(self.file("available.csv", "(PDH-CSV 4.0) (UTC)(0),\\\\h\\Memory\\Available Bytes\n"
                                                       "11/05/2026 18:00:00.000,5\n"))
        for form in ("text", "json"):
            done = run("analyze", f"--format={form}", path)
            self.assertEqual(done.returncode, 2, form)
            self.assertIn("nothing could be judged" if form == "text" else "passed_over", done.stdout)
            self.assertIn("the readings have no pool, tag or commit", done.stderr)


class Truth(Case):
    """8 weeks by the hour whose truth is known, in every text that pools are logged in: a leak, 40 calm tags, a reboot,
    and counters that wrap."""
    LEAK, BEGIN, REBOOT = 300_000, 5, 40  # bytes a day; days
    BASE = 1_790_000_000 // 86400 * 86400

    def readings(self):
        for hour in range(56 * 24):
            day, time = hour / 24, self.BASE + hour * 3600
            boot = self.BASE + (self.REBOOT * 86400 if day >= self.REBOOT else -30 * 86400)
            since = max(0, day - self.BEGIN) if day < self.REBOOT else day - self.REBOOT
            rows = []
            leak = 8_000_000 + int(self.LEAK * since)
            up = (time - boot) // 3600
            frees = (2**32 - 488_000 + up * 400) % 2**32  # wraps after 500 hours of the first boot
            if day >= self.REBOOT:
                frees = up * 400
            rows.append(("Leak", "nonpaged", leak, (frees + leak // 100) % 2**32, frees))
            for tag in range(40):
                level = 500_000 + 40_000 * tag
                held = int(level * (1 + 0.01 * math.sin(hour * 12.9898 + tag) + 0.02 * math.sin(hour / 24 * 2 * math.pi)))
                rows.append((f"T{tag:03}", "paged" if tag % 2 else "nonpaged", held, 100 * up + held // 64, 100 * up))
            yield time, boot, rows

    @staticmethod
    def poolmon(rows):
        signed = lambda value: value - 2**32 if value >= 2**31 else value
        lines = [" Tag  Type     Allocs            Frees            Diff   Bytes       Per Alloc"]
        for tag, pool, held, allocs, frees in rows:
            alive = (allocs - frees) % 2**32
            kind = "Nonp" if pool == "nonpaged" else "Paged"
            lines.append(f" {tag:4} {kind:5}{allocs:10} (   0){frees:10} (   0) {signed(alive):8} {held:7} (     0) {held // alive:6}")
        return lines

    def formats(self):
        stamp = lambda time, form: datetime.datetime.fromtimestamp(time, datetime.timezone.utc).strftime(form)
        texts = {name: [] for name in ("poolmon dmy", "poolmon utf-16", "poolsnap", "poolused", "csv", "csv;")}
        header = " Tag  Type     Allocs     Frees      Diff   Bytes  Per Alloc"
        texts["poolsnap"].append(header)
        texts["csv"].append("timestamp,pool,tag,bytes,allocs,frees,boot_time")
        texts["csv;"].append("timestamp;pool;tag;bytes;allocs;frees;boot_time")
        for time, boot, rows in self.readings():
            up = time - boot
            texts["poolmon dmy"] += [stamp(time, "%d/%m/%Y %H:%M:%S"), *self.poolmon(rows)]
            texts["poolmon utf-16"] += [stamp(time, "%Y%m%d%H%M%S.000000+000"), *self.poolmon(rows)]
            texts["poolsnap"] += ["!LogType=poolsnap", stamp(time, "!SystemTime=%m\\%d\\%Y %H:%M:%S.0000 (GMT)"),
                                  f"!TickCount={up * 1000 % 2**32}", *self.poolmon(rows)[1:], ""]
            verbose = [stamp(time, "Debug session time: %a %b %d %H:%M:%S.000 %Y (UTC + 0:00)"),
                       f"System Uptime: {up // 86400} days {stamp(up, '%H:%M:%S')}.000",
                       "            NonPaged                              Paged",
                       " Tag    Allocs    Frees     Diff     Used   Allocs    Frees     Diff     Used"]
            for tag, pool, held, allocs, frees in rows:
                group = f"{allocs:10} {frees:10} {(allocs - frees) % 2**32:8} {held:8}"
                none = "         0          0        0        0"
                verbose.append(f" {tag:4} {group if pool == 'nonpaged' else none} {none if pool == 'nonpaged' else group}")
            texts["poolused"] += verbose
            for separator in ",;":
                texts["csv" if separator == "," else "csv;"] += [
                    separator.join((str(time), pool, tag, str(held) if separator == "," else f"{held},0", str(allocs),
                                    str(frees), str(boot))) for tag, pool, held, allocs, frees in rows]
        for name, lines in texts.items():
            text = "\n".join(lines) + "\n"
            yield name, text.encode("utf-16" if "utf-16" in name else "ascii")

    def test_every_format_tells_the_truth(self):
        truth = {}
        for time, _, rows in self.readings():
            for tag, pool, held, _, _ in rows:
                truth[(pool, tag, time)] = held
        for name, content in self.formats():
            path = os.path.join(self.folder, "history.log")
            with open(path, "wb") as out:
                out.write(content)
            done = run("analyze", "--format", "json", "--all", path_for_exe(path))
            self.assertEqual(done.returncode, 0, (name, done.stderr))
            report = json.loads(done.stdout)
            self.assertEqual(report["skipped"], [], name)
            self.assertEqual(report["history"]["snapshots"], 56 * 24, name)
            leaks = [row for row in report["subjects"] if row["kind"] == "tag" and row["verdict"] == "leak"]
            self.assertEqual([row["tag"] for row in leaks], ["Leak"], name)
            self.assertAlmostEqual(leaks[0]["slope_bytes_per_day"], self.LEAK, delta=self.LEAK * 0.05, msg=name)
            since = datetime.datetime.fromisoformat(leaks[0]["since"].replace("Z", "+00:00")).timestamp()
            self.assertAlmostEqual((since - self.BASE) / 86400, self.BEGIN, delta=2, msg=name)
            self.assertLessEqual(leaks[0]["since"], leaks[0]["first_detected"], name)

            page = os.path.join(self.folder, "history.om")
            done = run("backfill", path_for_exe(path), "--output", path_for_exe(page), "--log.level=error")
            self.assertEqual(done.returncode, 0, (name, done.stderr))
            found = {}
            with open(page, encoding="ascii") as lines:
                for line in lines:
                    row = re.match(r'kmem_pool_tag_bytes{pool="(\w+)",tag="(\w+)"} (\S+) (\d+)$', line)
                    if row:
                        found[(row[1], row[2], int(row[4]))] = int(float(row[3]))
            wrong = [(key, value, truth[key]) for key, value in found.items() if truth[key] != value]
            self.assertEqual(wrong[:3], [], name)
            self.assertEqual(len([key for key in found if key[1] == "Leak"]), 56 * 24, name)


class Backfill(Case):
    def query(self, expression, at):
        with urllib.request.urlopen(f"{self.prometheus}/api/v1/query?time={at}&query={urllib.parse.quote(expression)}",
                                    timeout=120) as response:
            rows = json.load(response)["data"]["result"]
        return {row["metric"].get("tag", ""): float(row["value"][1]) for row in rows}

    def test_prometheus_answers_over_the_whole_8_weeks(self):
        page, data = os.path.join(self.folder, "history.om"), os.path.join(self.folder, "data")
        done = run("backfill", self.file("history.csv", eight_weeks_csv()), "--output", page)
        self.assertEqual(done.returncode, 0, done.stderr)
        made = subprocess.run(["promtool", "tsdb", "create-blocks-from", "openmetrics", page, data],
                              capture_output=True, text=True, timeout=600)
        self.assertEqual(made.returncode, 0, made.stderr)

        port = free_port()
        log = open(os.path.join(self.folder, "prometheus.log"), "w+")
        self.addCleanup(log.close)
        server = subprocess.Popen(["prometheus", f"--config.file={self.file('prometheus.yml')}",
                                   f"--storage.tsdb.path={data}", "--storage.tsdb.retention.time=10y",
                                   f"--web.listen-address=127.0.0.1:{port}"], stdout=log, stderr=subprocess.STDOUT)

        def stop():
            server.send_signal(signal.SIGTERM)
            server.wait(60)
        self.addCleanup(stop)
        self.prometheus = f"http://127.0.0.1:{port}"

        def ready():
            try:
                return self.query("kmem_pool_tag_bytes", END)
            except OSError:
                return None
        self.assertEqual(wait_until(ready, 60, "it answers"), {"Leak": leak_bytes(END), "Calm": calm_bytes(END)})
        self.assertEqual(self.query("count_over_time(kmem_pool_tag_bytes[57d])", END), {"Leak": 224, "Calm": 224})
        for time in range(START, END + 1, 7 * 86400):
            self.assertEqual(self.query("kmem_pool_tag_bytes", time),
                             {"Leak": leak_bytes(time), "Calm": calm_bytes(time)})
        slope = self.query('deriv(kmem_pool_tag_bytes{tag="Leak"}[57d]) * 86400', END)["Leak"]
        self.assertAlmostEqual(slope, LEAK_A_DAY, delta=LEAK_A_DAY * 0.001)
        counted = self.query("kmem_pool_tag_outstanding_allocations", START)
        self.assertEqual(counted, {"Leak": leak_bytes(START) // 500, "Calm": 5000})
        grown = self.query("increase(kmem_pool_tag_allocations_total[57d])", END)
        self.assertAlmostEqual(grown["Leak"], (leak_bytes(END) - leak_bytes(START)) // 500, delta=500)
        self.assertEqual(self.query("kmem_pool_bytes", START), {"": leak_bytes(START) + calm_bytes(START) + 5_000_000})


if __name__ == "__main__":
    unittest.main(verbosity=2)
