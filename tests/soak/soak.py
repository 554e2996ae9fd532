"""Hours of a running exporter under load, by hand: KMEM_EXE=.build/release/exporter/kmem_exporter tests/soak/soak.py FOLDER

In: the program. Out: FOLDER/samples.csv (memory, descriptors, threads every 10 s), FOLDER/exporter.log, a verdict, and
exit code 1 if something grows or a scrape is not answered. All of it is on loopback and bounded. The folder's state is
taken up by the next run, so that hours can be gathered in pieces. Two threads: scrapes with reloads and a kernel that
changes, and clients that mean harm. Standard library, POSIX, and openssl for --tls."""
import argparse
import base64
import collections
import csv
import errno
import os
import random
import re
import select
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time

HASH = "$2y$04$abcdefghijklmnopqrstuuinwY/tkBVrn3xrxQI/TgnMHhkvl85RW"  # of sesame
LOGIN = base64.b64encode(b"scraper:sesame").decode()
CACHE = ("%-20s %6d %6d %6d   21    1 : tunables    0    0    0 : slabdata %6d %6d      0\n")
TABLE = """slabinfo - version: 2.1
# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab> : tunables <limit> <batchcount> <sharedfactor> : slabdata <active_slabs> <num_slabs> <sharedavail>
"""
MEMINFO = ("MemTotal: 8000000 kB\nMemAvailable: %d kB\nCached: 900000 kB\nSlab: %d kB\nSReclaimable: %d kB\n"
           "SUnreclaim: %d kB\nKernelStack: 2000 kB\nPageTables: 3000 kB\nCommitLimit: 4000000 kB\nCommitted_AS: %d kB\n"
           "VmallocTotal: 34359738367 kB\nVmallocUsed: 20000 kB\nPercpu: 1000 kB\n")
FLAT = 0.05  # what may be gained over the last 80 %, of all there is


