"""The program on this machine's kernel: commands, endpoints, signals, configuration, state."""
import email.utils
import gzip
import http.client
import os
import re
import signal
import socket
import stat
import struct
import subprocess
import sys
import time
import unittest
import zlib

from harness import SOURCE_DIR, Case, Exporter, Page, run, wait_until


def meminfo():
    with open("/proc/meminfo") as lines:
        return {name: int(rest.split()[0]) * 1024 for name, rest in (line.split(":") for line in lines)}


def vmstat(prefix):
    with open("/proc/vmstat") as lines:
        return sum(int(line.split()[1]) for line in lines if line.startswith(prefix))


class Commands(Case):
    def test_version_names_program_version_revision_and_compiler(self):
        done = run("--version")
        self.assertEqual(done.returncode, 0)
        self.assertRegex(done.stdout, rf"^kmem_exporter, version {re.escape(os.environ['KMEM_VERSION'])} \(revision \S+\)")
        self.assertIn("built with", done.stdout)

    def test_help_lists_commands_and_flags(self):
        done = run("--help")
        self.assertEqual(done.returncode, 0)
        for word in ("serve", "once", "record", "check-config", "--web.listen-address", "--config.file", "--storage.path",
                     "--collector.source"):
            self.assertIn(word, done.stdout)

    def test_a_typo_names_the_nearest_right_word(self):
        for argument, right in (("--web.listen-adress=:1", "--web.listen-address"), ("check-confg", "check-config")):
            done = run(argument)
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn(right, done.stderr)

    def test_once_prints_a_page_with_this_kernels_values(self):
        done = run("once")
        self.assertEqual(done.returncode, 0, done.stderr)
        page = Page(done.stdout)
        self.assertEqual(page.value("kmem_physical_memory_bytes"), meminfo()["MemTotal"])
        self.assertTrue(page.has("kmem_pool_tag_bytes", pool="slab_unreclaimable"))

    def test_once_tells_where_pools_end_and_how_often_memory_ran_out(self):
        counters = {"vmstat_oom_kill": "oom_kill ", "vmstat_allocstall": "allocstall"}
        before = {provider: vmstat(prefix) for provider, prefix in counters.items()}
        page = Page(run("once").stdout)
        for pool in ("slab_reclaimable", "slab_unreclaimable"):
            self.assertEqual(page.value("kmem_pool_limit_bytes", pool=pool), meminfo()["MemTotal"])
            self.assertEqual(page.value("kmem_pool_limit_info", pool=pool, source="kernel", rule="MemTotal"), 1)
        space_or_memory = min(meminfo()["MemTotal"], meminfo()["VmallocTotal"])
        self.assertEqual(page.value("kmem_pool_limit_bytes", pool="vmalloc"), space_or_memory)
        self.assertFalse(page.has("kmem_pool_limit_bytes", pool="percpu"))
        for provider, prefix in counters.items():
            counted = page.value("kmem_pool_failure_events_total", provider=provider, event_id="0")
            self.assertTrue(before[provider] <= counted <= vmstat(prefix), provider)

    def test_once_writes_a_file_atomically(self):
        path = os.path.join(self.folder, "kmem.prom")
        done = run("once", "--output", path)
        self.assertEqual((done.returncode, done.stdout), (0, ""), done.stderr)
        with open(path) as page:
            self.assertTrue(Page(page.read()).has("kmem_commit_bytes"))
        self.assertEqual(os.listdir(self.folder), ["kmem.prom"])

    def test_once_into_a_missing_folder_fails_and_says_so(self):
        done = run("once", "--output", os.path.join(self.folder, "none", "kmem.prom"))
        self.assertEqual(done.returncode, 1)
        self.assertIn("kmem.prom", done.stderr)

    def test_check_config_accepts_the_shipped_example(self):
        done = run("check-config", os.path.join(SOURCE_DIR, "config", "kmem_exporter.yml"))
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_check_config_lists_every_fault_with_its_line(self):
        path = self.file("bad.yml", "sampling:\n  intervall: 60s\nscrape:\n  min_interval: 2h\ntags:\n  max_exported: many\n")
        done = run("check-config", path)
        self.assertEqual(done.returncode, 2)
        for expected in ("bad.yml:2:", "interval", "bad.yml:4:", "bad.yml:6:"):
            self.assertIn(expected, done.stderr)

    def test_record_and_replay_give_the_same_values(self):
        path = os.path.join(self.folder, "here.kmem")
        done = run("record", "--output", path, "--interval", "1s", "--duration", "2s")
        self.assertEqual(done.returncode, 0, done.stderr)
        done = run("once", "--collector.source", f"replay:{path}")
        self.assertEqual(done.returncode, 0, done.stderr)
        page = Page(done.stdout)
        self.assertEqual(page.value("kmem_physical_memory_bytes"), meminfo()["MemTotal"])
        self.assertTrue(page.has("kmem_pool_tag_bytes"))

    def test_another_systems_capture_is_not_gone_on_with(self):
        path = os.path.join(self.folder, "there.kmem")
        self.assertEqual(run("record", "--output", path, "--interval", "1s", "--duration", "1s").returncode, 0)
        with open(path, "r+b") as capture:  # the first frame's head, as of a kernel with larger pages
            head = bytearray(capture.read(16 + 32)[16:])
            head[16:20] = struct.pack("<I", 65536)
            capture.seek(16)
            capture.write(bytes(head) + struct.pack("<I", zlib.crc32(head)))
        size = os.path.getsize(path)
        done = run("record", "--output", path, "--interval", "1s", "--duration", "1s")
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertIn("the capture is not continued", done.stderr)
        self.assertIn("pages of 65536 bytes; this is ", done.stderr)
        self.assertEqual(os.path.getsize(path), size)

    def test_a_damaged_capture_gives_what_is_whole_and_says_where_it_ends(self):
        path = os.path.join(self.folder, "torn.kmem")
        self.assertEqual(run("record", "--output", path, "--interval", "1s", "--duration", "2s").returncode, 0)
        with open(path, "r+b") as capture:
            capture.truncate(os.path.getsize(path) - 7)
        done = run("once", "--collector.source", f"replay:{path}")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertTrue(Page(done.stdout).has("kmem_commit_bytes"))


