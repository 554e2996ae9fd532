"""The shipped program where its start, its descriptors or its files are not as one would wish."""
import os
import signal
import subprocess
import time
import unittest

from harness import EXE, Case, wait_until

# What a loaded machine adds to a bound that is otherwise kept to within milliseconds.
SLACK = float(os.environ.get("KMEM_SLACK_SECONDS", "1.5"))


class Start(Case):
    def launch(self, *args, prepare='exec "$@"'):
        log = open(os.path.join(self.folder, "log"), "w+")
        self.addCleanup(log.close)
        process = subprocess.Popen(["bash", "-c", prepare, "-", EXE, "--web.listen-address=127.0.0.1:0", *args],
                                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log)
        self.addCleanup(process.wait, 30)
        self.addCleanup(process.kill)
        return process, log.name

    @staticmethod
    def takes_signals(process):
        with open(f"/proc/{process.pid}/status") as status:
            blocked = next(int(line.split()[1], 16) for line in status if line.startswith("SigBlk"))
        return blocked >> (signal.SIGTERM - 1) & 1

    @staticmethod
    def text(path):
        with open(path) as file:
            return file.read()

    def test_a_stop_comes_through_while_the_start_waits_for_a_file(self):
        pipe = os.path.join(self.folder, "pipe")
        os.mkfifo(pipe)
        state = os.path.join(self.folder, "state")
        os.mkdir(state)
        os.mkfifo(os.path.join(state, "trend.state"))
        for flag, what in ((f"--config.file={pipe}", "the configuration"), (f"--web.config.file={pipe}", "the configuration"),
                           (f"--collector.source=replay:{pipe}", "the source"), (f"--storage.path={state}", "storage")):
            with self.subTest(flag):
                process, log = self.launch(flag)
                wait_until(lambda: self.takes_signals(process), 10, "it takes signals")
                time.sleep(0.3)
                process.send_signal(signal.SIGHUP)  # asks for a reload later, and ends nothing
                begin = time.monotonic()
                process.send_signal(signal.SIGTERM)
                self.assertEqual(process.wait(30), 0, self.text(log))
                self.assertLess(time.monotonic() - begin, 2 + SLACK)
                self.assertRegex(self.text(log), f'stopping before the start was done" waits_for="?{what}')

    def test_a_start_that_waits_says_so_and_goes_on(self):
        pipe = os.path.join(self.folder, "pipe")
        os.mkfifo(pipe)
        process, log = self.launch(f"--config.file={pipe}")
        wait_until(lambda: 'waits for what does not answer" what="the configuration"' in self.text(log), 10, "it says so")
        with open(pipe, "w") as out:
            out.write("log: {format: json}\n")
        wait_until(lambda: '"msg":"listening"' in self.text(log), 10, "it listens")
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(30), 0, self.text(log))

    def test_closed_standard_descriptors_bring_no_log_into_a_file(self):
        state = os.path.join(self.folder, "state")
        process, _ = self.launch(f"--storage.path={state}", prepare='exec <&- >&- 2>&-; exec "$@"')
        wait_until(lambda: os.path.exists(os.path.join(state, "failures.state")), 15, "state is kept")
        for number in "012":
            self.assertIn(os.readlink(f"/proc/{process.pid}/fd/{number}"), ("/dev/null", "/dev/full"))
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(30), 0)
        self.assertEqual(os.path.getsize(os.path.join(state, "lock")), 0)
        # What cannot be printed is no success.
        for command in ("once", "once --output /dev/stdout", "--help"):
            done = subprocess.run(["bash", "-c", f'exec >&-; exec "$0" {command}', EXE], stdin=subprocess.DEVNULL,
                                  stderr=subprocess.PIPE, timeout=60)
            self.assertEqual(done.returncode, 1, command)


if __name__ == "__main__":
    unittest.main(verbosity=2)
