"""The page as an administrator sees it: the shipped program with eight weeks of a leak behind it, in Debian's Chromium.
KMEM_TOOLS names the folder of made_capture and aged_state, KMEM_DEPS where axe-core is or goes, KMEM_SHOTS where
pictures go (optional)."""
import json
import os
import re
import shutil
import subprocess
import tempfile
import time
import unittest
from datetime import datetime, timedelta, timezone
from urllib.parse import quote

from browser import Browser
from harness import EXE, SOURCE_DIR, Exporter, free_port, run, wait_until

TOOLS, DEPS, SHOTS = os.environ["KMEM_TOOLS"], os.environ["KMEM_DEPS"], os.environ.get("KMEM_SHOTS")
FRAMES = os.path.join(SOURCE_DIR, "tests/fixtures/nt52-i386/frames.bin.gz")
PHONE, DESK = (390, 844), (1280, 900)
ROWS = "[...document.querySelectorAll('#tag-table tbody tr')]"

browser = None
folder = None


def setUpModule():
    global browser, folder
    folder = tempfile.mkdtemp(prefix="kmem-page-")
    browser = Browser()


def tearDownModule():
    browser.close()
    shutil.rmtree(folder, ignore_errors=True)


def made(kind, *leaks):
    """Arguments of `serve` for a made capture, with the history that these subjects' growth would have left."""
    capture, state = os.path.join(folder, kind + ".kmem"), os.path.join(folder, kind + "-state")
    if not os.path.exists(capture):
        subprocess.run([os.path.join(TOOLS, "made_capture"), kind, FRAMES, capture], check=True)
        subprocess.run([os.path.join(TOOLS, "aged_state"), capture, state, *leaks], check=True, capture_output=True)
    return [f"--collector.source=replay:{capture}", f"--storage.path={state}", "--sampling.interval=1s"]


class Case(unittest.TestCase):
    """A page at the desk, by day, that asked nobody else for anything and had nothing to complain of."""

    @classmethod
    def serve(cls, *args, **kwargs):
        exporter = Exporter(*args, **kwargs)
        cls.addClassCleanup(exporter.__exit__)
        return exporter

    def setUp(self):
        browser.scripts(True)
        browser.size(*DESK)
        browser.scheme("light")
        browser.zone("UTC")
        browser.open("about:blank")
        browser.requests.clear()
        browser.complaints.clear()

    def tearDown(self):
        self.assertEqual(browser.complaints, [])
        self.assertEqual([url for url in browser.requests if not url.startswith(self.url)], [])

    def show(self, address=""):
        browser.open(self.url + address)

    def texts(self, selector):
        return browser.js(f"[...document.querySelectorAll({json.dumps(selector)})].map(e => e.textContent)")

    def attribute(self, selector, name):
        return browser.js(f"document.querySelector({json.dumps(selector)}).getAttribute({json.dumps(name)})")

    def column(self, heading):
        """A column's texts, from the top."""
        return browser.js(f"""(() => {{
          const at = [...document.querySelectorAll('#tag-table thead th')].findIndex(th => th.textContent === {json.dumps(heading)});
          return {ROWS}.map(row => row.cells[at].textContent);
        }})()""")

    def read_chart(self, where):
        """What a chart says under a pointer near its right end."""
        def move():
            left, top, width, height = browser.place(where + " .chart")
            browser.pointer(left + width - 2, top + height / 2)
            return browser.js(f"document.querySelector('{where} .tip')?.textContent")
        return wait_until(move, 10, "a tip")

    def picture(self, name, whole=True):
        if SHOTS:
            browser.picture(os.path.join(SHOTS, name + ".png"), whole)