class Serving(Case):
    def test_endpoints(self):
        with Exporter() as exporter:
            status, headers, body = exporter.get("/metrics")
            self.assertEqual(status, 200)
            self.assertEqual(headers["Content-Type"], "text/plain; version=0.0.4; charset=utf-8")
            page = Page(body.decode())
            self.assertEqual(page.value("kmem_physical_memory_bytes"), meminfo()["MemTotal"])
            for path in ("/-/healthy", "/-/ready", "/"):
                self.assertEqual(exporter.get(path)[0], 200, path)
            self.assertIn(b"/metrics", exporter.get("/")[2])
            status, headers, body = exporter.get("/metrics", method="HEAD")
            self.assertEqual((status, body), (200, b""))
            status, _, body = exporter.get("/metric")
            self.assertEqual(status, 404)
            self.assertIn(b"/metrics", body)
            self.assertEqual(exporter.get("/metrics", method="POST")[0], 405)

    def test_openmetrics_and_gzip_are_negotiated(self):
        prometheus = ("application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
                      "text/plain;version=0.0.4;q=0.5,*/*;q=0.1")
        with Exporter() as exporter:
            _, headers, body = exporter.get("/metrics", {"Accept": prometheus})
            self.assertEqual(headers["Content-Type"], "application/openmetrics-text; version=1.0.0; charset=utf-8")
            self.assertTrue(body.endswith(b"# EOF\n"))
            _, headers, body = exporter.get("/metrics", {"Accept-Encoding": "gzip"})
            self.assertEqual(headers["Content-Encoding"], "gzip")
            self.assertIn(b"kmem_commit_bytes ", gzip.decompress(body))
            _, headers, _ = exporter.get("/metrics", {"Accept-Encoding": "gzip;q=0"})
            self.assertIsNone(headers["Content-Encoding"])

    def test_sigterm_and_sigint_end_with_0(self):
        for sig in (signal.SIGTERM, signal.SIGINT):
            with Exporter() as exporter:
                self.assertEqual(exporter.stop(sig), 0, exporter.log)

    def test_sighup_reloads_and_a_bad_file_keeps_the_old(self):
        path = self.file("kmem.yml", "tags:\n  max_exported: 3\n  top_bytes: 3\n")

        def exported(exporter):
            return sum(1 for labels in exporter.page().family("kmem_pool_tag_bytes")
                       if ("pool", "slab_unreclaimable") in labels)

        with Exporter(f"--config.file={path}", "--scrape.min-interval=0s") as exporter:
            self.assertEqual(exported(exporter), 3)
            self.file("kmem.yml", "tags:\n  max_exported: 5\n  top_bytes: 5\n")
            exporter.process.send_signal(signal.SIGHUP)
            wait_until(lambda: exported(exporter) == 5, 10, "5 tags after the reload")
            self.assertEqual(exporter.page().value("kmem_exporter_config_last_reload_successful"), 1)
            self.file("kmem.yml", "tags:\n  max_exporte: 7\n")
            exporter.process.send_signal(signal.SIGHUP)
            wait_until(lambda: "max_exported" in exporter.log, 10, "the log names the right key")
            wait_until(lambda: exporter.page().value("kmem_exporter_config_last_reload_successful") == 0, 10, "metric")
            self.assertEqual(exported(exporter), 5)

    def test_an_occupied_port_is_named(self):
        with Exporter() as exporter:
            done = run("serve", f"--web.listen-address=127.0.0.1:{exporter.port}", timeout=80)
            self.assertEqual(done.returncode, 1)
            self.assertIn(str(exporter.port), done.stderr)

    def test_a_part_that_cannot_be_read_is_said_once_and_loses_nothing_else(self):
        procfs = os.path.join(self.folder, "proc")
        os.makedirs(os.path.join(procfs, "sys", "vm"))
        for name in ("meminfo", "stat"):
            with open(os.path.join("/proc", name)) as text:
                self.file(os.path.join("proc", name), text.read())
        self.file("proc/slabinfo", "slabinfo - version: 9.9\n")
        with Exporter(f"--path.procfs={procfs}", "--scrape.min-interval=0s", "--sampling.interval=1s") as exporter:
            for _ in range(3):
                page = exporter.page()
            self.assertEqual(page.value("kmem_scrape_collector_success", collector="slabinfo"), 0)
            self.assertEqual(page.value("kmem_scrape_collector_success", collector="meminfo"), 1)
            self.assertTrue(page.has("kmem_commit_bytes"))
            self.assertFalse(page.has("kmem_pool_tag_bytes"))
            time.sleep(2.5)
            self.assertEqual(sum("slabinfo" in line for line in exporter.log_lines), 1, exporter.log)

    def test_membership_survives_kill_9(self):
        storage = os.path.join(self.folder, "state")
        members = lambda page: {key for key in page.family("kmem_pool_tag_bytes")}
        with Exporter(f"--storage.path={storage}", "--sampling.interval=1s") as exporter:
            before = members(exporter.page())
            wait_until(lambda: os.path.isdir(storage) and os.listdir(storage), 10, "a state file")
            exporter.process.kill()
            exporter.process.wait()
        with Exporter(f"--storage.path={storage}") as exporter:
            after = members(exporter.page())
        self.assertTrue(before)
        self.assertLessEqual(before, after)

    def test_a_damaged_state_file_is_set_aside_and_said(self):
        storage = os.path.join(self.folder, "state")
        with Exporter(f"--storage.path={storage}") as exporter:
            self.assertEqual(exporter.stop(), 0)
        names = os.listdir(storage)
        self.assertTrue(names)
        for name in names:
            with open(os.path.join(storage, name), "r+b") as state:
                state.seek(os.path.getsize(state.name) // 2)
                state.write(b"\xff\x00\xff\x00")
        with Exporter(f"--storage.path={storage}") as exporter:
            self.assertTrue(exporter.page().has("kmem_pool_tag_bytes"))
            self.assertIn(".bad-", " ".join(os.listdir(storage)))
            self.assertIn("level=warn", exporter.log)

    def test_not_root_serves_what_it_may_read(self):
        self.assertEqual(os.geteuid(), 0, "this test runs as root and drops to nobody")
        done = subprocess.run(
            ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all", "--bounding-set=-all",
             os.environ["KMEM_EXE"], "once"], capture_output=True, text=True, cwd="/", timeout=80)
        self.assertEqual(done.returncode, 0, done.stderr)
        page = Page(done.stdout)
        self.assertEqual(page.value("kmem_scrape_collector_success", collector="slabinfo"), 0)
        self.assertEqual(page.value("kmem_scrape_collector_success", collector="meminfo"), 1)
        self.assertTrue(page.has("kmem_commit_bytes"))
        self.assertEqual(sum("/slabinfo" in line for line in done.stderr.splitlines()), 1, done.stderr)


