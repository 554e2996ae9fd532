"""What a leg of the test command says and answers when its time is over: packaging/ctest-leg.sh on a folder of tests made here."""
import os
import subprocess
import sys
import tempfile
import time
import unittest

LEG = os.path.join(sys.argv.pop(), "packaging", "ctest-leg.sh")
PASSES, FAILS, WAITS = 'add_test(passes true)', 'add_test(fails false)', 'add_test(waits sleep 600)'


class Leg(unittest.TestCase):
    def leg(self, *tests, seconds=None):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        with open(os.path.join(folder.name, "CTestTestfile.cmake"), "w") as file:
            file.write("\n".join(tests) + "\n")
        env = {name: value for name, value in os.environ.items() if name != "KMEM_TEST_UNTIL"}
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
                                       'set_tests_properties(alone PROPERTIES RUN_SERIAL ON)', seconds=12)
        self.assertEqual((status, error), (75, ""))
        self.assertIn("in 1 programs passed", said)
        self.assertIn("the time was over before the end of 2: waits alone", said)

    def test_what_failed_fails_also_when_the_time_is_over(self):
        status, said, error = self.leg(FAILS, PASSES, WAITS, seconds=12)
        self.assertNotIn(status, (0, 75))
        self.assertIn("Test #1: fails", error)
        self.assertNotIn("waits", error)
        self.assertIn("the time was over before the end of 1: waits", said)

    def test_a_test_that_hangs_fails_also_when_the_time_is_over(self):
        status, said, error = self.leg(PASSES, 'add_test(hangs sleep 600)', 'set_tests_properties(hangs PROPERTIES TIMEOUT 2)',
                                       WAITS, seconds=12)
        self.assertNotIn(status, (0, 75))
        self.assertIn("Test #2: hangs", error)
        self.assertIn("the time was over before the end of 1: waits", said)

    def test_after_its_time_nothing_is_begun(self):
        self.assertEqual(self.leg(PASSES, seconds=-1), (75, "", ""))


if __name__ == "__main__":
    unittest.main()