class Leak(Case):
    """Thre leaks 2.4 MiB a day since the reboot six weeks ago; MmSt made a step three weeks ago."""

    @classmethod
    def setUpClass(cls):
        cls.exporter = cls.serve(*made("leak", "nonpaged/Thre", "+paged/MmSt"))
        cls.url = f"http://127.0.0.1:{cls.exporter.port}/"
        wait_until(lambda: cls.rates(), 10, "the second reading")

    @classmethod
    def rates(cls):
        tags = json.loads(cls.exporter.get("/api/v1/tags?limit=1")[2])["tags"]
        return tags[0]["allocations_per_second"]

    HEADLINE = re.compile(r"Leak: tag Thre \(nonpaged\), driver ntoskrnl\.exe, \+2\.\d+ MiB/day since 26 Sep, "
                          r"pool limit reached in about (2[89]|3\d) days \(7\d\.\d MiB left at the day's peak\)")

    def test_what_is_wrong_is_what_is_seen_first(self):
        for size in (DESK, PHONE):
            browser.size(*size, phone=size == PHONE)
            self.show()
            headline, top, font, others = browser.js("""(() => {
              const h1 = document.querySelector('h1'), box = h1.getBoundingClientRect();
              const size = e => parseFloat(getComputedStyle(e).fontSize);
              return [h1.textContent, box.top, size(h1), Math.max(...[...document.querySelectorAll('main *')].filter(
                e => !e.closest('h1') && e.textContent).map(size))];
            })()""")
            self.assertRegex(headline, self.HEADLINE)
            self.assertLess(top, 150)
            self.assertGreater(font, others, "nothing else is as large")
            self.assertRegex(browser.js("document.title"), self.HEADLINE)
        self.assertEqual(len(self.texts("#verdict li")), 0, "the pool grows by its tag, which is no second news")

    def test_bars_show_limit_trim_threshold_and_floor(self):
        self.show()
        facts = browser.js("""Object.fromEntries([...document.querySelectorAll('.resource')].map(r => {
          const box = r.querySelector('.bar').getBoundingClientRect();
          const share = (s, edge) => { const e = r.querySelector(s); return e && (e.getBoundingClientRect()[edge] - box.left) / box.width; };
          return [r.id, {fill: share('.fill', 'right'), low: share('.bar .low', 'left'), trim: share('.bar .trim', 'left'),
                         words: r.textContent, red: r.matches('.leaks')}];
        }))""")
        paged, nonpaged, ptes = facts["r-paged"], facts["r-nonpaged"], facts["r-system_ptes"]
        status = json.loads(self.exporter.get("/api/v1/status")[2])
        by_name = {resource["resource"]: resource for resource in status["resources"]}
        self.assertAlmostEqual(paged["trim"], 0.6, places=2)
        self.assertIn("PagedPoolSize", paged["words"])
        self.assertIn("trimmed from", paged["words"])
        expected = by_name["nonpaged"]
        self.assertAlmostEqual(nonpaged["fill"], expected["used"] / expected["limit"], places=2)
        self.assertAlmostEqual(nonpaged["low"], expected["floor"] / expected["limit"], places=2)
        self.assertTrue(nonpaged["red"])
        self.assertFalse(paged["red"])
        told = re.search(r"pool limit reached in about (\d+) days: ([\d.]+) MiB left at the day's peak\s+leaks \+([\d.]+) MiB/day",
                         nonpaged["words"])
        self.assertIsNotNone(told, nonpaged["words"])
        days, left, pace = (float(word) for word in told.groups())
        self.assertAlmostEqual(days, left / pace, delta=0.6, msg="what is told together is a division")
        self.assertIn("limit: an estimate, what 32-bit Windows 2000 to Server 2003", nonpaged["words"])
        self.assertAlmostEqual(ptes["trim"], 12000 / 31000, places=2)
        self.assertIn("trouble below 12,000", ptes["words"])
        self.assertIn("r-commit", facts)

    def test_the_suspects_chart_has_floor_trend_reboot_and_step(self):
        self.show()
        chart = "#suspects .chart[data-line=floors]"
        self.assertEqual(browser.js(f"['.floor', '.trend', '.boot'].map(s => document.querySelectorAll('{chart} ' + s).length)"),
                         [1, 2, 1], "the trend has a piece on each side of the reboot")
        self.assertIn("reboot", self.texts(chart + " text"))
        self.assertRegex(self.attribute(chart, "aria-label"),
                         r"Lowest size of tag Thre .* 26 Sep to 21 Nov: .* trend \+2\.\d+ MiB/day since 26 Sep, 1 reboot; pool limit reached in about")
        self.assertRegex(" ".join(self.texts("#suspects .facts div")), r"Growth\+2\.\d+ MiB/day Since26 Sep Now130 MiB")
        self.show("?chart=paged%2FMmSt")
        self.assertRegex(" ".join(self.texts("#chart .step title")), r"\+\d+\.\d KiB on 3\d? Oct|\+\d+\.\d KiB on \d Nov")

    def test_the_pointer_reads_the_chart_and_the_exact_value(self):
        self.show()
        history = json.loads(self.exporter.get("/api/v1/trends/nonpaged/Thre")[2])
        newest = history["floors"]["amount"][-1]
        tip = self.read_chart("#suspects")
        self.assertEqual(tip.split(" · ")[0], f"{newest / 1048576:.0f} MiB")
        self.assertIn("20 Nov 2026", tip)
        browser.pointer(1, 1)
        browser.until("!document.querySelector('.tip')")
        self.assertEqual(self.attribute("#tag-table tbody tr td:nth-child(3) span", "title"),
                         f"{history['subject']['last']:,} bytes")

    def test_headings_sort_by_pointer_and_keyboard_without_a_new_page(self):
        self.show()
        browser.js("window.same = true")
        self.assertEqual(self.texts("th[aria-sort=descending]"), ["Bytes"])
        browser.click("#tag-table thead th:nth-child(6) a")
        browser.until("document.querySelector('th[aria-sort=descending]').textContent === 'Live'")
        live = [int(text.replace(",", "")) for text in self.column("Live")]
        self.assertEqual(live, sorted(live, reverse=True))
        self.assertEqual(browser.js("location.search"), "?sort=outstanding&order=desc")
        browser.js("document.querySelector('#tag-table thead th a').focus()")
        browser.enter()
        browser.until("document.querySelector('th[aria-sort=ascending]')?.textContent === 'Tag'")
        names = self.texts("#tag-table code")
        self.assertEqual(names, sorted(names))
        self.assertEqual(browser.js("document.activeElement.textContent"), "Tag", "the focus stays")
        browser.enter()
        browser.until("document.querySelector('th[aria-sort=descending]')?.textContent === 'Tag'")
        self.assertTrue(browser.js("window.same"))
        browser.js("history.go(-2)")
        browser.until("document.querySelector('th[aria-sort=descending]').textContent === 'Live'")
        self.assertRegex(" ".join(self.column("Rate")[:3]), r"^[\d,.]+ [\d,.]+ [\d,.]+$")

    def test_the_filter_takes_names_drivers_and_pools_as_they_are_typed(self):
        self.show()
        browser.js("window.same = true")
        browser.click("#f")
        browser.type("NTOSKRNL")
        browser.until("document.querySelector('#tag-table caption').textContent.includes('that match')")
        self.assertEqual(set(self.column("Driver")), {"ntoskrnl.exe"})
        self.assertEqual(browser.js("[document.activeElement.id, document.activeElement.value]"), ["f", "NTOSKRNL"])
        browser.js("""(() => { const p = document.querySelector('#p'); p.focus(); p.value = 'paged';
                             p.dispatchEvent(new Event('input', {bubbles: true})); })()""")
        browser.until("new URLSearchParams(location.search).get('pool') === 'paged'")
        browser.until(f"{ROWS}.every(row => row.cells[1].textContent === 'paged')")
        self.assertTrue(browser.js("window.same"))
        rows = self.texts("#tag-table code")
        browser.open(browser.js("location.href"))
        self.assertEqual(self.texts("#tag-table code"), rows, "the address says what is shown")
        self.show("?filter=nothing+has+this")
        self.assertEqual(browser.js(f"{ROWS}.length"), 0)
        self.assertIn("No tag matches.", self.texts("#tags p"))

    def test_a_tag_shows_its_weeks(self):
        self.show()
        browser.js("window.same = true")
        browser.click("#tag-table tbody tr:nth-child(2) a")
        browser.until("document.querySelector('#chart .chart')")
        self.assertIn("tag RSYM (nonpaged)", self.texts("#chart h3")[0])
        browser.click("#chart .close")
        browser.until("!document.querySelector('#chart')")
        browser.click("#r-commit h3 a")
        browser.until("document.querySelector('#chart h3')?.textContent.startsWith('commit charge')")
        self.assertTrue(browser.js("window.same"))

    def test_processes_collectors_and_links(self):
        self.show()
        self.assertEqual(self.texts("#processes thead th")[:3], ["Process", "Id", "Handles"])
        handles = [int(text.replace(",", "")) for text in self.texts("#processes tbody td:nth-child(3)")]
        self.assertGreater(len(handles), 5)
        self.assertEqual(handles, sorted(handles, reverse=True))
        self.assertIn("pool_tags", self.texts("#collectors tbody th"))
        hrefs = browser.js("[...document.querySelectorAll('a[href]')].map(a => a.href)")
        for wanted in ("metrics", "api/v1/status", "api/v1/tags", "api/v1/trends", "runbooks/KmemPoolLeakSuspected"):
            self.assertIn(self.url + wanted, hrefs)
        for href in {href.split("#")[0] for href in hrefs if "?" not in href}:
            self.assertEqual(self.exporter.get(href[len(self.url) - 1:])[0], 200, href)

    def test_times_are_the_readers(self):
        booted = json.loads(self.exporter.get("/api/v1/status")[2])["boot_time"]
        self.assertEqual(booted[:16], "2026-10-10T00:33")
        for zone, words in (("UTC", "10 Oct 2026, 00:33"), ("America/New_York", "9 Oct 2026, 20:33"),
                            ("Asia/Kolkata", "10 Oct 2026, 06:03")):
            browser.zone(zone)
            self.show()
            self.assertEqual(self.texts(f"#verdict time[datetime='{booted}']"), [words])
        self.assertEqual(self.attribute("#verdict .sub time", "title"), booted)
        since = datetime.fromisoformat(self.attribute("h1 time", "datetime")[:-1] + "+00:00")
        for zone, hours in (("UTC", 0), ("Pacific/Kiritimati", 14), ("Pacific/Pago_Pago", -11)):
            browser.zone(zone)
            self.show()
            there = since.astimezone(timezone(timedelta(hours=hours)))
            self.assertEqual(self.texts("h1 time"), [f"{there.day} {there:%b}"])

    def test_dark_and_light_are_what_the_reader_has(self):
        brightness = """getComputedStyle(document.body).backgroundColor.match(/\\d+/g).reduce((sum, part) => sum + Number(part), 0)"""
        self.show()
        self.assertGreater(browser.js(brightness), 700)
        self.picture("light")
        self.picture("readme", whole=False)  # exporter/page/page.png
        browser.scheme("dark")
        self.assertLess(browser.js(brightness), 120)
        self.picture("dark")

    def test_a_narrow_window_scrolls_only_downwards(self):
        for width in (320, PHONE[0], 700):
            browser.size(width, 844, phone=width < 500)
            self.show("?chart=nonpaged%2FThre")
            self.assertLessEqual(browser.js("document.documentElement.scrollWidth"), width)
            self.assertEqual(browser.js("""[...document.querySelectorAll('main *')].filter(e => !e.closest('.scroll, .bar, .chart') &&
                e.getBoundingClientRect().right > innerWidth + 1).map(e => e.outerHTML.slice(0, 80))"""), [])
            if width == PHONE[0]:
                self.picture("phone")
        browser.size(*PHONE, phone=True)
        small = browser.js("""[...document.querySelectorAll('button, select, input, summary')].filter(e => e.offsetParent &&
            e.type !== 'hidden' && e.getBoundingClientRect().height < 24).map(e => e.outerHTML)""")
        self.assertEqual(small, [], "too small for a finger")

    def test_without_a_script_everything_is_there(self):
        browser.scripts(False)
        browser.size(*DESK)
        self.show()
        self.assertRegex(self.texts("h1")[0], self.HEADLINE)
        self.assertEqual(browser.js(f"{ROWS}.length"), 50)
        self.assertEqual(browser.js("document.querySelectorAll('#suspects .chart .floor').length"), 2, "weeks, and hours")
        self.assertRegex(" ".join(self.texts("#verdict time")), r"^26 Sep 2026-10-10 00:33 UTC$")
        self.assertTrue(browser.js("document.querySelector('#pause').hidden"))
        self.picture("no-script")
        browser.events.clear()
        browser.click("#tag-table thead th:first-child a")
        browser.loaded("the page, sorted")
        names = self.texts("#tag-table code")
        self.assertEqual(names, sorted(names))
        browser.events.clear()
        browser.click("#f")
        browser.type("thread objects")
        browser.enter()
        browser.loaded("the page, filtered")
        self.assertEqual(self.texts("#tag-table code"), ["Thre"])
        browser.events.clear()
        browser.click("#tag-table tbody a")
        browser.loaded("the page with a chart")
        self.assertEqual(browser.js("document.querySelectorAll('#chart .chart .trend').length"), 2)

    def test_the_keyboard_reaches_everything_and_shows_where_it_is(self):
        self.show("?filter=Thr")
        browser.tab()
        self.assertEqual(browser.js("document.activeElement.textContent"), "Skip to the tags")
        self.assertGreaterEqual(browser.js("document.activeElement.getBoundingClientRect().left"), 0)
        reached = set()
        for _ in range(200):
            browser.tab()
            path, outline = browser.js("""(() => {
              const e = document.activeElement;
              const number = [...document.querySelectorAll('*')].indexOf(e);
              return [e === document.body ? -1 : number, getComputedStyle(e).outlineStyle];
            })()""")
            if path == -1 or path in reached:
                break
            reached.add(path)
            self.assertNotEqual(outline, "none", path)
        # What is inside closed <details> is not there to be reached.
        missing = browser.js(f"""(() => {{
          const reached = new Set({sorted(reached)}), all = [...document.querySelectorAll('*')];
          return all.filter((e, i) => !reached.has(i) && !e.matches('.skip') && e.checkVisibility() &&
            e.matches('a[href], button, input:not([type=hidden]), select, summary, [tabindex="0"]')).map(e => e.outerHTML);
        }})()""")
        self.assertEqual(missing, [])

    def test_axe_finds_no_fault(self):
        subprocess.run([os.path.join(SOURCE_DIR, "packaging/fetch-sources.sh"), DEPS, "axe-core"], check=True)
        with open(os.path.join(DEPS, "axe-core/axe.min.js"), encoding="utf-8") as source:
            axe = source.read()
        for scheme, size in (("light", DESK), ("dark", DESK), ("light", PHONE), ("dark", PHONE)):
            browser.scheme(scheme)
            browser.size(*size, phone=size == PHONE)
            self.show("?chart=paged%2FMmSt&filter=m")
            browser.js("document.querySelectorAll('details').forEach(d => d.open = true)")
            browser.js(axe + "; 0")
            found = browser.js("""axe.run(document, {resultTypes: ['violations']}).then(result => [result.passes.length,
              result.violations.map(v => [v.impact, v.id, v.nodes.slice(0, 3).map(n => n.html.slice(0, 200) + ' ' + n.failureSummary)])])""")
            self.assertGreater(found[0], 20, "rules that were looked at and hold")
            self.assertEqual(found[1], [], (scheme, size))

    def test_nothing_but_its_own_files_may_run(self):
        status, headers, _ = self.exporter.get("/")
        self.assertEqual(status, 200)
        policy = headers["Content-Security-Policy"]
        self.assertIn("default-src 'none'", policy)
        for word in ("unsafe", "*", "http:", "https:", "data:"):
            self.assertNotIn(word, policy)
        self.assertEqual(headers["X-Content-Type-Options"], "nosniff")
        self.show()
        blocked = browser.js("""new Promise(done => {
          document.addEventListener('securitypolicyviolation', event => done(event.violatedDirective));
          const script = document.createElement('script');
          script.textContent = 'window.ran = 1';
          document.body.append(script);
          setTimeout(() => done(window.ran ? 'it ran' : 'nothing'), 2000);
        })""")
        self.assertRegex(blocked, "^script-src")
        self.assertEqual(len(browser.complaints), 1, "the one that this test made")
        browser.complaints.clear()


