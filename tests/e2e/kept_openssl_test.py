"""OpenSSL for Windows is built once for a machine: what build-openssl.sh keeps outside the clone is taken up by the next
one, and only if it is whole and of the same sources, compiler and recipe. The tools are stand-ins that count their runs."""
import glob
import os
import subprocess
import unittest

from harness import SOURCE_DIR, Case

SCRIPT = os.path.join(SOURCE_DIR, "packaging/windows/build-openssl.sh")
TOOLS = {
    "x86_64-w64-mingw32-gcc-posix": 'echo "gcc ${FAKE_COMPILER:-12}"',
    "x86_64-w64-mingw32-as": "echo as 2",
    "perl": 'echo run >> "$RUNS"',
    "make": 'mkdir -p include/openssl; echo "made $*" > libcrypto.a; echo ssl > libssl.a; echo head > include/openssl/ssl.h',
}


class Kept(Case):
    def setUp(self):
        super().setUp()
        self.runs = self.file("runs", "")
        tools = os.path.join(self.folder, "tools")
        os.mkdir(tools)
        for name, body in TOOLS.items():
            path = self.file(f"tools/{name}", f"#!/bin/sh\n{body}\n")
            os.chmod(path, 0o755)
        self.environment = {**os.environ, "PATH": tools + ":" + os.environ["PATH"], "RUNS": self.runs,
                            "XDG_CACHE_HOME": os.path.join(self.folder, "cache dir")}

    def build(self, clone, **environment):
        """What it said; the result is in self.library."""
        source = os.path.join(self.folder, clone, "openssl")
        os.makedirs(os.path.join(source, "debian"), exist_ok=True)
        for name in ("VERSION.dat", ".complete", "debian/changelog", "debian/patches"):
            self.file(f"{clone}/openssl/{name}", "3\n")
        done = subprocess.run([SCRIPT, os.path.join(self.folder, clone), "x86_64"], env={**self.environment, **environment},
                              capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.library = os.path.join(self.folder, clone, "openssl-x86_64/lib/libcrypto.a")
        with open(self.library) as library:
            self.assertRegex(library.read(), r"^made -j\d+ libcrypto.a libssl.a\n$")
        return done.stdout + done.stderr

    def built(self):
        with open(self.runs) as runs:
            return len(runs.readlines())

    def entries(self):
        return glob.glob(os.path.join(self.folder, "cache dir/kmem_exporter/*"))

    def test_the_next_clone_takes_it(self):
        self.assertEqual(self.build("one"), "")
        self.assertEqual(self.build("one"), "")
        self.assertEqual(self.built(), 1)
        self.assertIn(f"taken from {self.entries()[0]}\n", self.build("two"))
        self.assertEqual(self.built(), 1)
        self.assertTrue(os.path.exists(os.path.join(self.folder, "two/openssl-x86_64/include/openssl/ssl.h")))

    def test_another_compiler_is_another_entry(self):
        self.build("one")
        self.assertEqual(self.build("two", FAKE_COMPILER="13"), "")
        self.assertEqual((self.built(), len(self.entries())), (2, 2))

    def test_what_is_damaged_is_not_used(self):
        self.build("one")
        kept = os.path.join(self.entries()[0], "lib")
        for clone, damage in (("two", lambda: self.write(os.path.join(kept, "libssl.a"), "torn")),
                              ("three", lambda: os.remove(os.path.join(kept, "libcrypto.a"))),
                              ("four", lambda: self.write(os.path.join(kept, "libother.a"), "strange")),
                              ("five", lambda: os.remove(os.path.join(kept, "../SHA256SUMS")))):
            before = self.built()
            damage()
            self.assertIn("is damaged: it is built anew", self.build(clone))
            self.assertEqual(self.built(), before + 1, clone)
            self.assertIn("taken from", self.build(clone + " again"))

    def test_without_a_place_to_keep_it_is_built_all_the_same(self):
        blocked = self.file("blocked", "")
        self.assertIn("cannot be written", self.build("one", XDG_CACHE_HOME=blocked))
        nowhere = {key: "" for key in ("XDG_CACHE_HOME", "HOME")}
        self.assertEqual(self.build("two", **nowhere), "")
        self.assertEqual(self.built(), 2)

    @staticmethod
    def write(path, text):
        with open(path, "w") as file:
            file.write(text)


if __name__ == "__main__":
    unittest.main(verbosity=2)