class Kernel:
    """Folders that look like /proc and /sys, in which caches and processes come and go."""

    def __init__(self, folder, chance):
        self.procfs, self.sysfs, self.chance = os.path.join(folder, "proc"), os.path.join(folder, "sys"), chance
        self.caches, self.processes, self.names, self.changes = {}, [], 0, 0
        os.makedirs(self.sysfs, exist_ok=True)
        shutil.rmtree(self.procfs, ignore_errors=True)
        for name, text in {"stat": "cpu  1 2 3 4\nbtime 1700000000\n", "vmstat": "oom_kill 0\nallocstall_normal 0\n",
                           "sys/vm/min_free_kbytes": "67584\n", "modules": ""}.items():
            self.write(name, text)
        self.change(400)

    def write(self, name, text):
        path = os.path.join(self.procfs, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        # The program keeps files open, as it may those of a kernel: the same file gets another content.
        handle = os.open(path, os.O_WRONLY | os.O_CREAT, 0o644)
        os.write(handle, text.encode())
        os.truncate(handle, len(text))
        os.close(handle)

    def change(self, fresh):
        """So many new caches, about as many less; every size moves."""
        self.changes += 1
        for _ in range(fresh):
            self.names += 1
            self.caches[f"cache_{self.names}"] = self.chance.randint(100, 50000)
        for name in self.chance.sample(sorted(self.caches), max(0, len(self.caches) - 400)):
            del self.caches[name]
        for name in self.caches:
            self.caches[name] = max(21, int(self.caches[name] * self.chance.uniform(0.97, 1.03)))
        self.write("slabinfo", TABLE + "".join(CACHE % (name, n * 9 // 10, n, 192, n // 21, n // 21)
                                               for name, n in self.caches.items()))
        slab = sum(self.caches.values()) * 192 // 1024
        self.write("meminfo", MEMINFO % (self.chance.randint(3000000, 5000000), slab, slab // 3, slab - slab // 3,
                                         self.chance.randint(800000, 1200000)))
        self.processes.append(10 + self.changes % 30000)
        self.write(f"{self.processes[-1]}/comm", f"worker{self.changes % 50}\n")
        for number in range(self.chance.randint(1, 5)):
            self.write(f"{self.processes[-1]}/fd/{number}", "")
        if len(self.processes) > 20:
            shutil.rmtree(os.path.join(self.procfs, str(self.processes.pop(0))))


class Client:
    """A scraper's connection that is kept."""

    def __init__(self, port, tls, statuses):
        self.port, self.tls, self.statuses, self.socket, self.buffer = port, tls, statuses, None, b""

    def connect(self):
        self.buffer = b""
        self.socket = socket.create_connection(("127.0.0.1", self.port), timeout=10)
        if self.tls:
            self.socket = self.tls.wrap_socket(self.socket)

    def ask(self, path, headers="", again=True):
        """The answer's body; its status is counted."""
        try:
            if self.socket is None:
                self.connect()
                again = False
            self.socket.sendall(f"GET {path} HTTP/1.1\r\nHost: a\r\nAuthorization: Basic {LOGIN}\r\n{headers}\r\n".encode())
            while b"\r\n\r\n" not in self.buffer:
                self.more()
            head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
            length = int(re.search(rb"(?i)content-length: (\d+)", head)[1])
            while len(self.buffer) < length:
                self.more()
            body, self.buffer = self.buffer[:length], self.buffer[length:]
            if b"connection: close" in head.lower():
                self.close()
            self.statuses[head[9:12].decode()] += 1
            return body
        except OSError as error:
            self.close()
            if again:  # its keep-alive had ended
                return self.ask(path, headers, False)
            self.statuses[type(error).__name__] += 1
            return b""

    def more(self):
        got = self.socket.recv(1 << 17)
        if not got:
            raise ConnectionResetError(errno.ECONNRESET, "closed")
        self.buffer += got

    def close(self):
        if self.socket is not None:
            self.socket.close()
        self.socket = None


class Attackers(threading.Thread):
    """Half of them at the scraper's address. Each step opens one or two connections; 150 at most are held."""
    HEAD = b"GET /metrics HTTP/1.1\r\nHost: a\r\n"

    def __init__(self, port, chance):
        super().__init__(daemon=True)
        self.port, self.chance, self.stopped = port, chance, threading.Event()
        self.held, self.counts = collections.deque(), collections.Counter()

    def open(self, first, receive=None):
        one = socket.socket()
        if receive:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive)
        one.bind((self.chance.choice(("127.0.0.1", f"127.0.{self.chance.randint(1, 3)}.{self.chance.randint(2, 250)}")), 0))
        one.settimeout(2)
        one.connect(("127.0.0.1", self.port))
        one.sendall(first)
        one.setblocking(False)
        self.held.append(one)

    def step(self):
        kind = self.chance.randrange(9)
        login = f"Authorization: Basic {LOGIN}\r\n\r\n".encode()
        self.counts[kind] += 1
        if kind == 0:  # half a head
            self.open(self.HEAD + b"X-Slow: a")
        elif kind == 1:
            self.open(b"G")
        elif kind == 2:  # nobody reads the answers
            self.open((self.HEAD + login) * 20, receive=4096)
        elif kind == 3:
            wrong = base64.b64encode(f"scraper:{self.chance.random()}".encode())
            self.open(self.HEAD + b"Authorization: Basic " + wrong + b"\r\n\r\n")
        elif kind == 4:
            self.open(self.chance.choice((b"GET  / HTTP/1.1\r\n\r\n", b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\n123456789",
                                          b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
                                          b"GET /%00 HTTP/1.1\r\nHost: a\r\n\r\n", self.HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n")))
        elif kind == 5:
            self.open(self.chance.randbytes(self.chance.randint(1, 4096)))
        elif kind == 6:  # a reset
            self.open(self.HEAD + login)
            self.held[-1].setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            self.held.pop().close()
        elif kind == 7:
            self.open(b"GET " + self.chance.choice((b"/", b"/api/v1/tags?limit=1000&course=1", b"/api/v1/trends", b"/api/v1/x",
                                                    b"/?chart=nonpaged%2FThre", b"/metrics?collect[]=nothing")) + b" HTTP/1.1\r\nHost: a\r\n" + login)
        else:  # those who dribble go on
            for one in list(self.held)[:40]:
                try:
                    one.send(b"a")
                except OSError:
                    pass
        while len(self.held) > 150:
            self.held.popleft().close()

    def run(self):
        while not self.stopped.wait(self.chance.uniform(0, 0.2)):
            try:
                self.step()
            except OSError as error:
                self.counts[type(error).__name__] += 1


def certificate(folder):
    for name in ("key.pem", "cert.pem"):
        if os.path.exists(os.path.join(folder, name)):
            os.unlink(os.path.join(folder, name))
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                    "-keyout", os.path.join(folder, "key.pem"), "-out", os.path.join(folder, "cert.pem"), "-subj", "/CN=a"],
                   check=True, capture_output=True)


def settings(folder, number, tls):
    """The number-th version of both configurations; now and then one that cannot be used."""
    with open(os.path.join(folder, "web.yml"), "w") as out:
        out.write(f"basic_auth_users:\n  scraper: '{HASH}'\n  user{number % 7}: '{HASH}'\n")
        if tls:
            out.write("tls_server_config:\n  cert_file: cert.pem\n  key_file: key.pem\n")
        if number % 5 == 4:
            out.write("http_server_config: {headers: {X-Frame-Options: foo}}\n")
    with open(os.path.join(folder, "kmem.yml"), "w") as out:
        out.write(f"tags: {{top_bytes: {15 + number % 10}, all: {'true' if number % 3 == 2 else 'false'}}}\n"
                  f"log: {{level: {('info', 'warn')[number % 2]}}}\nweb: {{config_file: web.yml}}\n")
        if number % 5 == 3:
            out.write("nothing: 1\n")


def sample(pid):
    with open(f"/proc/{pid}/status") as status:
        text = status.read()
    return (int(re.search(r"VmRSS:\s+(\d+)", text)[1]), len(os.listdir(f"/proc/{pid}/fd")),
            int(re.search(r"Threads:\s+(\d+)", text)[1]))


def slope(times, values):
    """By least squares, an hour."""
    mean_time, mean = sum(times) / len(times), sum(values) / len(values)
    spread = sum((t - mean_time) ** 2 for t in times)
    return 3600 * sum((t - mean_time) * (v - mean) for t, v in zip(times, values)) / spread if spread else 0.0


def verdict(rows):
    """Flat: what the line through the last 80 % gains is small, and so is what the last half's most has over the most
    before. Lines to print, and whether all are flat."""
    fine, lines = True, []
    for column, name, slack in ((1, "resident KiB", 512), (2, "descriptors", 3), (3, "threads", 1)):
        late = rows[len(rows) // 5:]
        values, times = [row[column] for row in late], [row[0] for row in late]
        an_hour, mean = slope(times, values), sum(values) / len(values)
        gained = an_hour * (times[-1] - times[0]) / 3600
        most = [max(row[column] for row in part) for part in (rows[:len(rows) // 2], rows[len(rows) // 2:])]
        flat = gained <= max(slack, FLAT * mean) and most[1] <= most[0] + max(slack, FLAT * most[0])
        fine &= flat
        lines.append(f"{name}: mean {mean:.0f}, {an_hour:+.1f} an hour, most {most[0]} in the first half, {most[1]} in the "
                     f"second: {'flat' if flat else 'NOT FLAT'}")
    return lines, fine


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("folder")
    arguments.add_argument("--seconds", type=int, default=3600)
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--rate", type=int, default=50, help="scrapes a second")
    arguments.add_argument("--tls", action="store_true")
    arguments.add_argument("--hang-shim", help="libhang_shim.so of the build: every ten minutes slabinfo does not answer for 5 s")
    arguments.add_argument("--verdict", action="store_true", help="only say it again, of FOLDER/samples.csv's last run")
    chosen = arguments.parse_args()
    folder, chance = os.path.abspath(chosen.folder), random.Random(chosen.seed)
    os.makedirs(folder, exist_ok=True)
    samples = os.path.join(folder, "samples.csv")
    if chosen.verdict:
        with open(samples) as have:
            rows = [[float(cell) for cell in row] for row in csv.reader(have) if row and row[0][0].isdigit()]
        starts = [i for i, row in enumerate(rows) if i == 0 or row[0] < rows[i - 1][0]]
        lines, fine = verdict(rows[starts[-1]:])
        print("\n".join(lines))
        return 0 if fine else 1

    kernel = Kernel(folder, chance)
    if chosen.tls:
        certificate(folder)
    settings(folder, 0, chosen.tls)
    log = open(os.path.join(folder, "exporter.log"), "ab")
    begin_of_log = log.tell()
    environment, flag = dict(os.environ), os.path.join(folder, "hang")
    if chosen.hang_shim:
        environment.update(LD_PRELOAD=os.path.abspath(chosen.hang_shim), KMEM_HANG_PATH="/proc/slabinfo", KMEM_HANG_WHILE=flag)
    exporter = subprocess.Popen(
        [os.environ["KMEM_EXE"], "--web.listen-address=127.0.0.1:0", f"--config.file={folder}/kmem.yml", f"--path.procfs={kernel.procfs}",
         f"--path.sysfs={kernel.sysfs}", f"--storage.path={folder}/state", "--sampling.interval=10s", "--storage.save-interval=30s"],
        stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment)
    port = None
    for _ in range(300):
        with open(log.name, "rb") as text:
            text.seek(begin_of_log)
            found = re.search(rb'msg=listening address="?[\d.]+:(\d+)', text.read().replace(b'msg="listening"', b"msg=listening"))
        if found:
            port = int(found[1])
            break
        time.sleep(0.1)
    if port is None:
        exporter.kill()
        sys.exit("it never listened")
    tls = None
    if chosen.tls:
        tls = ssl.create_default_context()
        tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
    statuses, stop = collections.Counter(), []
    signal.signal(signal.SIGTERM, lambda *_: stop.append(1))
    signal.signal(signal.SIGINT, lambda *_: stop.append(1))
    clients = [Client(port, tls, statuses) for _ in range(4)]
    attackers = Attackers(port, random.Random(chosen.seed + 1))
    attackers.start()
    rows, scrapes, late, slowest, reloads, hangs, empty = [], 0, 0, 0.0, 0, 0, 0
    begin = time.monotonic()
    due = dict(change=2.0, reload=30.0, hang=300.0, answer=None, sample=10.0, fresh_connection=60.0)
    while not stop and exporter.poll() is None:
        now = time.monotonic() - begin
        if now >= chosen.seconds:
            break
        if scrapes < now * chosen.rate:
            at = time.monotonic()
            pages = clients[scrapes % len(clients)].ask("/metrics", chance.choice(("", "Accept-Encoding: gzip\r\n")))
            took = time.monotonic() - at
            slowest, late, empty = max(slowest, took), late + (took > 1.5), empty + (not pages)
            scrapes += 1
        else:
            select.select([], [], [], max(0.0, scrapes / chosen.rate - now))
        if now >= due["change"]:
            kernel.change(60 if kernel.names < 8000 else chance.randint(0, 3))  # soon there are more than it follows
            due["change"] = now + 2
        if now >= due["reload"]:
            reloads += 1
            settings(folder, reloads, chosen.tls)
            if chosen.tls and reloads % 4 == 0:
                certificate(folder)
            exporter.send_signal(signal.SIGHUP)
            due["reload"] = now + 30
        if now >= due["hang"] and chosen.hang_shim:
            hangs += 1
            open(flag, "w").close()
            due["answer"], due["hang"] = now + 5, now + 600
        if due["answer"] is not None and now >= due["answer"]:
            os.unlink(flag)
            due["answer"] = None
        if now >= due["fresh_connection"]:
            clients[reloads % len(clients)].close()
            due["fresh_connection"] = now + 20
        if now >= due["sample"]:
            rows.append((round(now), *sample(exporter.pid)))
            with open(samples, "a", newline="") as out:
                if len(rows) == 1:
                    out.write(f"# {time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())} seed {chosen.seed}: seconds, resident KiB, "
                              "descriptors, threads, scrapes, not answered\n")
                csv.writer(out).writerow((*rows[-1], scrapes, empty))
            due["sample"] = now + 10
    attackers.stopped.set()
    attackers.join()
    seconds = time.monotonic() - begin
    alive = exporter.poll() is None
    if alive:
        exporter.send_signal(signal.SIGTERM)
    if due["answer"] is not None:
        os.unlink(flag)
    code = exporter.wait(30)
    print(f"{seconds / 3600:.2f} h, {scrapes} scrapes ({scrapes / seconds:.1f}/s), answers {dict(statuses)}, {late} after more than "
          f"1.5 s, slowest {slowest:.2f} s; {reloads} reloads, {hangs} hangs, {kernel.names} caches in all, "
          f"{sum(attackers.counts.values())} attacks; exit code {code}")
    if len(rows) < 10:
        return 1
    lines, fine = verdict(rows)
    print("\n".join(lines))
    return 0 if fine and alive and code == 0 and set(statuses) <= {"200"} else 1


if __name__ == "__main__":
    sys.exit(main())