class Live(Case):
    def test_the_page_follows_what_happens(self):
        port = free_port()
        self.url = f"http://127.0.0.1:{port}/"
        with Exporter(made("leak", "nonpaged/Thre", "+paged/MmSt")[0], listen=f"127.0.0.1:{port}") as calm:
            self.show("?filter=Thr")
            self.assertEqual(self.texts("h1"), ["Too little to judge: telling a leak takes 7 more days of readings"])
            browser.until("document.querySelector('#live').textContent === 'live, read'")
            browser.js("window.same = document.querySelector('#f'); window.same.focus()")
            calm.stop()
            browser.until("document.querySelector('#live').textContent === 'no answer since'", 15)
        browser.complaints.clear()  # "connection refused"
        with Exporter(*made("leak", "nonpaged/Thre", "+paged/MmSt"), listen=f"127.0.0.1:{port}"):
            browser.until("document.querySelector('h1').textContent.startsWith('Leak: tag Thre')", 15)
            self.assertTrue(browser.js("window.same === document.activeElement"), "changed in place, the focus where it was")
            self.assertEqual(browser.js("document.querySelectorAll('#suspects .chart').length"), 2, "weeks, and hours")
            self.assertTrue(browser.js("document.title.startsWith('Leak: tag Thre')"))
            browser.click("#pause")
            self.assertEqual(browser.js("document.querySelector('#live').textContent"), "paused, read")
            browser.open("about:blank")
        browser.complaints.clear()

