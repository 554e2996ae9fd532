"""`top` on a real pseudo-terminal, seen through a small VT100: what it draws, what keys do, and that the terminal is
its owner's again however it ends. Under Wine its console, and what a pipe gets."""
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
import unittest

from harness import EXE, RUNNER, SOURCE_DIR, WINDOWS, Case, Exporter, path_for_exe, run

FRAMES = os.path.join(SOURCE_DIR, "tests/fixtures/nt52-i386/frames.bin.gz")
TOOLS, SUFFIX = os.environ["KMEM_TOOLS"], ".exe" if WINDOWS else ""


def tool(name, *args):
    subprocess.run([*RUNNER, os.path.join(TOOLS, name + SUFFIX), *args], check=True, stdin=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL, timeout=360)


class Screen:
    """As much of a VT100 as the program uses; anything else fails the test."""

    def __init__(self, rows, columns):
        self.alternate = False
        self.cursor_shown = True
        self.clears = 0
        self.pending = ""
        self.resize(rows, columns)

    def resize(self, rows, columns):
        self.rows, self.columns = rows, columns
        self.clear()

    def clear(self):
        self.cells = [[" "] * self.columns for _ in range(self.rows)]
        self.row = self.column = 0

    @property
    def lines(self):
        return ["".join(row).rstrip() for row in self.cells]

    def feed(self, text):
        text = self.pending + text
        at = 0
        while at < len(text):
            if text[at] != "\x1b":
                self.put(text[at])
                at += 1
                continue
            found = re.compile(r"\x1b\[([?\d;]*)([A-Za-z])").match(text, at)
            if not found:
                assert len(text) - at < 12, f"no sequence: {text[at:at + 20]!r}"
                break
            self.obey(found.group(1), found.group(2))
            at = found.end()
        self.pending = text[at:]

    def put(self, character):
        if character in "\r\n":  # the shell's, or the terminal's echo of a signal
            return
        assert " " <= character <= "~", f"an unprintable byte on the screen: {character!r}"
        if self.column < self.columns:
            self.cells[self.row][self.column] = character
            self.column += 1

    def obey(self, arguments, command):
        if command == "H":
            row, column = (int(n) for n in arguments.split(";"))
            self.row, self.column = min(row, self.rows) - 1, min(column, self.columns) - 1
        elif command == "K":
            self.cells[self.row][self.column:] = [" "] * (self.columns - self.column)
        elif command == "J":
            self.clears += 1
            self.clear()
        elif command in "hl" and arguments == "?1049":
            self.alternate = command == "h"
        elif command in "hl" and arguments == "?25":
            self.cursor_shown = command == "h"
        else:
            assert command == "m" or arguments == "?7", f"unknown sequence {arguments}{command}"


class OnTerminal:
    """A program with a terminal of its own."""

    def __init__(self, *args, rows=24, columns=80, term="xterm"):
        self.screen = Screen(rows, columns)
        self.master, slave = pty.openpty()
        self.set_size(rows, columns)
        self.before = termios.tcgetattr(slave)
        self.slave = slave
        self.process = subprocess.Popen([*RUNNER, EXE, "top", *args], stdin=slave, stdout=slave, stderr=subprocess.PIPE,
                                        start_new_session=True, env={**os.environ, "TERM": term},
                                        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))

    def set_size(self, rows, columns):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def resize(self, rows, columns):
        self.screen.resize(rows, columns)
        self.set_size(rows, columns)

    def read(self, seconds):
        """What came within that time, fed to the screen."""
        end, got = time.monotonic() + seconds, b""
        while (left := end - time.monotonic()) > 0:
            if select.select([self.master], [], [], left)[0]:
                try:
                    piece = os.read(self.master, 65536)
                except OSError:
                    break
                if not piece:
                    break
                got += piece
                self.screen.feed(piece.decode("ascii"))
        return got

    def until(self, condition, what, seconds=120):
        end = time.monotonic() + seconds
        while not condition(self.screen.lines):
            shown = "\n".join(self.screen.lines)
            assert time.monotonic() < end, f"waited in vain: {what}; the screen:\n{shown}"
            self.read(0.1)
        return self.screen.lines

    def type(self, text):
        os.write(self.master, text.encode())

    def end(self, seconds=60):
        """(exit code, standard error); the rest of the output is on the screen then."""
        end = time.monotonic() + seconds
        while self.process.poll() is None:
            assert time.monotonic() < end, "it goes on"
            self.read(0.05)
        self.read(0.2)
        return self.process.returncode, self.process.stderr.read().decode()

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)
        self.process.stderr.close()
        os.close(self.master)
        os.close(self.slave)


