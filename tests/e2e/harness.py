"""Runs the shipped program as its user would. Standard library only.

Environment (set by CMake): KMEM_EXE the program; KMEM_RUNNER a program to run it with (Wine), or empty;
KMEM_SOURCE_DIR the project; KMEM_VERSION what --version must say."""
import http.client
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest

EXE = os.environ["KMEM_EXE"]
RUNNER = [os.environ["KMEM_RUNNER"]] if os.environ.get("KMEM_RUNNER") else []
SOURCE_DIR = os.environ["KMEM_SOURCE_DIR"]
WINDOWS = bool(RUNNER)
# How much longer than usual a wait may take before it is given up: it costs time only where something is broken, and a
# slow or busy machine is not.
PATIENCE = 6


def run(*args, timeout=60, stdin=subprocess.DEVNULL):
    """The finished process: .returncode, .stdout, .stderr as text."""
    return subprocess.run([*RUNNER, EXE, *args], capture_output=True, text=True, timeout=timeout * PATIENCE, stdin=stdin,
                          errors="replace")


def path_for_exe(path):
    """A path as the program under test sees it: Wine maps / to drive Z."""
    return "Z:" + path.replace("/", "\\") if WINDOWS else path


def wait_until(condition, seconds, what):
    end = time.monotonic() + seconds * PATIENCE
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError(f"waited {seconds * PATIENCE} s in vain: {what}")


class Exporter:
    """A running `serve` on a free loopback port."""

    def __init__(self, *args, listen="127.0.0.1:0", command=None, env=None):
        self.log_lines = []
        self.process = subprocess.Popen([*(command or [*RUNNER, EXE]), f"--web.listen-address={listen}", *args],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                        text=True, errors="replace", env=env)
        self.reader = threading.Thread(target=self._read_log, daemon=True)
        self.reader.start()
        try:
            self.address = wait_until(self._listening, 60 if WINDOWS else 15, "the log says it is listening")
        except AssertionError:
            self.process.kill()
            raise AssertionError("never listened; log:\n" + self.log) from None
        self.port = int(self.address.rsplit(":", 1)[1])

    def _read_log(self):
        for line in self.process.stderr:
            self.log_lines.append(line)

    def _listening(self):
        for line in list(self.log_lines):
            found = re.search(r'msg="listening" address=(\S+)', line)
            if found:
                return found.group(1).strip('"')
        if self.process.poll() is not None:
            raise AssertionError(f"exited with {self.process.returncode}; log:\n{self.log}")
        return None

    @property
    def log(self):
        return "".join(self.log_lines)

    def get(self, path="/metrics", headers=None, method="GET", timeout=60):
        """(status, headers, body bytes)"""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request(method, path, headers=headers or {})
            response = connection.getresponse()
            return response.status, response.headers, response.read()
        finally:
            connection.close()

    def page(self, **kwargs):
        status, _, body = self.get(**kwargs)
        assert status == 200, (status, body)
        return Page(body.decode())

    def rss_bytes(self):
        with open(f"/proc/{self.process.pid}/status") as status:
            return int(re.search(r"VmRSS:\s+(\d+) kB", status.read()).group(1)) * 1024

    def peak_bytes(self):
        with open(f"/proc/{self.process.pid}/status") as status:
            return int(re.search(r"VmHWM:\s+(\d+) kB", status.read()).group(1)) * 1024

    def stop(self, sig=signal.SIGTERM, timeout=90):
        if self.process.poll() is None:
            self.process.send_signal(sig)
        code = self.process.wait(timeout)
        self.reader.join(5)
        return code

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)
        self.reader.join(5)
        self.process.stderr.close()


_SAMPLE = re.compile(r'^([A-Za-z_:][\w:]*)(?:\{(.*)\})? (\S+)$')
_LABEL = re.compile(r'([A-Za-z_]\w*)="((?:[^"\\]|\\.)*)"')


class Page:
    """A metrics page in the text format: samples by name and labels."""

    def __init__(self, text):
        self.text = text
        self.samples = {}
        for line in text.splitlines():
            if not line or line.startswith("#"):
                continue
            found = _SAMPLE.match(line)
            assert found, f"no sample: {line!r}"
            labels = frozenset((k, re.sub(r'\\(.)', lambda m: {"n": "\n"}.get(m[1], m[1]), v))
                               for k, v in _LABEL.findall(found.group(2) or ""))
            key = (found.group(1), labels)
            assert key not in self.samples, f"twice on the page: {line!r}"
            self.samples[key] = float(found.group(3))

    def value(self, name, **labels):
        key = (name, frozenset(labels.items()))
        assert key in self.samples, f"{name}{labels} is not on the page"
        return self.samples[key]

    def has(self, name, **labels):
        return any(n == name and frozenset(labels.items()) <= have for n, have in self.samples)

    def family(self, name):
        """{labels as dict's frozenset: value} of one metric"""
        return {labels: value for (n, labels), value in self.samples.items() if n == name}


def free_port():
    """Below those that the kernel gives to connections, so that none of other tests comes in between."""
    for port in random.sample(range(12000, 32000), 100):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    raise AssertionError("no free port on 127.0.0.1")


class Case(unittest.TestCase):
    """A test with a folder of its own."""

    def start_prometheus(self, data, port, is_ready, *flags, config=""):
        """On the history in `data`, until the test ends; back when is_ready(), which may raise OSError, says so."""
        log = open(os.path.join(self.folder, "prometheus.log"), "w")
        self.addCleanup(log.close)
        server = subprocess.Popen(["prometheus", f"--config.file={self.file('prometheus.yml', config)}", f"--storage.tsdb.path={data}",
                                   "--storage.tsdb.retention.time=10y", f"--web.listen-address=127.0.0.1:{port}", *flags],
                                  stdout=log, stderr=subprocess.STDOUT)

        def stop():
            server.send_signal(signal.SIGTERM)
            server.wait(60)
        self.addCleanup(stop)

        def answers():
            try:
                return is_ready()
            except OSError:
                return None
        wait_until(answers, 60, "Prometheus answers")

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="kmem-e2e-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def file(self, name, text=""):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as out:
            out.write(text)
        return path