HOSTILE = "<img src=x onerror=\"document.title='owned'\">"


class Hostile(Case):
    """Names that would be markup, script, terminal commands or broken text if they were taken for more than names."""

    # As a Linux kernel could list them; slab caches' names have no blanks.
    SLABS = ["<img/src=x/onerror=document.title='owned'>", "\"'&amp;<script>document.title='owned'</script>",
             "</code></a><iframe/src=javascript:document.title='owned'>", "caf\xe9\xff\x80", "\x1b]0;owned\x07\x1b[2J", "${7*7}{{7*7}}%n"]

    @classmethod
    def setUpClass(cls):
        kernel = os.path.join(folder, "hostile-linux")
        procfs = os.path.join(kernel, "proc")
        for number, name in ((11, "<b onclick=1>"), (12, "\x1b[31m\"';&\xff")):
            os.makedirs(os.path.join(procfs, str(number), "fd"))
            for descriptor in range(20):
                os.symlink("/dev/null", os.path.join(procfs, str(number), "fd", str(descriptor)))
            cls.write(procfs, f"{number}/comm", name + "\n")
            cls.write(procfs, f"{number}/stat", f"{number} ({name}) S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 100 0 0\n")
        rows = "".join(f"{name} {9000 - 300 * i} 9000 1024 4 1 : tunables 0 0 0 : slabdata {9000 - 300 * i} 2250 0\n"
                       for i, name in enumerate(cls.SLABS))
        cls.write(procfs, "slabinfo", "slabinfo - version: 2.1\n# name            <active_objs> <num_objs>\n" + rows)
        cls.write(procfs, "meminfo", "MemTotal: 1000000 kB\nMemAvailable: 500000 kB\nSReclaimable: 20000 kB\nSUnreclaim: 250000 kB\n"
                                     "Committed_AS: 90000 kB\nCommitLimit: 900000 kB\nVmallocTotal: 34359738367 kB\nVmallocUsed: 9000 kB\n")
        cls.write(procfs, "stat", f"cpu 0 0 0\nbtime {int(time.time()) - 42 * 86400}\n")
        cls.write(procfs, "vmallocinfo", "0xffffc90000000000-0xffffc90000005000   20480 <svg/onload=document.title='owned'>+0x1/0x2 pages=4\n")
        capture, state = os.path.join(folder, "linux.kmem"), os.path.join(folder, "linux-state")
        done = run("record", "--output", capture, "--interval", "1s", "--duration", "1s", "--path.procfs", procfs,
                   "--collector.source=linux")
        assert done.returncode == 0, done.stderr
        subprocess.run([os.path.join(TOOLS, "aged_state"), capture, state, "slab_unreclaimable/" + cls.SLABS[0]], check=True,
                       capture_output=True)
        cls.linux = ["--collector.source=replay:" + capture, "--storage.path=" + state]
        pooltag = os.path.join(folder, "pooltag.txt")
        cls.write(folder, "pooltag.txt", f"rem\n<i'> - {HOSTILE}.sys - <script>document.title='owned'</script> \"it\"\n"
                                         f"</a> - \xff\x1b[2J.sys - \x01\x02\xfe\n")
        cls.nt = made("hostile", "nonpaged/<i'>", "nonpaged/\"'&<") + ["--drivers.pooltag-file=" + pooltag]

    @staticmethod
    def write(base, path, text):
        with open(os.path.join(base, path), "wb") as out:
            out.write(text.encode("latin-1"))

    NT_TAGS = ["<i'>", "\"'&<", "</a>", "\\xff\\xfe<\\x00", "\\x00\\x01\\x1b[", "\\x0a\\x0d\\x09\\", "<!--", "%s%n", "../#", "?&=;",
               "\\xe2\\x80\\xae>", "=1+1", "\\x7f\\x9b]\""]

    def look(self, args, tags):
        """Everything that the program says of a source, by every way."""
        with Exporter(*args) as exporter:
            self.url = f"http://127.0.0.1:{exporter.port}/"
            self.in_metrics(exporter, tags)
            self.in_json(exporter, tags)
            self.in_the_page(tags[:1])
            browser.call("Page.setBypassCSP", enabled=True)  # names are harmless by themselves, not by the policy
            self.in_the_page(tags)
            browser.call("Page.setBypassCSP", enabled=False)
            browser.open("about:blank")
        self.in_top(args, tags)

    def in_metrics(self, exporter, tags):
        for accept in ("text/plain", "application/openmetrics-text; version=1.0.0"):
            body = exporter.get("/metrics", headers={"Accept": accept})[2]
            text = body.decode("utf-8")  # legal, or this throws
            self.assertIsNone(re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f]", text))
        page = exporter.page()
        shown = {dict(labels)["tag"] for labels in page.family("kmem_pool_tag_bytes")}
        self.assertLessEqual(set(tags), shown)

    def in_json(self, exporter, tags):
        for path in ("status", "tags?limit=1000&course=1", "trends", "trends?verdict=ok&limit=200"):
            status, headers, body = exporter.get("/api/v1/" + path)
            self.assertEqual((status, headers["X-Content-Type-Options"]), (200, "nosniff"))
            self.assertEqual(headers["Content-Type"], "application/json; charset=utf-8")
            self.assertIsNone(re.search("[\x00-\x09\x0b-\x1f\x7f]", body.decode("utf-8")))
            document = json.loads(body)
            if path.startswith("tags"):
                self.assertLessEqual(set(tags), {tag["tag"] for tag in document["tags"]})
            for subject in document.get("subjects", []):
                status, _, body = exporter.get(subject["history"])
                self.assertEqual(status, 200, (subject, body))
                self.assertEqual(json.loads(body)["subject"]["tag"], subject["tag"])

    def in_the_page(self, tags):
        self.show("?limit=1000")
        leak = browser.js("document.querySelector('h1').textContent")
        self.assertIn(f"Leak: tag {tags[0]} (", leak)
        self.assertRegex(browser.js("document.title"), "^" + re.escape(leak) + r" – recording \w+\.kmem – kmem_exporter$")
        self.assertLessEqual(set(tags), set(self.texts("#tag-table code")))
        # Taken anew by the script: a chart, read under the pointer, and a filter.
        row = self.texts("#tag-table code").index(tags[0]) + 1
        browser.click(f"#tag-table tbody tr:nth-child({row}) a")
        browser.until(f"document.querySelector('#chart h3')?.textContent.startsWith({json.dumps('tag ' + tags[0] + ' (')})")
        self.read_chart("#chart")
        browser.click("#f")
        browser.type(tags[0])
        browser.until("document.querySelector('#tag-table caption').textContent.includes('that match')")
        self.assertIn(tags[0], self.texts("#tag-table code"))
        self.assert_harmless(leak)
        # Written by the server, as address, text and attributes.
        for tag in tags:
            encoded = quote(tag, safe="")
            self.show(f"?filter={encoded}&chart={self.pool}%2F{encoded}")
            self.assertEqual(browser.js("document.querySelector('#f').value"), tag)
            self.assertIn(tag, self.texts("#tag-table code"))
            self.assertTrue(self.texts("#chart h3")[0].startswith(f"tag {tag} ("), tag)
            self.assert_harmless(leak)

    def assert_harmless(self, leak):
        self.assertEqual(browser.js("""[...new Set([...document.querySelectorAll('*')].map(e => e.localName))].filter(name =>
            ['img', 'iframe', 'object', 'embed', 'b', 'i', 'base', 'style', 'video', 'audio'].includes(name))"""), [])
        self.assertEqual(browser.js("""[...document.querySelectorAll('*')].flatMap(e => [...e.attributes]).filter(a =>
            a.name.startsWith('on') || /^\\s*javascript:/i.test(a.value)).map(a => a.name)"""), [])
        self.assertEqual(browser.js("document.scripts.length"), 1)
        self.assertRegex(browser.js("document.title"), "^" + re.escape(leak) + r" – recording \w+\.kmem – kmem_exporter$")
        # No letter turns the reading direction or hides in a name.
        self.assertIsNone(re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", browser.js("document.body.textContent")))

    def in_top(self, args, tags):
        done = subprocess.run([EXE, "top", "--once", *[arg for arg in args if arg.startswith(("--collector", "--drivers"))]],
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=120)
        self.assertEqual(done.returncode, 0, done.stderr)
        text = done.stdout.decode("utf-8")
        self.assertIsNone(re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", text))
        for tag in tags:
            self.assertIn(tag[:20], text)

    def test_pool_tags_a_process_and_drivers_of_windows(self):
        self.pool = "nonpaged"
        self.look(self.nt, self.NT_TAGS)

    def test_slab_caches_callers_and_processes_of_linux(self):
        self.pool = "slab_unreclaimable"
        self.look(self.linux, [re.sub("[^ -~]", lambda byte: f"\\x{ord(byte[0]):02x}", name) for name in self.SLABS])


if __name__ == "__main__":
    unittest.main()
