"""What packaging/ctest-leg.sh says and answers when its time is over, on a folder of tests made here."""
import os
import signal
import subprocess
import sys
import tempfile
import time
import unittest

LEG = os.path.join(sys.argv.pop(), "packaging", "ctest-leg.sh")
PASSES, FAILS, WAITS = 'add_test(passes true)', 'add_test(fails false)', 'add_test(waits sleep 600)'


class Leg(unittest.TestCase):
    def leg(self, *tests, seconds=None, env=None):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        with open(os.path.join(folder.name, "CTestTestfile.cmake"), "w") as file:
            file.write("\n".join(tests) + "\n")
        env = {**{name: value for name, value in os.environ.items() if name != "KMEM_TEST_UNTIL"}, **(env or {})}
        if seconds is not None:
            env["KMEM_TEST_UNTIL"] = str(int(time.time()) + seconds)
        done = subprocess.run([LEG, folder.name, os.path.join(folder.name, "a-ctest.log")], env=env, capture_output=True,
                              text=True)
        return done.returncode, done.stdout, done.stderr

    def test_without_a_time_all_is_run(self):
        status, said, _ = self.leg(PASSES)
        self.assertEqual(status, 0)
        self.assertIn("in 1 programs passed", said)
        self.assertNotEqual(self.leg(PASSES, FAILS)[0], 0)

    def test_what_had_not_ended_is_named_and_is_no_failure(self):
        status, said, error = self.leg(PASSES, WAITS, 'add_test(alone sleep 600)',
                                       'set_tests_properties(alone PROPERTIES RUN_SERIAL ON)', seconds=20)
        self.assertEqual((status, error), (75, ""))
        self.assertIn("in 1 programs passed", said)
        self.assertIn("the time was over before the end of 2: waits alone", said)

    def test_what_failed_fails_also_when_the_time_is_over(self):
        status, said, error = self.leg(FAILS, PASSES, WAITS, seconds=20)
        self.assertNotIn(status, (0, 75))
        self.assertIn("Test #1: fails", error)
        self.assertNotIn("waits", error)
        self.assertIn("the time was over before the end of 1: waits", said)

    def test_a_test_that_hangs_fails_also_when_the_time_is_over(self):
        status, said, error = self.leg(PASSES, 'add_test(hangs sleep 600)', 'set_tests_properties(hangs PROPERTIES TIMEOUT 2)',
                                       WAITS, seconds=20)
        self.assertNotIn(status, (0, 75))
        self.assertIn("Test #2: hangs", error)
        self.assertIn("the time was over before the end of 1: waits", said)

    def test_what_hangs_on_time_is_not_judged_where_the_machine_withholds_its_time(self):
        def leg(withheld, *tests, env=None):
            probe = tempfile.NamedTemporaryFile("w", suffix=".py")
            self.addCleanup(probe.close)
            probe.write("import signal, sys\nopen(sys.argv[1], 'w').write('%d 0.5\\n')\nsignal.pause()\n" % withheld)
            probe.flush()
            return self.leg(*tests, env={"STALLS": probe.name, **(env or {})})
        # Its second run is not over before the probe is there.
        slow = 'add_test(fails sh -c "while [ -e a-again-ctest.log ] && ! [ -s a-again-ctest.log.stalls ]; do sleep 0.1; done; false")'
        of_e2e, of_unit = (f"set_tests_properties(fails PROPERTIES LABELS {label})" for label in ("e2e", "unit"))
        for label in (of_e2e, 'set_tests_properties(fails PROPERTIES LABELS "unit;threads")'):
            status, said, _ = leg(60, PASSES, slow, label)
            self.assertEqual(status, 0, said)
            self.assertIn("NOT JUDGED, for the machine withheld 60 % of their time, up to 0.5 s at once: fails", said)
        of_all = {"SECOND_TRY": "."}  # as under Wine
        for withheld, env, tests in ((20, {}, (slow, of_e2e)), (60, of_all, (slow, of_unit)),
                                     (60, of_all, (slow, of_e2e, "add_test(other false)"))):
            with self.subTest(f"{withheld} {tests}"):
                status, said, _ = leg(withheld, PASSES, *tests, env=env)
                self.assertNotEqual(status, 0)
                self.assertNotIn("NOT JUDGED", said)

    def test_a_machine_that_stands_still_withholds_its_time(self):
        with tempfile.TemporaryDirectory() as folder:
            said = os.path.join(folder, "a")
            probe = subprocess.Popen([sys.executable, os.path.join(os.path.dirname(LEG), "stalls.py"), said])
            while not os.path.exists(said):
                time.sleep(0.05)
            for _ in range(4):
                probe.send_signal(signal.SIGSTOP)
                time.sleep(0.5)
                probe.send_signal(signal.SIGCONT)
                time.sleep(0.1)
            probe.send_signal(signal.SIGTERM)
            probe.wait(60)
            with open(said) as figures:
                withheld, longest = map(float, figures.read().split())
        self.assertGreater(withheld, 45)
        self.assertGreater(longest, 0.4)

    def test_after_its_time_nothing_is_begun(self):
        status, said, error = self.leg(PASSES, seconds=-1)
        self.assertEqual((status, error), (75, ""))
        self.assertIn("0 tests and 0 fuzz inputs in 0 programs passed", said)
        self.assertIn("the time was over before the end of 1: passes", said)

    def test_what_failed_once_is_not_judged_when_no_time_is_left_for_a_second_try(self):
        of_e2e = 'set_tests_properties(fails PROPERTIES LABELS e2e)'
        status, said, _ = self.leg(PASSES, 'add_test(fails sh -c "sleep 24; false")', of_e2e, seconds=40)
        self.assertEqual(status, 0)
        self.assertIn("NOT JUDGED, for they failed once, and the time was over before they had run again, alone: fails", said)
        # It has time.
        self.assertNotEqual(self.leg(FAILS, of_e2e, seconds=120)[0], 0)


if __name__ == "__main__":
    unittest.main()