class TopCase(Case):
    def setUp(self):
        super().setUp()
        self.capture = os.path.join(self.folder, "leak.kmem")
        subprocess.run([*RUNNER, os.environ["KMEM_NT_CAPTURE"], path_for_exe(FRAMES), path_for_exe(self.capture)],
                       check=True, stdin=subprocess.DEVNULL, timeout=240)
        self.replay = f"--collector.source=replay:{path_for_exe(self.capture)}"

    def made(self, kind):
        """A made capture as an argument."""
        path = path_for_exe(os.path.join(self.folder, f"made-{kind}.kmem"))
        tool("made_capture", kind, path_for_exe(FRAMES), path)
        return path, f"--collector.source=replay:{path}"


class Live(TopCase):
    """Real frames of an NT kernel in which a program leaks events."""

    def open(self, *args, **kwargs):
        top = OnTerminal(self.replay, *args, **kwargs)
        self.addCleanup(top.close)
        top.until(lambda lines: " q quit" in lines[-1] and any(line[6:10] == "Nonp" for line in lines),
                  "the first picture")
        return top

    def assert_restored(self, top):
        self.assertFalse(top.screen.alternate)
        self.assertTrue(top.screen.cursor_shown)
        self.assertEqual(termios.tcgetattr(top.slave), top.before)

    def test_the_picture_and_its_changes(self):
        top = self.open("--interval=1s")
        lines = top.screen.lines
        self.assertRegex(lines[0], r"^ kmem_exporter top  \d{4}-\d\d-\d\dT[\d:]+Z  pool all  by bytes  1-1\d of \d+$")
        self.assertIn("Commit", "".join(lines[1:4]))
        self.assertIn("nonpaged", "".join(lines[1:4]))
        titles = next(line for line in lines if line.startswith(" Tag"))
        for title in ("Type", "Allocs", "Frees", "Diff", "Bytes", "Per Alloc"):
            self.assertIn(title, titles)
        self.assertTrue(top.screen.alternate)
        self.assertFalse(top.screen.cursor_shown)

        # It leaks about a thousand events a reading, of 48 bytes each.
        top.type("/even")
        top.until(lambda lines: "filter: even_" in lines[-1], "the filter is typed")
        top.type("\r")
        top.until(lambda lines: re.search(r"/even/  1-\d of \d$", lines[0]), "the filter holds")
        counts = []
        for _ in range(3):
            row = next(line for line in top.screen.lines if line.startswith(" Even Nonp"))
            counts.append(row)
            top.until(lambda lines, row=row: next((l for l in lines if l.startswith(" Even Nonp")), row) != row,
                      "the next reading")
        self.assertEqual(len(set(counts)), 3)
        self.assertRegex(counts[-1], r"^ Even Nonp +[\d.]+k? \( *[1-9]\d+\)")
        self.assertEqual(top.screen.clears, 1)  # drawn whole once
        top.type("q")
        self.assertEqual(top.end(), (0, ""))
        self.assert_restored(top)

    def test_keys(self):
        top = self.open("--interval=1h")
        top.type("t")
        top.until(lambda lines: "by tag" in lines[0], "sorted by tag")
        tags = [line[1:5] for line in top.screen.lines[5:20]]
        self.assertEqual(tags, sorted(tags))
        top.type("p")
        top.until(lambda lines: "pool nonpaged" in lines[0], "one pool")
        self.assertTrue(all(line[6:10] == "Nonp" for line in top.screen.lines[5:20]))
        top.type("p")
        top.until(lambda lines: "pool paged" in lines[0], "the other pool")
        top.type("pd")
        top.until(lambda lines: "pool all  by outstanding" in lines[0], "all of them")
        first = [line for line in top.screen.lines if line[6:10] in ("Nonp", "Page")]
        top.type("\x1b[6~")
        top.until(lambda lines: not any(line == first[0] for line in lines), "the next page")
        top.type("\x1b[F")
        last = top.until(lambda lines: re.search(r"-(\d+) of \1$", lines[0]), "the last page")
        self.assertIn(last[-2][6:10], ("Nonp", "Page"))
        top.type("\x1bOH")
        top.until(lambda lines: first[0] in lines, "back at the top")
        top.type("\x1b[C" * 3)
        top.until(lambda lines: any(line.startswith(" Tag") and "Allocs" not in line for line in lines), "columns moved")
        top.type("?")
        top.until(lambda lines: "keys" in lines[0], "help")
        top.type("x")
        top.until(lambda lines: "by outstanding" in lines[0], "back from help")
        top.type("/zzzz")
        top.until(lambda lines: lines[0].endswith("0 of 0"), "nothing matches")
        top.type("\x1b")
        top.until(lambda lines: "zzzz" not in lines[0], "escape takes the filter away")
        top.type("\x03")
        self.assertEqual(top.end(), (0, ""))
        self.assert_restored(top)

    def test_resized(self):
        top = self.open("--interval=1h")
        self.assertEqual(len(top.screen.lines), 24)
        for rows, columns in ((50, 200), (10, 40), (3, 12), (24, 80)):
            top.resize(rows, columns)
            top.until(lambda lines: lines[0].startswith((" kmem_exporter top", " top  ")) and lines[-1] != "", f"{rows}x{columns}")
        top.resize(50, 200)
        wide = top.until(lambda lines: "1-46 of" in lines[0], "a tall page")
        self.assertIn("Per Alloc", "".join(wide[:6]))
        top.type("q")
        self.assertEqual(top.end(), (0, ""))
        self.assert_restored(top)

    def test_however_it_ends_the_terminal_is_given_back(self):
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):
            with self.subTest(number):
                top = self.open("--interval=1h")
                top.process.send_signal(number)
                self.assertEqual(top.end(), (0, ""))
                self.assert_restored(top)
        for number in (signal.SIGSEGV, signal.SIGABRT, signal.SIGFPE):
            with self.subTest(number):
                top = self.open("--interval=1h")
                top.process.send_signal(number)
                self.assertEqual(top.end()[0], -number)
                self.assert_restored(top)

    def test_suspended_and_resumed(self):
        top = self.open("--interval=1h")
        top.process.send_signal(signal.SIGTSTP)
        pid, status = os.waitpid(top.process.pid, os.WUNTRACED)
        self.assertTrue(os.WIFSTOPPED(status))
        top.read(0.2)
        self.assert_restored(top)
        top.screen.clear()
        top.process.send_signal(signal.SIGCONT)
        top.until(lambda lines: "kmem_exporter top" in lines[0] and " q quit" in lines[-1], "drawn again")
        self.assertTrue(top.screen.alternate)
        top.type("q")
        self.assertEqual(top.end(), (0, ""))
        self.assert_restored(top)

    def test_only_what_changed_is_sent(self):
        top = self.open("--interval=1h")
        top.until(lambda lines: " q quit" in lines[-1], "it is drawn")
        top.read(0.3)
        whole = top.screen.rows * top.screen.columns
        top.type("/")
        top.until(lambda lines: "filter:" in lines[-1], "the filter's line")
        top.type("\x1b")
        self.assertLess(len(top.read(0.5)), whole / 4)
        top.type("q")
        top.end()

    def test_drivers_and_trend_of_a_running_agent(self):
        state = os.path.join(self.folder, "state")
        with Exporter(self.replay, f"--storage.path={state}", "--sampling.interval=1h") as exporter:
            before = {name: os.stat(os.path.join(state, name)).st_mtime_ns for name in os.listdir(state)}
            self.assertIn("trend.state", before)
            top = self.open("--interval=1h", f"--storage.path={state}", columns=160)
            self.assertTrue(any("Driver" in line for line in top.screen.lines))
            top.type("q")
            self.assertEqual(top.end(), (0, ""))
            after = {name: os.stat(os.path.join(state, name)).st_mtime_ns for name in os.listdir(state)}
            self.assertEqual(after, before)
            exporter.page()
        with open(os.path.join(state, "trend.state"), "r+b") as damaged:
            damaged.seek(40)
            damaged.write(b"damage")
        top = OnTerminal(self.replay, "--interval=1h", f"--storage.path={state}")
        self.addCleanup(top.close)
        top.until(lambda lines: "trend.state" in lines[-1], "the damage is said")
        top.type("q")
        self.assertEqual(top.end()[0], 0)
        self.assertEqual(sorted(os.listdir(state)), sorted(before))

    def test_a_leak_stands_out(self):
        capture, replay = self.made("leak")
        state = os.path.join(self.folder, "state")
        tool("aged_state", capture, state, "nonpaged/Thre")
        for columns in (80, 120):
            top = OnTerminal(replay, "--interval=1h", f"--storage.path={state}", columns=columns)
            self.addCleanup(top.close)
            rows = [line for line in top.until(lambda lines: " q quit" in lines[-1], "a picture") if "LEAK" in line]
            self.assertEqual(len(rows), 1, "\n".join(top.screen.lines))
            self.assertRegex(rows[0], r"^!Thre Nonp +.*\[ntoskr.*LEAK \+[\d.]+M/d")
            print("\n" + "\n".join(top.screen.lines[:8]))
            top.type("q")
            self.assertEqual(top.end(), (0, ""))

    def test_hostile_names_are_text(self):
        _, replay = self.made("hostile")
        top = OnTerminal(replay, "--interval=1h")
        self.addCleanup(top.close)
        lines = top.until(lambda lines: " q quit" in lines[-1], "a picture")  # Screen asserts what reaches it
        shown = [line[1:14].rstrip() for line in lines]
        for tag in ("<i'>", "\\x00\\x01\\x1b[", "\\x0a\\x0d\\x09\\", "%s%n"):
            self.assertIn(tag, shown)
        top.type("/\x1b]0;owned\x07\xff\r")
        top.until(lambda lines: "0;owned" in lines[0], "what was typed is text as well")
        top.type("q")
        self.assertEqual(top.end(), (0, ""))

    def test_a_frame_is_one_write(self):
        top = self.open("--interval=1h")
        with open(f"/proc/{top.process.pid}/io", encoding="ascii") as io:
            before = int(re.search(r"syscw: (\d+)", io.read()).group(1))
        for i, (key, expected) in enumerate((("t", "by tag"), ("b", "by bytes"), ("g", "by growth"), ("r", "by rate")), 1):
            top.type(key)
            top.until(lambda lines, expected=expected: expected in lines[0], expected)
            with open(f"/proc/{top.process.pid}/io", encoding="ascii") as io:
                self.assertEqual(int(re.search(r"syscw: (\d+)", io.read()).group(1)) - before, i)
        top.type("q")
        top.end()

    def test_a_terminal_that_goes_away_ends_it(self):
        top = self.open("--interval=1s")
        os.close(top.master)
        os.close(top.slave)
        top.master, top.slave = pty.openpty()
        top.process.wait(60)

    def test_without_a_terminal(self):
        quiet = run("top", self.replay)
        self.assertEqual(quiet.returncode, 0, quiet.stderr)
        self.assertEqual(quiet.stdout, run("top", "--once", self.replay).stdout)
        dumb = OnTerminal(self.replay, term="dumb")
        self.addCleanup(dumb.close)
        self.assertEqual(dumb.end()[0], 0)
        self.assertFalse(dumb.screen.alternate)
        deaf, slave = pty.openpty()
        done = subprocess.run([EXE, "top", self.replay], stdin=subprocess.DEVNULL, stdout=slave, stderr=subprocess.PIPE,
                              timeout=80, text=True, env={**os.environ, "TERM": "xterm"})
        os.close(deaf)
        os.close(slave)
        self.assertEqual(done.returncode, 2)
        self.assertIn("standard input is not a terminal", done.stderr)


