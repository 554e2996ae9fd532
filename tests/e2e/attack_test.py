"""The shipped program under hostile clients: it answers others in under a second and stays under 32 MB."""
import os
import socket
import threading
import time
import unittest

from harness import Case, Exporter, wait_until

LIMIT_BYTES = 32 * 1024 * 1024


class Attack(Case):
    def setUp(self):
        super().setUp()
        self.exporter = Exporter()
        self.addCleanup(self.exporter.__exit__, None, None, None)
        self.sockets = []
        self.addCleanup(lambda: [one.close() for one in self.sockets])
        # A client that is kept waiting by others waits for their timeouts, which are tens of seconds; this machine's own
        # pace is what it takes without them.
        self.longest_seconds = 1 + 20 * self.slowest_answer(1)

    def connect(self):
        one = socket.create_connection(("127.0.0.1", self.exporter.port), timeout=5)
        self.sockets.append(one)
        return one

    def slowest_answer(self, seconds):
        slowest, end = 0.0, time.monotonic() + seconds
        while time.monotonic() < end:
            start = time.monotonic()
            self.assertEqual(self.exporter.get("/metrics")[0], 200)
            slowest = max(slowest, time.monotonic() - start)
            time.sleep(0.05)
        return slowest

    def test_64_dribbling_and_16_idle_sockets(self):
        dribbling, stop = [self.connect() for _ in range(64)], threading.Event()
        for _ in range(16):
            self.connect()

        def dribble():
            text, at = b"GET /metrics HTTP/1.1\r\nHost: a\r\nX-Slow: " + b"a" * 600, 0
            while not stop.is_set() and at < len(text):
                for one in dribbling:
                    try:
                        one.send(text[at:at + 1])
                    except OSError:
                        pass
                at += 1
                stop.wait(1)
        thread = threading.Thread(target=dribble)
        thread.start()
        try:
            slowest = self.slowest_answer(8)
        finally:
            stop.set()
            thread.join()
        print(f"slowest answer {slowest * 1000:.0f} ms, resident {self.exporter.rss_bytes() >> 10} KiB")
        self.assertLess(slowest, self.longest_seconds)
        self.assertLess(self.exporter.rss_bytes(), LIMIT_BYTES)

    def flood(self, chunks, seconds=5):
        """Sends chunks on one connection until it is cut off; gives how many bytes were taken."""
        one, sent, end = self.connect(), 0, time.monotonic() + seconds
        try:
            for chunk in chunks:
                one.sendall(chunk)
                sent += len(chunk)
                if time.monotonic() > end:
                    break
        except OSError:
            pass
        return sent

    def test_floods_are_cut_off_early(self):
        def lines(prefix, line):
            yield prefix
            while True:
                yield line

        start = b"GET /metrics HTTP/1.1\r\nHost: a\r\n"
        floods = {
            "one endless line": lines(b"GET /", b"a" * 65536),
            "one endless header": lines(start + b"X: ", b"a" * 65536),
            "headers without end": lines(start, b"A: b\r\n" * 10000),
            "a body": lines(b"POST /metrics HTTP/1.1\r\nHost: a\r\nContent-Length: 104857600\r\n\r\n", b"x" * 65536),
            "chunks": lines(b"POST /metrics HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
                            b"10000\r\n" + b"x" * 65536 + b"\r\n"),
            "noise": lines(b"", os.urandom(65536)),
        }
        for name, chunks in floods.items():
            with self.subTest(name):
                # The kernel's socket buffers take some megabytes on their own.
                self.assertLess(self.flood(chunks), 16 * 1024 * 1024)
                self.assertLess(self.slowest_answer(0.2), self.longest_seconds)
        self.assertLess(self.exporter.rss_bytes(), LIMIT_BYTES)

    def test_requests_whose_answers_nobody_reads(self):
        for _ in range(200):
            try:
                one = self.connect()
                one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                one.sendall(b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n" * 50)
            except OSError:
                pass
        # The burst of 10,000 requests may meet 503 (web.max_requests); right after it, others are served as ever.
        wait_until(lambda: self.exporter.get("/metrics")[0] == 200, 1, "an answer while nobody reads the others")
        self.assertLess(self.slowest_answer(3), self.longest_seconds)
        self.assertLess(self.exporter.rss_bytes(), LIMIT_BYTES)

    def test_more_connections_than_the_cap(self):
        for _ in range(1200):
            try:
                self.connect()
            except OSError:
                pass
        self.assertLess(self.slowest_answer(2), self.longest_seconds)
        self.assertLess(len(os.listdir(f"/proc/{self.exporter.process.pid}/fd")), 400)
        self.assertLess(self.exporter.rss_bytes(), LIMIT_BYTES)


if __name__ == "__main__":
    unittest.main(verbosity=2)
