"""The page and the JSON API over 4,096 subjects of history: time to the first byte, what views leave resident, and in
Chromium how long sorting, filtering and scrolling take.
Usage: page_bench.py EXPORTER TOOLS_FOLDER SOURCE_FOLDER     Exits 1 when a bound is broken."""
import json
import os
import socket
import subprocess
import sys
import tempfile
import time

EXE, TOOLS, SOURCE = sys.argv[1:4]
os.environ.setdefault("KMEM_EXE", EXE)
os.environ.setdefault("KMEM_SOURCE_DIR", SOURCE)
sys.path.insert(0, os.path.join(SOURCE, "tests/e2e"))
from browser import Browser  # noqa: E402
from harness import Exporter  # noqa: E402

# Times are held to ratios that were measured in the same run: first bytes to that of the metrics page, for which the same
# reading is made; sorting and filtering to loading the same page; frames while scrolling to those of a still page.
FIRST_BYTE, LARGE = 25, 75
CHANGE, FRAME = 4, 2.5
RESIDENT_KIB = 1024
ROUNDS = 3
broken = []


def bound(what, value, most, unit):
    print(f"{'ok' if value <= most else 'BROKEN':6}  {what}: {value:.1f} {unit} (at most {most})")
    if value > most:
        broken.append(what)


def first_byte_ms(port, path):
    """Of a new connection, as a browser makes it: from before connect to the first byte; and the whole's size."""
    begin = time.perf_counter()
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\nConnection: close\r\n\r\n".encode())
        got = connection.recv(1 << 16)
        took = (time.perf_counter() - begin) * 1000
        assert got.startswith(b"HTTP/1.1 200"), got[:200]
        size = len(got)
        while got := connection.recv(1 << 16):
            size += len(got)
    return took, size


def middle(values):
    return sorted(values)[len(values) // 2]


def serve(folder):
    capture, state = os.path.join(folder, "many.kmem"), os.path.join(folder, "state")
    subprocess.run([os.path.join(TOOLS, "made_capture"), "many", os.path.join(SOURCE, "tests/fixtures/nt52-i386/frames.bin.gz"),
                    capture], check=True)
    subprocess.run([os.path.join(TOOLS, "aged_state"), capture, state, "nonpaged/x0A0", "nonpaged/x123"], check=True,
                   capture_output=True)
    # Every view reads and parses the kernel anew.
    return Exporter(f"--collector.source=replay:{capture}", f"--storage.path={state}", "--scrape.min-interval=0s")


PATHS = {"/": ("the page", FIRST_BYTE),
         "/?sort=driver&filter=x&chart=nonpaged%2Fx0A0": ("the page by driver, filtered", FIRST_BYTE),
         "/?limit=1000&sort=growth": ("the page with 1,000 tags", LARGE),
         "/api/v1/status": ("the status", FIRST_BYTE),
         "/api/v1/tags": ("100 tags", FIRST_BYTE),
         "/api/v1/tags?limit=1000&course=1": ("1,000 tags with courses", LARGE),
         "/api/v1/trends?verdict=ok&limit=200": ("200 trends", LARGE)}


def bench_server(exporter):
    subjects = json.loads(exporter.get("/api/v1/status")[2])["history"]["subjects"]
    print(f"{subjects} subjects")
    assert subjects == 4096, subjects
    for path in [path for path in PATHS for _ in range(20)]:  # threads and their heaps are there then
        first_byte_ms(exporter.port, "/metrics")
        first_byte_ms(exporter.port, path)
    before = exporter.rss_bytes()
    for path, (name, most) in PATHS.items():
        # What else the machine does only ever adds: the best of the rounds' medians counts.
        rounds = [[(first_byte_ms(exporter.port, "/metrics"), first_byte_ms(exporter.port, path)) for _ in range(20)]
                  for _ in range(ROUNDS)]
        size = rounds[0][0][1][1]
        best = min(middle([ms for _, (ms, _) in took]) for took in rounds)
        plain = min(middle([ms for (ms, _), _ in took]) for took in rounds)
        bound(f"first byte of {name} ({size / 1024:.0f} KiB packed, {best:.1f} ms)", best / plain, most,
              f"times that of the metrics page ({plain:.1f} ms)")
    views = len(PATHS) * ROUNDS * 20
    bound(f"resident memory that {views} further views left", (exporter.rss_bytes() - before) / 1024, RESIDENT_KIB, "KiB")


# From the key or click to the first frame that shows the change.
TIMED = """(async () => {
  const until = condition => new Promise(done => {
    const look = () => (condition() ? requestAnimationFrame(() => done()) : setTimeout(look, 1));
    look();
  });
  const table = () => document.querySelector('#tag-table');
  const loading = performance.getEntriesByType('navigation')[0];
  const times = {load: [loading.domComplete - loading.startTime], sort: [], filter: []};
  const headings = [2, 3, 5, 6, 0, 7];
  for (const column of headings) {
    const begin = performance.now();
    table().tHead.rows[0].cells[column].querySelector('a').click();
    await until(() => table().tHead.rows[0].cells[column].hasAttribute('aria-sort'));
    times.sort.push(performance.now() - begin);
  }
  const field = document.querySelector('#f');
  for (const text of ['x', 'x1', 'x12', 'nt', '']) {
    field.value = text;
    const before = table().caption.textContent, begin = performance.now();
    document.querySelector('#filter').requestSubmit();
    await until(() => table().caption.textContent !== before);
    times.filter.push(performance.now() - begin);
  }
  return times;
})()"""
FRAMES = """(async step => {
  const frames = [];
  let last = await new Promise(requestAnimationFrame);
  for (let i = 0; i < 90; ++i) {
    scrollBy(0, step);
    const now = await new Promise(requestAnimationFrame);
    frames.push(now - last);
    last = now;
  }
  return frames.sort((a, b) => a - b)[Math.floor(frames.length * 9 / 10)];
})(%d)"""


def bench_browser(exporter):
    browser = Browser()
    try:
        browser.size(1280, 900)
        browser.scheme("light")
        for name, address in (("50 tags", ""), ("1,000 tags", "?limit=1000")):
            rounds = []
            for _ in range(ROUNDS):
                browser.open(f"http://127.0.0.1:{exporter.port}/{address}")
                rounds.append(browser.js(TIMED))
            best = {what: min(middle(taken[what]) for taken in rounds) for what in rounds[0]}
            for what in ("sort", "filter"):
                bound(f"{what} {name}, until it is seen ({best[what]:.0f} ms)", best[what] / best["load"], CHANGE,
                      f"times loading the page ({best['load']:.0f} ms)")
        still, scrolled = (min(browser.js(FRAMES % step) for _ in range(ROUNDS)) for step in (0, 120))
        bound(f"9 of 10 frames while 1,000 tags are scrolled ({scrolled:.1f} ms)", scrolled / still, FRAME,
              f"times those of a still page ({still:.1f} ms)")
        assert not browser.complaints, browser.complaints
    finally:
        browser.close()


with tempfile.TemporaryDirectory(prefix="kmem-page-bench-") as folder, serve(folder) as running:
    bench_server(running)
    bench_browser(running)
sys.exit(1 if broken else 0)