class Web(Case):
    def test_every_answer_has_its_date(self):
        with Exporter() as exporter:
            for path in ("/metrics", "/-/healthy", "/nothing"):
                told = email.utils.parsedate_to_datetime(exporter.get(path)[1]["Date"]).timestamp()
                self.assertLess(abs(time.time() - told), 60, path)

    def test_collect_chooses_collectors(self):
        with Exporter() as exporter:
            page = exporter.page(path="/metrics?collect[]=slabinfo")
            self.assertTrue(page.has("kmem_pool_tag_bytes", pool="slab_unreclaimable"))
            self.assertEqual(page.value("kmem_scrape_collector_success", collector="slabinfo"), 1)
            self.assertTrue(page.has("kmem_exporter_build_info"))
            for name in ("kmem_pool_bytes", "kmem_commit_bytes", "kmem_boot_time_seconds"):
                self.assertFalse(page.has(name), name)
            self.assertFalse(page.has("kmem_scrape_collector_success", collector="meminfo"))
            page = exporter.page(path="/metrics?collect%5B%5D=meminfo&collect%5B%5D=stat")
            self.assertEqual(page.value("kmem_physical_memory_bytes"), meminfo()["MemTotal"])
            self.assertTrue(page.has("kmem_boot_time_seconds"))
            self.assertFalse(page.has("kmem_pool_tag_bytes"))
            page = exporter.page(path="/metrics?exclude[]=meminfo")
            self.assertFalse(page.has("kmem_pool_bytes"))
            self.assertTrue(page.has("kmem_pool_tag_bytes"))
            for query, said in (("collect[]=cpu", "meminfo, slabinfo"), ("collect[]=vmallocinfo", "switched off"),
                                ("collect[]=stat&exclude[]=stat", "cannot go together")):
                status, _, body = exporter.get("/metrics?" + query)
                self.assertEqual(status, 400, query)
                self.assertIn(said, body.decode())
            self.assertTrue(exporter.page().has("kmem_commit_bytes"), "a whole page is whole again")

    def test_a_page_without_password_is_for_this_machines_names(self):
        with Exporter("--web.host-name=kmem.example.org") as exporter:
            for host, status in (("evil.example", 403), ("127.0.0.1.evil.example", 403), ("kmem.example.org:1", 200),
                                 ("127.0.0.1", 200), ("localhost:10054", 200), ("[::1]", 200), ("kmem", 200)):
                for path in ("/", "/metrics", "/api/v1/status"):
                    self.assertEqual(exporter.get(path, {"Host": host})[0], status, (host, path))
            self.assertEqual(exporter.get("/-/healthy", {"Host": "evil.example"})[0], 200)
            self.assertGreater(exporter.page().value("kmem_exporter_guard_rejections_total", reason="host"), 0)
            self.assertEqual(exporter.log.count("web.host_names may list it"), 1, "said once an hour")
        with Exporter("--web.host-name=*") as exporter:
            self.assertEqual(exporter.get("/", {"Host": "evil.example"})[0], 200)

    def test_health_without_password_is_a_choice(self):
        web = self.file("web.yml", "basic_auth_users:\n  alice: "
                                   "$2y$04$abcdefghijklmnopqrstuuinwY/tkBVrn3xrxQI/TgnMHhkvl85RW\n")
        for flags, status in (([], 401), (["--web.healthy-without-password"], 200)):
            with Exporter(f"--web.config.file={web}", *flags) as exporter:
                self.assertEqual(exporter.get("/-/healthy")[0], status)
                for path in ("/-/ready", "/metrics", "/"):
                    self.assertEqual(exporter.get(path)[0], 401, path)

    def ask(self, path):
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(path)
            client.sendall(b"GET /-/healthy HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            answer = b""
            while got := client.recv(4096):
                answer += got
        return answer.decode()

    def test_a_socket_in_the_file_system(self):
        path = os.path.join(self.folder, "web.sock")
        with socket.socket(socket.AF_UNIX) as stale:
            stale.bind(path)
        with Exporter(f"--web.listen-address=unix:{path}") as exporter:
            self.assertIn(f"address=unix:{path}", exporter.log)
            self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o660)
            self.assertIn("200 OK", self.ask(path))
            self.assertEqual(exporter.stop(), 0)
        self.assertFalse(os.path.exists(path))

    def test_sockets_of_systemd(self):
        path = os.path.join(self.folder, "passed.sock")
        with socket.create_server(("127.0.0.1", 0)) as first, socket.socket(socket.AF_UNIX) as second:
            second.bind(path)
            second.listen()
            # What systemd does: descriptors from 3 on, and the process they are meant for.
            code = ("import fcntl, os, sys; "
                    f"a, b = (fcntl.fcntl(f, fcntl.F_DUPFD, 10) for f in ({first.fileno()}, {second.fileno()})); "
                    "os.dup2(a, 3); os.dup2(b, 4); "
                    "os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS='2'); os.execv(sys.argv[1], sys.argv[1:])")
            program = subprocess.Popen([sys.executable, "-c", code, os.environ["KMEM_EXE"], "--web.systemd-socket"],
                                       pass_fds=(first.fileno(), second.fileno()), stderr=subprocess.PIPE, text=True)
            port = first.getsockname()[1]
        self.addCleanup(program.stderr.close)
        self.addCleanup(program.kill)
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        connection.request("GET", "/metrics")
        self.assertIn(b"kmem_commit_bytes", connection.getresponse().read())
        connection.close()
        self.assertIn("200 OK", self.ask(path))
        program.send_signal(signal.SIGTERM)
        self.assertEqual(program.wait(60), 0)
        self.assertTrue(os.path.exists(path), "it is systemd's to remove")
        log = program.stderr.read()
        self.assertIn(f"a socket of systemd's, port {port}", log)
        done = run("serve", "--web.systemd-socket")
        self.assertEqual(done.returncode, 1)
        self.assertIn("systemd passes no sockets", done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