class Console(TopCase):
    """The Windows console, which Wine draws on a terminal in ways of its own: only the text counts."""

    def test_it_draws_obeys_and_ends(self):
        master, slave = pty.openpty()
        fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        process = subprocess.Popen([*RUNNER, EXE, "top", "--interval=1h", self.replay], stdin=slave, stdout=slave,
                                   stderr=slave, start_new_session=True, env={**os.environ, "TERM": "xterm"},
                                   preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        os.close(slave)
        self.addCleanup(os.close, master)
        self.addCleanup(process.wait, 10)
        self.addCleanup(process.kill)
        got = b""
        for key, expected in ((b"", rb" RSYM Nonp +59 .* q quit "), (b"t", rb" by tag "), (b"/irp", rb" filter: irp_"),
                              (b"\r", rb" q quit ")):
            os.write(master, key)
            got, end = b"", time.monotonic() + 180
            while not re.search(expected, re.sub(rb"\x1b\[[?\d;]*[A-Za-z]|[\r\n]", b"", got)):
                self.assertLess(time.monotonic(), end, (expected, got))
                if select.select([master], [], [], 0.1)[0]:
                    got += os.read(master, 65536)
        os.write(master, b"q")
        self.assertEqual(process.wait(120), 0)


class Once(TopCase):
    def rows(self, *args):
        done = run("top", "--once", self.replay, *args)
        self.assertEqual(done.returncode, 0, done.stderr)
        return [re.match(r" (.{4}) (Nonp |Paged) +(\d+)(?: +\( *(-?\d*)\))? +(\d+)", line)
                for line in done.stdout.splitlines() if line[6:10] in ("Nonp", "Page")]

    def test_every_tag_of_a_real_kernel(self):
        rows = self.rows()
        self.assertGreater(len(rows), 80)
        self.assertIn(("Even", "Nonp "), [(row[1], row[2]) for row in rows])
        self.assertIn(("Irp ", "Nonp "), [(row[1], row[2]) for row in rows])

    def test_pool_filter_and_order(self):
        self.assertEqual({row[2] for row in self.rows("--pool", "paged")}, {"Paged"})
        self.assertEqual({row[1] for row in self.rows("--filter", "eVEN")}, {"Even"})
        tags = [row[1] for row in self.rows("--sort", "tag")]
        self.assertEqual(tags, sorted(tags))

    def test_what_changed_between_two_readings(self):
        rows = self.rows("--sort", "rate")
        deltas = [int(row[4]) for row in rows if row[4] != "-"]
        self.assertEqual(deltas, sorted(deltas, reverse=True))
        self.assertGreater(deltas[0], 100)
        self.assertEqual(self.rows()[0][4], None)

    def test_its_text_is_history_for_analyze(self):
        for order in ("bytes", "rate"):
            log = self.file("top.log", run("top", "--once", "--sort", order, self.replay).stdout)
            done = run("analyze", "--all", path_for_exe(log))
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertRegex(done.stdout, r"(?m)^ok +nonpaged +Even ")
            self.assertNotIn("passed over", done.stdout + done.stderr)

    def test_what_the_readme_says_works(self):
        with open(os.path.join(SOURCE_DIR, "README.md"), encoding="utf-8") as readme:
            lines = re.findall(r"^kmem_exporter (top.*)$", readme.read(), re.M)
        self.assertGreaterEqual(len(lines), 3)
        for line in lines:
            done = run(*line.split(), self.replay)
            self.assertEqual(done.returncode, 0, (line, done.stderr))
            self.assertIn(" Tag  Type ", done.stdout)

    def test_hostile_names_are_text_in_a_pipe(self):
        _, replay = self.made("hostile")
        done = run("top", "--once", replay)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"\A[ -~\n]+\Z")
        self.assertIn("\n \\x00\\x01\\x1b[ Nonp ", done.stdout)

    def test_bad_words(self):
        for arguments, expected in ((["--sort", "size"], "growth"), (["--pool", "page"], "nonpaged"),
                                    (["--interval", "1ms"], "1s..1h")):
            done = run("top", "--once", *arguments)
            self.assertEqual(done.returncode, 2)
            self.assertIn(expected, done.stderr)

    def test_of_the_kernel_beneath(self):
        done = run("top", "--once")
        self.assertEqual(done.returncode, 0, done.stderr)
        print("\n" + done.stdout[:2000])
        self.assertRegex(done.stdout, r"Memory [\d.]+[MG]")
        self.assertIn("Commit", done.stdout)
        if WINDOWS:  # Wine knows no tags, and says so
            self.assertIn("no pool_tags: this kernel does not have it, status 0xc0000003", done.stdout)
        elif os.geteuid() == 0:
            self.assertRegex(done.stdout, r"\n [\w.-]+ +(Recl|Unrec) +\d+ +\d+")


if __name__ == "__main__":
    sys.argv[1:] = sys.argv[1:] or (["Console", "Once"] if WINDOWS else ["Live", "Once"])
    unittest.main(verbosity=2)
